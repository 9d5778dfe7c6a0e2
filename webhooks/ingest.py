"""Group commit: requests that arrive while a commit is under way share the next one.

Alone, an event is written at once. Under load the batches grow by themselves to what came in during one commit. Whoever is not
answered in time, or finds the queue full, is sent away to come again: Stripe does, and nothing is lost.
"""

import asyncio
import logging
from collections import deque

from domain.inbox import Arrival, Inbox, is_about_a_row
from domain.metrics import BATCHES

log = logging.getLogger("kassor.ingest")
LARGEST_BATCH = 256  # events a commit
LARGEST_BATCH_BYTES = 8 * 1024 * 1024
MOST_WAITING = 4_096  # events; about half a second's worth
MOST_WAITING_BYTES = 64 * 1024 * 1024

Waiting = tuple[Arrival, asyncio.Future[None]]


class Full(Exception):  # noqa: N818 - it says what it is
    """More is waiting than can be stored soon."""


class Ingest:
    """The events on their way into the inbox. One a process; `close()` it after the last request."""

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer: asyncio.Task[None] | None = None

    async def put(self, arrival: Arrival) -> None:
        """Return when the event is committed. Raises Full, or whatever kept the database from storing it."""
        if len(self._waiting) >= MOST_WAITING or self._bytes >= MOST_WAITING_BYTES:
            raise Full
        if self._idle.is_set():  # alone: whoever brings it writes it, without a task in between
            self._idle.clear()
            try:
                BATCHES.observe(1)
                await self._inbox.store([arrival])
            finally:
                self._go_on()
            return
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, stored))
        self._bytes += len(arrival.payload)
        await stored

    async def close(self) -> None:
        """Finish what waits, and let go of the connection."""
        await self._idle.wait()
        await self._inbox.close()

    def _go_on(self) -> None:
        """What came meanwhile shares the next commit."""
        if self._waiting:
            self._writer = asyncio.create_task(self._write(), name="ingest")
        else:
            self._idle.set()

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._next_batch())
        finally:
            self._idle.set()

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < LARGEST_BATCH and size < LARGEST_BATCH_BYTES:
            arrival, stored = self._waiting.popleft()
            self._bytes -= len(arrival.payload)
            if stored.done():
                continue  # whoever waited has hung up; Stripe will send it again
            size += len(arrival.payload)
            batch.append((arrival, stored))
        return batch

    async def _commit(self, batch: list[Waiting]) -> None:
        """Every future of the batch is settled when this returns."""
        if not batch:
            return
        BATCHES.observe(len(batch))
        try:
            await self._inbox.store([arrival for arrival, _ in batch])
        except Exception as error:  # noqa: BLE001 - each request hears it and says so
            if len(batch) > 1 and is_about_a_row(error):
                log.warning("one of %s events can't be stored; storing them one by one", len(batch))
                for each in batch:
                    await self._commit([each])
                return
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(error)
        else:
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)
