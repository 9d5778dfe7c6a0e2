"""What time does: memory over 200,000 events, and the cost of an event as the table grows."""

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from benchmarks.results import Results, median
from benchmarks.servers import Databases, kassor, load
from benchmarks.worker import NO_DESK, fill
from domain.database import opened
from domain.queue import QueueState
from domain.records import Event
from webhooks.worker import Worker

ROWS = (10_000, 1_000_000, 5_000_000)
FILL = """
INSERT INTO event (id, type, created_at, received_at, available_at, payload, lane, state, attempts, done_at)
SELECT 'evt_old_' || n, 'invoice.paid', past, past, past, '', 'cus_' || n % 100000, 'done', 1, past
FROM (SELECT n, now() - interval '1 second' * n AS past FROM generate_series($1::bigint, $2::bigint) AS n) AS old
"""


def run_memory(results: Results, *, rounds: int) -> None:
    """The web process's resident memory, after the first 20,000 events and after 200,000."""
    del rounds
    chunk, chunks = 10_000, int(os.environ.get("KASSOR_BENCH_CHUNKS", "20"))
    with ExitStack() as stack:
        url, child = stack.enter_context(kassor(Databases(stack).postgres()))
        seen = []
        for _ in range(chunks):
            load(url, 64, chunk)
            seen.append(_resident_megabytes(child.pid))
    results.add("memory.after_first", seen[min(1, len(seen) - 1)], "MB")
    results.add("memory.after_all", seen[-1], "MB")
    results.add("memory.growth", seen[-1] / seen[min(1, len(seen) - 1)], "×", most=1.1)


def _resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def run(results: Results, *, rounds: int) -> None:
    """Storing and settling an event with 10 thousand, 1 million and 5 million finished ones in the table."""
    stored: dict[int, float] = {}
    settled: dict[int, float] = {}
    most = int(os.environ.get("KASSOR_BENCH_ROWS", ROWS[-1]))
    sizes = [rows for rows in ROWS if rows <= most]
    with ExitStack() as stack:
        database = Databases(stack).postgres()
        url, _ = stack.enter_context(kassor(database))
        there = 0
        for rows in sizes:
            asyncio.run(_grow(database, there, rows))
            there = rows
            load(url, 16, 1_000)
            stored[rows] = median([load(url, 16, 4_000)["rate"] for _ in range(rounds)])
            asyncio.run(_clear(database))
            settled[rows] = median([asyncio.run(_settle(database)) for _ in range(rounds)])
            results.add(f"growth.stored.rows_{rows}", stored[rows], "events/s")
            results.add(f"growth.settled.rows_{rows}", settled[rows], "events/s")
    for name, found in (("stored", stored), ("settled", settled)):
        results.add(f"growth.{name}.largest_vs_smallest", found[sizes[-1]] / found[sizes[0]], "×", least=0.85)


async def _grow(database: str, there: int, rows: int) -> None:
    connection = await asyncpg.connect(database)
    for start in range(there + 1, rows + 1, 500_000):
        await connection.execute(FILL, start, min(rows, start + 499_999), timeout=600)
    await connection.execute("VACUUM ANALYZE event", timeout=600)
    await connection.execute("CHECKPOINT", timeout=600)
    await connection.close()


async def _clear(database: str) -> None:
    """What the load left behind is not the worker's to find."""
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM event WHERE state = 'queued'", timeout=600)
    await connection.close()


async def _settle(database: str) -> float:
    loop = asyncio.get_running_loop()
    async with opened(database):
        await fill(2_000, 2_000)
        worker = Worker(NO_DESK, sort=lambda *_: None)
        began = loop.time()
        while await worker.once():
            pass
        rate = 2_000 / (loop.time() - began)
        await Event.filter(
            lane__startswith="cus_", state=QueueState.DONE, type="customer.subscription.updated"
        ).delete()
    return rate
