"""The worker: inbox → sync. Events about the same object are one reading; what fails is tried again, later buried.

Customers take turns (`domain/lanes.py`), and a lane that is being worked on here is not claimed again before it is done: so one
customer's ten thousand events hold up nobody else's checkout, and events about one object find themselves together.
"""

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from domain import queue, spans, trace
from domain.desk import Desk
from domain.lanes import Turns
from domain.metrics import READINGS, SETTLED
from domain.records import Event, Notice, Quote
from domain.rules.refusals import PaymentsAway
from webhooks.interests import Reading, reading_of
from webhooks.pace import Pace

log = logging.getLogger("kassor.worker")
AT_ONCE = 16  # readings; each is a few calls one after the other, and Stripe allows about 100 a second
AT_ONCE_A_LANE = 4
LANES = 64  # under way at once; most of what Stripe sends is none of our business and asks it nothing
EACH = 50  # events of a lane a claim
PATIENCE = 75.0  # seconds a reading may take: longer than a call to Stripe with its own retries
LOOK_EVERY = 1.0  # seconds between looks for what other processes stored
GOODBYE = 4.0  # seconds for what is under way when the process stops
RENEW_EVERY = queue.LEASE.total_seconds() / 3

Sorter = Callable[[str, dict[str, Any]], Reading | None]


async def run(desk: Desk, stop: asyncio.Event) -> None:
    """Work until `stop` is set. What is under way gets a few seconds to finish; the rest is given back."""
    await Worker(desk).run(stop)


async def work_once(desk: Desk) -> int:
    """Claim what is due, a share of each lane, and work on it; returns how many events that were."""
    return await Worker(desk).once()


