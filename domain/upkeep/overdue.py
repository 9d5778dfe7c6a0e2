"""Unpaid for the whole of the grace: it ends, everybody is on Basic, nothing is deleted (M5).

The grace runs from `past_due_since`: the day a renewal was first refused, or the day an invoice that is paid by hand was due.
"""

import logging
from datetime import datetime, timedelta

from domain import clock, notices, sync
from domain.actions import overdue
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Invoice, Notice, Subscription
from domain.rules.refusals import PaymentsAway, Refusal
from domain.sync.consequences import failed_facts, terms

log = logging.getLogger("kassor.overdue")
OVERDUE = ("past_due", "unpaid")
REMIND = timedelta(days=3)  # so long before the end of the grace the owner hears of it once more


async def look(desk: Desk) -> int:
    """End what has been unpaid for too long, after reading it again; returns how many ended. Raises PaymentsAway."""
    done = await overdue.carry_on(desk) + await _give_up_what_is_left(desk)
    await _remind(desk)
    since = clock.now() - timedelta(days=desk.catalogue.grace_days)
    late = Subscription.filter(is_live=True, status__in=OVERDUE, past_due_since__lte=since)
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


def _reminded_at(desk: Desk, since: datetime) -> datetime | None:
    """When the owner is reminded; None for a grace so short that it would come with the news itself."""
    grace = timedelta(days=desk.catalogue.grace_days)
    return since + grace - REMIND if grace > 2 * REMIND else None


async def _remind(desk: Desk) -> None:
    """Say once more, before the grace is over, what is unpaid and where to pay it."""
    found = Subscription.filter(is_live=True, status__in=OVERDUE, past_due_since__not_isnull=True)
    for live in await found.prefetch_related("scope"):
        assert live.past_due_since is not None  # filtered above
        at = _reminded_at(desk, live.past_due_since)
        key = f"unpaid_still:{live.id}:{live.past_due_since.isoformat()}"
        if at is None or not at <= clock.now() < at + REMIND or await Notice.filter(dedup_key=key).exists():
            continue
        owed = await desk.payments.unpaid(live.id)
        facts = terms(live) | {"scope": live.scope.name, "subscription": live.id, "still": True}
        await notices.tell(
            NoticeKind.PAYMENT_FAILED,
            workspace_id=live.scope.workspace_id,
            facts=facts | failed_facts(desk, live, owed),
            dedup_key=key,
            owner_of=live,
            in_working_hours=True,
        )


async def _give_up_what_is_left(desk: Desk) -> int:
    """Open invoices of what ended while it was overdue, such as by Stripe itself after its last attempt: nobody owes them."""
    open_invoices = (
        await Invoice.filter(status="open").exclude(subscription_id=None).values_list("id", "subscription_id")
    )
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
    """When the earliest grace is over, or somebody is to be reminded of it, UTC."""
    grace = timedelta(days=desk.catalogue.grace_days)
    found = await Subscription.filter(is_live=True, past_due_since__not_isnull=True)
    since = [each.past_due_since for each in found if each.past_due_since is not None]
    ends = [each + grace for each in since]
    reminders = [at for each in since if (at := _reminded_at(desk, each)) is not None and at > clock.now()]
    return max(min([*ends, *reminders]), clock.now()) if ends else None
