"""Planning what is due among a million subscriptions, beside the same in nothing but SQL; and what a look costs when nothing is.

The data is made by SQL: a workspace, an owner in one of six time zones, a scope, a live subscription and its invoice, so many
times. KASSOR_BENCH_ROWS makes it fewer.
"""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import asyncpg

from benchmarks.results import Results, median
from benchmarks.servers import ROOT, Databases, kassor, load
from cli.serve import loaded_for_good
from domain.copies.pages import BATCH, DUE, plan_page
from domain.copies.planning import REST, pages
from domain.database import opened
from domain.rules.hours import WORKING

ROWS = int(os.environ.get("KASSOR_BENCH_ROWS", "1000000"))
ROWS_IN_A_FILE = min(ROWS, 100_000)
FEW = 1_000
LOOKS = 500
EVENTS = 8_000  # a round: enough pages of a sweep fall in it that its p99 is no matter of how many did
THEIRS = 500  # a page of the yardstick
ZONES = "'{Europe/Stockholm,America/New_York,Australia/Sydney,Asia/Tokyo,Asia/Kolkata,UTC}'::text[]"

_FILL = f"""
INSERT INTO workspace (id, name, domain, installed, created_at) SELECT 'T' || n, 'W', '', TRUE, now() FROM generate_series(1, $1) n;
INSERT INTO member (id, workspace_id, slack_user_id, name, locale, tz, is_bot, is_guest, is_deactivated, is_workspace_admin)
  SELECT n, 'T' || n, 'U' || n, 'P', 'sv-SE', ({ZONES})[1 + n % 6], FALSE, FALSE, FALSE, FALSE FROM generate_series(1, $1) n;
INSERT INTO scope (id, workspace_id, kind, slack_ref, name, created_at)
  SELECT lpad(to_hex(n), 32, '0')::uuid, 'T' || n, 'workspace', '', 'W', now() FROM generate_series(1, $1) n;
INSERT INTO subscription (id, scope_id, owner_id, customer_id, status, is_live, plan, "interval", seats, currency, unit_amount,
  item_id, price_id, collection_method, current_period_start, current_period_end, started_at, version)
  SELECT 'sub_' || n, lpad(to_hex(n), 32, '0')::uuid, n, 'cus_' || n, 'active', TRUE, 'premium', 'month', 10, 'sek', 12500, 'si_' || n,
  'price_1', 'charge_automatically', date_trunc('second', now()) - interval '1 day', now() + interval '29 days',
  now() - interval '1 day', 0 FROM generate_series(1, $1) n;
INSERT INTO invoice (id, scope_id, subscription_id, number, status, collection_method, billing_reason, currency, total, tax, amount_due,
  amount_paid, amount_remaining, period_start, period_end, created_at, finalized_at, version)
  SELECT 'in_' || substr(id, 5), scope_id, id, 'K-' || substr(id, 5), 'paid', 'charge_automatically', 'subscription_create',
  'sek', 125000, 0, 125000, 125000, 0, current_period_start, current_period_end, now(), now(), 0 FROM subscription
"""
_PURE = f"""
WITH due AS (
  SELECT id, scope_id, owner_id, current_period_start, current_period_end FROM subscription
  WHERE {DUE} AND copy_ask_at <= now() ORDER BY copy_ask_at LIMIT {THEIRS} FOR UPDATE SKIP LOCKED
), found AS (
  SELECT due.*, scope.workspace_id, scope.name, member.tz, i.id AS invoice_id FROM due
  JOIN scope ON scope.id = due.scope_id JOIN member ON member.id = due.owner_id
  CROSS JOIN LATERAL (SELECT j.id FROM invoice j WHERE j.subscription_id = due.id AND j.finalized_at IS NOT NULL
    AND j.status IN ('open', 'paid', 'uncollectible') AND j.period_start >= due.current_period_start
    AND j.period_start < due.current_period_end ORDER BY j.finalized_at DESC LIMIT 1) i
), told AS (
  INSERT INTO notice (id, kind, facts, dedup_key, workspace_id, owner_of_id, in_working_hours, state, available_at, created_at, attempts)
  SELECT gen_random_uuid(), 'invoice_copy', jsonb_build_object('invoice_id', invoice_id, 'subscription', id, 'scope', name),
    'copy:' || id || ':' || EXTRACT(EPOCH FROM current_period_start)::bigint, workspace_id, id, TRUE, 'queued',
    CASE WHEN (now() AT TIME ZONE tz)::time < '09:00' THEN ((now() AT TIME ZONE tz)::date + time '09:00') AT TIME ZONE tz
      WHEN (now() AT TIME ZONE tz)::time >= '17:00' THEN ((now() AT TIME ZONE tz)::date + 1 + time '09:00') AT TIME ZONE tz
      ELSE now() END, now(), 0 FROM found ON CONFLICT (dedup_key) DO NOTHING RETURNING id, owner_of_id
), copied AS (
  INSERT INTO invoice_copy (subscription_id, period_start, invoice_id, notice_id, created_at)
  SELECT found.id, found.current_period_start, found.invoice_id, told.id, now() FROM told JOIN found ON found.id = told.owner_of_id
  ON CONFLICT DO NOTHING
)
UPDATE subscription SET copied_period = found.current_period_start FROM found WHERE subscription.id = found.id
"""


