"""Events settled a second: against a Stripe that takes 100 ms and allows 100 a second, and with nothing to do at all."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.results import Results, median
from benchmarks.servers import ROOT, Databases, free_port
from domain import clock
from domain.database import opened
from domain.inbox import Arrival, Inbox
from domain.queue import QueueState
from domain.records import Event
from domain.rules.refusals import PaymentsAway
from webhooks.interests import Reading
from webhooks.worker import Worker

ALLOWED = 100  # requests a second, as Stripe allows
NO_DESK: Any = None  # the readings here need none


class Stripe:
    """Answers a request in 100 ms; more than it allows in a second gets 429 and is asked to wait one."""

    def __init__(self) -> None:
        self.answered = 0
        self._second, self._in_it = 0, 0

    async def handle(self, _: web.Request) -> web.Response:
        """One object."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._in_it = second, 0
        self._in_it += 1
        if self._in_it > ALLOWED:
            return web.json_response({"error": {"code": "rate_limit"}}, status=429, headers={"Retry-After": "1"})
        await asyncio.sleep(0.1)
        self.answered += 1
        return web.json_response({"id": "sub_1", "object": "subscription"})


@dataclass
class Reader:
    """A reading is one call to it."""

    session: aiohttp.ClientSession
    url: str

    async def verb(self, _: Any, object_id: str) -> None:
        """Read the object. Raises PaymentsAway."""
        async with self.session.get(f"{self.url}/{object_id}") as response:
            if response.status == 429:
                raise PaymentsAway(retry_after=int(response.headers["Retry-After"]))
            await response.read()

    def sort(self, _: str, payload: dict[str, Any]) -> Reading:
        """What an event makes us read."""
        return Reading(self.verb, payload["data"]["object"]["id"])


async def fill(events: int, objects: int) -> None:
    """So many events about so many objects, each another customer's, the same object's far apart."""
    async with Inbox() as inbox:
        for start in range(0, events, 500):
            await inbox.store(
                [
                    Arrival(
                        f"evt_{n}",
                        "customer.subscription.updated",
                        clock.now(),
                        json.dumps({"data": {"object": {"id": f"sub_{n % objects}"}}}),
                        f"cus_{n % objects}",
                    )
                    for n in range(start, min(events, start + 500))
                ]
            )


async def work_off(worker: Worker, events: int) -> float:
    """Events a second until all are done."""
    stop = asyncio.Event()
    began = time.perf_counter()
    task = asyncio.create_task(worker.run(stop))
    while await Event.filter(state=QueueState.DONE).count() < events:  # noqa: ASYNC110 - what is waited for is a row
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    stop.set()
    await task
    await Event.all().delete()
    return events / seconds


async def _against_stripe(url: str, results: Results) -> None:
    stripe = Stripe()
    app = web.Application()
    app.add_routes([web.get("/{object}", stripe.handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with opened(url), aiohttp.ClientSession() as session:
        reader = Reader(session, f"http://127.0.0.1:{port}")
        rates: dict[int, float] = {}
        for at_once in (1, 4, 8, 16):
            events = 30 * at_once
            await fill(events, events)
            rates[at_once] = await work_off(Worker(NO_DESK, at_once=at_once, sort=reader.sort), events)
            results.add(f"worker.stripe_100ms.at_once_{at_once}", rates[at_once], "events/s")
        results.add("worker.stripe_100ms.growth_1_to_8", rates[8] / rates[1], "×", least=6)
        stripe.answered = 0
        await fill(1_000, 100)
        await work_off(Worker(NO_DESK, at_once=8, sort=reader.sort), 1_000)
        results.add("worker.readings_per_object_of_ten_events", stripe.answered / 100, "readings", most=1.2)
    await runner.cleanup()


def run(results: Results, *, rounds: int) -> None:
    """Concurrency up to the rate limit, and ten events an object."""
    del rounds  # the rate is the limit's, not the machine's
    with ExitStack() as stack:
        asyncio.run(_against_stripe(Databases(stack).postgres(), results))


def run_procrastinate(results: Results, *, rounds: int) -> None:
    """A handler that does nothing, here and there, in alternating rounds."""
    python = _environment()
    ours, theirs = [], []
    with ExitStack() as stack:
        databases = Databases(stack)
        for _ in range(rounds):
            ours.append(asyncio.run(_nothing(databases.postgres(), 6_000)))
            database = databases.postgres(migrated=False).replace("postgres://", "postgresql://", 1)
            command = [python, ROOT / "benchmarks" / "procrastinate_jobs.py", database, "1000", "10"]
            theirs.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    results.add("worker.nothing.kassor", median(ours), "events/s")
    results.add("worker.nothing.procrastinate", median(theirs), "jobs/s")
    results.add("worker.nothing.vs_procrastinate", median(ours) / median(theirs), "×", least=8)


async def _nothing(url: str, events: int) -> float:
    async def nothing(*_: Any) -> None:
        """What both sides' handlers do."""

    def sort(_: str, payload: dict[str, Any]) -> Reading:
        return Reading(nothing, payload["data"]["object"]["id"])

    async with opened(url):
        await fill(events, events)
        return await work_off(Worker(NO_DESK, sort=sort), events)


def _environment() -> Path:
    """procrastinate 3.10 in an environment of its own."""
    home = Path(tempfile.gettempdir()) / f"kassor-bench-procrastinate-{os.getuid()}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*install, "procrastinate==3.10.*", "psycopg[binary,pool]"], check=True, stderr=subprocess.DEVNULL
        )
        (home / "ready").touch()
    return python
