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


async def test_I2_whoever_lost_the_database_while_beginning_finds_it_again(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("a file ends no connections")
    for number in range(25):  # more than there are connections
        await noted(f"before {number}")
        admin = await asyncpg.connect(database)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await admin.close()
        async with asyncio.timeout(10):
            for _ in range(3):
                try:
                    await noted(f"after {number}")
                except Exception:  # noqa: BLE001, S112 - whatever the database says of it: it is asked again
                    continue
                break
        assert await Watermark.exists(id=f"after {number}")


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
