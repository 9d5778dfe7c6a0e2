"""From SQLite to PostgreSQL: while it runs, cut off anywhere, compared row by row, and the story goes on there."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.move import CannotMove, move
from domain import clock, copies, lapse
from domain.config import Settings
from domain.database import migrate_database, opened
from domain.queue import QueueState
from domain.records import (
    Admin,
    AuditEntry,
    CopyRecipient,
    Customer,
    Delivery,
    DeskRequest,
    DirectChannel,
    Event,
    Installation,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Pause,
    Quote,
    Scope,
    ScopeMember,
    Subscription,
    Watermark,
    Workspace,
)
from domain.records.installations import OAuthState
from domain.rules.catalogue import Catalogue
from tests.acceptance.conftest import ROOT
from tests.cli.test_console import GOOD
from tests.domain.conftest import Town, a_stripe, settle
from tests.postgres import Postgres


@pytest.fixture
def source(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated SQLite installation's file."""
    return Path(shutil.copy(sqlite_template, tmp_path / "kassor.db"))


@pytest.fixture
def target(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL in which nothing is yet, not even tables."""
    with postgres.database(migrated=False) as url:
        yield url


async def moved(settings: Settings, source: Path, target: str, *, finish: bool = False) -> dict[str, Any]:
    """Run the move; what it says, for a program."""
    said: list[str] = []
    there = replace(settings, database_url=f"sqlite://{source}")
    await move(there, target, said.append, finish=finish, as_json=True)
    found: dict[str, Any] = json.loads(said[0])
    return found


async def fill(source: Path, events: int) -> None:
    """Some rows to move: events, of which one has every kind of letter in it."""
    async with opened(f"sqlite://{source}"):
        now = clock.now()
        await Event.bulk_create(
            [
                Event(
                    id=f"evt_{number:06}",
                    type="invoice.paid",
                    created_at=now.replace(microsecond=0),
                    received_at=now + timedelta(microseconds=number),
                    available_at=now,
                    payload='{"name": "Åsa Öström 🧾 \\u0000 \'; --"}',
                    lane="cus_1",
                )
                for number in range(events)
            ],
            batch_size=500,
        )


ALL = (
    *(Admin, AuditEntry, CopyRecipient, Customer, Delivery, DeskRequest, DirectChannel, Event, Installation, Invoice),
    *(InvoiceCopy, Member, Notice, OAuthState, Pause, Quote, Scope, ScopeMember, Subscription, Watermark, Workspace),
)  # named here, so that the test does not ask the code that it holds


async def remember_more(live: Subscription, members: list[Member]) -> None:
    """What a quiet year leaves no row of."""
    await lapse.note(clock.now() - timedelta(days=1))
    await Notice.filter(workspace_id="T1").update(asks=live.latest_invoice_id)
    await CopyRecipient.create(subscription=live, member=members[3], added_by=members[0], since=clock.now())
    await Pause.create(id="T1", until=clock.now())
    await DirectChannel.create(id=members[0].id, channel="D001")


async def test_R48_I2_a_years_story_is_moved_and_goes_on_without_a_lost_or_doubled_copy(
    source: Path, target: str, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    """A month's plan renewed, handed over, widened; moved while it runs; caught up; and the next year's renewal on PostgreSQL."""
    async with a_stripe(tmp_path, settings, catalogue) as (desk, stripe, world):
        async with opened(f"sqlite://{source}"):
            scope, members = await settle("T1", 8)
            town = Town(desk, stripe, world, "T1", scope, members)
            live = await town.upgraded(interval="month")
            for _ in range(6):
                await town.let_pass(days=31)
                await copies.plan_due(desk)
            await remember_more(live, members)
        first = await moved(settings, source, target)
        assert first["equal"]
        assert first["rows"]["invoice_copy"] >= 6
        assert first["rows"].keys() == {model._meta.db_table for model in ALL}
        async with opened(target):
            assert await lapse.noted() is not None
            assert await Notice.filter(asks=live.latest_invoice_id).exists()
            assert await CopyRecipient.exists(member=members[3], until=None)
            assert await Pause.exists(id="T1")
            assert (await DirectChannel.get(id=members[0].id)).channel == "D001"
        async with opened(f"sqlite://{source}"):  # life went on meanwhile
            await town.let_pass(days=31)
            await copies.plan_due(desk)
            await Member.filter(slack_user_id="U002").update(name="Another Name")
            await Watermark.all().delete()
            sent = set(await InvoiceCopy.all().values_list("subscription_id", "period_start"))
        last = await moved(settings, source, target, finish=True)
        assert last["equal"]
        assert 0 < sum(last["written"].values()) < sum(first["written"].values())
        async with opened(target):
            assert set(await InvoiceCopy.all().values_list("subscription_id", "period_start")) == sent
            assert await copies.plan_due(desk) == 0  # none is due twice
            assert (await Member.get(slack_user_id="U002")).name == "Another Name"
            await town.let_pass(days=31)
            assert await copies.plan_due(desk) == 1  # and the next one is
            assert (await Subscription.get(id=live.id)).current_period_start > max(when for _, when in sent)
            assert (await town.told("upgraded"))[0].facts["seats"] == 10
            fresh = await Scope.get(id=scope.id).prefetch_related("workspace")
            assert fresh.workspace.name == "Workspace T1"
            added = await Member.create(workspace_id="T1", slack_user_id="U900", name="New")
            assert added.id > max(member.id for member in members)  # numbers go on where they were


async def test_killed_in_the_middle_it_goes_on_and_ends_equal(source: Path, target: str, settings: Settings) -> None:
    await fill(source, 20_000)
    environment = {"PATH": os.environ["PATH"], **GOOD, "DATABASE_URL": f"sqlite://{source}", "KASSOR_MOVE_TO": target}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "move"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    there = 0
    for _ in range(300):
        await asyncio.sleep(0.05)
        if process.returncode is not None:
            break
        there = await rows(target, "event")
        if there:
            break
    process.send_signal(signal.SIGKILL)
    await process.wait()
    there = await rows(target, "event")
    assert 0 < there < 20_000, (there, await process.stderr.read())
    again = await moved(settings, source, target)
    assert again["rows"]["event"] == 20_000
    assert again["written"]["event"] == 20_000 - there
    assert again["equal"]


async def rows(target: str, table: str) -> int:
    """How many there are; 0 before there is a table."""
    connection = await asyncpg.connect(target)
    try:
        there = await connection.fetchval("SELECT to_regclass($1)", table)
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}")) if there else 0  # noqa: S608 - our own name
    finally:
        await connection.close()


async def test_it_does_not_finish_while_somebody_has_the_old_database_open(
    source: Path, target: str, settings: Settings
) -> None:
    holder = subprocess.Popen(  # noqa: ASYNC220 - held beside, not waited for
        [sys.executable, "-c", _HOLD, str(source)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    try:
        holder.stdout.readline()
        with pytest.raises(CannotMove, match="still in use"):
            await moved(settings, source, target, finish=True)
        assert (await moved(settings, source, target))["finished"] is False  # a copy beside it may be made
    finally:
        holder.communicate("\n")
    assert (await moved(settings, source, target, finish=True))["finished"] is True


_HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("PRAGMA journal_mode=WAL")
held.execute("SELECT count(*) FROM workspace").fetchone()
print("open", flush=True)
sys.stdin.readline()
"""


async def test_a_finished_move_is_never_run_over_what_happened_since(
    source: Path, target: str, settings: Settings
) -> None:
    pool = "&maxsize=10" if "?" in target else "?maxsize=10"  # as DATABASE_URL may say it (docs/deploy.md)
    await moved(settings, source, target + pool, finish=True)
    async with opened(target):
        await Workspace.create(id="T9", name="Came later", created_at=clock.now())
    for finish in (False, True):
        with pytest.raises(CannotMove, match="was finished"):
            await moved(settings, source, target, finish=finish)
    assert await rows(target, "workspace") == 1


async def test_a_database_with_something_in_it_is_refused_and_left_alone(
    source: Path, target: str, settings: Settings, tmp_path: Path
) -> None:
    await migrate_database(target)
    async with opened(target):
        await Workspace.create(id="T9", name="Somebody else's", created_at=clock.now())
    with pytest.raises(CannotMove, match="not empty"):
        await moved(settings, source, target)
    assert await rows(target, "workspace") == 1


async def test_another_installation_is_not_mixed_in(
    source: Path, target: str, settings: Settings, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    await migrate_database(f"sqlite://{other}")
    await moved(settings, source, target)
    with pytest.raises(CannotMove, match="Another installation"):
        await moved(settings, other, target)


async def test_rows_that_had_to_give_way_to_each_other_are_written_in_whatever_order_works(
    source: Path, target: str, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    """Between two passes a subscription ended and another of its scope began: only one may be live at any moment."""
    async with a_stripe(tmp_path, settings, catalogue) as (desk, stripe, world):
        async with opened(f"sqlite://{source}"):
            scope, members = await settle("T1", 4)
            town = Town(desk, stripe, world, "T1", scope, members)
            first = await town.upgraded(seats=5)
        await moved(settings, source, target)
        async with opened(f"sqlite://{source}"):
            held = await Subscription.get(id=first.id)
            await Subscription.filter(id=first.id).update(is_live=False, status="canceled")
            for name in ("sub_0", "sub_zzz"):
                held.id, held._saved_in_db = name, False
                held.is_live, held.status = name == "sub_0", "active"
                await held.save(force_create=True)
        assert (await moved(settings, source, target))["equal"]
        async with opened(target):
            assert [each.id for each in await Subscription.filter(is_live=True)] == ["sub_0"]
            assert await Event.filter(state=QueueState.BURIED).count() == 0


@pytest.mark.parametrize(
    ("database_url", "to", "says"),
    [
        ("sqlite:///no/such/file.db", "postgres://127.0.0.1:1/x", "no database at"),
        ("postgres://127.0.0.1:1/x", "postgres://127.0.0.1:1/x", "not on SQLite"),
        ("", "mysql://x", "must be a PostgreSQL"),
        ("", "postgres://127.0.0.1:1/x?user=a&password=very-secret", "can't be reached"),
    ],
)
async def test_what_cannot_be_moved_is_said_without_a_password(
    source: Path, settings: Settings, database_url: str, to: str, says: str
) -> None:
    there = replace(settings, database_url=database_url or f"sqlite://{source}")
    with pytest.raises(CannotMove) as refused:
        await move(there, to, print, finish=False, as_json=False)
    assert says in refused.value.headline
    assert "very-secret" not in " ".join([refused.value.headline, *refused.value.problems])
