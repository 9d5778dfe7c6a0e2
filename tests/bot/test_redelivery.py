"""What Slack delivers twice has one effect: a command, a press, a submission, an event; also both at the same moment.

Slack sends an event again when the answer was late or lost, and so may any proxy between with the rest. The second delivery is the
first one's very bytes, signed anew.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from bot.listeners import upgrade
from bot.visit import Visit
from cli.sandbox_client import texts
from domain.records import DeskRequest, Member, Notice, Scope
from sandbox.journal import Exchange
from sandbox.slack import shapes
from tests.acceptance.test_bad_input import slack_headers
from tests.bot.conftest import BIG, Office, subscribed
from tests.bot.test_boundary import ALICE

WAYS = pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "at the same moment"])


def requests(office: Office) -> list[Exchange]:
    """What Slack has sent Kassör."""
    return [each for each in office.slack.journal if each.callee == "kassor"]


def answers(office: Office) -> list[Exchange]:
    """What Kassör has answered in messages."""
    return [each for each in office.slack.journal if "/response/" in each.url]


async def deliver(office: Office, sent: Exchange, *, times: int, at_once: bool) -> list[int]:
    """Send the very same bytes; the statuses they are answered with."""

    async def once() -> int:
        body = sent.request_body.encode()
        headers = slack_headers("signing-secret", body) | {"Content-Type": sent.request_headers["Content-Type"]}
        async with office.bot.session.post(sent.url, data=body, headers=headers) as response:
            return response.status

    together = asyncio.gather if at_once else _in_turn
    found = list(await together(*(once() for _ in range(times))))
    await office.heard()
    return found


async def _in_turn(*works: Coroutine[Any, Any, int]) -> list[int]:
    return [await each for each in works]


async def unheard(office: Office, doing: Any) -> Exchange:
    """What Slack would send for `doing`, which Kassör is never told of: to be delivered by hand."""
    app_url = office.slack.sender.app_url
    office.slack.sender.app_url = "http://127.0.0.1:9"
    try:
        await doing
    finally:
        office.slack.sender.app_url = app_url
    sent = requests(office)[-1]
    return replace(sent, url=f"{app_url}/slack/events")


@WAYS
async def test_a_command_delivered_twice_is_answered_once(office: Office, at_once: bool) -> None:
    sent = await unheard(office, office.slack.acting.command(ALICE, "dm", "/billing", "links"))
    assert await deliver(office, sent, times=3, at_once=at_once) == [200] * 3
    assert len(answers(office)) == 1
    assert "https://kassor.example/pricing" in answers(office)[0].request_body


@WAYS
async def test_a_press_delivered_twice_does_what_it_says_once(office: Office, at_once: bool) -> None:
    await office.slack.acting.command(ALICE, "dm", "/billing", "")
    await office.heard()
    message = office.slack.state.seen_by(ALICE, office.slack.state.dm(ALICE))[-1]
    where = {"channel": "dm", "message_ts": message["ts"], "action_id": "kassor.go.help"}
    sent = await unheard(office, office.slack.acting.action(ALICE, where))
    assert await deliver(office, sent, times=3, at_once=at_once) == [200] * 3
    assert office.calls("views.open") == 1


@WAYS
async def test_a_submission_delivered_twice_is_one_request(office: Office, at_once: bool) -> None:
    office.bot.desk = replace(office.bot.desk, settings=replace(office.bot.desk.settings, support_channel="C0SUPPORT"))
    await office.slack.acting.command(ALICE, "dm", "/billing", "support")
    await office.heard()
    view = office.slack.state.views[ALICE][-1]
    block = next(each for each in view["blocks"] if each["type"] == "input")
    filled = {block["block_id"]: {"kassor.support.text": "Where is my invoice?"}}
    sent = await unheard(office, office.slack.acting.submit(ALICE, view["id"], filled))
    assert await deliver(office, sent, times=3, at_once=at_once) == [200] * 3
    assert await DeskRequest.all().count() == 1
    assert await Notice.filter(kind="desk_request").count() == 1


@WAYS
async def test_P1_an_event_delivered_twice_is_heard_once(office: Office, at_once: bool) -> None:
    hugo = await Member.get(slack_user_id="U0HUGO008")
    scope = await Scope.get(workspace_id=BIG, slack_ref="")
    await subscribed(scope, hugo)
    office.user("U0HUGO008").deleted = True
    event = {
        "type": "user_change",
        "user": shapes.user(office.user("U0HUGO008"), locale=False),
    }  # which has to be asked for
    sent = await unheard(office, office.slack.sender.event(office.slack.state.workspaces[BIG], event))
    read = office.calls("users.info")
    assert await deliver(office, sent, times=3, at_once=at_once) == [200] * 3
    assert await Notice.filter(kind="owner_gone").count() == 1
    assert office.calls("users.info") - read == 1


async def test_what_is_sent_anew_is_no_second_delivery(office: Office) -> None:
    """The same words typed twice are two wishes: only what carries the same id is one."""
    for _ in range(2):
        await office.slack.acting.command(ALICE, "dm", "/billing", "links")
        await office.heard()
    assert len(answers(office)) == 2


# --- two choices at once ---


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as chosen", "the other way round"])
async def test_R20_of_two_choices_made_at_once_the_form_shows_what_the_later_one_costs(
    office: Office, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    """Both were made in the form as it was first; each is drawn when its turn comes."""
    await office.slack.acting.command(ALICE, "dm", "/upgrade", "")
    await office.heard()
    [view] = office.slack.state.views[ALICE]
    turns = [asyncio.Event(), asyncio.Event()]
    waiting = iter(turns)
    real = upgrade._form

    async def in_turn(visit: Visit) -> Any:
        turn = next(waiting)
        found = await real(visit)
        await turn.wait()
        return found

    monkeypatch.setattr(upgrade, "_form", in_turn)
    for name, value in (("plan", "business"), ("interval", "month")):
        await office.slack.acting.action(
            ALICE, {"view_id": view["id"], "action_id": f"kassor.upgrade.{name}", "value": value}
        )
    before = len([each for each in office.slack.journal if "views.update" in each.url])
    for number, each in enumerate(order, start=1):
        turns[each].set()
        async with asyncio.timeout(5):
            while len([each for each in office.slack.journal if "views.update" in each.url]) < before + number:  # noqa: ASYNC110 - a test waits
                await asyncio.sleep(0.01)
    await office.heard()
    monkeypatch.setattr(upgrade, "_form", real)
    [shown] = office.slack.state.views[ALICE]
    at_once = texts(shown)
    await office.slack.acting.action(
        ALICE, {"view_id": shown["id"], "action_id": "kassor.upgrade.interval", "value": "month"}
    )
    await office.heard()
    [view] = office.slack.state.views[ALICE]
    assert at_once == texts(view)
