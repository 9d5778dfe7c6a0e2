"""The whole journey with nothing arriving from Slack but over the connection that Kassör opened (Socket Mode)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox_client import SandboxClient, texts
from cli.tour import STEPS, Journey, walk
from tests.acceptance.conftest import running_sandbox


@pytest.fixture
def by_socket(tmp_path: Path) -> Iterator[str]:
    with running_sandbox(tmp_path / "sandbox.log", None, "--socket") as url:
        yield url


async def welcomes(client: SandboxClient) -> list[str]:
    """The names of those who have been welcomed, once for each time."""
    await client.settled()
    return [
        person.name
        for person in await client.people()
        for message in await client.messages(person)
        if "You installed me" in texts(message) or "Det var du som installerade mig" in texts(message)
    ]


async def test_a_workspace_installs_upgrades_and_gets_its_messages_over_socket_mode_alone(by_socket: str) -> None:
    said: list[str] = []
    async with SandboxClient(by_socket) as client:
        await client.wait_until_ready(30)
        assert await welcomes(client) == [], "it was installed before anybody came"
        for kind in ("app_uninstalled", "app_installed") * 2:
            await client.post("/control/event", type=kind)
        assert await welcomes(client) == ["Alice Morgan"], "who installed it, once"
        await walk(Journey(client, say=said.append))
        await client.post("/control/open_home", user="U0ALICE01")
        told: Any = await client.get("/control/requests?last=2000")
    assert sum(line.startswith("\n■") for line in said) == len(STEPS)
    sent = [each for each in told["requests"] if each["caller"] == "slack" and each["callee"] == "kassor"]
    assert {each["method"] for each in sent} == {"SOCKET"}
    assert {each["url"] for each in sent} == {"slash_commands", "interactive", "events_api"}
