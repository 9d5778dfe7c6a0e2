"""A transaction that fails, or is broken off, costs nobody else theirs: on SQLite and on PostgreSQL."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from domain import clock
from domain.records import Watermark


async def noted(name: str) -> None:
    """Something is written in a transaction."""
    async with in_transaction():
        await Watermark.update_or_create(id=name, defaults={"at": clock.now()})


async def throw_everybody_out(database: str) -> None:
    """The database ends every connection to it."""
    admin = await asyncpg.connect(database)
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()


async def noted_at_last(name: str) -> None:
    """The same task asks again, as a loop does, and soon finds the database."""
    async with asyncio.timeout(10):
        for _ in range(3):
            with suppress(Exception):  # whatever the database says of it
                await noted(name)
    assert await Watermark.exists(id=name)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_I2_whoever_lost_the_database_while_beginning_finds_it_again(database: str) -> None:
    for number in range(25):  # more than there are connections
        await noted(f"before {number}")
        await throw_everybody_out(database)
        await noted_at_last(f"after {number}")


async def left_busy(name: str) -> None:
    """The transaction ends while its connection is asked something: it can neither be committed nor given back."""
    async with in_transaction() as connection:
        await Watermark.create(id=name, at=clock.now())
        busy = asyncio.create_task(connection.execute_query("SELECT pg_sleep(2)"))
        busy.add_done_callback(lambda ended: ended.exception())  # its connection is ended under it
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_I2_whoever_could_not_give_the_connection_back_gets_another(database: str) -> None:
    del database
    for number in range(25):
        with pytest.raises(asyncpg.InterfaceError, match="another operation is in progress"):
            await left_busy(f"lost {number}")
        await noted(f"after {number}")
    assert await Watermark.filter(id__startswith="after").count() == 25
    assert not await Watermark.exists(id__startswith="lost")


@pytest.mark.parametrize("steps", range(1, 9))
async def test_I2_a_transaction_that_is_broken_off_keeps_nobody_else_from_theirs(database: str, steps: int) -> None:
    del database
    await noted("first")
    for _ in range(25):  # more than there are connections
        broken_off = asyncio.create_task(noted("broken off"))
        for _ in range(steps):
            await asyncio.sleep(0)
        broken_off.cancel()
        with suppress(asyncio.CancelledError):
            await broken_off
    async with asyncio.timeout(10):
        await noted("later")
    assert await Watermark.exists(id="later")


async def test_I2_whoever_is_broken_off_while_beginning_is_in_no_transaction_afterwards(database: str) -> None:
    del database
    await noted("first")
    for patience in (0.0, 0.0001, 0.0003, 0.001, 0.003):
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await noted("late")
        await noted(f"after {patience}")
    assert await Watermark.filter(id__startswith="after").count() == 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_many_rows_broken_off_on_the_way_are_none(database: str) -> None:
    del database
    rows = [Watermark(id=f"row {number}", at=clock.now()) for number in range(5_000)]
    for patience in (0.02, 0.05, 0.1):
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await Watermark.bulk_create(rows)
        await noted("afterwards")
        assert await Watermark.all().count() in {1, 5_001}
        await Watermark.all().delete()
