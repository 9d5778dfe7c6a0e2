"""`make soak`: twenty minutes of moderate load, and memory and open files stay as they are.

On the processes of the Procfile (one of each) and PostgreSQL: what people do, webhooks, and messages to be sent. Every process's
resident memory and open files are read from /proc. The first quarter is warming up; it passes when in each process

- the median memory of the last quarter is at most 1.05 times that of the second, and
- the median of open files of the last quarter is within 5 of the second's (a pool breathes by that much).

Run as `python -m benchmarks.soak`; `KASSOR_SOAK_SECONDS` makes it shorter, `KASSOR_SOAK_RATE` the load lighter (1 is 5 people, 100
webhooks and 2 messages a second). Exits 1 when anything is amiss.
"""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from uuid import uuid4

import asyncpg

from benchmarks.pressure import SETTLED_WITHIN, Installation, installation, report, unsettled, webhooks

SECONDS = float(os.environ.get("KASSOR_SOAK_SECONDS", "1200"))
RATE = float(os.environ.get("KASSOR_SOAK_RATE", "1"))
PEOPLE, WEBHOOKS, MESSAGES = 5 * RATE, 100 * RATE, 2 * RATE  # a second
READINGS = 120  # of each process, over the whole time
MOST_GROWTH, MOST_FILES = 1.05, 5
_MESSAGE = """
INSERT INTO notice (id, kind, facts, dedup_key, workspace_id, member_id, in_working_hours, state, available_at, created_at,
attempts, trace)
SELECT $1::uuid, 'resumed', jsonb_build_object('scope', 'Bench', 'plan', 'premium', 'interval', 'year', 'seats', 300,
'subscription', 'sub_bench', 'before', NULL), $1::uuid::text, 'T1', id, FALSE, 'queued', now(), now(), 0, '' FROM member
ORDER BY random() LIMIT 1
"""


class Watch:
    """What /proc says of each process, again and again."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self.memory: dict[str, list[int]] = {name: [] for name in pids}  # kilobytes
        self.files: dict[str, list[int]] = {name: [] for name in pids}

    async def read(self, seconds: float) -> None:
        """As many readings as there shall be, over so long."""
        began = time.monotonic()
        for number in range(1, READINGS + 1):
            await asyncio.sleep(max(0.0, began + number * seconds / READINGS - time.monotonic()))
            for name, pid in self._pids.items():
                self.memory[name].append(_resident(pid))
                self.files[name].append(len(os.listdir(f"/proc/{pid}/fd")))


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has no VmRSS")


def verdict(memory: list[int], files: list[int]) -> tuple[str, bool]:
    """What to say of one process's readings, and whether they are flat."""
    quarter = len(memory) // 4
    second, last = slice(quarter, 2 * quarter), slice(-quarter, None)
    was, became = median(memory[second]), median(memory[last])
    opened, open_now = median(files[second]), median(files[last])
    said = f"{was / 1024:.1f} → {became / 1024:.1f} MB (× {became / was:.3f}), {opened:.0f} → {open_now:.0f} files"
    return said, became <= was * MOST_GROWTH and abs(open_now - opened) <= MOST_FILES


async def _messages(database: str, seconds: float) -> int:
    """So many messages a second for the worker to send; how many there were."""
    connection = await asyncpg.connect(database)
    began, put = time.monotonic(), 0
    try:
        while (now := time.monotonic() - began) < seconds:
            while put < now * MESSAGES:
                await connection.execute(_MESSAGE, uuid4())
                put += 1
            await asyncio.sleep(0.2)
    finally:
        await connection.close()
    return put


async def _unsent(database: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM notice WHERE state <> 'done'"))
    finally:
        await connection.close()


async def _soak(kassor: Installation, seconds: float) -> list[tuple[str, str, bool]]:
    watch = Watch({role: child.pid for role, child in kassor.processes.items()})
    acked, (answers, _), put, _ = await asyncio.gather(
        kassor.people(PEOPLE, seconds),
        webhooks(kassor.port, WEBHOOKS, seconds),
        _messages(kassor.database, seconds),
        watch.read(seconds),
    )
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLED_WITHIN):
            while await unsettled(kassor.database) + await _unsent(kassor.database):  # noqa: ASYNC110 - rows are waited for
                await asyncio.sleep(0.2)
    left, unsent = await unsettled(kassor.database), await _unsent(kassor.database)
    found = [
        ("people's requests", f"{acked['statuses']}", set(acked["statuses"]) == {"200"}),
        ("webhooks", f"{dict(answers)}, {left} left", set(answers) == {200} and left == 0),
        ("messages", f"{put}, {unsent} unsent", unsent == 0),
    ]
    return found + [(role, *verdict(watch.memory[role], watch.files[role])) for role in kassor.processes]


def run(seconds: float) -> bool:
    """Whether everything held."""
    with installation() as kassor:
        return report(asyncio.run(_soak(kassor, seconds)))


if __name__ == "__main__":
    sys.exit(not run(SECONDS))
