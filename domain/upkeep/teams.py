"""A paying team whose user group was disabled, or whose channel was archived, deleted or closed to us (P2).

The subscription goes on, the members it had keep counting, and the owner is told once: they can cancel, hand it over, or bring the
group or channel back. A team nobody pays for is simply empty from then on, so that nobody can upgrade it.
"""

from tortoise.transactions import in_transaction

from domain import audit, directory, notices
from domain.actions.common import live_subscription
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Scope


async def is_gone(desk: Desk, scope: Scope) -> bool:
    """Slack no longer shows us the team. True when its owner hears of it now."""
    live = await live_subscription(scope)
    if live is None:
        await directory.set_team_members(scope, [])
        return False
    key = f"team_gone:{live.id}"
    async with in_transaction():
        told = await notices.tell(
            NoticeKind.TEAM_GONE,
            workspace_id=scope.workspace_id,
            facts={"scope": scope.name, "subscription": live.id, "through_sales": live.is_manually_invoiced},
            dedup_key=key,
            owner_of=live,
        )
        await audit.record(
            desk, scope=scope, actor=None, source="slack", verb="team_gone", reference=live.id, dedup_key=key
        )
    return told is not None
