"""An owner who is no longer active in Slack (P1): the renewals go on, their powers rest, and somebody who may claim is told.

Powers freeze by themselves: every action asks first whether its actor is active (`common.check_actor`). Here it is noticed. A
departure is remembered in a watermark named after the subscription and its owner, which makes whatever follows happen once a
departure and goes away when the owner is back, somebody has claimed, or the subscription has ended.
"""

from datetime import datetime, timedelta

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from domain import audit, clock, notices
from domain.actions.owner import claimants
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Member, Subscription, Watermark

MARK = "departed:"
LOOK_AGAIN = timedelta(hours=12)  # while nobody is there who could claim
_GONE = Q(owner__is_deactivated=True) | Q(owner__is_guest=True) | Q(owner__is_bot=True)


async def look(desk: Desk, workspace_id: str | None = None) -> int:
    """Notice owners who have gone and who are back, everywhere or in one workspace; returns how many are new."""
    done = 0
    within = {"scope__workspace_id": workspace_id} if workspace_id else {}
    gone = Subscription.filter(_GONE, is_live=True, **within)
    for live in await gone.prefetch_related("scope", "owner"):
        done += await _gone(desk, live)
    for mark in await Watermark.filter(id__startswith=MARK):
        done += await _back(desk, mark)
    return done


async def next_due(_: Desk) -> datetime | None:
    """Half a day from now, while there is an owner who is gone and nobody who could claim; events tell of everything else."""
    for live in await Subscription.filter(_GONE, is_live=True):
        if not await claimants(live):
            return clock.now() + LOOK_AGAIN
    return None


async def _gone(desk: Desk, live: Subscription) -> bool:
    """Remember it, tell those who may claim, once each. True when it was new to somebody."""
    name = f"{MARK}{live.id}:{live.owner_id}"
    await Watermark.bulk_create([Watermark(id=name, at=clock.now())], ignore_conflicts=True)
    departure = f"{live.id}:{live.owner_id}:{int((await Watermark.get(id=name)).at.timestamp())}"
    owner: Member = live.owner
    who = await claimants(live)
    new = False
    async with in_transaction():
        for member in who:
            told = await notices.tell(
                NoticeKind.OWNER_GONE,
                workspace_id=live.scope.workspace_id,
                facts={"owner": owner.slack_user_id, "scope": live.scope.name, "subscription": live.id},
                dedup_key=f"owner_gone:{departure}:{member.id}",
                member=member,
            )
            new = new or told is not None
        for verb in ("owner_gone", *(() if who else ("nobody_can_claim",))):
            await audit.record(
                desk,
                scope=live.scope,
                actor=None,
                source="scheduler",
                verb=verb,
                before={"owner": owner.slack_user_id},
                reference=live.id,
                dedup_key=f"{verb}:{departure}",
            )
    return new


async def _back(desk: Desk, mark: Watermark) -> bool:
    """Forget a departure that is over. When its owner is here again: what waited for them is due, and nobody can claim any more."""
    subscription_id, _, owner_id = mark.id.removeprefix(MARK).rpartition(":")
    found = await Subscription.get(id=subscription_id).prefetch_related("scope", "owner")
    still_owner = found.is_live and found.owner_id == int(owner_id)
    if still_owner and not found.owner.is_active:
        return False
    async with in_transaction():
        if not await Watermark.filter(id=mark.id).delete() or not still_owner:
            return False
        await notices.wake(found)
        await audit.record(
            desk,
            scope=found.scope,
            actor=None,
            source="scheduler",
            verb="owner_back",
            after={"owner": found.owner.slack_user_id},
            reference=found.id,
            dedup_key=f"owner_back:{found.id}:{owner_id}:{int(mark.at.timestamp())}",
        )
    return True
