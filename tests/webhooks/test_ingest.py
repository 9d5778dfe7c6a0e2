"""Group commit: many share one commit, alone nobody waits, one bad row fails nobody else, too many are sent away."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from domain import clock
from domain.inbox import Arrival
from domain.metrics import REGISTRY
from domain.records import Event
from webhooks import ingest
from webhooks.ingest import Full, Ingest


def arrival(number: int, payload: str = "{}") -> Arrival:
    return Arrival(f"evt_{number}", "invoice.paid", clock.now(), payload, "cus_1")


def commits() -> float:
    return REGISTRY.get_sample_value("kassor_ingest_batch_events_count") or 0.0


@asynccontextmanager
async def nobody_can_write(url: str) -> AsyncIterator[None]:
    """Somebody else has the table, or the file, for the length of the block."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        return
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("LOCK TABLE event IN EXCLUSIVE MODE")
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.fixture
async def door(database: str) -> AsyncIterator[Ingest]:
    del database
    made = Ingest()
    yield made
    await made.close()


async def test_requests_that_arrive_together_share_commits(door: Ingest) -> None:
    before = commits()
    await asyncio.gather(*(door.put(arrival(number)) for number in range(300)))
    assert await Event.all().count() == 300
    assert commits() - before <= 3


async def test_a_batch_has_a_bound(door: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LARGEST_BATCH", 10)
    before = commits()
    await asyncio.gather(*(door.put(arrival(number)) for number in range(101)))
    assert await Event.all().count() == 101
    assert commits() - before >= 11


async def test_one_event_that_cannot_be_stored_fails_none_of_its_neighbours(door: Ingest) -> None:
    good = [arrival(number) for number in range(20)]
    outcomes = await asyncio.gather(
        *(door.put(each) for each in [*good[:10], arrival(99, "\ud800"), *good[10:]]), return_exceptions=True
    )
    assert [type(each) for each in outcomes].count(type(None)) == 20
    assert isinstance(outcomes[10], Exception)
    assert await Event.all().count() == 20


async def test_the_same_event_twice_in_one_batch_is_one_row(door: Ingest) -> None:
    await asyncio.gather(*(door.put(arrival(1)) for _ in range(50)))
    assert await Event.all().count() == 1


async def test_a_full_queue_sends_away_and_everything_taken_is_stored(
    door: Ingest, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MOST_WAITING", 5)
    async with nobody_can_write(database):
        first = asyncio.create_task(door.put(arrival(0)))
        await asyncio.sleep(0.1)
        rest = [asyncio.create_task(door.put(arrival(number))) for number in range(1, 11)]
        await asyncio.sleep(0.1)
        sent_away = [each for each in rest if each.done()]
        assert len(sent_away) == 5
        assert all(isinstance(each.exception(), Full) for each in sent_away)
    await asyncio.gather(first, *(each for each in rest if each not in sent_away))
    assert await Event.all().count() == 6


async def test_nothing_is_promised_before_it_is_committed(door: Ingest, database: str) -> None:
    async with nobody_can_write(database):
        waiting = asyncio.create_task(door.put(arrival(1)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
    assert await Event.filter(id="evt_1").exists()


async def test_closing_stores_what_waits(door: Ingest) -> None:
    waiting = [asyncio.create_task(door.put(arrival(number))) for number in range(30)]
    await asyncio.sleep(0)
    await door.close()
    await asyncio.gather(*waiting)
    assert await Event.all().count() == 30


async def test_the_payload_is_stored_character_by_character(door: Ingest) -> None:
    payload = json.dumps({"å": "\x00 \u2028 €", "n": 1.10}) + "\n "
    await door.put(arrival(1, payload))
    assert (await Event.get(id="evt_1")).payload == payload


async def test_a_connection_the_database_ended_is_replaced_and_the_next_event_stored(
    door: Ingest, database: str
) -> None:
    if database.startswith("sqlite"):
        pytest.skip("a file ends no connections")
    await door.put(arrival(1))
    admin = await asyncpg.connect(database)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    for _ in range(3):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            await door.put(arrival(2))  # Stripe comes again, too
    assert await Event.all().count() == 2
