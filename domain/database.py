"""One way to open the database, SQLite or PostgreSQL, and to bring it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tortoise import Tortoise
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.migrations.api.migrate import migrate

from domain.records import MODELS

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
    """Apply every migration that is missing. Safe to run twice, and on a live database."""
    try:
        await migrate(config=tortoise_config(url))
    finally:
        await Tortoise.close_connections()  # an open SQLite connection would keep the process from ending


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[None]:
    """The database, open for as long as the block lasts. Unclosed SQLite connections keep a process from ending."""
    EXECUTOR_CACHE.clear()  # Tortoise keeps statements by connection name: those of another dialect would be wrong here
    # The fallback lets tasks that were not started from here (a web server's, a ticker's) find the database too.
    await Tortoise.init(config=tortoise_config(url), _enable_global_fallback=True)
    try:
        yield
    finally:
        await Tortoise.close_connections()


TORTOISE_ORM = tortoise_config("sqlite://:memory:")  # what `tortoise makemigrations` reads the models from
