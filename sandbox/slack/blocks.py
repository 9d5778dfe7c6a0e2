"""Block Kit's rules, enforced as Slack does: what is wrong, and where, as a JSON pointer.

Limits are those of docs.slack.dev/reference/block-kit. `problems(...)` returns what Slack puts into
`response_metadata.messages`; empty means Slack would take it.
"""

import re
from collections.abc import Callable
from typing import Any, Literal

Surface = Literal["message", "modal", "home"]
Json = dict[str, Any]

_TEXT_INPUTS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_SELECTS = {
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
}
_CHOICES = {"checkboxes", "radio_buttons"}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_IN_ACTIONS = (
    {"button", "overflow"} | {kind for kind in _SELECTS if not kind.startswith("multi_")} | _CHOICES | _PICKERS
)
_IN_SECTION = _IN_ACTIONS | _SELECTS | {"image"}
_IN_INPUT = _TEXT_INPUTS | _SELECTS | _CHOICES | _PICKERS
_BLOCKS: dict[str, set[Surface]] = {
    "section": {"message", "modal", "home"},
    "actions": {"message", "modal", "home"},
    "context": {"message", "modal", "home"},
    "divider": {"message", "modal", "home"},
    "header": {"message", "modal", "home"},
    "image": {"message", "modal", "home"},
    "input": {"message", "modal", "home"},
    "rich_text": {"message", "modal", "home"},
    "table": {"message"},
    "file": {"message"},
}


_COMMON = {"type", "action_id", "placeholder", "focus_on_load"}
_SELECTED = {"confirm", "max_selected_items"}
_KEYS: dict[str, set[str]] = {  # what an element may carry beside the common
    "plain_text_input": {"initial_value", "multiline", "min_length", "max_length", "dispatch_action_config"},
    "number_input": {"initial_value", "is_decimal_allowed", "min_value", "max_value", "dispatch_action_config"},
    "email_text_input": {"initial_value", "dispatch_action_config"},
    "url_text_input": {"initial_value", "dispatch_action_config"},
    "datepicker": {"initial_date", "confirm"},
    "timepicker": {"initial_time", "confirm", "timezone"},
    "datetimepicker": {"initial_date_time", "confirm"},
    "users_select": {"initial_user", "confirm"},
    "multi_users_select": {"initial_users"} | _SELECTED,
    "channels_select": {"initial_channel", "confirm", "response_url_enabled"},
    "multi_channels_select": {"initial_channels"} | _SELECTED,
    "conversations_select": {
        *("initial_conversation", "default_to_current_conversation", "confirm", "response_url_enabled", "filter"),
    },
    "multi_conversations_select": {"initial_conversations", "default_to_current_conversation", "filter"} | _SELECTED,
    "external_select": {"initial_option", "min_query_length", "confirm"},
    "multi_external_select": {"initial_options", "min_query_length"} | _SELECTED,
}


