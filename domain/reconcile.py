"""Mending what was missed: Stripe's events since the last look go through the inbox, live subscriptions are read again.

However long we were away, nothing is lost: Stripe keeps events for 30 days, and after a longer absence every subscription made
meanwhile is read, ended or not.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta

from domain import clock, lapse, queue, sync
from domain.desk import Desk
from domain.envelope import NotAnEvent, read
from domain.inbox import Arrival, Inbox
from domain.metrics import MENDED
from domain.records import Event, Subscription, Watermark
from domain.rules.refusals import PaymentsAway, PaymentsRefused, Refusal

log = logging.getLogger("kassor.reconcile")
EVENTS = "reconcile.events"
FIRST_LOOK = timedelta(days=3)
OVERLAP = timedelta(hours=1)  # events are listed a moment after they happen; those we have are not stored twice
FARTHEST = timedelta(days=29)  # Stripe keeps events for 30
AT_ONCE = 4  # subscriptions read at once: people's own calls go first
BATCH = 100  # events looked up and stored at once
AGAIN = timedelta(days=1)  # within it, a lapse noted by itself is not noted for something newer


Progress = Callable[[str, int, int | None], None]  # what, how many are done, of how many; None: nobody knows beforehand


def untold(_what: str, _done: int, _of: int | None) -> None:
    """Nobody watches."""


async def reconcile(
    desk: Desk, types: Iterable[str], *, restored: bool = False, progress: Progress = untold
) -> list[str]:
    """Mend what missed webhooks left behind; returns a line for each kind of thing mended. Raises PaymentsAway.

    `restored`: the records come from a backup; what they don't know to have been sent is looked for before it is sent.
    """
    began = clock.now()
    mark = await Watermark.get_or_none(id=EVENTS)
    since = mark.at - OVERLAP if mark else began - FIRST_LOOK
    mended: list[str] = []
    if restored:
        await lapse.note(since if mark else lapse.EVER)
        mended.append("restored from a backup: what may have been sent since is looked for in Slack before it is sent")
    may_lapse = not restored and mark is not None and desk.settings.hears_stripe
    mended += await _missed_events(
        desk, types, max(since, began - FARTHEST), lapses_since=since if may_lapse else None, progress=progress
    )
    made_since = since if since < began - FARTHEST else None
    mended += await _drifted_subscriptions(desk, made_since=made_since, progress=progress)
    await Watermark.update_or_create(
        id=EVENTS, defaults={"at": began}
    )  # last: cut off, the next look starts where this did
    return mended


async def _missed_events(
    desk: Desk, types: Iterable[str], since: datetime, *, lapses_since: datetime | None, progress: Progress
) -> list[str]:
    """Put the events of `types` that never arrived into the inbox.

    One that did arrive, and isn't there, tells of records restored from a backup as old as `lapses_since`; that is noted before
    anything follows from the event.
    """
    missed: Counter[str] = Counter()
    forgotten = False
    hearing, seen = _Hearing(desk), 0
    async with Inbox() as inbox:
        async for page in _pages(desk.payments.events_since(since, sorted(types))):
            known: set[object] = set(await Event.filter(id__in=[each.id for each in page]).values_list("id", flat=True))
            fresh = [each for each in page if each.id not in known]
            progress("events", seen := seen + len(page), None)
            if lapses_since and not forgotten and await hearing.had(fresh):
                forgotten = True
                await lapse.note(lapses_since)
            if fresh:
                await inbox.store(fresh)
                missed.update(each.type for each in fresh)
                queue.nudge(Event)
    MENDED.labels("event").inc(missed.total())
    lines = [f"{count} × {kind} had not arrived" for kind, count in sorted(missed.items())]
    if forgotten:
        lines.append(
            "some of it had arrived before: restored from a backup? What may have been sent is looked for in Slack"
        )
    return lines


class _Hearing:
    """What Stripe has delivered here, whether the records know of it or not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._endpoints: list[tuple[datetime, frozenset[str]]] | None = None

    async def had(self, unknown: Iterable[Arrival]) -> bool:
        """Whether events that the records don't know were here once, so that the records were here before them.

        Stripe calls delivered, too, what nobody asked for: so an endpoint of ours must ask for that type, and be as old. And
        what comes unknown again and again after a lapse was noted is none: records aren't restored every hour, but another
        machine may answer at our address.
        """
        kept = clock.now() - timedelta(days=self._desk.settings.events_kept_days)  # what is older may have been pruned
        delivered = [each for each in unknown if each.created_at > kept and lapse.was_delivered(each.payload)]
        heard = [each for each in delivered if await self._asked_for(each)]
        noted = await lapse.noted() if heard else None
        if noted is None or noted.until < clock.now() - AGAIN:
            return bool(heard)
        if any(each.created_at <= noted.until for each in heard):
            return True
        if heard:
            log.error(
                "stripe delivered %s, and it never came here: does another machine answer at KASSOR_PUBLIC_URL?",
                heard[0].id,
            )
        return False

    async def _asked_for(self, event: Arrival) -> bool:
        if self._endpoints is None:
            url = f"{self._desk.settings.public_url}/stripe/webhooks"
            try:
                self._endpoints = await self._desk.payments.endpoints_at(url)
            except PaymentsRefused:
                log.warning("stripe doesn't show us its webhook endpoints: a restored backup goes unnoticed")
                self._endpoints = []
        return any(
            since <= event.created_at and ("*" in types or event.type in types) for since, types in self._endpoints
        )


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


async def _drifted_subscriptions(desk: Desk, *, made_since: datetime | None, progress: Progress) -> list[str]:
    """Read every subscription again that is live here or at Stripe, or was made since then."""
    before = dict(await Subscription.filter(is_live=True).values_list("id", "version"))
    ids = {*before, *await desk.payments.live_subscriptions()}
    if made_since is not None:
        ids |= set(await desk.payments.subscriptions_since(made_since))
    gate = asyncio.Semaphore(AT_ONCE)
    away: list[PaymentsAway] = []
    read = 0

    async def look(subscription_id: str) -> str | None:
        nonlocal read
        async with gate:
            progress("subscriptions", read := read + 1, len(ids))
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
