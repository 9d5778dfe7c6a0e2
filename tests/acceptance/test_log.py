"""What is never logged: tokens, keys, addresses, what people write. A whole journey at the chattiest level, then the log is read.

Libraries log what they send at that level; who makes a client decides what of it is heard.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from cli.sandbox_client import Json, SandboxClient, element
from tests.acceptance.conftest import sandbox_on
from tests.acceptance.hands import TOKEN, close_all, copies, named, plan_of, portal_of, press_home, upgrade
from tests.acceptance.test_bad_input import answer_to, send, slack_headers

WRITTEN = "qwertyhemlighet where is my invoice"


@pytest.fixture(params=["sqlite", "postgres"])
def chatty(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """The address of a sandbox whose Kassör logs all it can, and that log."""
    monkeypatch.setenv("KASSOR_LOG_LEVEL", "DEBUG")
    said = tmp_path / "sandbox.log"
    with sandbox_on(request, said) as address:
        found = re.search(r"its log: (.+)", said.read_text())
        assert found is not None
        yield address, Path(found[1])


async def journey(sandbox: SandboxClient) -> None:
    """Everything that has a secret in it: bought, paid, asked, handed over, copied, failed and forged."""
    owner, colleague = await named(sandbox, "Alice"), await named(sandbox, "Björn")
    await upgrade(sandbox, owner, "premium yearly 20")
    await answer_to(sandbox, owner, "/seats", "25")
    await sandbox.press(owner, (await sandbox.said_to(owner))[-1], "kassor.quote.accept")
    await portal_of(sandbox, owner, "information")
    await sandbox.command(owner, "/billing", f"support {WRITTEN}")
    view = (await sandbox.views(owner))[-1]
    field = element(view, "kassor.support.text")["block_id"]
    await sandbox.submit(owner, view, {field: {"kassor.support.text": WRITTEN}})
    await close_all(sandbox, owner)
    await press_home(sandbox, owner, "kassor.go.invoices")
    await close_all(sandbox, owner)
    await sandbox.post("/control/event", type="profile_changed", user=colleague.id, email="bjorn.hemlig@fjall.example")
    await answer_to(sandbox, owner, "/billing", "xyzzy")
    await plan_of(sandbox, colleague.id)
    await sandbox.move_clock(days=1)
    assert await copies(sandbox, owner)
    secret = (await sandbox.state())["credentials"]["slack_signing_secret"]
    for body in (b'{"token":"forgedtoken","text":"' + WRITTEN.encode() + b'"}', b"{not json " + WRITTEN.encode()):
        await send(sandbox, "/slack/events", body, slack_headers("somebody else's", body))
        await send(sandbox, "/slack/events", body, slack_headers(secret, body))
    for payload in (
        {"type": "block_actions", "actions": [{"action_id": "unknown", "value": WRITTEN}]},
        {"type": "odd"},
    ):
        body = json.dumps(payload | {"user": {"id": owner.id}, "team": {"id": owner.workspace}, "x": WRITTEN}).encode()
        await send(sandbox, "/slack/events", body, slack_headers(secret, body))
    await sandbox.settled()


def secrets(state: Json, requests: list[Json]) -> dict[str, str]:
    """What no line of the log may have, by what it is."""
    found = {name: str(value) for name, value in state["credentials"].items() if name != "slack_client_id"}
    for workspace in state["workspaces"]:
        found[f"token of {workspace['id']}"] = workspace["bot_token"]
        for user in workspace["users"]:
            if user.get("email"):
                found[f"address of {user['id']}"] = user["email"]
    found["API token"] = TOKEN
    found["verification token"] = "verification-token"
    found["a forged token"] = "forgedtoken"
    found["what somebody wrote"] = WRITTEN.split(maxsplit=1)[0]
    found["a changed address"] = "bjorn.hemlig"
    for each in requests:
        if "/response/" in each["url"]:
            found["a response address"] = each["url"].rpartition("/")[2]
        if trigger := re.search(r"trigger_id=([^&]+)", each["request_body"]):
            found["a trigger"] = trigger[1]
        if page := re.search(r"(/pay/cs_test_\w{20,})", each["response_body"]):
            found["a payment page"] = page[1]
    return found


async def test_nothing_secret_and_nothing_written_is_in_the_log_at_any_level(
    chatty: tuple[str, Path],
) -> None:
    address, log = chatty
    async with SandboxClient(address) as sandbox:
        await sandbox.wait_until_ready(30)
        await journey(sandbox)
        known = secrets(await sandbox.state(), (await sandbox.get("/control/requests"))["requests"])
    text = log.read_text()
    assert "DEBUG" in text, "it was not chatty"
    assert len(known) > 20
    told = {
        name: next(line for line in text.splitlines() if each in line)[:300]
        for name, value in known.items()
        for each in {value, quote(value), quote_plus(value)}
        if each in text
    }
    assert told == {}
