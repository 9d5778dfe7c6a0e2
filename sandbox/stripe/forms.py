"""Form bodies and query strings as Stripe nests them: `items[0][price]=…&metadata[k]=v&expand[]=…`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import invalid

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> dict[str, Any]:
    """Nest the pairs. Leaves are strings; `[]` and `[0]` make lists. Raises ApiError for a key that cannot be read."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.fullmatch(key)
        if match is None:
            raise invalid(f"Invalid parameter name: {key}", param=key)
        path = [match[1], *_PART.findall(match[2])]
        node = root
        for part in path[:-1]:
            step = part or str(len(node))
            below = node.setdefault(step, {})
            if not isinstance(below, dict):
                raise invalid(f"Invalid object: {key}", param=key)
            node = below
        node[path[-1] or str(len(node))] = value
    return {key: _with_lists(value) for key, value in root.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(below) for key, below in value.items()}
