"""Who counts, who may own, and what becomes of a plan whose people or team go (R5, R6, R26, P2)."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import clock, copies, directory, upkeep
from domain.actions import admins, owner, upgrade
from domain.records import AuditEntry, Member, Notice, Quote, Scope, Subscription, Workspace
from domain.records.people import ScopeKind
from domain.rules import refusals as no
from domain.upkeep import teams
from tests.domain.conftest import Town, make_team, person

UNCOUNTED = [
    pytest.param({"is_bot": True}, id="bot"),
    pytest.param({"is_deactivated": True}, id="deactivated"),
    pytest.param({"is_bot": True, "is_deactivated": True}, id="deactivated bot"),
    pytest.param({"is_guest": True, "is_deactivated": True}, id="deactivated guest"),
]


# --- R5, R6: who needs a seat ---


@pytest.mark.parametrize(("count_guests", "members"), [(False, 8), (True, 9)])
async def test_R5_a_guest_needs_a_seat_only_where_the_catalogue_says_so(
    town: Town, count_guests: bool, members: int
) -> None:
    await directory.upsert_member(town.workspace, person(40, is_guest=True))
    catalogue = replace(town.desk.catalogue, count_guests=count_guests)
    assert await directory.members_in(town.scope, catalogue) == members
    assert (await directory.members_in_each([town.scope], catalogue))[town.scope.id] == members


@pytest.mark.parametrize("count_guests", [False, True])
@pytest.mark.parametrize("facts", UNCOUNTED)
async def test_R5_bots_and_deactivated_people_never_need_a_seat(
    town: Town, facts: dict[str, Any], count_guests: bool
) -> None:
    await directory.upsert_member(town.workspace, person(40, **facts))
    assert await directory.members_in(town.scope, replace(town.desk.catalogue, count_guests=count_guests)) == 8


@pytest.mark.parametrize(("count_guests", "members"), [(False, 3), (True, 4)])
async def test_R6_a_team_counts_its_own_members_by_the_same_rule(town: Town, count_guests: bool, members: int) -> None:
    await directory.upsert_member(town.workspace, person(40, is_guest=True))
    await directory.upsert_member(town.workspace, person(41, is_bot=True))
    team = await make_team(town, town.members[:3])
    await directory.set_team_members(team, ["U001", "U002", "U003", "U040", "U041", "U999"])
    catalogue = replace(town.desk.catalogue, count_guests=count_guests)
    assert await directory.members_in(team, catalogue) == members


async def test_P2_somebody_who_becomes_a_guest_and_a_member_again_counts_again(town: Town) -> None:
    counts = []
    for facts in ({"is_guest": True}, {}, {"is_deactivated": True}, {}):
        await directory.upsert_member(town.workspace, person(3, **facts))
        counts.append(await directory.members_in(town.scope, town.desk.catalogue))
    assert counts == [7, 8, 7, 8]


async def test_P2_a_whole_reading_says_what_it_mended(town: Town) -> None:
    everyone = [person(number) for number in range(2, 9)] + [person(40)]
    everyone[0] = person(2, is_guest=True)
    mended = await directory.replace_members(town.workspace, everyone)
    assert (mended.new, mended.changed, mended.gone) == (["U040"], ["U002"], ["U001"])
    again = await directory.replace_members(town.workspace, everyone)
    assert (again.new, again.changed, again.gone) == ([], [], [])


async def test_P2_whoever_an_event_told_of_while_the_list_was_read_stays_as_told(town: Town) -> None:
    before = await directory.members_by_id(town.workspace)
    listed = [person(number) for number in range(1, 8)]  # and 8 is gone
    await directory.upsert_member(town.workspace, person(1, is_deactivated=True))
    await directory.upsert_member(town.workspace, person(2, is_guest=True))
    await directory.upsert_member(town.workspace, person(40))
    mended = await directory.replace_members(town.workspace, listed, known_before=before)
    assert (mended.new, mended.changed, mended.gone) == ([], [], ["U008"])
    now = await directory.members_by_id(town.workspace)
    assert (now["U001"].is_deactivated, now["U002"].is_guest, now["U040"].is_deactivated) == (True, True, False)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as asked", "the other way round"])
async def test_P2_of_two_answers_the_one_asked_for_last_counts_in_whichever_order_they_come(
    town: Town, order: tuple[int, int]
) -> None:
    team = await make_team(town, [])
    asked = (clock.now(), clock.now() + timedelta(milliseconds=1))
    people = (person(1, is_guest=True), person(1, is_deactivated=True))
    lists = (["U001", "U002"], ["U002", "U003"])
    for each in order:
        await directory.upsert_member(town.workspace, people[each], asked_at=asked[each])
        await directory.set_team_members(team, lists[each], asked_at=asked[each])
    kept = (await directory.members_by_id(town.workspace))["U001"]
    assert (kept.is_guest, kept.is_deactivated) == (False, True)
    assert await directory.members_in(team, town.desk.catalogue) == 2
    assert not await directory.is_in(team, await Member.get(slack_user_id="U001"))


async def test_P2_answers_that_come_at_the_same_moment_leave_the_last_of_them(town: Town) -> None:
    team = await make_team(town, [])
    began = clock.now() + timedelta(milliseconds=1)
    answers = [(began + timedelta(milliseconds=each), [f"U{each + 1:03}"]) for each in range(8)]
    random.shuffle(answers)
    writing = (directory.set_team_members(team, members, asked_at=asked) for asked, members in answers)
    await asyncio.gather(*writing)
    there = await Member.filter(teams__scope_id=team.id).values_list("slack_user_id", flat=True)
    assert list(there) == ["U008"]


async def test_P2_a_workspace_that_is_renamed_is_called_so_everywhere(town: Town) -> None:
    await directory.rename_workspace(town.workspace, "Nordanvind " + "x" * 300)
    await directory.rename_workspace(town.workspace, "")
    assert (await Workspace.get(id=town.workspace)).name.startswith("Nordanvind")
    assert (await directory.whole(town.workspace)).name.startswith("Nordanvind")
    await directory.rename_workspace("T404", "Nowhere")  # one we don't know
    assert await Workspace.filter(id="T404").count() == 0


# --- R26: the appointed owner between checkout and payment ---


async def paying_for(town: Town, scope: Scope, appointed: Member) -> Quote:
    """The payment page is open; `appointed` is to be billing owner, member 1 pays."""
    quote = await upgrade.offer(
        town.desk, town.members[1], scope=scope, plan="premium", interval="year", seats=10, owner=appointed
    )
    return await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[1], quote.id))


@pytest.mark.parametrize("facts", [{"is_deactivated": True}, {"is_guest": True}], ids=["deactivated", "guest"])
async def test_R26_an_appointed_owner_who_is_no_longer_active_when_it_is_paid_is_replaced_by_the_payer(
    town: Town, facts: dict[str, Any]
) -> None:
    quote = await paying_for(town, town.scope, town.members[0])
    await directory.upsert_member(town.workspace, person(1, **facts))
    await town.pay(quote)
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    assert live.owner_id == town.members[1].id
    told = await Notice.filter(kind="owner_replaced").values_list("member_id", flat=True)
    assert set(told) == {town.members[0].id, town.members[1].id}


async def test_R26_an_appointed_owner_who_left_the_team_when_it_is_paid_is_replaced_by_the_payer(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    quote = await paying_for(town, team, town.members[0])
    await directory.set_team_members(team, ["U002", "U003"])
    await town.pay(quote)
    live = await Subscription.get(scope_id=team.id, is_live=True)
    assert live.owner_id == town.members[1].id
    assert await Notice.filter(kind="owner_replaced").count() == 2


async def test_R26_P1_with_appointed_and_payer_both_gone_nothing_paid_is_lost_and_somebody_can_claim(
    town: Town,
) -> None:
    quote = await paying_for(town, town.scope, town.members[0])
    for number in (1, 2):
        await directory.upsert_member(town.workspace, person(number, is_deactivated=True))
    await directory.upsert_member(town.workspace, person(5, is_workspace_admin=True))
    await town.pay(quote)
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    assert live.owner_id == town.members[0].id
    await upkeep.look(town.desk)
    assert await Notice.filter(kind="owner_gone").values_list("member_id", flat=True) == [town.members[4].id]
    fresh = await owner.claim(town.desk, await Member.get(id=town.members[4].id), subscription=live)
    await copies.plan_due(town.desk)
    assert fresh.owner_id == town.members[4].id
    assert await Notice.filter(kind="invoice_copy", owner_of_id=live.id).count() == 1


# --- P2: a paying team whose group or channel is gone ---


async def team_plan(town: Town, ref: str = "S001") -> tuple[Scope, Subscription]:
    team = await make_team(town, town.members[:3], ref)
    whole, town.scope = town.scope, team
    live = await town.upgraded(seats=5)
    town.scope = whole
    return team, live


@pytest.mark.parametrize("ref", ["S001", "C001"])
async def test_P2_when_the_group_or_channel_of_a_paying_team_is_gone_the_plan_goes_on_and_the_owner_is_told_once(
    town: Town, ref: str
) -> None:
    team, live = await team_plan(town, ref)
    told = [await teams.is_gone(town.desk, team) for _ in range(3)]
    assert told == [True, False, False]
    assert await directory.members_in(team, town.desk.catalogue) == 3  # those it had keep counting
    assert (await Subscription.get(id=live.id)).is_live
    notice = await Notice.get(kind="team_gone")
    assert (notice.owner_of_id, notice.facts["scope"]) == (live.id, "Design")
    assert await AuditEntry.filter(verb="team_gone").count() == 1


async def test_P2_a_team_nobody_pays_for_is_empty_once_it_is_gone(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    assert not await teams.is_gone(town.desk, team)
    assert await directory.members_in(team, town.desk.catalogue) == 0
    with pytest.raises(no.Refusal):
        await upgrade.offer(
            town.desk, town.members[0], scope=team, plan="premium", interval="year", seats=5, owner=town.members[0]
        )
    assert await Notice.filter(kind="team_gone").count() == 0


async def test_P2_the_owner_of_a_team_that_is_gone_keeps_their_powers(town: Town) -> None:
    team, live = await team_plan(town)
    await teams.is_gone(town.desk, team)
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[1]])
    fresh = await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
    assert fresh.owner_id == town.members[1].id
    assert (await Scope.get(id=team.id)).kind == ScopeKind.TEAM
