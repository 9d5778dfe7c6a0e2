"""What takes longer than a moment is said at once, in a message that then becomes the answer; what doesn't is only answered."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot import home
from bot.listeners import commands
from bot.views.blocks import note
from bot.visit import Visit
from cli.sandbox_client import texts
from domain import directory
from domain.actions import page
from domain.actions.page import BillingPage
from domain.desk import Desk
from domain.records import Member, Subscription
from tests.bot.conftest import BIG, Office, subscribed
from tests.bot.test_boundary import ALICE, SWEDE
from tests.bot.test_redelivery import answers

Json = dict[str, Any]
SAYING, ANSWER = "Working out the price…", "That costs nothing."
WITHIN = 1.5  # seconds: a second, and what a busy machine adds


class Work:
    """Something that lasts until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.over = asyncio.Event()
        monkeypatch.setitem(commands.VERBS, "links", self.asked)

    async def asked(self, visit: Visit, _: str = "") -> None:
        await visit.unhurried(self.over.wait(), SAYING)
        await visit.reply(note(ANSWER))


def messages(office: Office) -> list[Json]:
    """What Alice sees where she asked, oldest first."""
    return list(office.slack.state.seen_by(ALICE, office.slack.state.dm(ALICE)))


async def test_after_a_second_one_is_told_and_the_same_message_becomes_the_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, before = Work(monkeypatch), len(messages(office))
    done = await office.slack.acting.command(ALICE, "dm", "/billing", "links")
    assert done["ok"]  # acknowledged, though the work has only begun
    async with asyncio.timeout(WITHIN):
        while len(messages(office)) == before:  # noqa: ASYNC110 - Slack rings no bell when a message is there
            await asyncio.sleep(0.02)
    told = messages(office)[before:]
    said_in, words = [each["ts"] for each in told], texts(told[0])
    assert SAYING in words
    work.over.set()
    await office.heard()
    answered = messages(office)[before:]
    assert [each["ts"] for each in answered] == said_in
    assert (ANSWER in texts(answered[0]), SAYING in texts(answered[0])) == (True, False)


async def test_what_is_quick_is_answered_without_a_word_before(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    Work(monkeypatch).over.set()
    await office.slack.acting.command(ALICE, "dm", "/billing", "links")
    await office.heard()
    assert len(answers(office)) == 1
    assert ANSWER in answers(office)[0].request_body


async def test_work_whose_first_word_slack_did_not_take_is_waited_for_and_its_outcome_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(visit: Visit, _: str = "") -> None:
        address, visit.body["response_url"] = visit.body["response_url"], "http://127.0.0.1:9/nobody-answers"
        await visit.unhurried(work(), SAYING)
        visit.body["response_url"] = address  # Slack is back
        await visit.reply(note(ANSWER))

    async def work() -> None:
        await asyncio.sleep(WITHIN)
        done.append(True)

    done: list[bool] = []
    monkeypatch.setitem(commands.VERBS, "links", asked)
    await office.slack.acting.command(ALICE, "dm", "/billing", "links")
    await office.heard()
    assert done == [True]
    assert ANSWER in texts(messages(office)[-1])


async def test_what_was_acknowledged_comes_to_its_end_before_kassor_goes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(monkeypatch)
    assert (await office.slack.acting.command(ALICE, "dm", "/billing", "links"))["ok"]
    asyncio.get_running_loop().call_later(0.3, work.over.set)
    await office.bot.close()
    assert ANSWER in texts(messages(office)[-1])


async def test_R33_a_figure_of_stripes_that_comes_late_shows_nobody_what_is_no_longer_theirs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bjorn = [await Member.get(slack_user_id=each) for each in (ALICE, SWEDE)]
    live = await subscribed(await directory.whole(BIG), alice)
    client = await office.bot.client_for(BIG)
    assert client is not None

    async def meanwhile_it_was_handed_over(_: Desk, found: BillingPage) -> BillingPage:
        if found.subscription is None:
            return found
        assert "kassor.go.seats" in str(office.slack.state.homes[ALICE])
        await Subscription.filter(id=live.id).update(owner_id=bjorn.id)
        await home.publish(client, office.bot.desk, alice)
        return replace(found, next_total=1_234_500, next_is_exact=True)

    monkeypatch.setattr(page, "with_next_invoice", meanwhile_it_was_handed_over)
    await home.publish(client, office.bot.desk, alice)
    shown = str(office.slack.state.homes[ALICE])
    assert ("kassor.go.seats" in shown, SWEDE in shown) == (False, True)
