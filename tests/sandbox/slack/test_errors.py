"""What Slack says no to, and in which words, as plain HTTP sees them; and what it forgives for how long."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from sandbox.slack import state as slack_state
from tests.sandbox.slack.town import ALICE, BJORN, Town, plain

Json = dict[str, Any]
GENERAL, DESIGN, AUDIT = "C0GENERAL", "C0DESIGN1", "C0AUDIT001"  # the last is private
LONG = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
MODAL = {"type": "modal", "title": plain("A modal"), "blocks": []}


async def call(town: Town, method: str, token: str | None = "", **arguments: Any) -> tuple[int, Json, Any]:
    """One call as the official client forms it: JSON inside a form, the token in a header."""
    token = town.client.token if token == "" else token
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{town.world.slack.base_url}/api/{method}"
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as response:
        return response.status, await response.json(), response.headers


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("moon.land", {}, "unknown_method"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "Hej"}, "channel_not_found"),
        ("chat.postMessage", {"channel": DESIGN, "text": "Hej"}, "not_in_channel"),
        ("chat.postMessage", {"channel": GENERAL}, "no_text"),
        ("chat.postMessage", {"channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": GENERAL, "text": "Hej", "colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": GENERAL, "text": "Hej", "blocks": [LONG]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": GENERAL, "text": "Hej", "blocks": [{"type": "moon"}]}, "invalid_blocks"),
        ("chat.update", {"channel": GENERAL, "ts": "1.000000", "text": "Hej"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": GENERAL, "user": "U0NOBODY", "text": "Psst"}, "user_not_in_channel"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("users.lookupByEmail", {"email": "nobody@example.com"}, "users_not_found"),
        ("users.list", {"cursor": "moon"}, "invalid_cursor"),
        ("users.list", {"limit": "1001"}, "invalid_limit"),
        ("usergroups.users.list", {"usergroup": "S0NOTHING"}, "no_such_subteam"),
        ("views.open", {"trigger_id": "1.2.3", "view": MODAL | {"blocks": [plain("x")]}}, "invalid_arguments"),
        ("views.open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
        ("views.update", {"view_id": "V0NOTHING", "view": MODAL}, "not_found"),
        ("files.completeUploadExternal", {"files": [{"id": "F0NOTHING"}]}, "file_not_found"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_mistake_is_a_200_that_says_which(town: Town, method: str, arguments: Json, error: str) -> None:
    status, answer, _ = await call(town, method, **arguments)
    assert (status, answer["ok"], answer["error"]) == (200, False, error)


@pytest.mark.parametrize(("token", "error"), [(None, "not_authed"), ("xoxb-other", "invalid_auth")])
async def test_no_token_or_anothers_is_refused(town: Town, token: str | None, error: str) -> None:
    _, answer, _ = await call(town, "auth.test", token)
    assert answer == {"ok": False, "error": error}


async def test_invalid_blocks_are_pointed_at(town: Town) -> None:
    good = {"type": "section", "text": {"type": "mrkdwn", "text": "Hej"}}
    _, answer, _ = await call(town, "chat.postMessage", channel=GENERAL, text="Hej", blocks=[good, LONG])
    [said] = answer["response_metadata"]["messages"]
    assert "3001" in said
    assert "[json-pointer:/blocks/1/text" in said


async def test_every_method_refuses_an_argument_that_slacks_client_does_not_have(town: Town) -> None:
    for method in sorted(town.world.slack.api.methods):
        _, answer, _ = await call(town, method, moon="full")
        assert answer["error"] == "invalid_arguments", method
        assert "json-pointer:/moon" in answer["response_metadata"]["messages"][0]
    assert not town.world.slack.state.revoked


async def test_a_scope_that_was_not_granted_is_named_beside_those_that_were(town: Town) -> None:
    grant(town, "chat:write", "commands")
    _, answer, _ = await call(town, "users.list")
    assert answer == {
        "ok": False,
        "error": "missing_scope",
        "needed": "users:read",
        "provided": "chat:write,commands",
    }
    _, answer, _ = await call(town, "chat.postMessage", channel=GENERAL, text="Hej")
    assert answer["ok"]


@pytest.mark.parametrize(
    ("method", "arguments", "needed"),
    [
        ("conversations.list", {}, None),
        ("conversations.list", {"types": "public_channel,private_channel"}, "groups:read"),
        ("conversations.info", {"channel": GENERAL}, None),
        ("conversations.info", {"channel": AUDIT}, "groups:read"),
        ("conversations.history", {"channel": GENERAL}, "channels:history"),
        ("conversations.history", {"channel": "dm"}, None),
        ("conversations.open", {"users": ALICE}, None),
        ("conversations.open", {"users": f"{ALICE},{BJORN}"}, "mpim:write"),
    ],
)
async def test_of_a_kind_of_place_its_own_scope_is_needed(
    town: Town, method: str, arguments: Json, needed: str | None
) -> None:
    grant(town, "channels:read", "im:history", "im:write")
    if arguments.get("channel") == "dm":
        arguments = {"channel": town.world.slack.state.dm(ALICE)}
    _, answer, _ = await call(town, method, **arguments)
    assert answer.get("needed") == needed
    assert answer["ok"] is (needed is None)


def grant(town: Town, *scopes: str) -> None:
    first = next(iter(town.world.slack.state.workspaces))
    town.world.slack.state.granted[first] = frozenset(scopes)


async def test_a_rate_limit_says_when_to_come_back(town: Town) -> None:
    await town.control("faults", method="users.list", kind="rate_limited", times=1, retry_after=4)
    status, answer, headers = await call(town, "users.list")
    assert (status, answer["error"], headers["Retry-After"]) == (429, "ratelimited", "4")


# --- what lasts how long ---


async def _trigger(town: Town) -> str:
    await town.control("command", user=ALICE, channel="dm", command="/billing", text="")
    return town.app.commands[-1]["trigger_id"]


async def test_a_trigger_opens_one_thing(town: Town) -> None:
    trigger = await _trigger(town)
    assert (await call(town, "views.open", trigger_id=trigger, view=MODAL))[1]["ok"]
    assert (await call(town, "views.open", trigger_id=trigger, view=MODAL))[1]["error"] == "exchanged_trigger_id"


async def test_a_trigger_is_good_for_three_seconds(town: Town) -> None:
    trigger = await _trigger(town)
    town.world.slack.state.triggers[trigger].made -= slack_state.TRIGGER_SECONDS
    assert (await call(town, "views.open", trigger_id=trigger, view=MODAL))[1]["error"] == "expired_trigger_id"


async def test_a_response_address_takes_five_answers(town: Town) -> None:
    await town.control("command", user=ALICE, channel=GENERAL, command="/billing", text="")
    url = town.app.commands[-1]["response_url"]
    async with aiohttp.ClientSession() as http:
        said = [(await http.post(url, json={"text": str(number)})).status for number in range(6)]
    assert said == [200] * 5 + [404]
    assert [each["text"] for each in town.world.slack.state.seen_by(ALICE, GENERAL)] == ["0", "1", "2", "3", "4"]


async def test_a_response_address_is_good_for_half_an_hour(town: Town) -> None:
    await town.control("command", user=ALICE, channel=GENERAL, command="/billing", text="")
    url = town.app.commands[-1]["response_url"]
    town.world.slack.state.response_urls[url.rpartition("/")[2]].made = time.monotonic() - 30 * 60 - 1
    async with aiohttp.ClientSession() as http, http.post(url, json={"text": "late"}) as response:
        assert (response.status, await response.text()) == (404, "expired_url")


async def test_an_app_that_takes_longer_than_three_seconds_has_failed_in_the_persons_eyes(town: Town) -> None:
    town.app.delay = 3.3
    answer = await town.control("command", user=BJORN, channel=GENERAL, command="/billing", text="")
    assert answer["ok"] is False
    [shown] = town.world.slack.state.seen_by(BJORN, GENERAL)
    assert shown["text"] == "/billing fungerade inte: appen svarade inte i tid."
    await asyncio.sleep(0.4)


async def test_of_two_who_change_a_view_the_one_with_the_old_hash_is_told(town: Town) -> None:
    view = await town.modal(ALICE, [])
    old = {"view_id": view["id"], "hash": view["hash"], "view": MODAL}
    assert (await call(town, "views.update", **old))[1]["ok"]
    assert (await call(town, "views.update", **old))[1]["error"] == "hash_conflict"


async def test_metadata_is_read_back_only_by_who_asks_for_it(town: Town) -> None:
    told = {"event_type": "copy_sent", "event_payload": {"invoice": "in_1"}}
    _, sent, _ = await call(town, "chat.postMessage", channel=ALICE, text="Hej", metadata=told)
    _, plainly, _ = await call(town, "conversations.history", channel=sent["channel"])
    _, fully, _ = await call(town, "conversations.history", channel=sent["channel"], include_all_metadata="1")
    assert "metadata" not in plainly["messages"][0]
    assert fully["messages"][0]["metadata"] == told
