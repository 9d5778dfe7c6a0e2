"""Slack delivers some things twice; the effect is one. Keyed on the event's id or the interaction's trigger."""

from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import clock
from domain.records import Delivery


async def first_time(body: dict[str, Any]) -> bool:
    """Whether this delivery is new. Bodies without an id of their own always are."""
    key = body.get("event_id") or body.get("trigger_id")
    if not key:
        return True
    try:
        async with in_transaction():
            await Delivery.create(id=str(key)[:255], received_at=clock.now())
    except IntegrityError:
        return False
    return True
