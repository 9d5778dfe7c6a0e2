"""R33: every button of the product, pressed by somebody of another company with the ids of this one's plan in its value.

Slack signs what its clients send, and a client can be made to send anything: only the action decides who may.
"""

import json
from urllib.parse import urlencode

import pytest

from bot.listeners import BUTTONS
from cli.sandbox_client import Json, Person, SandboxClient
from tests.acceptance.test_bad_input import answer_to, objects, send, slack_headers

NOWHERE = "/response/none"


@pytest.fixture
async def subscription(sandbox: SandboxClient) -> str:
    """What the first workspace pays for."""
    if not await objects(sandbox, "subscription"):
        owner = (await sandbox.people())[0]
        await answer_to(sandbox, owner, "/upgrade", "premium yearly 20")
        await sandbox.press(owner, (await sandbox.said_to(owner))[-1], "kassor.quote.accept")
        page = (await objects(sandbox, "checkout.session"))[-1]
        await sandbox.post(f"/control/pay/{page['id']}", base=await sandbox.stripe_url(), outcome="paid")
        await sandbox.settled()
    return str((await objects(sandbox, "subscription"))[-1]["id"])


async def press(sandbox: SandboxClient, who: Person, action_id: str, value: str) -> int:
    """A press as Slack would sign it, of a button nobody was shown."""
    state = await sandbox.state()
    payload = {
        "type": "block_actions",
        "team": {"id": who.workspace},
        "user": {"id": who.id, "team_id": who.workspace},
        "trigger_id": f"1.2.{action_id}.{value}",
        "response_url": state["urls"]["slack"] + NOWHERE,
        "channel": {"id": "D0FORGED"},
        "container": {"type": "message", "channel_id": "D0FORGED", "message_ts": "1.1"},
        "actions": [{"action_id": action_id, "block_id": "x", "type": "button", "value": value}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    headers = slack_headers(state["credentials"]["slack_signing_secret"], body)
    return await send(sandbox, "/slack/events", body, headers | {"Content-Type": "application/x-www-form-urlencoded"})


async def answers(sandbox: SandboxClient) -> list[str]:
    """What Kassör answered the forger."""
    seen: list[Json] = (await sandbox.get("/control/requests"))["requests"]
    return [json.dumps(json.loads(each["request_body"]), ensure_ascii=False) for each in seen if NOWHERE in each["url"]]


@pytest.mark.parametrize("action_id", sorted(BUTTONS))
async def test_R33_a_forged_button_of_another_workspace_changes_nothing_and_tells_nothing(
    sandbox: SandboxClient, subscription: str, action_id: str
) -> None:
    stranger = (await sandbox.people(1))[0]
    before = await objects(sandbox, "subscription"), await objects(sandbox, "invoice")
    for value in (subscription, f"{subscription}:40", f"adjust:{subscription}", f"{subscription}:{stranger.id}"):
        assert await press(sandbox, stranger, action_id, value) == 200
    await sandbox.settled()
    assert (await objects(sandbox, "subscription"), await objects(sandbox, "invoice")) == before
    told = "\n".join(await answers(sandbox))
    assert "Fjällvind" not in told
    assert "25 000,00" not in told.replace("\u00a0", " ")


async def test_what_the_forger_reads_is_looked_at(sandbox: SandboxClient) -> None:
    """The test above can fail: there are answers, and they are read as people would."""
    told = await answers(sandbox)
    assert any("Här finns inget betalabonnemang" in each for each in told)
