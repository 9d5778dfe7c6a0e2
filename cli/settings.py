"""`kassor settings`: what can be set and how it is set here, and the reference of `docs/configuration.md`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from domain.settings import as_markdown, reference

BEGIN, END = "<!-- settings: `kassor settings --into` writes from here -->\n", "<!-- to here -->\n"


class NoPlace(Exception):  # noqa: N818 - it says what it is
    """A file that does not say where the reference goes."""


def show(environment: Mapping[str, str], say: Callable[[str], None], *, as_json: bool) -> None:
    """Every setting as this environment has it; of a secret only whether it is set."""
    found = []
    for each in reference():
        given = environment.get(each.name, "").strip()
        shown = ("(set)" if each.secret else given) if given else each.default
        found.append({"name": each.name, "value": shown, "set": bool(given), "secret": each.secret, "what": each.what})
    if as_json:
        say(json.dumps({"settings": found}, indent=2, ensure_ascii=False))
        return
    width = max(len(str(each["name"])) for each in found)
    for line in found:
        say(f"{line['name']:<{width}}  {'set    ' if line['set'] else 'default'}  {line['value'] or '–'}")


def write_into(file: Path) -> bool:
    """Put the reference between the file's two marks; returns whether that changed anything. Raises NoPlace, OSError."""
    before = file.read_text()
    head, began, rest = before.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not began or not ended:
        raise NoPlace(f"{file} has not both lines: {BEGIN.strip()} and {END.strip()}")
    after = f"{head}{BEGIN}\n{as_markdown()}\n{END}{tail}"
    if after != before:
        file.write_text(after)
    return after != before
