"""A world of its own for each story: a fresh sandbox, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cli.sandbox_client import SandboxClient
from tests.acceptance.conftest import sandbox_on
from tests.stories.story import Story


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a sandbox answers in which nothing has happened yet."""
    with sandbox_on(request, tmp_path / "sandbox.log") as url:
        yield url


@pytest.fixture
async def story(fresh_address: str) -> AsyncIterator[Story]:
    """The beginning of a story."""
    async with SandboxClient(fresh_address) as client:
        await client.wait_until_ready(30)
        yield await Story.begin(client)
