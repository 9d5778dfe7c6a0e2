"""Mending what was missed: Stripe's events since the last look go through the inbox, live subscriptions are read again.

However long we were away, nothing is lost: Stripe keeps events for 30 days, and after a longer absence every subscription made
meanwhile is read, ended or not.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta

from domain import clock, queue, sync
from domain.desk import Desk
from domain.envelope import NotAnEvent, read
from domain.inbox import Arrival, Inbox
from domain.metrics import MENDED
from domain.records import Event, Subscription, Watermark
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.reconcile")
EVENTS = "reconcile.events"
FIRST_LOOK = timedelta(days=3)
OVERLAP = timedelta(hours=1)  # events are listed a moment after they happen; those we have are not stored twice
FARTHEST = timedelta(days=29)  # Stripe keeps events for 30
AT_ONCE = 4  # subscriptions read at once: people's own calls go first
BATCH = 100  # events looked up and stored at once


async def reconcile(desk: Desk, types: Iterable[str]) -> list[str]:
    """Mend what missed webhooks left behind; returns a line for each kind of thing mended. Raises PaymentsAway."""
    began = clock.now()
    mark = await Watermark.get_or_none(id=EVENTS)
    since = mark.at - OVERLAP if mark else began - FIRST_LOOK
    mended = await _missed_events(desk, types, max(since, began - FARTHEST))
    mended += await _drifted_subscriptions(desk, made_since=since if since < began - FARTHEST else None)
    await Watermark.update_or_create(
        id=EVENTS, defaults={"at": began}
    )  # last: cut off, the next look starts where this did
    return mended


async def _missed_events(desk: Desk, types: Iterable[str], since: datetime) -> list[str]:
    """Put the events of `types` that never arrived into the inbox."""
    missed: Counter[str] = Counter()
    async with Inbox() as inbox:
        async for page in _pages(desk.payments.events_since(since, sorted(types))):
            known: set[object] = set(await Event.filter(id__in=[each.id for each in page]).values_list("id", flat=True))
            fresh = [each for each in page if each.id not in known]
            if fresh:
                await inbox.store(fresh)
                missed.update(each.type for each in fresh)
                queue.nudge(Event)
    MENDED.labels("event").inc(missed.total())
    return [f"{count} × {kind} had not arrived" for kind, count in sorted(missed.items())]


async def _pages(events: AsyncIterator[str]) -> AsyncIterator[list[Arrival]]:
    page: list[Arrival] = []
    async for raw in events:
        try:
            page.append(read(raw.encode()))
        except NotAnEvent as reason:
            log.error("stripe lists something that can't be read: %s", reason)  # noqa: TRY400 - the reason says it all
        if len(page) == BATCH:
            yield page
            page = []
    if page:
        yield page


async def _drifted_subscriptions(desk: Desk, *, made_since: datetime | None) -> list[str]:
    """Read every subscription again that is live here or at Stripe, or was made since then."""
    before = dict(await Subscription.filter(is_live=True).values_list("id", "version"))
    ids = {*before, *await desk.payments.live_subscriptions()}
    if made_since is not None:
        ids |= set(await desk.payments.subscriptions_since(made_since))
    gate = asyncio.Semaphore(AT_ONCE)
    away: list[PaymentsAway] = []

    async def look(subscription_id: str) -> str | None:
        async with gate:
            if away:
                return None  # the others need not ask
            try:
                fresh = await sync.subscription(desk, subscription_id)
                if fresh is not None:
                    await sync.customer(desk, fresh.customer_id)
            except PaymentsAway as refusal:
                away.append(refusal)
                return None
            except Refusal as refusal:
                log.warning("%s could not be read again: %s", subscription_id, refusal)
                return None
        if fresh is None or fresh.version == before.get(subscription_id):
            return None
        return f"{subscription_id} was not as Stripe has it"

    outcomes = await asyncio.gather(*(look(each) for each in sorted(ids)))
    mended = [each for each in outcomes if each is not None]
    MENDED.labels("subscription").inc(len(mended))
    if away:
        raise away[0]
    return mended
