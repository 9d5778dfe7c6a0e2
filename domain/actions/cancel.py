"""Leaving and staying after all (R45, R46): it ends by itself when the paid period does, and one click undoes it."""

from domain import sync
from domain.actions.common import check_actor, check_owner
from domain.desk import Desk
from domain.records import Member, Scope, Subscription
from domain.rules.refusals import ManuallyInvoiced, NotSubscribed


async def cancel(desk: Desk, actor: Member, *, subscription: Subscription) -> Subscription:
    """Let it end when the paid period or the trial does; a cancelled trial is never charged. Asked twice, it is done once.

    A change that waits for the period's end is forgotten. Raises NotOwner, NotSubscribed, ManuallyInvoiced, PaymentsAway.
    """
    await _check(actor, subscription, "cancel")
    if subscription.cancel_at is None:
        if subscription.schedule_id:
            await desk.payments.release_schedule(subscription.schedule_id)
        await desk.payments.cancel_at_period_end(subscription.id, cancel=True)
    return await _read(desk, actor, subscription)


async def resume(desk: Desk, actor: Member, *, subscription: Subscription) -> Subscription:
    """Take a scheduled cancellation back. Raises NotOwner, NotSubscribed, PaymentsAway."""
    await _check(actor, subscription, "resume")
    if subscription.cancel_at is not None:
        await desk.payments.cancel_at_period_end(subscription.id, cancel=False)
    return await _read(desk, actor, subscription)


async def check_may_cancel(actor: Member, subscription: Subscription) -> None:
    """Raises NotOwner, NotSubscribed, ManuallyInvoiced."""
    await _check(actor, subscription, "cancel")


async def cancel_elsewhere(desk: Desk, actor: Member, subscription_id: str) -> Subscription:
    """Schedule the end of a subscription the same person owns in another workspace, by their e-mail (R10). Done once.

    Raises ActorNotEligible, NotSubscribed (also for one that isn't theirs: nothing of elsewhere is told), ManuallyInvoiced,
    PaymentsAway.
    """
    check_actor(actor)
    found = await Subscription.get_or_none(id=subscription_id, is_live=True).prefetch_related("owner", "scope")
    theirs = (
        found is not None
        and actor.email
        and (found.owner.email or "").casefold() == actor.email.casefold()
        and found.scope.workspace_id != actor.workspace_id
    )
    if not theirs or found is None:
        raise NotSubscribed(scope="")
    return await cancel(desk, found.owner, subscription=found)


async def _check(actor: Member, subscription: Subscription, asked: str) -> None:
    await check_owner(actor, subscription, asked)
    if subscription.is_manually_invoiced:
        raise ManuallyInvoiced(asked=asked)


async def _read(desk: Desk, actor: Member, subscription: Subscription) -> Subscription:
    fresh = await sync.subscription(desk, subscription.id, actor=actor)
    if fresh is None:
        raise NotSubscribed(scope=(await Scope.get(id=subscription.scope_id)).name)
    return fresh
