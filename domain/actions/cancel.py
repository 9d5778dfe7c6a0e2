"""Leaving and staying after all (R45, R46): it ends by itself when the paid period does, and one click undoes it.

An overdue one ends now, and nothing is owed any more (M5). One in the wrong workspace is cancelled from the right one (R10).
"""

from domain import sync
from domain.actions import overdue
from domain.actions.common import check_actor, check_owner
from domain.desk import Desk
from domain.records import Member, Scope, Subscription
from domain.rules.refusals import ManuallyInvoiced, NotSubscribed

OVERDUE = frozenset({"past_due", "unpaid"})


async def cancel(desk: Desk, actor: Member, *, subscription: Subscription) -> Subscription:
    """Let it end when the paid period or the trial does; a cancelled trial is never charged. Asked twice, it is done once.

    A change that waits for the period's end is forgotten. Overdue, it ends now and its open invoice is given up. Raises NotOwner,
    NotSubscribed, ManuallyInvoiced, PaymentsAway.
    """
    await _check(actor, subscription, "cancel")
    return await _cancel(desk, actor, subscription)


async def cancel_elsewhere(desk: Desk, actor: Member, subscription_id: str) -> Subscription:
    """Cancel the subscription of another workspace that the same person is billing owner of (R10), as `cancel` does.

    The same person: both are active members, and Slack has the same e-mail for them. The owner there is told there. Raises
    ActorNotEligible, NotSubscribed (also when it is somebody else's: it looks the same), ManuallyInvoiced, PaymentsAway.
    """
    check_actor(actor)
    found = await Subscription.get_or_none(id=subscription_id, is_live=True).prefetch_related("scope", "owner")
    if found is None or not actor.email or not is_same_person(actor, found.owner):
        raise NotSubscribed(scope="")
    if found.scope.workspace_id == actor.workspace_id:  # here it is `cancel`, which knows who may
        raise NotSubscribed(scope=found.scope.name)
    return await cancel(desk, found.owner, subscription=found)


def is_same_person(one: Member, other: Member) -> bool:
    """Whether two active members of different workspaces are one person: the same e-mail, in any case."""
    return bool(
        one.email and other.email and one.is_active and other.is_active and _folded(one.email) == _folded(other.email)
    )


def _folded(email: str) -> str:
    return email.strip().casefold()


async def resume(desk: Desk, actor: Member, *, subscription: Subscription) -> Subscription:
    """Take a scheduled cancellation back. Raises NotOwner, NotSubscribed, PaymentsAway."""
    await _check(actor, subscription, "resume")
    if subscription.cancel_at is not None:
        await desk.payments.cancel_at_period_end(subscription.id, cancel=False)
    return await _read(desk, actor, subscription)


async def check_may_cancel(actor: Member, subscription: Subscription) -> None:
    """Raises NotOwner, NotSubscribed, ManuallyInvoiced."""
    await _check(actor, subscription, "cancel")


async def _check(actor: Member, subscription: Subscription, asked: str) -> None:
    await check_owner(actor, subscription, asked)
    if subscription.is_manually_invoiced:
        raise ManuallyInvoiced(asked=asked)


async def _cancel(desk: Desk, actor: Member, subscription: Subscription) -> Subscription:
    now = await _read(desk, actor, subscription)  # paid or overdue since it was last looked at, it ends another way
    if now.status in OVERDUE:
        await overdue.end_now(desk, now, why="asked", by=actor)
        now = await _read(desk, actor, now)
        if not now.is_live:
            return now
    if now.is_live and now.cancel_at is None:
        if now.schedule_id:
            await desk.payments.release_schedule(now.schedule_id)
        await desk.payments.cancel_at_period_end(now.id, cancel=True)
    return await _read(desk, actor, now)


async def _read(desk: Desk, actor: Member, subscription: Subscription) -> Subscription:
    fresh = await sync.subscription(desk, subscription.id, actor=actor)
    if fresh is None:
        raise NotSubscribed(scope=(await Scope.get(id=subscription.scope_id)).name)
    return fresh