class _Checker:
    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.found: list[str] = []
        self.block_ids: set[str] = set()

    def no(self, what: str, where: str) -> None:
        self.found.append(f"[ERROR] {what} [json-pointer:{where}]")

    def length(self, value: Any, most: int, where: str, *, least: int = 0) -> None:
        if not isinstance(value, str):
            self.no("must be a string", where)
        elif len(value) > most:
            self.no(f"must be less than {most + 1} characters", where)
        elif len(value) < least:
            self.no(f"must be more than {least - 1} characters", where)

    def text(self, value: Any, most: int, where: str, *, plain: bool = False) -> None:
        if not isinstance(value, dict) or value.get("type") not in {"plain_text", "mrkdwn"}:
            self.no("must be a text object", where)
            return
        if plain and value["type"] != "plain_text":
            self.no("must be a plain_text object", f"{where}/type")
        self.keys(value, {"type", "text", "emoji", "verbatim"}, where)
        self.length(value.get("text"), most, f"{where}/text", least=1)

    def keys(self, value: Json, known: set[str], where: str) -> None:
        for key in sorted(set(value) - known):
            self.no(f"invalid additional property: {key}", where)

    def blocks(self, blocks: Any, where: str, most: int) -> None:
        if not isinstance(blocks, list):
            self.no("must be an array", where)
            return
        if len(blocks) > most:
            self.no(f"no more than {most} items allowed", where)
        for index, block in enumerate(blocks):
            self.block(block, f"{where}/{index}")

    def block(self, block: Any, where: str) -> None:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in _BLOCKS or self.surface not in _BLOCKS[kind]:
            self.no(f"unsupported type: {kind}", f"{where}/type")
            return
        if "block_id" in block:
            self.length(block["block_id"], 255, f"{where}/block_id")
            if block["block_id"] in self.block_ids:
                self.no(f"`block_id` {block['block_id']} already exists", f"{where}/block_id")
            self.block_ids.add(block["block_id"])
        checks: dict[str, Callable[[Json, str], None]] = {
            "section": self._section,
            "actions": self._actions,
            "context": self._context,
            "header": self._header,
            "image": self._image,
            "input": self._input,
            "rich_text": self._rich_text,
            "table": self._table,
            "divider": lambda block, where: self.keys(block, {"type", "block_id"}, where),
        }
        if kind in checks:
            checks[kind](block, where)

    def _section(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "text", "fields", "accessory", "expand"}, where)
        if "text" not in block and not block.get("fields"):
            self.no("missing required field: text", where)
        if "text" in block:
            self.text(block["text"], 3000, f"{where}/text")
        fields = block.get("fields", [])
        if len(fields) > 10:
            self.no("no more than 10 items allowed", f"{where}/fields")
        for index, part in enumerate(fields):
            self.text(part, 2000, f"{where}/fields/{index}")
        if "accessory" in block:
            self.element(block["accessory"], _IN_SECTION, f"{where}/accessory")

    def _actions(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "elements"}, where)
        self._elements(block, 25, _IN_ACTIONS, where)

    def _elements(self, block: Json, most: int, allowed: set[str], where: str) -> None:
        elements = block.get("elements")
        if not isinstance(elements, list) or not elements:
            self.no("must provide at least one element", f"{where}/elements")
            return
        if len(elements) > most:
            self.no(f"no more than {most} items allowed", f"{where}/elements")
        seen: set[str] = set()
        for index, element in enumerate(elements):
            self.element(element, allowed, f"{where}/elements/{index}")
            action_id = element.get("action_id") if isinstance(element, dict) else None
            if action_id in seen:
                self.no(f"`action_id` {action_id} already exists", f"{where}/elements/{index}/action_id")
            if action_id is not None:
                seen.add(action_id)

    def _context(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "elements"}, where)
        elements = block.get("elements")
        if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
            self.no("must have 1 to 10 items", f"{where}/elements")
            return
        for index, element in enumerate(elements):
            if isinstance(element, dict) and element.get("type") == "image":
                self.element(element, {"image"}, f"{where}/elements/{index}")
            else:
                self.text(element, 3000, f"{where}/elements/{index}")

    def _header(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "text"}, where)
        self.text(block.get("text"), 150, f"{where}/text", plain=True)

    def _image(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "image_url", "slack_file", "alt_text", "title"}, where)
        self.length(block.get("alt_text"), 2000, f"{where}/alt_text")
        if "slack_file" not in block:
            self.length(block.get("image_url"), 3000, f"{where}/image_url", least=1)
        if "title" in block:
            self.text(block["title"], 2000, f"{where}/title", plain=True)

    def _input(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "label", "element", "dispatch_action", "hint", "optional"}, where)
        self.text(block.get("label"), 2000, f"{where}/label", plain=True)
        self.element(block.get("element"), _IN_INPUT, f"{where}/element")
        if "hint" in block:
            self.text(block["hint"], 2000, f"{where}/hint", plain=True)

    def _rich_text(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "elements"}, where)
        known = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
        for index, part in enumerate(block.get("elements") or [None]):
            if not isinstance(part, dict) or part.get("type") not in known:
                self.no("unsupported type", f"{where}/elements/{index}")

    def _table(self, block: Json, where: str) -> None:
        self.keys(block, {"type", "block_id", "rows", "column_settings"}, where)
        rows = block.get("rows")
        if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
            self.no("must have 1 to 100 items", f"{where}/rows")
            return
        for index, row in enumerate(rows):
            if not isinstance(row, list) or len(row) > 20:
                self.no("no more than 20 items allowed", f"{where}/rows/{index}")

    def element(self, element: Any, allowed: set[str], where: str) -> None:
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in allowed:
            self.no(f"unsupported type: {kind}", f"{where}/type")
            return
        if kind == "image":
            self.keys(element, {"type", "image_url", "alt_text", "slack_file"}, where)
            self.length(element.get("alt_text"), 2000, f"{where}/alt_text")
            return
        if "action_id" in element:
            self.length(element["action_id"], 255, f"{where}/action_id", least=1)
        if "placeholder" in element:
            self.text(element["placeholder"], 150, f"{where}/placeholder", plain=True)
        if "confirm" in element:
            self._confirm(element["confirm"], f"{where}/confirm")
        if kind == "button":
            self._button(element, where)
        elif kind in {"static_select", "multi_static_select", "overflow", "checkboxes", "radio_buttons"}:
            self.options(element, kind, where)
        elif kind in _TEXT_INPUTS:
            self._text_input(element, kind, where)
        elif kind in _KEYS:
            self.keys(element, _KEYS[kind] | _COMMON, where)
        if kind.startswith("multi_") and not 1 <= element.get("max_selected_items", 1) <= 1000:
            self.no("must be between 1 and 1000", f"{where}/max_selected_items")

    def _text_input(self, element: Json, kind: str, where: str) -> None:
        self.keys(element, _KEYS[kind] | _COMMON, where)
        if isinstance(element.get("initial_value"), str):
            self.length(element["initial_value"], 3000, f"{where}/initial_value")
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if not (
            isinstance(least, int)
            and isinstance(most, int)
            and 0 <= least <= 3000
            and 1 <= most <= 3000
            and least <= most
        ):
            self.no("must be 0 to 3000, the least no more than the most", f"{where}/max_length")
        if kind != "number_input":
            return
        if not isinstance(element.get("is_decimal_allowed"), bool):
            self.no("missing required field: is_decimal_allowed", where)
        for name in ("min_value", "max_value", "initial_value"):
            if name in element and not re.fullmatch(r"-?\d+(\.\d+)?", str(element[name])):
                self.no("must be a number in a string", f"{where}/{name}")

    def _button(self, element: Json, where: str) -> None:
        known = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
        self.keys(element, known, where)
        self.text(element.get("text"), 75, f"{where}/text", plain=True)
        for name, most in (("value", 2000), ("url", 3000), ("accessibility_label", 75)):
            if name in element:
                self.length(element[name], most, f"{where}/{name}")
        if element.get("style", "primary") not in {"primary", "danger"}:
            self.no("must be one of primary, danger", f"{where}/style")

    def _confirm(self, confirm: Any, where: str) -> None:
        if not isinstance(confirm, dict):
            self.no("must be an object", where)
            return
        self.keys(confirm, {"title", "text", "confirm", "deny", "style"}, where)
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            self.text(confirm.get(name), most, f"{where}/{name}", plain=name != "text")

    def options(self, element: Json, kind: str, where: str) -> None:
        most = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}.get(kind, 100)
        groups = element.get("option_groups")
        if groups is not None:
            if not isinstance(groups, list) or not 1 <= len(groups) <= 100:
                self.no("must have 1 to 100 items", f"{where}/option_groups")
                return
            for index, group in enumerate(groups):
                self.text(group.get("label"), 75, f"{where}/option_groups/{index}/label", plain=True)
                self._option_list(group.get("options"), 100, f"{where}/option_groups/{index}/options")
        else:
            self._option_list(element.get("options"), most, f"{where}/options")
        if kind not in _CHOICES and any(
            option.get("text", {}).get("type") != "plain_text"
            for option in [*(element.get("options") or []), *(o for g in groups or [] for o in g.get("options") or [])]
            if isinstance(option, dict)
        ):
            self.no("must be a plain_text object", f"{where}/options")
        chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
        offered = list(element.get("options") or [])
        for group in groups or []:
            offered += group.get("options", [])
        if any(option not in offered for option in chosen):
            self.no("initial option must exactly match one of the options", f"{where}/initial_option")

    def _option_list(self, options: Any, most: int, where: str) -> None:
        if not isinstance(options, list) or not options:
            self.no("must provide at least one option", where)
            return
        if len(options) > most:
            self.no(f"no more than {most} items allowed", where)
        for index, option in enumerate(options):
            if not isinstance(option, dict):
                self.no("must be an object", f"{where}/{index}")
                continue
            self.keys(option, {"text", "value", "description", "url"}, f"{where}/{index}")
            self.text(option.get("text"), 75, f"{where}/{index}/text")
            self.length(option.get("value"), 150, f"{where}/{index}/value", least=1)
            if "description" in option:
                self.text(option["description"], 75, f"{where}/{index}/description")


