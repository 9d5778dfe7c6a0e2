"""The two doors to a person that stand open at every step: sales, and support (R17)."""

from bot.views.blocks import Json, button
from bot.words import Words

SALES, SUPPORT = "kassor.go.sales", "kassor.go.support"


def sales_button(t: Words, topic: str = "", about: str = "", *, style: str | None = None) -> Json:
    """Opens the sales form, `topic` (a Topic) chosen, `about` a scope or subscription; both may be empty."""
    return button(t.plain("Contact sales"), SALES, f"{topic}:{about}", style=style)


def support_button(t: Words, place: str, about: str = "") -> Json:
    """Opens the support form. `place`: where in the product it is pressed, for support to read; `about`: a scope's id."""
    return button(t.plain("Contact support"), SUPPORT, f"{place}:{about}")
