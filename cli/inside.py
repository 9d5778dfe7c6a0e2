"""`GET /control/inside`, in the sandbox only: Kassör's own rows for the page's inspector, to look at, never to change.

The inbox, the outbox, the quotes and the ledger, newest first. Payloads, payment addresses and where an answer goes stay inside:
what is shown could be read aloud at the desk (no token, no key, no response address).
"""

import json
from typing import Any

from aiohttp import web

from domain.records import AuditEntry, Event, Member, Notice, Quote

MOST = 200
Row = dict[str, Any]
_QUEUE = ("state", "available_at", "leased_until", "attempts", "last_error", "done_at")
_EVENT = ("id", "type", "lane", "created_at", "received_at", *_QUEUE)
_NOTICE = (
    "id", "kind", "facts", "dedup_key", "workspace_id", "channel", "owner_of_id", "in_working_hours", "created_at", "sent_to",
    "slack_channel", "slack_ts", "slack_file_id", *_QUEUE,
)  # fmt: skip
_QUOTE = (
    "id", "kind", "applies", "state", "plan", "interval", "seats", "seats_asked", "currency", "due_now", "tax_now",
    "discount_now", "balance_now", "lines", "next_total", "next_at", "before", "proration_date", "subscription_id", "offered_at",
    "expires_at", "accepted_at", "settled_at", "failure",
)  # fmt: skip
_ENTRY = ("id", "at", "workspace_id", "source", "verb", "before", "after", "reference")

_HIDDEN = ("origin", "response_url", "token", "secret", "checkout_url")


def routes() -> list[web.RouteDef]:
    """The route, for the sandbox's Kassör."""
    return [web.get("/control/inside", _handle)]


async def _handle(request: web.Request) -> web.Response:
    wished = request.query.get("last", "50")
    last = min(int(wished), MOST) if wished.isdecimal() and len(wished) < 6 else 50
    return web.json_response(await rows(last), dumps=_dumps)


async def rows(last: int) -> dict[str, list[Row]]:
    """The latest `last` rows of each, newest first."""
    events = await Event.all().order_by("-received_at", "-id").limit(last)
    notices = await Notice.all().order_by("-created_at", "-id").limit(last).select_related("member")
    quotes = await Quote.all().order_by("-offered_at", "-id").limit(last).select_related("scope", "requester", "owner")
    entries = await AuditEntry.all().order_by("-at", "-id").limit(last).select_related("scope", "actor")
    return {
        "inbox": [_shown(each, _EVENT) for each in events],
        "outbox": [_shown(each, _NOTICE) | {"member": _name(each.member)} for each in notices],
        "quotes": [
            _shown(each, _QUOTE)
            | {"scope": each.scope.name, "requester": _name(each.requester), "owner": _name(each.owner)}
            for each in quotes
        ],
        "audit": [
            _shown(each, _ENTRY) | {"scope": each.scope.name if each.scope else None, "actor": _name(each.actor)}
            for each in entries
        ],
    }


def _shown(row: Any, names: tuple[str, ...]) -> Row:
    return {name: _without_secrets(getattr(row, name)) for name in names}


def _without_secrets(value: Any) -> Any:
    """Facts are free in form: what could open a door is left out of them at any depth."""
    if isinstance(value, dict):
        return {
            name: _without_secrets(each)
            for name, each in value.items()
            if not any(hidden in str(name).lower() for hidden in _HIDDEN)
        }
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    return value


def _name(member: Member | None) -> str | None:
    return member.name if member is not None else None


def _dumps(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, default=lambda each: each.isoformat() if hasattr(each, "isoformat") else str(each)
    )
