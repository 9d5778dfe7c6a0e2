"""Putting Stripe's events in the inbox, many in one commit.

Plain SQL: this is the one statement that runs at the speed of the machine. What is there already stays as it is, so a duplicate is
as good as stored.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import asyncpg
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError

from domain import clock

PATIENCE = 8.0  # seconds a commit may take on PostgreSQL; Stripe waits longer for an answer
COLUMNS = "id, type, created_at, received_at, available_at, payload, lane, state, attempts"
_ONE = (
    f"INSERT INTO event ({COLUMNS}) VALUES ($1, $2, $3, $4, $4, $5, $6, 'queued', 0) "  # noqa: S608 - our own names
    "ON CONFLICT (id) DO NOTHING"
)
_MANY = (
    f"INSERT INTO event ({COLUMNS}) SELECT id, type, created_at, $4, $4, payload, lane, 'queued', 0 "  # noqa: S608 - as above
    "FROM unnest($1::varchar[], $2::varchar[], $3::timestamptz[], $5::text[], $6::varchar[]) "
    "AS arrived (id, type, created_at, payload, lane) ON CONFLICT (id) DO NOTHING"
)
_SQLITE = f"INSERT INTO event ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', 0) ON CONFLICT (id) DO NOTHING"  # noqa: S608 - as above

_ROWS_OWN = (
    *(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError),
    *(IntegrityError, sqlite3.DataError, UnicodeError, OverflowError),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as it came: `created_at` is Stripe's, `payload` the raw body, `lane` whose it is (for fairness, nothing else)."""

    id: str
    type: str
    created_at: datetime
    payload: str
    lane: str


class Inbox:
    """Where events are stored. Keeps one pooled connection between batches; `close()`, or the end of `async with`, gives it back.

    One batch at a time. On PostgreSQL the pool resets a connection that is given back, which costs a round trip an event.
    """

    def __init__(self) -> None:
        self._kept: AsyncExitStack | None = None
        self._connection: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def store(self, arrivals: Sequence[Arrival]) -> None:
        """Commit all of them, or none. Raises whatever the database does; `is_about_a_row` tells whose fault that is."""
        now = clock.now()
        arrivals = sorted(arrivals, key=lambda each: each.id)  # two processes that store the same never wait in a ring
        if self._connection is None or _is_gone(self._connection):  # the one already held is asked for nothing more
            client = get_connection("default")
            if client.capabilities.dialect != "postgres":
                await _store_in_file(client, arrivals, now)
                return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._insert(await self._keep(), arrivals, now)
        except BaseException as error:
            if not is_about_a_row(error):  # it may be the connection: the next batch takes another
                if self._connection is not None:
                    with suppress(asyncpg.InterfaceError):  # the pool noticed first, and has taken it away
                        self._connection.terminate()  # given back alive, it would be asked how it is, perhaps for ever
                await self.close()
            raise

    async def _insert(self, connection: Any, arrivals: Sequence[Arrival], now: datetime) -> None:
        if len(arrivals) == 1:
            [each] = arrivals
            await connection.execute(_ONE, each.id, each.type, each.created_at, now, each.payload, each.lane)
        else:
            await connection.execute(
                _MANY,
                [each.id for each in arrivals],
                [each.type for each in arrivals],
                [each.created_at for each in arrivals],
                now,
                [each.payload for each in arrivals],
                [each.lane for each in arrivals],
            )

    async def _keep(self) -> Any:
        if self._connection is None or _is_gone(self._connection):
            await self.close()
            kept = AsyncExitStack()
            self._connection = await kept.enter_async_context(get_connection("default").acquire_connection())
            self._kept = kept
        return self._connection

    async def close(self) -> None:
        """Give the connection back to the pool."""
        kept, self._kept, self._connection = self._kept, None, None
        if kept is not None:
            await kept.aclose()


async def _store_in_file(client: Any, arrivals: Sequence[Arrival], now: datetime) -> None:
    """SQLite's way. Never timed out from here, which would leave a transaction open: `busy_timeout` ends the wait."""
    rows = [
        [each.id, each.type, str(each.created_at), str(now), str(now), each.payload, each.lane] for each in arrivals
    ]
    if len(rows) == 1:  # a statement alone is a transaction: one trip to the driver's thread instead of three
        await client.execute_insert(_SQLITE, rows[0])
    else:
        await client.execute_many(_SQLITE, rows)


def _is_gone(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # closed, and taken away by the pool
        return True


def is_about_a_row(error: BaseException) -> bool:
    """Whether the database refused what is in a row, rather than being unable to store anything."""
    return isinstance(error, _ROWS_OWN)
