"""The database goes away in the middle of planning, or a scheduler does: every copy is planned, once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from domain import copies
from domain.records import InvoiceCopy, Subscription
from tests.chaos.counts import count
from tests.chaos.machines import Machine
from tests.domain.conftest import Town, town
from tests.domain.test_copies_due import crowd, each_has_one
from tests.postgres import Postgres

__all__ = ["town"]  # the fixture


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """PostgreSQL alone: a file has nobody to restart."""
    with postgres.database() as url:
        yield url


async def test_I2_a_database_that_restarts_in_the_middle_of_a_sweep_loses_and_doubles_no_copy(
    town: Town, postgres: Postgres
) -> None:
    number = count(2_500, 20_000)
    await crowd(town, number)
    for _ in range(count(1, 10)):
        sweeps = [asyncio.create_task(copies.plan_due(town.desk)) for _ in range(2)]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(postgres.restart)
        await asyncio.gather(*sweeps, return_exceptions=True)
    for _ in range(100):
        try:
            await copies.plan_due(town.desk)
            break
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await asyncio.sleep(0.1)
    await each_has_one(number)
    assert await Subscription.filter(copied_period=None).count() == 0


async def test_I2_two_schedulers_one_of_them_killed_in_the_middle_plan_every_copy_once(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    number = count(3_000, 50_000)
    await crowd(town, number)
    machines = [Machine(town, database_url, "scheduler", tmp_path / f"{n}.log") for n in range(2)]
    try:
        for machine in machines:
            machine.start()
        async with asyncio.timeout(60):
            while not await InvoiceCopy.exists():  # noqa: ASYNC110 - two other processes write them
                await asyncio.sleep(0.005)
        machines[0].kill()
        assert await InvoiceCopy.all().count() < number, "it was killed too late"
        machines[0].start()
        async with asyncio.timeout(120):
            while await InvoiceCopy.all().count() < number:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
    finally:
        for machine in machines:
            await machine.stop()
    await each_has_one(number)
    assert await copies.number_due() == 0
