"""The databases every database test runs on: SQLite and a real PostgreSQL, migrated as an operator would."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from domain.config import Settings
from domain.database import migrate_database, opened
from domain.rules.catalogue import Catalogue, load
from tests.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate_database(f"sqlite://{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database of the test's own."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "kassor.db"
        shutil.copy(template, path)
        yield f"sqlite://{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[str]:
    """A migrated, empty database, open for the test."""
    async with opened(database_url):
        yield database_url


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture
def settings() -> Settings:
    """Settings that point nowhere; tests that talk to a server make their own from them with dataclasses.replace."""
    return Settings(
        slack_signing_secret="signing-secret",
        slack_bot_token="xoxb-test",
        stripe_api_key="sk_test_kassor",
        stripe_webhook_secrets=("whsec_test",),
        public_url="http://127.0.0.1:1",
    )
