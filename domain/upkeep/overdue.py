"""Unpaid for the whole of the grace: it ends, everybody is on Basic, nothing is deleted (M5).

The grace runs from `past_due_since`: the day a renewal was first refused, or the day an invoice that is paid by hand was due.
"""

import logging
from datetime import datetime, timedelta

from domain import clock, sync
from domain.actions import overdue
from domain.desk import Desk
from domain.records import Invoice, Subscription
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.overdue")


async def look(desk: Desk) -> int:
    """End what has been unpaid for too long, after reading it again; returns how many ended. Raises PaymentsAway."""
    done = await overdue.carry_on(desk) + await _give_up_what_is_left(desk)
    since = clock.now() - timedelta(days=desk.catalogue.grace_days)
    late = Subscription.filter(is_live=True, status__in=["past_due", "unpaid"], past_due_since__lte=since)
    for subscription in await late.order_by("past_due_since"):
        try:
            fresh = await sync.subscription(desk, subscription.id)
            if fresh is None or not fresh.is_live or fresh.past_due_since is None or fresh.past_due_since > since:
                continue
            await overdue.end_now(desk, fresh, why="grace_over")
            done += 1
        except PaymentsAway:
            raise
        except Refusal as refusal:  # one that Stripe refuses must not keep the others from ending
            log.warning("%s could not be ended: %s", subscription.id, refusal)
    return done


async def _give_up_what_is_left(desk: Desk) -> int:
    """Open invoices of what ended while it was overdue, such as by Stripe itself after its last attempt: nobody owes them."""
    open_invoices = await Invoice.filter(status="open").exclude(subscription_id=None).values_list("id", "subscription_id")
    ended = Subscription.filter(id__in=[each[1] for each in open_invoices], is_live=False)
    overdue_ones = set(await ended.exclude(past_due_since=None).values_list("id", flat=True))
    left = [invoice_id for invoice_id, subscription_id in open_invoices if subscription_id in overdue_ones]
    for invoice_id in left:
        try:
            await desk.payments.give_up_invoice(invoice_id)
            await sync.invoice(desk, invoice_id)
        except PaymentsAway:
            raise
        except Refusal as refusal:
            log.warning("%s could not be given up: %s", invoice_id, refusal)
    return len(left)


async def next_due(desk: Desk) -> datetime | None:
    """When the earliest grace is over, UTC."""
    first = await Subscription.filter(is_live=True, past_due_since__not_isnull=True).order_by("past_due_since").first()
    if first is None or first.past_due_since is None:
        return None
    ends: datetime = first.past_due_since + timedelta(days=desk.catalogue.grace_days)
    return max(ends, clock.now())
