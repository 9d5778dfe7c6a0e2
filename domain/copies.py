"""The periodic invoice copy (I1–I6): which periods have none yet, worked out from the subscriptions themselves.

A period's copy is a row, unique for its subscription and period, written in one transaction with the notice that will carry it.
Nothing is scheduled anywhere else, so there is nothing to lose (I2).
"""

import logging
from datetime import timedelta

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from domain import clock, notices, queue, sync
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Invoice, InvoiceCopy, Notice, Subscription, Watermark
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.copies")
BATCH = 500
ASK_AGAIN = timedelta(hours=1)  # Stripe finalises a renewal's invoice about an hour after the period began


async def plan_due(desk: Desk) -> int:
    """Put a copy in the outbox for every live subscription whose period has an invoice and no copy; returns how many."""
    planned, after = 0, ""
    while due := await _without_copy(after):
        after = due[-1].id
        for subscription in due:
            try:
                invoice = await _latest_of_period(subscription) or await _fetched(desk, subscription)
            except PaymentsAway:
                continue  # the next tick asks again
            except Refusal as refusal:
                log.warning("no invoice could be read for %s: %s", subscription.id, refusal)
                continue
            if invoice is not None and await _plan(subscription, invoice):
                planned += 1
    if planned:
        queue.nudge(Notice)
    return planned


async def _without_copy(after: str) -> list[Subscription]:
    """A page of live subscriptions, by id, whose current period has no copy."""
    page = await Subscription.filter(is_live=True, id__gt=after).order_by("id").limit(BATCH).prefetch_related("scope")
    while page:
        copies = await InvoiceCopy.filter(subscription_id__in=[each.id for each in page]).values_list(
            "subscription_id", "period_start"
        )
        have = set(copies)
        due = [each for each in page if (each.id, each.current_period_start) not in have]
        if due:
            return due
        following = Subscription.filter(is_live=True, id__gt=page[-1].id).order_by("id").limit(BATCH)
        page = await following.prefetch_related("scope")
    return []


async def _latest_of_period(subscription: Subscription) -> Invoice | None:
    """The newest invoice that pays for (part of) the current period and has been finalised."""
    return (
        await Invoice.filter(
            Q(status__in=["open", "paid", "uncollectible"]),
            subscription_id=subscription.id,
            finalized_at__not_isnull=True,
            period_start__gte=subscription.current_period_start,
            period_start__lt=subscription.current_period_end,
        )
        .order_by("-finalized_at")
        .first()
    )


async def _fetched(desk: Desk, subscription: Subscription) -> Invoice | None:
    """Ask Stripe, should a webhook have been missed (I4): at most once an hour a subscription."""
    mark = f"copy:{subscription.id}"
    asked = await Watermark.get_or_none(id=mark)
    if asked is not None and clock.now() - asked.at < ASK_AGAIN:
        return None
    for found in await desk.payments.latest_invoices(subscription.id):
        if found.period_end > subscription.current_period_start:
            await sync.invoice(desk, found.id)
    await Watermark.update_or_create(id=mark, defaults={"at": clock.now()})
    return await _latest_of_period(subscription)


async def _plan(subscription: Subscription, invoice: Invoice) -> bool:
    """Write the copy and its notice, together or not at all. False when somebody else did at this moment."""
    period = subscription.current_period_start
    try:
        async with in_transaction():
            # One to be paid by hand was news as soon as it was open (`sync.invoices`): that message is the period's copy.
            notice = await Notice.get_or_none(dedup_key=f"open:{invoice.id}") or await notices.tell(
                NoticeKind.INVOICE_COPY,
                workspace_id=subscription.scope.workspace_id,
                facts={
                    "invoice_id": invoice.id,
                    "subscription": subscription.id,
                    "scope": subscription.scope.name,
                    "period_start": period.isoformat(),
                    "period_end": subscription.current_period_end.isoformat(),
                },
                dedup_key=f"copy:{subscription.id}:{int(period.timestamp())}",
                owner_of=subscription,
                in_working_hours=True,
            )
            if notice is None:
                return False
            await InvoiceCopy.create(
                subscription_id=subscription.id,
                period_start=period,
                invoice_id=invoice.id,
                notice_id=notice.id,
                created_at=clock.now(),
            )
    except IntegrityError:
        return False
    return True
