"""Which plan a member has (E1): the best of the organisation's plan and their teams' plans. The one place that says so.

Worked out from the rows each time it is asked: nothing is kept in the process that another process could make untrue.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain import clock
from domain.records import Member, Scope, ScopeMember, Subscription, Workspace
from domain.records.people import ScopeKind
from domain.rules.catalogue import Catalogue


class NotThere(LookupError):  # noqa: N818 - it says what it is
    """Nobody has heard of it. `what` is "workspace" or "member"."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"there is no such {what}")


class Standing(StrEnum):
    """How firmly a plan is held. All of them give every paid feature."""

    ACTIVE = "active"
    TRIAL = "trial"
    ENDING = "ending"  # cancelled, paid until `valid_until` (R46)
    OVERDUE = "overdue"  # unpaid, within its grace (M5)


@dataclass(frozen=True)
class Source:
    """The subscription a plan comes from, and what that covers."""

    scope: Scope
    subscription: Subscription
    standing: Standing


@dataclass(frozen=True)
class Entitlement:
    """What a member has. `plan` is None for somebody who has nothing at all, and `why_not` says why.

    `why_not`: deactivated, bot (both: no plan), guest (the free plan, unless the catalogue counts guests), or None.
    `valid_until`, UTC, is when it ends or becomes less as things stand: a cancellation, a grace, a lower plan that waits.
    """

    member: Member
    plan: str | None
    source: Source | None = None
    valid_until: datetime | None = None
    why_not: str | None = None


async def entitlement(catalogue: Catalogue, workspace_id: str, slack_user_id: str) -> Entitlement:
    """Which plan a member has now: the highest-ranking of all that cover them, the free one without any (E1, R12, R13).

    Three indexed queries at most. Of plans of the same rank the organisation's is told, then the one that lasts longest.
    Raises NotThere.
    """
    member = await Member.get_or_none(workspace_id=workspace_id, slack_user_id=slack_user_id)
    if member is None:
        known = await Workspace.filter(id=workspace_id).exists()
        raise NotThere("member" if known else "workspace")
    if member.is_deactivated or member.is_bot:
        return Entitlement(member, None, why_not="deactivated" if member.is_deactivated else "bot")
    if member.is_guest and not catalogue.count_guests:
        return Entitlement(member, catalogue.free.key, why_not="guest")
    now = clock.now()
    held = [
        (live, standing)
        for live in await _covering(member)
        if (standing := standing_of(live, catalogue, now)) is not None
    ]
    if not held:
        return Entitlement(member, catalogue.free.key)

    def worth(each: tuple[Subscription, Standing]) -> tuple[int, bool, float, str]:
        live = each[0]
        until = valid_until(live, catalogue)
        lasts = until.timestamp() if until else float("inf")
        return _rank(catalogue, live.plan), live.scope.kind != ScopeKind.TEAM, lasts, live.id

    best, standing = max(held, key=worth)
    return Entitlement(member, best.plan, Source(best.scope, best, standing), valid_until(best, catalogue))


def standing_of(live: Subscription, catalogue: Catalogue, now: datetime) -> Standing | None:
    """How firmly a subscription gives its plan at `now` (UTC); None when it gives nothing.

    What Stripe and the clock both know counts at once: a cancellation whose day has come, or a grace that is over, gives
    nothing even while the news of it is still on its way.
    """
    if not live.is_live or live.status == "paused":  # a trial that ended with nothing to pay with
        return None
    if live.cancel_at is not None and live.cancel_at <= now:
        return None
    if live.past_due_since is not None:
        return Standing.OVERDUE if now < live.past_due_since + timedelta(days=catalogue.grace_days) else None
    if live.cancel_at is not None:
        return Standing.ENDING
    return Standing.TRIAL if live.status == "trialing" else Standing.ACTIVE


def valid_until(live: Subscription, catalogue: Catalogue) -> datetime | None:
    """When a subscription gives less as things stand, UTC; None when it goes on by itself."""
    grace = timedelta(days=catalogue.grace_days)
    overdue = live.past_due_since + grace if live.past_due_since is not None else None
    lower = live.next_plan is not None and _rank(catalogue, live.next_plan) < _rank(catalogue, live.plan)
    ends = (live.cancel_at, overdue, live.next_at if lower else None)
    return min((moment for moment in ends if moment is not None), default=None)


async def _covering(member: Member) -> list[Subscription]:
    """The live subscriptions of the whole and of the teams the member is on, each with its scope."""
    found = Subscription.filter(is_live=True, scope__workspace_id=member.workspace_id)
    live = await found.select_related("scope").order_by("id")
    teams = [each.scope_id for each in live if each.scope.kind == ScopeKind.TEAM]
    if not teams:
        return live
    on = {each.scope_id for each in await ScopeMember.filter(scope_id__in=teams, member_id=member.id)}
    return [each for each in live if each.scope.kind != ScopeKind.TEAM or each.scope_id in on]


def _rank(catalogue: Catalogue, key: str) -> int:
    """A plan's rank; one that has left the catalogue is still paid for, and counts as the lowest paid one."""
    plan = catalogue.plan(key)
    return 2 * plan.rank if plan else 1
