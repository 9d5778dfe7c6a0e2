"""The support desk: anybody can ask, whoever is in its channel answers, once."""

from dataclasses import replace

import pytest

from domain import directory
from domain.actions import support
from domain.config import Settings
from domain.desk import Desk
from domain.records import DeskRequest
from domain.records.requests import RequestState
from domain.rules import refusals as no
from tests.domain.conftest import Town, person, settle

CHANNEL, THERE = "C0SUPPORT1", ("U007", "U008")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, support_channel=CHANNEL)


async def test_R17_a_question_reaches_the_support_channel_with_place_plan_and_customer_but_no_amount(
    town: Town,
) -> None:
    live = await town.upgraded()
    request = await support.ask(town.desk, town.members[1], scope=town.scope, text=" Hjälp! ", place="seats")
    assert request.facts == {"text": "Hjälp!", "place": "seats", "plan": "premium", "customer": live.customer_id}
    assert [notice.channel for notice in await town.told("desk_request")] == [CHANNEL]


async def test_R17_a_guest_may_ask_too_and_without_a_scope_it_is_about_the_workspace(town: Town) -> None:
    guest = await directory.upsert_member(town.workspace, person(50, is_guest=True))
    request = await support.ask(town.desk, guest, scope=None, text="x" * 9000)
    assert request.scope_id == town.scope.id
    assert len(request.facts["text"]) == 2000


async def test_R17_a_scope_of_elsewhere_is_not_looked_into(town: Town) -> None:
    elsewhere, _ = await settle("T2", 2, first=40)
    request = await support.ask(town.desk, town.members[0], scope=elsewhere, text="?")
    assert request.scope_id == town.scope.id


async def test_R17_nothing_written_is_nothing_asked(town: Town) -> None:
    with pytest.raises(no.NothingWritten):
        await support.ask(town.desk, town.members[0], scope=None, text=" \n ")


async def test_R17_without_a_support_channel_the_refusal_says_so(town: Town) -> None:
    desk = Desk(replace(town.desk.settings, support_channel=None), town.desk.catalogue, town.desk.payments)
    with pytest.raises(no.DeskClosed):
        await support.ask(desk, town.members[0], scope=None, text="?")
    assert await DeskRequest.all().count() == 0


async def test_R17_an_answer_reaches_whoever_asked_once(town: Town) -> None:
    request = await support.ask(town.desk, town.members[0], scope=None, text="?")
    await support.answer(town.desk, town.members[6], request.id, "Like this", channel=CHANNEL, there=THERE)
    with pytest.raises(no.RequestDecided) as refused:
        await support.answer(town.desk, town.members[7], request.id, "Or so", channel=CHANNEL, there=THERE)
    assert (refused.value.by, refused.value.state) == ("U007", "answered")
    assert [notice.member_id for notice in await town.told("request_decided")] == [town.members[0].id]
    assert (await DeskRequest.get(id=request.id)).answer == {"words": "Like this"}


@pytest.mark.parametrize(("channel", "there"), [("C0OTHER", THERE), (None, THERE), (CHANNEL, ("U008",))])
async def test_R17_only_who_is_in_the_support_channel_answers(
    town: Town, channel: str | None, there: tuple[str, ...]
) -> None:
    request = await support.ask(town.desk, town.members[0], scope=None, text="?")
    with pytest.raises(no.NotStaff):
        await support.answer(town.desk, town.members[6], request.id, "Hi", channel=channel, there=there)
    assert (await DeskRequest.get(id=request.id)).state == RequestState.OPEN
