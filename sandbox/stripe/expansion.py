"""`expand[]`: ids replaced by the objects they name, as deep as asked, at most four levels."""

import copy
from collections.abc import Callable
from typing import Any

from sandbox.stripe.errors import invalid

Object = dict[str, Any]

# Left out of an answer unless asked for, as Stripe does.
INCLUDED_ON_REQUEST = {
    "invoice": ("payments", "confirmation_secret"),
    "checkout.session": ("line_items",),
    "customer": ("subscriptions", "tax_ids"),
    "coupon": ("applies_to",),
}


def answer(raw: Object, expand: list[str], find: Callable[[str], Object | None]) -> Object:
    """A copy of `raw` as the API shows it: with what `expand` names, without what was not asked for.

    `find` returns the raw object with an id. Raises ApiError for what cannot be expanded.
    """
    shown = copy.deepcopy(raw)
    kept: set[tuple[int, str]] = set()
    for path in expand:
        parts = path.split(".")
        if len(parts) > 4 + (parts[0] == "data"):
            raise invalid(f"You cannot expand more than 4 levels of a property ({path}).", param="expand")
        _expand(shown, parts, path, find, kept)
    _leave_out(shown, kept)
    return shown


def _expand(
    node: Object, parts: list[str], path: str, find: Callable[[str], Object | None], kept: set[tuple[int, str]]
) -> None:
    name, rest = parts[0], parts[1:]
    if name not in node:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    kept.add((id(node), name))
    value = node[name]
    if isinstance(value, list):
        node[name] = value = [_resolved(element, path, find) for element in value]
        for element in value:
            if rest and isinstance(element, dict):
                _expand(element, rest, path, find, kept)
        return
    if value is None:
        return
    node[name] = value = _resolved(value, path, find)
    if rest:
        _expand(value, rest, path, find, kept)


def _resolved(value: Any, path: str, find: Callable[[str], Object | None]) -> Any:
    if isinstance(value, dict):
        return value
    found = find(value) if isinstance(value, str) else None
    if found is None:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    return copy.deepcopy(found)


def _leave_out(node: Any, kept: set[tuple[int, str]]) -> None:
    if isinstance(node, list):
        for element in node:
            _leave_out(element, kept)
    elif isinstance(node, dict):
        for name in INCLUDED_ON_REQUEST.get(str(node.get("object")), ()):
            if (id(node), name) not in kept:
                node.pop(name, None)
        for value in node.values():
            _leave_out(value, kept)
