"""Lists as the API pages them: newest first, a limit of 1–100, a cursor either way, `created` bounds."""

from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import invalid, no_such

Object = dict[str, Any]


def page(found: Iterable[Object], params: Object, *, url: str) -> Object:
    """One page of `found`, given oldest first."""
    newest_first = list(found)[::-1]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(
            f"Invalid integer: limit must be between 1 and 100, got {limit}.",
            param="limit",
            code="parameter_invalid_integer",
        )
    ids = [each["id"] for each in newest_first]
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("You may only specify one of these parameters: ending_before, starting_after.")
    if before:
        rest = newest_first[: _position(ids, before, "ending_before")]
        return _listing(rest[-limit:], len(rest) > limit, url)
    rest = newest_first[_position(ids, after, "starting_after") + 1 :] if after else newest_first
    return _listing(rest[:limit], len(rest) > limit, url)


def whole(elements: list[Object], *, url: str) -> Object:
    """A list inside an object: everything, oldest first."""
    return _listing(elements, False, url)


def _listing(elements: list[Object], has_more: bool, url: str) -> Object:
    return {"object": "list", "data": elements, "has_more": has_more, "url": url}


def _position(ids: list[str], cursor: str, param: str) -> int:
    if cursor not in ids:
        raise no_such("object", cursor, param)
    return ids.index(cursor)


def created_within(each: Object, bounds: int | Object | None) -> bool:
    """Whether `each` was created in `created=…` or `created[gt|gte|lt|lte]=…`."""
    if bounds is None:
        return True
    created: int = each["created"]
    if isinstance(bounds, int):
        return created == bounds
    return bool(
        created > bounds.get("gt", created - 1)
        and created >= bounds.get("gte", created)
        and created < bounds.get("lt", created + 1)
        and created <= bounds.get("lte", created)
    )
