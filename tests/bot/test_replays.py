"""What somebody caught on the wire and sends once more: the very bytes, with their good signature."""

import json
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.acceptance.test_bad_input import slack_headers
from tests.bot.conftest import BIG, Office
from tests.bot.test_listeners import MEMBER, Sent, paying, settings

__all__ = ["settings"]  # the fixture


@pytest.mark.parametrize("sent", [Sent("command", "/billing"), Sent("button", "kassor.quote.accept")])
async def test_a_signed_request_sent_again_byte_for_byte_has_one_effect(office: Office, sent: Sent) -> None:
    live = await paying(office)
    state = office.slack.state
    key = state.new_response_url(MEMBER, "C0GENERAL")
    body = sent.body(BIG, MEMBER, state.new_trigger(MEMBER), f"{office.slack.base_url}/response/{key}", live)
    answered = await _sent(office, body, times=3)
    assert answered == [200, 200, 200]
    assert sum(f"/response/{key}" in each["url"] for each in office.slack.journal.as_json()) == 1


async def _sent(office: Office, body: dict[str, object], *, times: int) -> list[int]:
    raw = urlencode(body if "command" in body else {"payload": json.dumps(body)}).encode()
    headers = slack_headers("signing-secret", raw) | {"Content-Type": "application/x-www-form-urlencoded"}
    found = []
    async with aiohttp.ClientSession() as session:
        for _ in range(times):
            url = f"{office.slack.sender.app_url}/slack/events"
            async with session.post(url, data=raw, headers=headers) as response:
                found.append(response.status)
            await office.heard()
    return found
