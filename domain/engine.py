"""Tortoise's clients for SQLite and PostgreSQL, with transactions that leave their task as they found it, however they end.

Tortoise keeps the connection a transaction runs on in the task's context. Where beginning fails or is cancelled, and where giving
the connection back fails, Tortoise leaves it there: a loop that lives as long as its process would ask that dead connection for
ever after. On SQLite the file would stay locked, too.
"""

import sys
from contextlib import suppress
from typing import Any

from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.connection import get_connections


class Transaction(TransactionContext):
    """Tortoise's own, put right at both ends."""

    __slots__ = ("_inner", "_outside")

    def __init__(self, inner: TransactionContext, outside: BaseDBAsyncClient) -> None:
        self._inner, self._outside = inner, outside

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            return await self._inner.__aenter__()
        except BaseException:
            if self._is_left():  # half begun: what it holds is given back
                with suppress(Exception):
                    await self.__aexit__(*sys.exc_info())
            raise

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            await self._inner.__aexit__(exc_type, exc_val, exc_tb)
        finally:
            self._restore()

    def _is_left(self) -> bool:
        return get_connections().get(self._outside.connection_name) is not self._outside

    def _restore(self) -> None:
        if self._is_left():
            get_connections().set(self._outside.connection_name, self._outside)


class Sqlite(SqliteClient):
    """A file."""

    async def get_ready(self) -> None:
        """Open the file. Tortoise would when it is first asked, and lock it for good where that is broken off."""
        await self.create_connection(with_db=True)

    def _in_transaction(self) -> TransactionContext:
        return Transaction(super()._in_transaction(), self)

    async def execute_many(self, query: str, values: list[Any]) -> None:
        """All or none. Tortoise's own leaves the transaction open when it is cancelled."""
        async with self._in_transaction() as connection:
            await connection.execute_many(query, values)


class Postgres(AsyncpgDBClient):
    """A pool."""

    async def get_ready(self) -> None:
        """Nothing: it may be away, and come."""

    def _in_transaction(self) -> TransactionContext:
        return Transaction(super()._in_transaction(), self)


def get_client_class(db_info: dict[str, Any]) -> type[BaseDBAsyncClient]:
    """Tortoise asks its engines for this."""
    return Sqlite if "file_path" in db_info["credentials"] else Postgres
