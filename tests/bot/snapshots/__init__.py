"""The product's whole voice on two pages, `en.txt` and `sv.txt`: every message, modal and App Home as a person reads it.

Written anew by `python -m tests.bot.snapshots`; what changed is then read, in both languages, before it is committed.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from bot.views.blocks import Content, Json
from bot.words import Words
from tests.bot.builders import BUILDERS
from tests.bot.specimens import ORDINARY, Shown

HERE = Path(__file__).parent
_DRAWN = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
READERS = {"en": ("en-US", "America/New_York"), "sv": ("sv-SE", "Europe/Stockholm")}


@cache
def page(language: str) -> str:
    """All that is shown in a language."""
    t = Words(*READERS[language])
    said = []
    for builder in sorted(BUILDERS):
        for what, shown in BUILDERS[builder](t, ORDINARY):
            said.append(f"=== {builder}{': ' + what if what else ''} ===\n{rendered(shown)}\n")
    text = _DRAWN.sub(r"‹\1›", "\n".join(said))
    return text.replace("\u00a0", "·").replace("\u202f", "·")  # a space that doesn't break must be seen


def write() -> None:
    """Both pages anew."""
    for language in READERS:
        (HERE / f"{language}.txt").write_text(page(language), encoding="utf-8")


def rendered(shown: Shown) -> str:
    """What a person sees, top to bottom: `[a button]`, `(what it asks first)`, `<a menu>`, `{a fallback}`, `‹Slack's date›`."""
    if isinstance(shown, Content):
        lines = [f"{{{shown.text}}}", *_blocks(shown.blocks)]
        return "\n".join([f"# {shown.title}", *lines] if shown.title else lines)
    if isinstance(shown, list):
        return "\n".join(_blocks(shown))
    head = [f"# {shown['title']['text']}"] if "title" in shown else []
    foot = [f"[[{shown[name]['text']}]]" for name in ("submit", "close") if name in shown]
    return "\n".join([*head, *_blocks(shown["blocks"]), " ".join(foot)]).rstrip()


def _blocks(blocks: list[Json]) -> list[str]:
    return [line for block in blocks for line in _block(block)]


def _block(block: Json) -> list[str]:
    kind = block["type"]
    if kind == "divider":
        return ["----"]
    if kind == "header":
        return [f"## {block['text']['text']}"]
    if kind == "context":
        return [f"~ {each['text']}" for each in block["elements"]]
    if kind == "actions":
        return [" ".join(_element(each) for each in block["elements"])]
    if kind == "input":
        hint = [f"   {block['hint']['text']}"] if "hint" in block else []
        return [f"{block['label']['text']}: {_element(block['element'])}", *hint]
    said = [block["text"]["text"]] if "text" in block else []
    said += [" | " + each["text"].replace("\n", ": ") for each in block.get("fields", [])]
    return said + ([f"   {_element(block['accessory'])}"] if "accessory" in block else [])


def _element(element: Json) -> str:
    kind = element["type"]
    asks = f" ({_confirm(element['confirm'])})" if "confirm" in element else ""
    if kind == "button":
        mark = {"primary": "*", "danger": "!"}.get(element.get("style", ""), "")
        return f"[{mark}{element['text']['text']}]{asks}"
    known = element.get("options") or []
    options = " / ".join(_option(each) for each in known[:6]) + (" / …" if len(known) > 6 else "")
    placeholder = element.get("placeholder", {}).get("text", "")
    chosen = element.get("initial_option", {}).get("text", {}).get("text") or element.get("initial_value") or ""
    return f"<{' · '.join(part for part in (placeholder, options, chosen and f'now: {chosen}') if part) or kind}>{asks}"


def _option(option: Json) -> str:
    more = f" – {option['description']['text']}" if "description" in option else ""
    return f"{option['text']['text']}{more}"


def _confirm(asked: dict[str, Any]) -> str:
    return " / ".join(asked[name]["text"] for name in ("title", "text", "confirm", "deny"))
