"""What people choose and type in elements: as Slack's state carries it, and what Slack's client refuses before the app hears.

Bounds are those of docs.slack.dev/reference/block-kit/block-elements.
"""

import re
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.cast import Workspace
from sandbox.slack.state import stateful_elements
from sandbox.wrong import ControlError

Json = dict[str, Any]
TEXTS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_LONGEST = 3_000  # characters a text input takes

_WORDS = {
    "en": {
        "required": "Please complete this required field.",
        "short": "Please enter at least {bound} characters.",
        "long": "Please enter {bound} characters or fewer.",
        "number": "Please enter a valid number.",
        "whole": "Please enter a whole number.",
        "least": "Please enter a number that is at least {bound}.",
        "most": "Please enter a number that is at most {bound}.",
        "email": "Please enter a valid email address.",
        "url": "Please enter a valid URL.",
        "many": "Please select {bound} items or fewer.",
    },
    "sv": {
        "required": "Fyll i det här fältet.",
        "short": "Skriv minst {bound} tecken.",
        "long": "Skriv högst {bound} tecken.",
        "number": "Skriv ett giltigt tal.",
        "whole": "Skriv ett heltal.",
        "least": "Skriv ett tal som är minst {bound}.",
        "most": "Skriv ett tal som är högst {bound}.",
        "email": "Skriv en giltig e-postadress.",
        "url": "Skriv en giltig webbadress.",
        "many": "Välj högst {bound}.",
    },
}


def selection(element: Json, value: Any, workspace: Workspace) -> Json:
    """A choice as Slack's state and actions carry it. Raises ControlError for what the element doesn't offer."""
    kind = element["type"]
    if kind in TEXTS:
        return {"value": None if value is None or value == "" else _text(value)}
    if kind in {"datepicker", "timepicker", "datetimepicker"}:
        return _moment(kind, value)
    many = kind.startswith("multi_") or kind == "checkboxes"
    for noun in ("users", "conversations", "channels"):
        if kind in {f"{noun}_select", f"multi_{noun}_select"}:
            known = _known(workspace, noun)
            wanted = _listed(value) if many else [value] if value else []
            if strangers := [each for each in wanted if str(each) not in known]:
                raise ControlError(
                    f"not there to choose: {', '.join(map(str, strangers))}", "GET /control/state lists them"
                )
            return {f"selected_{noun}": wanted} if many else {f"selected_{noun[:-1]}": wanted[0] if wanted else None}
    wanted = _listed(value) if many else [value] if value is not None else []
    options = [_option(element, one) for one in wanted]
    return {"selected_options": options} if many else {"selected_option": options[0] if options else None}


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise ControlError(f"{value!r} is no text", "a text input takes a string")
    return str(value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ControlError(f"{value!r} is not a list", "choose several as a list, such as [] or [one]")
    return value


def _known(workspace: Workspace, noun: str) -> set[str]:
    """Everybody and everything that was ever there to choose: who was chosen may have left before it was submitted."""
    if noun == "users":
        return {*workspace.users, *(member for place in workspace.channels.values() for member in place.members)}
    return set(workspace.channels)


def _moment(kind: str, value: Any) -> Json:
    name = {"datepicker": "selected_date", "timepicker": "selected_time"}.get(kind, "selected_date_time")
    if value is None or value == "":
        return {name: None}
    try:
        if kind == "datepicker":
            return {name: date.fromisoformat(str(value)).isoformat()}
        if kind == "timepicker":
            return {name: time.fromisoformat(str(value)).strftime("%H:%M")}
        return {name: int(value)}
    except (TypeError, ValueError):
        shape = {"datepicker": "2026-01-31", "timepicker": "09:30"}.get(kind, "seconds since 1970")
        raise ControlError(f"{value!r} is no moment", f"write it as {shape}") from None


def offered(element: Json) -> list[Json]:
    """Every option of a static select, of radio buttons, checkboxes or an overflow menu."""
    found = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        found += group["options"]
    return found


def _option(element: Json, value: Any) -> Json:
    if isinstance(value, dict) and element["type"].endswith("external_select"):  # as the app suggested it
        return value
    wanted = value.get("value") if isinstance(value, dict) else value
    for option in offered(element):
        if option["value"] == str(wanted):
            return option
    there = ", ".join(option["value"] for option in offered(element)[:30])
    raise ControlError(
        f"{value!r} is not offered", f"there is: {there or 'whatever /control/suggest answers, given whole'}"
    )


def refused_by_client(view: Json, language: str) -> dict[str, str]:
    """What Slack's client says on the fields of a modal without asking the app, by block id; empty lets it through."""
    words = _WORDS.get(language, _WORDS["en"])
    wrong: dict[str, str] = {}
    for block in view.get("blocks") or []:
        if block.get("type") != "input":
            continue
        for element in stateful_elements(block):
            state = view["state"]["values"].get(block["block_id"], {}).get(element["action_id"], {})
            chosen = next((value for name, value in state.items() if name != "type"), None)
            if not chosen:
                if not block.get("optional"):
                    wrong[block["block_id"]] = words["required"]
            elif said := _bounds(element, chosen):
                wrong[block["block_id"]] = words[said[0]].format(bound=said[1])
    return wrong


def _bounds(element: Json, chosen: Any) -> tuple[str, Any] | None:
    """Which of Slack's bounds a value breaks, and the bound."""
    kind = element["type"]
    if kind == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", _LONGEST)
        return ("short", least) if len(chosen) < least else ("long", most) if len(chosen) > most else None
    if kind == "number_input":
        return _number(element, chosen)
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", chosen):
        return "email", None
    if kind == "url_text_input" and not re.fullmatch(r"https?://\S+", chosen):
        return "url", None
    most = element.get("max_selected_items")
    return ("many", most) if most and isinstance(chosen, list) and len(chosen) > most else None


def _number(element: Json, chosen: str) -> tuple[str, Any] | None:
    try:
        number = Decimal(chosen)
    except InvalidOperation:
        return "number", None
    if not number.is_finite():
        return "number", None
    if not element.get("is_decimal_allowed") and number != number.to_integral_value():
        return "whole", None
    if "min_value" in element and number < Decimal(element["min_value"]):
        return "least", element["min_value"]
    if "max_value" in element and number > Decimal(element["max_value"]):
        return "most", element["max_value"]
    return None
