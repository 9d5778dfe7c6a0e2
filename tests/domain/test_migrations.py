"""A database with rows in it is brought up to date, and back, without losing one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.api.migrate import migrate

from domain.database import migrate_database, opened, tortoise_config
from domain.lanes import Turns
from domain.records import Event
from tests.postgres import Postgres

ROW = (
    "INSERT INTO event (id, type, created_at, received_at, available_at, payload, state, attempts) VALUES "
    "('evt_1', 'x', '2026-11-24 12:00:00+00:00', '2026-11-24 12:00:00+00:00', '2026-11-24 12:00:00+00:00', '{}', 'queued', 0)"
)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated=False) as url:
        yield url


async def go_to(url: str, name: str) -> None:
    try:
        await migrate(config=tortoise_config(url), target=f"kassor.{name}")
    finally:
        await Tortoise.close_connections()


async def run(url: str, sql: str) -> Any:
    await Tortoise.init(config=tortoise_config(url))
    try:
        return await get_connection("default").execute_query_dict(sql)
    finally:
        await Tortoise.close_connections()


def test_events_from_before_there_were_lanes_survive_and_are_worked_on(empty: str) -> None:
    async def story() -> None:
        await go_to(empty, "0002_partial_uniques")
        await run(empty, ROW)
        await migrate_database(empty)
        async with opened(empty):
            assert (await Event.get(id="evt_1")).lane == ""
            assert await Turns(Event).claim(lanes=1, each=1)

    asyncio.run(story())


def test_going_back_keeps_the_rows(empty: str) -> None:
    async def story() -> None:
        await migrate_database(empty)
        await run(empty, ROW)
        await go_to(empty, "0002_partial_uniques")
        [row] = await run(empty, "SELECT * FROM event")
        assert row["id"] == "evt_1"
        assert "lane" not in row

    asyncio.run(story())