def problems_in_blocks(blocks: Any, surface: Surface = "message") -> list[str]:
    """What Slack would say of these blocks on that surface."""
    checker = _Checker(surface)
    checker.blocks(blocks, "/blocks", 50 if surface == "message" else 100)
    return checker.found


def problems_in_options(answer: Any) -> list[str]:
    """What Slack would say of the answer to a `block_suggestion`: `options` or `option_groups`, 100 at most of either."""
    checker = _Checker("modal")
    if not isinstance(answer, dict) or len({"options", "option_groups"} & answer.keys()) != 1:
        return ["[ERROR] must have options or option_groups [json-pointer:/]"]
    if "options" in answer and answer["options"] == []:
        return []
    checker.options({**answer, "type": "static_select"}, "static_select", "")
    return checker.found


_VIEW_KEYS = {
    "type", "title", "submit", "close", "blocks", "private_metadata", "callback_id",
    "clear_on_close", "notify_on_close", "external_id", "submit_disabled",
}  # fmt: skip


def problems_in_view(view: Any) -> list[str]:
    """What Slack would say of this modal or App Home."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return ["[ERROR] must be one of modal, home [json-pointer:/view/type]"]
    surface: Surface = view["type"]
    checker = _Checker(surface)
    checker.keys(view, _VIEW_KEYS, "/view")
    if surface == "modal":
        checker.text(view.get("title"), 24, "/view/title", plain=True)
        for name in ("submit", "close"):
            if name in view and view[name] is not None:
                checker.text(view[name], 24, f"/view/{name}", plain=True)
        if "submit" not in view and any(
            isinstance(b, dict) and b.get("type") == "input" for b in view.get("blocks") or []
        ):
            checker.no("missing required field: submit", "/view")
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if name in view:
            checker.length(view[name], most, f"/view/{name}")
    checker.blocks(view.get("blocks"), "/view/blocks", 100)
    return checker.found
