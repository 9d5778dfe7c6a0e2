"""Copies sent a second to a Slack that answers at once."""

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cryptography.fernet import Fernet

from benchmarks import outbox_rows
from benchmarks.results import Results, median
from benchmarks.servers import ROOT, Databases, free_port, process, settings
from domain.database import opened
from domain.queue import QueueState
from domain.records import Notice

WORKSPACES, OWNERS = 5_000, 20_000
HEAD = 500  # copies before the clock starts: the processes are warm then
PATIENCE = 120  # seconds


def sender_settings(database: str, slack: str, key: str) -> dict[str, str]:
    """The environment of a sender for many workspaces."""
    by_oauth = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "benchmark", "KASSOR_ENCRYPTION_KEYS": key}
    return settings(database, free_port(), SLACK_API_URL=slack, **by_oauth)


@contextmanager
def _senders(count: int, environment: dict[str, str]) -> Iterator[None]:
    """So many `kassor serve worker`."""
    with ExitStack() as stack:
        for _ in range(count):
            command = [sys.executable, "-m", "cli", "serve", "worker"]
            stack.enter_context(process(command, None, cwd=ROOT, env=environment))
        yield


def _taken(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=10) as answer:
        return int(json.loads(answer.read())["taken"])


def _rate(databases: Databases, senders: int) -> float:
    """Copies a second that so many processes send, from warm to the last one written down as sent."""
    database, key, port = databases.postgres(), Fernet.generate_key().decode(), free_port()

    async def fill() -> None:
        async with opened(database):
            await outbox_rows.fill(workspaces=WORKSPACES, owners=OWNERS, each=1, key=key)

    async def done() -> int:
        async with opened(database):
            deadline = time.monotonic() + PATIENCE
            while (count := await Notice.filter(state=QueueState.DONE).count()) < OWNERS:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{count} of {OWNERS} copies were sent in {PATIENCE} s")
                await asyncio.sleep(0.1)
            return count

    asyncio.run(fill())
    with process([sys.executable, "-m", "benchmarks.slack_stub", str(port)], port, cwd=ROOT):
        with _senders(senders, sender_settings(database, f"http://127.0.0.1:{port}/api/", key)):
            while (before := _taken(port)) < HEAD:
                time.sleep(0.02)
            began = time.perf_counter()
            asyncio.run(done())
            seconds = time.perf_counter() - began
        if (sent := _taken(port)) != OWNERS:
            raise RuntimeError(f"{OWNERS} copies were {sent} messages")
    return (OWNERS - before) / seconds


def run(results: Results, *, rounds: int) -> None:
    """Text copies a second, by one process and by two."""
    with ExitStack() as stack:
        databases = Databases(stack)
        for senders in (1, 2):
            rates = [_rate(databases, senders) for _ in range(min(rounds, 3))]
            goal = {"least": 2_000.0} if senders == 2 else {}
            results.add(f"sending.text.senders_{senders}", median(rates), "copies/s", **goal)