class Worker:
    """One process's hand on the inbox. `sort` says what an event makes us read."""

    def __init__(self, desk: Desk, *, at_once: int = AT_ONCE, sort: Sorter = reading_of) -> None:
        self._desk, self._sort = desk, sort
        self._pace = Pace(at_once)
        self._turns = Turns(Event)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, Event] = {}
        self._stopping = False
        self._finished: list[Event] = []
        self._keeping: asyncio.Task[None] | None = None
        self._next_keeping: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, or this is cancelled; either way nothing stays claimed."""
        renewing = asyncio.create_task(self._renew(), name="inbox leases")
        stopped = asyncio.create_task(self._heed(stop), name="inbox stop")
        try:
            while not stop.is_set():
                try:
                    claimed = await self._claim()
                except Exception:
                    log.exception("the inbox can't be worked on; trying again soon")
                    claimed = 0
                    await asyncio.sleep(LOOK_EVERY)
                if not claimed:
                    await queue.wait_for_work(Event, LOOK_EVERY)
            if self._lanes:
                await asyncio.wait(self._lanes.values(), timeout=GOODBYE)
        finally:
            renewing.cancel()
            stopped.cancel()
            await self._give_back()

    async def once(self) -> int:
        """One claim, worked on to its end; returns how many events that were."""
        try:
            claimed = await self._claim()
            await asyncio.gather(*self._lanes.values())
        except asyncio.CancelledError:
            await self._give_back()
            raise
        return claimed

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        queue.nudge(Event)  # nobody need wait for the next look

    async def _claim(self) -> int:
        """Start on the next lanes there is room for; returns how many events they hold."""
        room = min(LANES, 4 * self._pace.width) - len(self._lanes)
        if room <= 0 or self._pace.quiet_for() > 0:
            return 0
        found = await self._turns.claim(lanes=room, each=EACH, busy=list(self._lanes))
        for lane, events in found.items():
            self._held.update((event.id, event) for event in events)
            self._lanes[lane] = asyncio.create_task(self._work(lane, events), name=f"lane {lane}")
        return sum(map(len, found.values()))

    # --- one lane ---

    async def _work(self, lane: str, events: list[Event]) -> None:
        """Every event of it ends done, put off, buried or given back. Raises nothing but when cancelled."""
        try:
            readings, keys = await self._sorted(events)
            gate = asyncio.Semaphore(AT_ONCE_A_LANE)
            reads = (self._read(gate, reading, about, keys.get(reading)) for reading, about in readings.items())
            for outcome in await asyncio.gather(*reads, return_exceptions=True):  # one that fails leaves the others be
                if isinstance(outcome, BaseException):
                    raise outcome
        except Exception:
            log.exception("the outcome of %s events could not be kept; their leases will run out", len(events))
            self._let_go(events)
        finally:
            self._lanes.pop(lane, None)
            queue.nudge(Event)  # there is room
            queue.nudge(Notice)

    async def _sorted(self, events: list[Event]) -> tuple[dict[Reading, list[Event]], dict[Reading, str]]:
        """What to read for which events, and the idempotency key of the call behind each, where one of ours was."""
        readings: dict[Reading, list[Event]] = defaultdict(list)
        keys: dict[Reading, str] = {}
        not_ours = []
        for event in events:
            try:
                payload = json.loads(event.payload)
                reading = self._sort(event.type, payload)
            except Exception as error:
                log.exception("%s can't be understood", event.id)
                await queue.bury(event, f"its payload can't be understood: {type(error).__name__}: {error}")
                SETTLED.labels("buried").inc()
                self._let_go([event])
                continue
            if reading is None:
                not_ours.append(event)
            else:
                readings[reading].append(event)
                if key := _key_of(payload):
                    keys[reading] = key
            event.payload = ""  # it has said what it had to: a full claim need not stay in memory
        if not_ours:
            await self._done(not_ours)
            SETTLED.labels("not_ours").inc(len(not_ours))
        return readings, keys

    async def _read(self, gate: asyncio.Semaphore, reading: Reading, events: list[Event], key: str | None) -> None:
        """One reading for all its events."""
        async with gate, self._pace.turn():
            with trace.following():
                await self._read_in_turn(reading, events, key)

    async def _read_in_turn(self, reading: Reading, events: list[Event], key: str | None) -> None:
        if self._stopping:
            await queue.release(events)
            self._let_go(events)
            return
        if pause := self._pace.quiet_for():
            await self._put_off(events, "Stripe is away", pause)
            return
        began = time.monotonic()
        outcome = "failed"
        try:
            async with asyncio.timeout(PATIENCE):
                trace.go_on_as(await _trace_behind(key))
                with spans.span(f"event {events[0].type}", events=len(events)):
                    await reading.verb(self._desk, reading.object_id)
        except PaymentsAway as away:  # Stripe's outage is not the event's fault: no attempt is counted
            outcome = "away"
            pause = self._pace.away(away.retry_after)
            await self._put_off(events, f"Stripe is away (asked to wait {away.retry_after} s)", pause)
        except Exception as error:
            log.exception("%s could not be read for %s", reading.object_id, ", ".join(each.id for each in events))
            self._pace.answered()
            await self._failed(events, error)
        else:
            outcome = "done"
            self._pace.answered()
            log.info("%s was read for %s", reading.object_id, ", ".join(each.id for each in events[:5]))
            await self._done(events)
            SETTLED.labels("done").inc(len(events))
        finally:
            READINGS.labels(outcome).observe(time.monotonic() - began)

    async def _put_off(self, events: list[Event], why: str, seconds: float) -> None:
        for event in events:
            await queue.put_off(event, why, seconds)
        SETTLED.labels("put_off").inc(len(events))
        self._let_go(events)

    async def _failed(self, events: list[Event], error: Exception) -> None:
        for event in events:
            buried = await queue.retry(event, f"{type(error).__name__}: {error}")
            SETTLED.labels("buried" if buried else "retried").inc()
        self._let_go(events)

    # --- keeping the outcome, together ---

    async def _done(self, events: list[Event]) -> None:
        """Return when they are done for good. Lanes that finish while one commit is under way share the next."""
        self._finished += events
        if self._next_keeping is None:
            self._next_keeping = asyncio.create_task(self._keep(self._keeping), name="inbox done")
        await asyncio.shield(self._next_keeping)
        self._let_go(events)

    async def _keep(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._keeping, self._next_keeping = self._next_keeping, None
        batch, self._finished = self._finished, []
        await queue.done(batch)

    def _let_go(self, events: list[Event]) -> None:
        for event in events:
            self._held.pop(event.id, None)

    # --- leases ---

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await queue.renew(list(self._held.values()))
            except Exception:
                log.exception("leases could not be renewed; another worker may take over")

    async def _give_back(self) -> None:
        under_way = list(self._lanes.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if keeping := [task for task in (self._keeping, self._next_keeping) if task is not None]:
            await asyncio.wait(keeping)  # what is finished stays so
        left, self._held = list(self._held.values()), {}
        if left:
            await queue.release(left)


def _key_of(payload: dict[str, Any]) -> str | None:
    request = payload.get("request")
    key = request.get("idempotency_key") if isinstance(request, dict) else None
    return key if isinstance(key, str) else None


async def _trace_behind(key: str | None) -> str | None:
    """What an event belongs to: a quote's id begins the idempotency key of every call to Stripe that the quote causes."""
    try:
        quote_id = UUID((key or "")[:36])
    except ValueError:
        return None
    found = await Quote.filter(id=quote_id).values_list("trace", flat=True)
    return str(found[0]) if found else None
