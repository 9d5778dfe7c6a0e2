"""What Stripe asks us to tell the owner, after the object has been read again and it is still true."""

from datetime import timedelta

from domain import clock, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Notice, Subscription
from domain.rules.refusals import PaymentsRefused
from domain.sync.invoices import invoice
from domain.sync.subscriptions import subscription

TRIAL_NOTICE = timedelta(days=4)  # Stripe says so three days before


async def trial_ending(desk: Desk, subscription_id: str) -> None:
    """Remind the owner that the first charge comes, once a trial. Raises PaymentsAway."""
    live = await subscription(desk, subscription_id)
    if live is None or live.status != "trialing" or live.trial_end is None or live.cancel_at is not None:
        return
    if live.trial_end - clock.now() > TRIAL_NOTICE:
        return
    await live.fetch_related("scope")
    try:  # as Stripe has it: a change may wait for the trial's end
        amount = await desk.payments.next_invoice(live.id, live.schedule_id if live.next_at else None)
    except PaymentsRefused:  # such as tax for want of an address
        amount = live.unit_amount * live.seats
    if amount is None:
        return
    await notices.tell(
        NoticeKind.TRIAL_ENDING,
        workspace_id=live.scope.workspace_id,
        facts={
            "scope": live.scope.name,
            "subscription": live.id,
            "plan": live.plan,
            "at": live.trial_end.isoformat(),
            "amount": amount,
            "currency": live.currency,
        },
        dedup_key=f"trial_ending:{live.id}:{live.trial_end.isoformat()}",
        owner_of=live,
        in_working_hours=True,
    )


async def payment_action_required(desk: Desk, invoice_id: str) -> None:
    """The bank wants to hear from the cardholder: the owner gets Stripe's page for it. Raises PaymentsAway."""
    found = await invoice(desk, invoice_id)
    if found is None or found.status != "open" or found.hosted_invoice_url is None or not found.subscription_id:
        return
    live = await Subscription.get_or_none(id=found.subscription_id, is_live=True).prefetch_related("scope")
    if live is None:
        return
    fresh = await subscription(desk, live.id)  # a renewal that the bank asks about is overdue, and told as that
    if fresh is not None and await _told_as_overdue(fresh, found.id):
        return
    await notices.tell(
        NoticeKind.PAYMENT_NEEDS_ACTION,
        workspace_id=live.scope.workspace_id,
        facts={
            "scope": live.scope.name,
            "subscription": live.id,
            "invoice_id": found.id,
            "url": found.hosted_invoice_url,
            "amount": found.amount_remaining,
            "currency": found.currency,
        },
        dedup_key=f"needs_action:{found.id}",
        owner_of=live,
    )


async def _told_as_overdue(live: Subscription, invoice_id: str) -> bool:
    """Whether a PAYMENT_FAILED has said already that the bank asks for the cardholder of this invoice."""
    told = await Notice.filter(kind=NoticeKind.PAYMENT_FAILED.value, owner_of_id=live.id)
    return any(each.facts.get("invoice") == invoice_id and each.facts.get("needs_action") for each in told)
