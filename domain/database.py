"""One way to open the database, SQLite or PostgreSQL, and to bring it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pkgutil import iter_modules
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.migrations.api.migrate import migrate
from tortoise.migrations.recorder import MigrationRecorder

from domain import engine
from domain.records import MODELS, migrations

_MIGRATING = 0x6B617373  # any number that nobody else locks
_SQLITE = "journal_mode=WAL&synchronous=FULL&busy_timeout=10000"
_POSTGRES = "minsize=1&maxsize=20"  # Tortoise's default of 5 starves a worker beside a web server


def tortoise_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for `DATABASE_URL` (`sqlite://path`, `postgres://…`)."""
    wishes = _SQLITE if url.startswith("sqlite:") else _POSTGRES
    given = url.partition("?")[2]
    wishes = "&".join(wish for wish in wishes.split("&") if wish.partition("=")[0] not in given)
    url += ("&" if given else "?") + wishes if wishes else ""
    return {
        "connections": {"default": url},
        "apps": {
            "kassor": {
                "models": list(MODELS),
                "default_connection": "default",
                "migrations": "domain.records.migrations",
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def migrate_database(url: str) -> None:
    """Apply every migration that is missing. Safe to run twice, twice at once, and on a live database."""
    async with _one_at_a_time(url):
        try:
            await migrate(config=tortoise_config(url))
        finally:
            await Tortoise.close_connections()  # an open SQLite connection would keep the process from ending


async def connected(url: str) -> Any:
    """A connection of asyncpg's own to a PostgreSQL's `DATABASE_URL`, in which is also what only a pool understands (`maxsize`)."""
    known = expand_db_url(url)["credentials"]
    names = ("host", "port", "user", "password", "database", "ssl")
    return await asyncpg.connect(**{name: known[name] for name in names if known.get(name) is not None})


@asynccontextmanager
async def _one_at_a_time(url: str) -> AsyncIterator[None]:
    """On PostgreSQL a second release waits for the first. A file's own lock sees to it there."""
    if url.startswith("sqlite:"):
        yield
        return
    connection = await connected(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATING)
        yield
    finally:
        await connection.close()  # and the lock with it


async def missing_migrations() -> list[str]:
    """The names of the migrations this version has and the open database has not, in order; nothing is changed."""
    known = sorted(each.name for each in iter_modules(migrations.__path__) if each.name[0].isdigit())
    connection = get_connection("default")
    applied = {
        key.name for key in await MigrationRecorder(connection).applied_migrations() if key.app_label == "kassor"
    }
    return [name for name in known if name not in applied]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[None]:
    """The database, open for as long as the block lasts. Unclosed SQLite connections keep a process from ending."""
    EXECUTOR_CACHE.clear()  # Tortoise keeps statements by connection name: those of another dialect would be wrong here
    config = tortoise_config(url)
    known = expand_db_url(config["connections"]["default"])
    config["connections"]["default"] = {
        **known,
        "engine": engine.__name__,
    }  # for migrations Tortoise has to know its own
    # The fallback lets tasks that were not started from here (a web server's, a ticker's) find the database too.
    await Tortoise.init(config=config, _enable_global_fallback=True)
    try:
        await get_connection("default").get_ready()  # type: ignore[attr-defined]  # one of our engine's
        yield
    finally:
        await Tortoise.close_connections()


TORTOISE_ORM = tortoise_config("sqlite://:memory:")  # what `tortoise makemigrations` reads the models from
