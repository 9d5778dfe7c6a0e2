"""Members outgrow the seats (M6): the owner is told, once for a number of seats and the size that would fit. Never added silently.

What is told is a question, not a change: its button leads to the priced confirmation, worked out from the members there are then.
"""

from datetime import datetime

from domain import directory, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Subscription

BATCH = 500


async def look(desk: Desk, workspace_id: str | None = None) -> int:
    """Tell the owners of what has been outgrown, everywhere or in one workspace; returns how many are told."""
    done, after = 0, ""
    live = Subscription.filter(is_live=True, **({"scope__workspace_id": workspace_id} if workspace_id else {}))
    while page := await live.filter(id__gt=after).order_by("id").limit(BATCH).prefetch_related("scope"):
        after = page[-1].id
        members = await directory.members_in_each([each.scope for each in page], desk.catalogue)
        for each in page:
            if members[each.scope_id] > each.seats:
                done += await _outgrown(desk, each, members[each.scope_id])
    return done


async def next_due(_: Desk) -> datetime | None:
    """Never by itself: people come and go, and events tell of it."""
    return None


async def _outgrown(desk: Desk, live: Subscription, members: int) -> bool:
    size = desk.catalogue.size_for(members)  # None: more than any size, sales can help
    told = await notices.tell(
        NoticeKind.OUTGROWN,
        workspace_id=live.scope.workspace_id,
        facts={
            "scope": live.scope.name,
            "subscription": live.id,
            "members": members,
            "seats": live.seats,
            "size": size,
            "through_sales": live.is_manually_invoiced or size is None,
        },
        dedup_key=f"outgrown:{live.id}:{live.seats}:{size}",
        owner_of=live,
    )
    return told is not None
