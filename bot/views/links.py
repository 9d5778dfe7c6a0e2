"""What stands at the foot of every page and modal: the way to support (R17), and the catalogue's links (R47)."""

from bot.views.blocks import Json, actions, button, context
from bot.views.doors import SALES, support_button
from bot.words import Words, link
from domain.desk import Desk

GO = "kassor.go."  # + what the button leads to; see `bot.listeners`


def named_links(t: Words, desk: Desk, *names: str) -> list[tuple[str, str]]:
    """(words, address) of the catalogue's links that are filled in: all, or those named."""
    words = {
        "pricing": t.plain("Prices"),
        "scopes": t.plain("Organisation or team?"),
        "cancellation": t.plain("Cancelling, and what else you can do"),
        "support": t.plain("Support"),
    }
    return [
        (said, desk.catalogue.links[name])
        for name, said in words.items()
        if desk.catalogue.links.get(name) and (not names or name in names)
    ]


def links_line(t: Words, desk: Desk, *names: str) -> list[Json]:
    """The links as small print; nothing when none is filled in."""
    found = [link(address, words) for words, address in named_links(t, desk, *names)]
    return [context(" · ".join(found))] if found else []


def ask_sales(words: str, topic: str, about: object = "", *, style: str | None = None) -> Json:
    """The door to sales with words of its own: `topic` of DeskRequest, about a scope or a subscription by its id."""
    return button(words, SALES, f"{topic}:{about}", style=style)


def foot(t: Words, desk: Desk, where: str, *names: str) -> list[Json]:
    """The foot of a modal: support one click away, and the links that help to decide."""
    return [*links_line(t, desk, *names), actions(support_button(t, where), block_id="foot")]
