"""The worker: inbox → sync. Events about the same object are one reading; what fails is tried again, later buried."""

import asyncio
import json
import logging
from collections import defaultdict

from domain import queue
from domain.desk import Desk
from domain.records import Event, Notice
from domain.rules.refusals import PaymentsAway
from webhooks.interests import Reading, reading_of

log = logging.getLogger("kassor.worker")
BATCH = 50
AT_ONCE = 8  # readings; each is a few calls, and Stripe allows about 100 a second
PATIENCE = 60.0  # seconds a reading may take before it is tried again later
LOOK_EVERY = 1.0  # seconds between looks for what other processes stored


async def run(desk: Desk, stop: asyncio.Event) -> None:
    """Work until `stop` is set; what is under way is finished, or given back when the task is cancelled."""
    while not stop.is_set():
        try:
            worked = await work_once(desk)
        except Exception:
            log.exception("the inbox can't be worked on; trying again soon")
            await asyncio.sleep(LOOK_EVERY)
            continue
        if not worked:
            await queue.wait_for_work(Event, LOOK_EVERY)


async def work_once(desk: Desk) -> int:
    """Claim what is due and work on it; returns how many events that were."""
    events = await queue.claim(Event, limit=BATCH)
    if not events:
        return 0
    readings: dict[Reading, list[Event]] = defaultdict(list)
    not_ours = []
    for event in events:
        reading = reading_of(event.type, json.loads(event.payload))
        if reading is None:
            not_ours.append(event)
        else:
            readings[reading].append(event)
    await queue.done(not_ours)
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        await asyncio.gather(*(_read(desk, gate, reading, about) for reading, about in readings.items()))
    except asyncio.CancelledError:
        await queue.release(events)
        raise
    queue.nudge(Notice)
    return len(events)


async def _read(desk: Desk, gate: asyncio.Semaphore, reading: Reading, events: list[Event]) -> None:
    """One reading for all its events. Never raises but when cancelled: each event ends done, put off, or buried."""
    async with gate:
        try:
            async with asyncio.timeout(PATIENCE):
                await reading.verb(desk, reading.object_id)
        except PaymentsAway as away:
            for event in events:  # Stripe's outage is not the event's fault: no attempt is counted
                await queue.put_off(event, f"Stripe is away (asked to wait {away.retry_after} s)", away.retry_after)
        except Exception as error:
            log.exception("%s could not be read for %s", reading.object_id, ", ".join(event.id for event in events))
            for event in events:
                await queue.retry(event, f"{type(error).__name__}: {error}")
        else:
            await queue.done(events)
