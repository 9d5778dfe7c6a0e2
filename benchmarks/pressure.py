"""`make load`: people and Stripe at once, for a minute. Not a race: it passes when nobody is refused and nobody waits.

30 things a second that people do and 1,000 webhooks a second, at a steady rate whether answered or not, on the processes of the
Procfile (one of each) and PostgreSQL; one webhook in ten is about a customer of ours and makes the worker ask Stripe. Run as
`python -m benchmarks.pressure [SECONDS]`; exits 1 when anything is amiss.
"""

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.ack import MEMBERS, SUBSCRIPTION, neighbours, settle_in
from benchmarks.load import SECRET
from benchmarks.servers import ROOT, Databases, free_port, process, settings
from benchmarks.slack_load import SIGNING_SECRET, Doings
from benchmarks.slack_load import run as people

PEOPLE, WEBHOOKS = 30, 1_000  # a second
CONNECTIONS = 32
LONGEST = 1_500.0  # milliseconds; Slack gives up after 3,000
SETTLED_WITHIN = 30.0  # seconds after the last


def _event(number: int) -> bytes:
    kind, subject = (
        ("customer.updated", "cus_bench") if number % 10 == 0 else ("product.updated", f"prod_{number % 500}")
    )
    event = {
        "id": f"evt_{os.getpid()}_{number}",
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "data": {"object": {"id": subject, "customer": f"cus_{number % 200}", "padding": "x" * 3_000}},
    }
    return json.dumps(event).encode()


@dataclass(frozen=True)
class Installation:
    """Kassör as the Procfile has it, one process of each, and its neighbours."""

    port: int  # where the public routes are
    world: str
    database: str
    processes: dict[str, subprocess.Popen[bytes]]

    async def people(self, rate: float, seconds: float) -> dict[str, Any]:
        """So many things a second that people do; how they were answered."""
        doings = Doings(f"{self.world}/respond", "U0", [f"U{n}" for n in range(1, MEMBERS)], SUBSCRIPTION)
        return await people(f"http://127.0.0.1:{self.port}/slack/events", rate, seconds, doings)


@contextmanager
def installation() -> Iterator[Installation]:
    """It, for as long as the block lasts."""
    with ExitStack() as stack:
        database = Databases(stack).postgres()
        asyncio.run(settle_in(database))
        world = stack.enter_context(neighbours())
        web, running = free_port(), {}
        for role in ("web", "worker", "scheduler"):
            port = web if role == "web" else free_port()
            environment = settings(
                database,
                port,
                SLACK_SIGNING_SECRET=SIGNING_SECRET,
                SLACK_API_URL=f"{world}/api/",
                STRIPE_API_URL=world,
                KASSOR_METRICS_PORT=str(free_port() if role == "web" else port),
            )
            command = [sys.executable, "-m", "cli", "serve", role]
            running[role] = stack.enter_context(process(command, port, cwd=Path(ROOT), env=environment))
        yield Installation(web, world, database, running)


async def webhooks(port: int, rate: float, seconds: float) -> tuple[Counter[int], list[float]]:
    """Webhooks at their rate, each connection's share of it; the answers, and milliseconds from when each was due."""
    answers: Counter[int] = Counter()
    took: list[float] = []
    began = time.perf_counter()

    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, int(rate * seconds), CONNECTIONS):
            body, stamp, due = _event(number), str(int(time.time())), began + number / rate
            mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            writer.write(
                f"POST /stripe/webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Stripe-Signature: t={stamp},v1={mac}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            answers[int(head[9:12])] += 1
            took.append((time.perf_counter() - due) * 1000)
        writer.close()

    await asyncio.gather(*(connection(first) for first in range(CONNECTIONS)))
    return answers, sorted(took)


async def unsettled(database: str) -> int:
    """How many events are not done yet."""
    connection = await asyncpg.connect(database)
    try:
        found = await connection.fetchval("SELECT count(*) FROM event WHERE state <> 'done'")
        return int(found)
    finally:
        await connection.close()


async def _press(kassor: Installation, seconds: float) -> list[tuple[str, str, bool]]:
    acked, (answers, took) = await asyncio.gather(
        kassor.people(PEOPLE, seconds), webhooks(kassor.port, WEBHOOKS, seconds)
    )
    ended = time.perf_counter()
    while (left := await unsettled(kassor.database)) and time.perf_counter() - ended < SETTLED_WITHIN:  # noqa: ASYNC110 - a row is waited for
        await asyncio.sleep(0.2)
    settled = time.perf_counter() - ended
    p99 = took[int(len(took) * 0.99)]
    waited = f"p99 {acked['p99_ms']:.0f} ms, most {acked['max_ms']:.0f} ms"
    return [
        ("people's requests", f"{acked['statuses']}", acked["statuses"] == {"200": int(PEOPLE * seconds)}),
        ("until they were acknowledged", waited, acked["max_ms"] < LONGEST),
        ("webhooks", f"{dict(answers)}", answers == {200: int(WEBHOOKS * seconds)}),
        ("until they were stored", f"p99 {p99:.0f} ms, most {took[-1]:.0f} ms", took[-1] < LONGEST),
        ("all settled", f"{left} left after {settled:.1f} s", left == 0),
    ]


def report(found: list[tuple[str, str, bool]]) -> bool:
    """Say what was found; whether all of it held."""
    for what, said, held in found:
        print(f"{'ok    ' if held else 'AMISS '} {what:<30} {said}")
    return all(held for *_, held in found)


def run(seconds: float) -> bool:
    """Whether everything held."""
    with installation() as kassor:
        return report(asyncio.run(_press(kassor, seconds)))


if __name__ == "__main__":
    sys.exit(not run(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
