"""The few shapes of Slack's Block Kit that Kassör uses, cut to Slack's limits."""

from dataclasses import dataclass, field
from typing import Any

from bot.words import written

Json = dict[str, Any]
SECTION, FIELD, BUTTON, OPTION, TITLE, HEADER = 3000, 2000, 75, 75, 24, 150  # characters


@dataclass(frozen=True)
class Content:
    """Something to show: `text` is the fallback that screen readers and notifications read; `title` is for a modal."""

    text: str
    blocks: list[Json] = field(default_factory=list)
    title: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", written(self.text))  # frozen: the one thing that is done to it


def cut(text: str, most: int) -> str:
    """Text shortened to Slack's limit, visibly."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain(text: str, most: int = SECTION) -> Json:
    """A plain text object."""
    return {"type": "plain_text", "text": cut(text, most), "emoji": True}


def mrkdwn(text: str, most: int = SECTION) -> Json:
    """A mrkdwn text object, never cut through a mention, a link or a date."""
    if len(text) > most:
        whole = text[: most - 1]
        opened = whole.rfind("<")  # only markup has one: what people write is escaped
        text = (whole[:opened] if opened > whole.rfind(">") else whole) + "…"
    return {"type": "mrkdwn", "text": text}


def header(text: str) -> Json:
    """A headline."""
    return {"type": "header", "text": plain(text, HEADER)}


def section(text: str, accessory: Json | None = None) -> Json:
    """A paragraph, with something beside it."""
    block: Json = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def facts(pairs: list[tuple[str, str]]) -> Json:
    """Names and values in two columns."""
    return {"type": "section", "fields": [mrkdwn(f"*{name}*\n{value}", FIELD) for name, value in pairs[:10]]}


def context(text: str) -> Json:
    """Small print."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def divider() -> Json:
    """A line."""
    return {"type": "divider"}


def actions(*elements: Json, block_id: str | None = None) -> Json:
    """A row of buttons."""
    block: Json = {"type": "actions", "elements": list(elements)}
    return block | {"block_id": block_id} if block_id else block


def button(
    text: str, action_id: str, value: str | None = None, *, style: str | None = None, url: str | None = None
) -> Json:
    """A button; its text begins with a verb. `style`: primary or danger."""
    element: Json = {"type": "button", "action_id": action_id, "text": plain(text, BUTTON)}
    more = {"value": value, "style": style, "url": url}
    return element | {name: given for name, given in more.items() if given is not None}


def confirm(title: str, text: str, yes: str, no: str, *, danger: bool = True) -> Json:
    """A question Slack asks before it sends a press on."""
    asked: Json = {
        "title": plain(title, 100),
        "text": mrkdwn(written(text), 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }
    return asked | ({"style": "danger"} if danger else {})


def option(text: str, value: str, description: str | None = None) -> Json:
    """One choice of a menu."""
    made: Json = {"text": plain(text, OPTION), "value": value}
    return made | {"description": plain(description, OPTION)} if description else made


def chosen(options: list[Json], value: str | None) -> Json:
    """`{"initial_option": …}` for a value that is on offer, else nothing."""
    found = next((each for each in options if each["value"] == value), None)
    return {"initial_option": found} if found else {}


def field_of(block_id: str, label: str, element: Json, *, dispatch: bool = False, hint: str | None = None) -> Json:
    """A field of a form; `dispatch` tells us of every choice."""
    block: Json = {"type": "input", "block_id": block_id, "label": plain(label, 2000), "element": element}
    if dispatch:
        block["dispatch_action"] = True
    return block | {"hint": plain(hint, 2000)} if hint else block


def modal(
    title: str,
    blocks: list[Json],
    *,
    close: str,
    submit: str | None = None,
    callback_id: str = "kassor.shown",
    private_metadata: str = "",
) -> Json:
    """A modal view; one without `submit` only shows."""
    view: Json = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, TITLE),
        "close": plain(close, TITLE),
        "blocks": blocks[:100],
        "private_metadata": private_metadata,
    }
    return view | {"submit": plain(submit, TITLE)} if submit else view


def note(text: str, *more: Json, title: str | None = None) -> Content:
    """One paragraph, and perhaps something below it."""
    return Content(text=cut(written(text), SECTION), blocks=[section(text), *more], title=title)


def without_title(content: Content) -> list[Json]:
    """The blocks for a modal, whose title says already what a headline would."""
    first = content.blocks[0] if content.blocks else {}
    repeats = first.get("type") == "header" and first["text"]["text"] == content.title
    return content.blocks[1:] if repeats else content.blocks
