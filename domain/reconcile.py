"""Mending what was missed: Stripe's events since the last look go through the inbox, live subscriptions are read again."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from domain import clock, queue, sync
from domain.desk import Desk
from domain.records import Event, Subscription, Watermark
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.reconcile")
EVENTS = "reconcile.events"
FIRST_LOOK = timedelta(days=3)
OVERLAP = timedelta(hours=1)  # events are listed a moment after they happen; those we have are not stored twice
FARTHEST = timedelta(days=29)  # Stripe keeps events for 30


async def reconcile(desk: Desk, types: Iterable[str]) -> list[str]:
    """Mend what missed webhooks left behind; returns a line for each thing mended. Raises PaymentsAway."""
    mended = await missed_events(desk, types)
    return mended + await drifted_subscriptions(desk)


async def missed_events(desk: Desk, types: Iterable[str]) -> list[str]:
    """Put the events of `types` that never arrived into the inbox. Raises PaymentsAway."""
    began = clock.now()
    mark = await Watermark.get_or_none(id=EVENTS)
    since = max(mark.at - OVERLAP if mark else began - FIRST_LOOK, began - FARTHEST)
    found = await desk.payments.events_since(since, sorted(types))
    known: set[object] = set()
    for start in range(0, len(found), 500):
        ids = [event[0] for event in found[start : start + 500]]
        known |= set(await Event.filter(id__in=ids).values_list("id", flat=True))
    missed = [event for event in found if event[0] not in known]
    await Event.bulk_create(
        [
            Event(id=event_id, type=kind, created_at=created, received_at=began, available_at=began, payload=payload)
            for event_id, kind, created, payload in missed
        ],
        ignore_conflicts=True,
        batch_size=200,
    )
    await Watermark.update_or_create(id=EVENTS, defaults={"at": began})
    if missed:
        queue.nudge(Event)
    return [f"{kind} {event_id} had not arrived" for event_id, kind, _, _ in missed]


async def drifted_subscriptions(desk: Desk) -> list[str]:
    """Read every subscription that is live here or at Stripe again. Raises PaymentsAway."""
    ours = await Subscription.filter(is_live=True).values_list("id", "version")
    before = dict(ours)
    mended = []
    for subscription_id in sorted({*before, *await desk.payments.live_subscriptions()}):
        try:
            fresh = await sync.subscription(desk, subscription_id)
            if fresh is not None:
                await sync.customer(desk, fresh.customer_id)
        except PaymentsAway:
            raise
        except Refusal as refusal:
            log.warning("%s could not be read again: %s", subscription_id, refusal)
            continue
        if fresh is not None and fresh.version != before.get(subscription_id):
            mended.append(f"{subscription_id} was not as Stripe has it")
    return mended