async def fill(url: str, rows: int) -> None:
    """So many live subscriptions whose copy is due."""
    connection = await asyncpg.connect(url)
    try:
        for statement in _FILL.split(";"):
            await connection.execute(statement.replace("$1", str(rows)))
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _ours(number: int) -> int:
    """Plan so many pages; how many copies that were."""
    return sum([(await plan_page(WORKING)).planned for _ in range(number)])


async def _rate(work: Callable[[], Awaitable[int]]) -> float:
    began = time.perf_counter()
    done = await work()
    return done / (time.perf_counter() - began)


async def _longest_gap(stop: asyncio.Event) -> float:
    """The longest the event loop kept somebody waiting, in milliseconds."""
    longest, last = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last - 0.001), time.perf_counter()
    return longest * 1000


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _planning(results: Results, ours: str, theirs: str, rounds: int) -> None:
    """Alternating rounds on equal copies of the data."""
    pages = max(2, ROWS // BATCH // (rounds + 2))
    yardstick = await asyncpg.connect(theirs)

    async def pure() -> int:
        done = 0
        for _ in range(pages * BATCH // THEIRS):
            done += int((await yardstick.execute(_PURE)).split()[-1])
        return done

    found: dict[str, list[float]] = {"kassor": [], "sql": []}
    stop = asyncio.Event()
    async with opened(ours):
        await _ours(2)
        await yardstick.execute(_PURE)
        loaded_for_good()
        before = _resident()
        watching = asyncio.create_task(_longest_gap(stop))
        for _ in range(rounds):
            found["kassor"].append(await _rate(lambda: _ours(pages)))
            found["sql"].append(await _rate(pure))
        stop.set()
        gap = await watching
        results.add("sweep.postgres.1m.kassor", median(found["kassor"]), "copies/s")
        results.add("sweep.postgres.1m.sql", median(found["sql"]), "copies/s")
        results.add("sweep.postgres.1m.vs_sql", median(found["kassor"]) / median(found["sql"]), "×", least=0.7)
        results.add("sweep.postgres.1m.memory_growth", _resident() / before, "×", most=1.1)
        results.add("sweep.postgres.1m.longest_block", gap, "ms", most=50)
    await yardstick.close()


async def _p99_of_a_look(url: str) -> float:
    took = []
    async with opened(url):
        for _ in range(LOOKS):
            began = time.perf_counter()
            page = await plan_page(WORKING)
            took.append((time.perf_counter() - began) * 1000)
            assert page.due == 0
    return sorted(took)[int(LOOKS * 0.99)]


async def _nothing_is_due(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"UPDATE subscription SET copied_period = current_period_start WHERE {DUE}")
    await connection.execute("VACUUM ANALYZE subscription")
    await connection.close()


async def _all_due_again(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE invoice_copy")
    await connection.execute("DELETE FROM notice")
    await connection.execute("UPDATE subscription SET copied_period = NULL, copy_ask_at = '1970-01-01'")
    await connection.close()


def run(results: Results, *, rounds: int) -> None:
    """PostgreSQL: planning, an empty look, and webhooks meanwhile."""
    with ExitStack() as stack:
        databases = Databases(stack)
        ours, theirs, few = databases.postgres(), databases.postgres(), databases.postgres()
        for url, rows in ((ours, ROWS), (theirs, ROWS), (few, FEW)):
            asyncio.run(fill(url, rows))
        asyncio.run(_planning(results, ours, theirs, rounds))
        for url in (ours, few):
            asyncio.run(_nothing_is_due(url))
        many, thousand = [], []
        for _ in range(rounds):
            many.append(asyncio.run(_p99_of_a_look(ours)))
            thousand.append(asyncio.run(_p99_of_a_look(few)))
        results.add("sweep.postgres.1m.empty_p99", median(many), "ms", most=5)
        results.add("sweep.postgres.1m.empty_vs_1k", median(many) / median(thousand), "×", most=2)
        asyncio.run(_all_due_again(ours))
        web, _ = stack.enter_context(kassor(ours))
        load(web, 4, 500)
        idle, sweeping, core = [], [], []
        for _ in range(rounds):
            idle.append(load(web, 4, EVENTS)["p99_ms"])
            for found, beside in ((sweeping, ["-m", "benchmarks.sweep", ours]), (core, ["-c", _BUSY])):
                with subprocess.Popen([sys.executable, *beside], cwd=ROOT, stdout=subprocess.PIPE) as other:
                    assert other.stdout is not None
                    other.stdout.readline()  # it has begun
                    found.append(load(web, 4, EVENTS)["p99_ms"])
                    assert other.poll() is None
                    other.terminate()
        results.add("sweep.postgres.1m.webhook_p99_vs_idle", median(sweeping) / median(idle), "×", most=2)
        results.add("sweep.postgres.1m.busy_core_p99_vs_idle", median(core) / median(idle), "×")


# What the same p99 is beside a program that only keeps one core busy for as long as a page takes, and rests as long as a sweep does.
_BUSY = f"""
import time
print("begun", flush=True)
while True:
    began = time.monotonic()
    while time.monotonic() - began < 0.05: pass
    time.sleep(0.05 * {REST})
"""


def _file_of(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, isolation_level=None)
    file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
    return file


def _fill_file(path: str, rows: int) -> None:
    file = _file_of(path)
    numbers = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})"
    begun, ends, now = "'2026-11-24 09:00:00+00:00'", "'2036-12-24 09:00:00+00:00'", "'2026-11-25 09:00:00+00:00'"
    scope = "substr('00000000-0000-4000-8000-000000000000', 1, 36 - length(n)) || n"
    file.executescript(
        f"""
BEGIN;
INSERT INTO workspace (id, name, domain, installed, created_at) VALUES ('T1', 'W', '', 1, {now});
INSERT INTO member (id, workspace_id, slack_user_id, name, locale, tz, is_bot, is_guest, is_deactivated, is_workspace_admin)
  VALUES (1, 'T1', 'U1', 'P', 'sv-SE', 'Europe/Stockholm', 0, 0, 0, 0);
{numbers} INSERT INTO scope (id, workspace_id, kind, slack_ref, name, created_at) SELECT {scope}, 'T1', 'team', 'S' || n, 'W', {now} FROM n;
{numbers} INSERT INTO subscription (id, scope_id, owner_id, customer_id, status, is_live, plan, "interval", seats, currency, unit_amount,
  item_id, price_id, collection_method, current_period_start, current_period_end, started_at, version)
  SELECT 'sub_' || n, {scope}, 1, 'cus_' || n, 'active', 1, 'premium', 'month', 10, 'sek', 12500, 'si_' || n, 'price_1',
  'charge_automatically', {begun}, {ends}, {begun}, 0 FROM n;
{numbers} INSERT INTO invoice (id, scope_id, subscription_id, status, collection_method, currency, total, tax, amount_due, amount_paid,
  amount_remaining, period_start, period_end, created_at, finalized_at, version)
  SELECT 'in_' || n, {scope}, 'sub_' || n, 'paid', 'charge_automatically', 'sek', 125000, 0, 125000, 125000, 0, {begun}, {ends},
  {now}, {now}, 0 FROM n;
COMMIT;
ANALYZE;
"""
    )
    file.close()


def _pure_in_file(file: sqlite3.Connection, pages: int) -> int:
    """The same in nothing but SQL, without time zones, which SQLite doesn't know. CROSS JOIN: SQLite then starts with the page, not
    with a scan of every subscription.
    """
    done = 0
    for _ in range(pages):
        file.execute("BEGIN IMMEDIATE")
        file.execute("CREATE TEMP TABLE IF NOT EXISTS page (id TEXT PRIMARY KEY)")
        file.execute("DELETE FROM page")
        file.execute(
            f"INSERT INTO page SELECT id FROM subscription WHERE {DUE} AND copy_ask_at <= '2030-01-01' ORDER BY copy_ask_at LIMIT {THEIRS}"
        )
        file.execute(
            "INSERT INTO notice (id, kind, facts, dedup_key, workspace_id, owner_of_id, in_working_hours, state, available_at, "
            "created_at, attempts) SELECT lower(hex(randomblob(16))), 'invoice_copy', json_object('invoice_id', i.id, 'subscription', "
            "s.id), 'copy:' || s.id || ':' || strftime('%s', s.current_period_start), scope.workspace_id, s.id, 1, 'queued', "
            "'2026-11-25 09:00:00+00:00', '2026-11-25 09:00:00+00:00', 0 FROM page CROSS JOIN subscription s ON s.id = page.id "
            "JOIN scope ON scope.id = s.scope_id JOIN member ON member.id = s.owner_id JOIN invoice i ON i.id = (SELECT j.id FROM "
            "invoice j WHERE j.subscription_id = s.id AND j.finalized_at IS NOT NULL AND j.status IN ('open', 'paid', 'uncollectible') "
            "AND j.period_start >= s.current_period_start AND j.period_start < s.current_period_end ORDER BY j.finalized_at DESC LIMIT 1) "
            "WHERE TRUE ON CONFLICT (dedup_key) DO NOTHING"
        )
        file.execute(
            "INSERT INTO invoice_copy (subscription_id, period_start, invoice_id, notice_id, created_at) SELECT s.id, "
            "s.current_period_start, json_extract(n.facts, '$.invoice_id'), n.id, '2026-11-25 09:00:00+00:00' FROM page CROSS JOIN "
            "subscription s ON s.id = page.id JOIN notice n ON n.dedup_key = 'copy:' || s.id || ':' || "
            "strftime('%s', s.current_period_start) WHERE TRUE ON CONFLICT DO NOTHING"
        )
        done += file.execute(
            "UPDATE subscription SET copied_period = current_period_start WHERE id IN (SELECT id FROM page)"
        ).rowcount
        file.execute("COMMIT")
    return done


def run_sqlite(results: Results, *, rounds: int) -> None:
    """SQLite, a hundred thousand."""
    with ExitStack() as stack:
        databases = Databases(stack)
        ours, theirs = databases.sqlite("ours.db"), databases.sqlite("theirs.db")
        for url in (ours, theirs):
            _fill_file(url.removeprefix("sqlite://"), ROWS_IN_A_FILE)
        pages = max(2, ROWS_IN_A_FILE // BATCH // (rounds + 2))
        file = _file_of(theirs.removeprefix("sqlite://"))

        async def rounds_of() -> tuple[list[float], list[float]]:
            mine, pure = [], []

            async def in_file() -> int:
                return _pure_in_file(file, pages * BATCH // THEIRS)

            async with opened(ours):
                for _ in range(rounds):
                    mine.append(await _rate(lambda: _ours(pages)))
                    pure.append(await _rate(in_file))
            return mine, pure

        mine, pure = asyncio.run(rounds_of())
        file.close()
        results.add("sweep.sqlite.100k.kassor", median(mine), "copies/s")
        results.add("sweep.sqlite.100k.sql", median(pure), "copies/s")
        results.add("sweep.sqlite.100k.vs_sql", median(mine) / median(pure), "×", least=0.7)


async def _sweep(url: str) -> None:
    """Plan until told to stop, for whoever measures something else meanwhile."""
    async with opened(url):
        await plan_page(WORKING)  # with what is read but once
        print("begun", flush=True)
        async for _ in pages(WORKING):
            pass


if __name__ == "__main__":
    asyncio.run(_sweep(sys.argv[1]))
