"""Ending what was not paid: its invoices are given up first, so that nobody pays for what is over; then it ends, uncredited (M5).

The intent is a mark, committed before Stripe is asked for anything, so that an end that was cut off is carried on and an invoice
that was given up isn't taken for paid.
"""

import logging

from domain import clock, sync
from domain.desk import Desk
from domain.payments.facts import EndedWhy
from domain.records import Member, Subscription, Watermark
from domain.rules.refusals import PaymentsAway, Refusal
from domain.sync.endings import being_ended, ending_mark, ends_begun

log = logging.getLogger("kassor.overdue")


async def end_now(
    desk: Desk, subscription: Subscription, *, why: EndedWhy, by: Member | None = None
) -> Subscription | None:
    """End an overdue subscription and give up what it owes. Asked twice, or cut off and run again, it is done once.

    Paid at this very moment, it lives on: None is returned for one that was never ours. Raises PaymentsAway, PaymentsRefused.
    """
    mark = ending_mark(subscription.id, why, by.id if by else None)
    if not await being_ended(subscription.id):
        await Watermark.get_or_create(id=mark, defaults={"at": clock.now()})
    return await _carry_out(desk, mark, subscription.id, why, by.id if by else None)


async def carry_on(desk: Desk) -> int:
    """Finish ends that were cut off; returns how many. Raises PaymentsAway."""
    begun = await ends_begun()
    for mark, subscription_id, why, by in begun:
        known: EndedWhy = "asked" if why == "asked" else "grace_over"
        try:
            await _carry_out(desk, mark, subscription_id, known, by)
        except PaymentsAway:
            raise
        except Refusal as refusal:  # one that Stripe refuses must not keep the others from ending
            log.warning("%s could not be ended: %s", subscription_id, refusal)
    return len(begun)


async def _carry_out(desk: Desk, mark: str, subscription_id: str, why: EndedWhy, by: int | None) -> Subscription | None:
    owed = [each.id for each in await desk.payments.unpaid(subscription_id)]
    given_up = [await desk.payments.give_up_invoice(each) for each in owed]
    if all(given_up) and (owed or not await _latest_is_paid(desk, subscription_id)):
        await desk.payments.cancel_now(subscription_id, credit=False, why=why, by=by)
    else:
        await Watermark.filter(id=mark).delete()  # it lives on, and is read again as one that nobody is ending
    fresh = await sync.subscription(desk, subscription_id, actor=await Member.get_or_none(id=by) if by else None)
    for each in owed:
        await sync.invoice(desk, each)
    await Watermark.filter(id=mark).delete()
    return fresh


async def _latest_is_paid(desk: Desk, subscription_id: str) -> bool:
    """Nothing is owed: because it has just been paid, or because it was given up before we were cut off?"""
    found = await desk.payments.subscription(subscription_id)
    if found is None or found.latest_invoice_id is None:
        return False
    return (await desk.payments.invoice(found.latest_invoice_id)).status == "paid"
