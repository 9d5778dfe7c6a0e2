"""One id from the slash command to the call to Stripe, the event that came back and the message that told how it ended."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox_client import SandboxClient
from tests.acceptance.conftest import running_sandbox
from tests.postgres import Postgres
from tests.stories.story import Story


@pytest.fixture
def opened(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A sandbox whose Kassör logs for machines; its page, and its log."""
    monkeypatch.setenv("KASSOR_LOG_FORMAT", "json")
    monkeypatch.setenv("KASSOR_LOG_LEVEL", "INFO")
    log = tmp_path / "sandbox.log"
    with postgres.database(migrated=False) as database_url, running_sandbox(log, database_url) as url:
        found = re.search(r"its log: (\S+)", log.read_text())
        assert found
        yield url, Path(found[1])


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_a_change_of_seats_can_be_followed_from_the_command_to_the_message(opened: tuple[str, Path]) -> None:
    url, log = opened
    async with SandboxClient(url) as sandbox:
        await sandbox.wait_until_ready(30)
        story = await Story.begin(sandbox)
        await story.upgrades("Carin", "premium yearly 20")
        before = len(lines(log))
        await story.says("Carin", "/seats", "25")
        await story.presses("Carin", "kassor.quote.accept")
        await sandbox.settled()
    new = lines(log)[before:]
    sent = [line for line in new if line["message"].startswith("seats_changed was sent")]
    assert len(sent) == 1
    same = [line for line in new if line.get("trace") == sent[0]["trace"]]
    told = [line["message"] for line in same]
    assert {line["logger"] for line in same} >= {"kassor.bot", "kassor.payments", "kassor.worker", "kassor.delivery"}
    assert any(message.startswith("seats: done") for message in told), told
    assert any(message.startswith("stripe POST /v1/subscriptions/") for message in told), told
    assert all(line["stripe_request"].startswith("req_") for line in same if "stripe_request" in line)
    assert len(re.findall(r"\d{4}-\d{2}-\d{2}T", sent[0]["at"])) == 1
