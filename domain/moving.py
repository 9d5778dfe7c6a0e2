"""Making one database equal to another, row by row: how SQLite becomes PostgreSQL.

A pass compares every row with its twin and mends what differs: it can be cut off anywhere and begun again, a second pass catches up
with what happened since the first, and a pass that mends nothing is the proof that both are equal. Values are compared as the
records read them (moments, JSON, numbers), so nothing hangs on how either database writes them down. Both are spoken to directly:
Tortoise writes every query in the dialect of its default connection.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tortoise import Tortoise
from tortoise.fields import Field, JSONField
from tortoise.models import Model

from domain.database import connected, tortoise_config

PAGE = 500  # rows compared at a time
Row = dict[str, Any]  # by column, each value as the record reads it
Progress = Callable[[str, int], None]  # table, rows further


class CannotMend(Exception):  # noqa: N818 - it says what it is
    """Rows the target will not take: `table` and how many. Nothing else is lost; another pass may find it mended."""

    def __init__(self, table: str, count: int) -> None:
        self.table = table
        self.count = count
        super().__init__(f"{count} rows of {table} can't be written")


@dataclass
class Outcome:
    """What a pass saw and did, by table."""

    rows: dict[str, int] = field(default_factory=dict)  # in the source
    mended: dict[str, int] = field(default_factory=dict)  # written, changed or removed in the target

    @property
    def is_equal(self) -> bool:
        """Whether there was nothing to mend."""
        return not any(self.mended.values())


@dataclass(frozen=True)
class Table:
    """One record's table. `is_numbered`: the database hands out its keys."""

    name: str
    key: str
    columns: dict[str, Field[Any]]
    is_numbered: bool

    @property
    def listed(self) -> str:
        """Its columns, quoted."""
        return ", ".join(f'"{column}"' for column in self.columns)

    def read(self, values: Sequence[Any]) -> Row:
        """A row as the record reads it."""
        return {
            column: each.to_python_value(value)
            for (column, each), value in zip(self.columns.items(), values, strict=True)
        }

    def written(self, row: Row) -> list[Any]:
        """A row as PostgreSQL's driver takes it."""
        return [_written(self.columns[column], value) for column, value in row.items()]


def _written(column: Field[Any], value: Any) -> Any:
    if value is not None and isinstance(column, JSONField):
        return json.dumps(value, ensure_ascii=False)
    return value.value if isinstance(value, Enum) else value


async def tables_in_order(url: str) -> list[Table]:
    """Every record's table, those that others refer to first. `url` is only named, not opened."""
    await Tortoise.init(config=tortoise_config(url), init_connections=False)
    try:
        found = {each._meta.db_table: each for each in (Tortoise.apps or {})["kassor"].values()}  # noqa: SLF001 - no other name
        ordered: list[Table] = []
        while found:
            ready = [name for name, each in sorted(found.items()) if not _refers_to(each) & (set(found) - {name})]
            if not ready:
                raise ValueError(f"records refer to each other in a circle: {', '.join(sorted(found))}")
            ordered += [_table(found.pop(name)) for name in ready]
        return ordered
    finally:
        await Tortoise.close_connections()


def _refers_to(model: type[Model]) -> set[str]:
    meta: Any = model._meta  # noqa: SLF001 - as above
    return {meta.fields_map[name].related_model._meta.db_table for name in meta.fk_fields | meta.o2o_fields}  # noqa: SLF001


def _table(model: type[Model]) -> Table:
    meta = model._meta  # noqa: SLF001 - as above
    columns = {column: meta.fields_map[name] for name, column in meta.fields_db_projection.items()}
    return Table(meta.db_table, meta.db_pk_column, columns, meta.pk.generated)


