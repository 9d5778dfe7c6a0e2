"""A database with rows in it is brought up to date, and back, without losing one."""

import ast
import asyncio
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.api.migrate import migrate

from domain import outbox
from domain.database import migrate_database, opened, tortoise_config
from domain.lanes import Turns
from domain.records import Event
from tests.postgres import Postgres

ROW = (
    "INSERT INTO event (id, type, created_at, received_at, available_at, payload, state, attempts) VALUES "
    "('evt_1', 'x', '2026-11-24 12:00:00+00:00', '2026-11-24 12:00:00+00:00', '2026-11-24 12:00:00+00:00', '{}', 'queued', 0)"
)
FOLDER = Path(__file__).parents[2] / "domain" / "records" / "migrations"
MIGRATIONS = [path.stem for path in sorted(FOLDER.glob("0*.py"))]
Shape = dict[str, dict[str, tuple[str, bool]]]


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


async def _shape(url: str) -> Shape:
    """Every table's columns: (type, whether a row may be written without naming it)."""
    if url.startswith("sqlite:"):
        rows = await run(
            url,
            'SELECT t.name AS tab, c.name AS col, c.type AS kind, c."notnull" AS must, c.dflt_value AS without, c.pk AS key '
            "FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'",
        )
    else:
        rows = await run(
            url,
            "SELECT table_name AS tab, column_name AS col, udt_name || coalesce(character_maximum_length::text, '') AS kind, "
            "is_nullable = 'NO' AS must, coalesce(column_default, is_identity) AS without, 0 AS key "
            "FROM information_schema.columns WHERE table_schema = 'public'",
        )
    found: Shape = {}
    for row in rows:
        may_be_left_out = not row["must"] or row["without"] not in {None, "NO"} or bool(row["key"])
        found.setdefault(row["tab"], {})[row["col"]] = (row["kind"], may_be_left_out)
    return found


def test_each_migration_keeps_every_column_and_takes_the_rows_of_the_version_before(empty: str) -> None:
    """What the rules of docs/deploy.md come to, on the database itself: the old version goes on beside the new one."""

    async def story() -> None:
        before: Shape = {}
        for name in MIGRATIONS:
            await go_to(empty, name)
            after = await _shape(empty)
            for table, columns in before.items():
                assert columns.items() <= after.get(table, {}).items(), f"{name} takes from {table}, or changes it"
                new = after[table].keys() - columns.keys()
                assert all(after[table][column][1] for column in new), f"{name}: rows of {table} need what is new"
            before = after
        assert len(before) > 15

    asyncio.run(story())


def test_claims_go_on_while_the_next_version_adds_a_column(empty: str) -> None:
    """PostgreSQL takes back a statement it keeps prepared when its rows get wider: so it names what it wants."""

    async def story() -> None:
        await migrate_database(empty)
        async with opened(empty):
            turns = Turns(Event)
            for column in ("before", "beside"):
                await turns.claim(lanes=1, each=1)
                await outbox.claim()
                for table in ("event", "notice"):
                    await get_connection("default").execute_query(f"ALTER TABLE {table} ADD COLUMN {column} INT")
            await get_connection("default").execute_query(ROW)
            assert [each.id for found in (await turns.claim(lanes=1, each=1)).values() for each in found] == ["evt_1"]
            assert await outbox.claim() == {}

    asyncio.run(story())


def _statements() -> list[str]:
    """Every forward statement of SQL written by hand."""
    return [
        ast.unparse(node.args[0])
        for path in sorted(FOLDER.glob("0*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "RunSQL"
    ]


def test_a_migration_leaves_what_the_version_before_it_needs() -> None:
    statements = _statements()
    assert len(statements) > 10
    for statement in statements:
        assert not re.search(r"\b(DROP|RENAME|TRUNCATE)\b|ALTER COLUMN|SET NOT NULL", statement, re.IGNORECASE), (
            statement
        )
        if "ADD COLUMN" in statement and "NOT NULL" in statement:
            assert "DEFAULT" in statement, f"rows that are there would have nothing: {statement}"


def test_every_migration_follows_the_one_before_it() -> None:
    for before, name in itertools.pairwise(MIGRATIONS):
        assert f'("kassor", "{before}")' in (FOLDER / f"{name}.py").read_text(), name
    assert [name[:4] for name in MIGRATIONS] == [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]
