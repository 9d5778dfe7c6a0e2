"""A recipient of copies who has left Slack or become a guest (I6): the copies stop, and the owner hears of it, once.

Should they come back, the owner chooses whether they get copies again.
"""

from datetime import datetime

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from domain.actions import recipients
from domain.desk import Desk
from domain.records import CopyRecipient

_GONE = Q(member__is_deactivated=True) | Q(member__is_guest=True) | Q(member__is_bot=True)


async def look(desk: Desk, workspace_id: str | None = None) -> int:
    """End the rows of those who have gone, everywhere or in one workspace; returns how many."""
    done = 0
    within = {"member__workspace_id": workspace_id} if workspace_id else {}
    gone = CopyRecipient.filter(_GONE, until=None, **within).order_by("id")
    for row in await gone.prefetch_related("member", "subscription__scope"):
        async with in_transaction():
            done += await recipients.end(desk, row, actor=None)
    return done


async def next_due(_: Desk) -> datetime | None:
    """Nothing waits: Slack's events and the daily reading tell of people."""
    return None