@dataclass(frozen=True)
class Pair:
    """Both databases, open, and the tables both have."""

    source: sqlite3.Connection
    target: Any  # asyncpg's connection
    tables: list[Table]

    def total(self) -> int:
        """Rows in the source."""
        return sum(self._count(table) for table in self.tables)

    async def mend(self, progress: Progress) -> Outcome:
        """Make the target equal to the source. Raises CannotMend."""
        outcome = Outcome()
        for table in reversed(self.tables):
            outcome.mended[table.name] = await self._remove_gone(table)
        for table in self.tables:
            outcome.rows[table.name] = 0
            left: list[tuple[Row, bool]] = []
            for page in self._pages(table):
                outcome.rows[table.name] += len(page)
                done, waiting = await self._write(table, await self._differing(table, page))
                outcome.mended[table.name] += done
                left += waiting
                progress(table.name, len(page))
            outcome.mended[table.name] += await self._insist(table, left)
            if table.is_numbered:
                await self._number_on(table)
        return outcome

    async def compare(self, progress: Progress) -> Outcome:
        """Look at every row of both, change nothing."""
        outcome = Outcome()
        for table in self.tables:
            outcome.rows[table.name] = outcome.mended[table.name] = 0
            for page in self._pages(table):
                outcome.rows[table.name] += len(page)
                outcome.mended[table.name] += len(await self._differing(table, page))
                progress(table.name, len(page))
            there = await self.target.fetchval(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608 - our own names
            outcome.mended[table.name] += abs(there - outcome.rows[table.name])
        return outcome

    def _count(self, table: Table) -> int:
        return int(self.source.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608 - as above

    def _pages(self, table: Table) -> Iterator[list[Row]]:
        """The source page by page, in its own order."""
        after: Any = None
        place = list(table.columns).index(table.key)
        while True:
            where = "" if after is None else f'WHERE "{table.key}" > ?'
            sql = f'SELECT {table.listed} FROM "{table.name}" {where} ORDER BY "{table.key}" LIMIT {PAGE}'  # noqa: S608 - our own names
            page = self.source.execute(sql, [] if after is None else [after]).fetchall()
            if not page:
                return
            yield [table.read(values) for values in page]
            after = page[-1][place]

    async def _differing(self, table: Table, page: list[Row]) -> list[tuple[Row, bool]]:
        """(row, whether the target has one of that key) of those that are not equal."""
        sql = f'SELECT {table.listed} FROM "{table.name}" WHERE "{table.key}" = ANY($1)'  # noqa: S608 - as above
        found = [table.read(list(each)) for each in await self.target.fetch(sql, [row[table.key] for row in page])]
        twins = {row[table.key]: row for row in found}
        return [(row, row[table.key] in twins) for row in page if twins.get(row[table.key]) != row]

    async def _write(self, table: Table, rows: list[tuple[Row, bool]]) -> tuple[int, list[tuple[Row, bool]]]:
        """Write them; returns how many were, and those that must wait for another row to be written first."""
        if not rows:
            return 0, []
        try:
            async with self.target.transaction():
                for row, there in rows:
                    if there:
                        await self._update(table, row)
                fresh = [table.written(row) for row, there in rows if not there]
                await self.target.executemany(_insert(table), fresh)
        except asyncpg.IntegrityConstraintViolationError:
            return await self._one_by_one(table, rows)
        return len(rows), []

    async def _one_by_one(self, table: Table, rows: list[tuple[Row, bool]]) -> tuple[int, list[tuple[Row, bool]]]:
        done, left = 0, []
        for row, there in rows:
            try:
                if there:
                    await self._update(table, row)
                else:
                    await self.target.execute(_insert(table), *table.written(row))
                done += 1
            except asyncpg.IntegrityConstraintViolationError:
                left.append((row, there))
        return done, left

    async def _update(self, table: Table, row: Row) -> None:
        marks = ", ".join(f'"{column}" = ${number}' for number, column in enumerate(row, start=1))
        sql = f'UPDATE "{table.name}" SET {marks} WHERE "{table.key}" = ${len(row) + 1}'  # noqa: S608 - as above
        await self.target.execute(sql, *table.written(row), row[table.key])

    async def _insist(self, table: Table, left: list[tuple[Row, bool]]) -> int:
        """Again and again, as long as it helps: a scope's new subscription is live only once its old one has ended."""
        done = 0
        while left:
            written, still = await self._one_by_one(table, left)
            if not written:
                raise CannotMend(table.name, len(still))
            done, left = done + written, still
        return done

    async def _remove_gone(self, table: Table) -> int:
        """What the source has let go since the last pass (finished events, used-up keys)."""
        removed, after = 0, None
        name, key = table.name, table.key
        while True:
            where = "" if after is None else f'WHERE "{key}" > $1'
            sql = f'SELECT "{key}" FROM "{name}" {where} ORDER BY "{key}" LIMIT {PAGE}'  # noqa: S608 - as above
            keys = [each[0] for each in await self.target.fetch(sql, *([] if after is None else [after]))]
            if not keys:
                return removed
            raw = [str(each) if isinstance(each, UUID) else each for each in keys]
            marks = ", ".join("?" * len(raw))
            found = self.source.execute(f'SELECT "{key}" FROM "{name}" WHERE "{key}" IN ({marks})', raw)  # noqa: S608 - our own names
            there = {each[0] for each in found}
            gone = [each for each, text in zip(keys, raw, strict=True) if text not in there]
            if gone:
                await self.target.execute(f'DELETE FROM "{name}" WHERE "{key}" = ANY($1)', gone)  # noqa: S608 - our own names
                removed += len(gone)
            after = keys[-1]

    async def _number_on(self, table: Table) -> None:
        """PostgreSQL hands out numbers after the largest that came along."""
        await self.target.execute(
            f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', '{table.key}'), "  # noqa: S608 - as above
            f'COALESCE((SELECT MAX("{table.key}") FROM "{table.name}"), 0) + 1, false)'
        )


def _insert(table: Table) -> str:
    marks = ", ".join(f"${number}" for number in range(1, len(table.columns) + 1))
    return f'INSERT INTO "{table.name}" ({table.listed}) VALUES ({marks})'  # noqa: S608 - our own names


@asynccontextmanager
async def both(source: Path, target_url: str) -> AsyncIterator[Pair]:
    """Both databases open, migrated already. Raises what their drivers raise."""
    tables = await tables_in_order(f"sqlite://{source}")
    target = await connected(target_url)
    try:
        with closing(sqlite3.connect(source)) as held:
            yield Pair(held, target, tables)
    finally:
        await target.close()
