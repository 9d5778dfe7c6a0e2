"""Admins (R28): appointed and removed by the owner alone, who always is one."""

import asyncio
from typing import Any

import pytest

from domain import directory
from domain.actions import admins, owner
from domain.records import Admin, AuditEntry, Member, Notice, Subscription
from domain.rules import refusals as no
from tests.domain.conftest import Town, make_team, person, settle


async def current(live: Subscription) -> set[int]:
    return set(await Admin.filter(scope_id=live.scope_id, until=None).values_list("member_id", flat=True))


async def told(kind: str) -> list[int | None]:
    return sorted(await Notice.filter(kind=kind).values_list("member_id", flat=True))


async def test_R28_the_owner_is_admin_by_becoming_owner(town: Town) -> None:
    live = await town.upgraded()
    assert await current(live) == {town.members[0].id}


async def test_R28_the_owner_says_who_is_admin_and_each_new_and_former_one_is_told(town: Town) -> None:
    live = await town.upgraded()
    boss, *others = town.members
    await admins.set_admins(town.desk, boss, subscription=live, members=others[:2])
    changed = await admins.set_admins(town.desk, boss, subscription=live, members=others[1:3])
    assert [member.id for member in changed.appointed] == [others[2].id]
    assert [member.id for member in changed.removed] == [others[0].id]
    assert await current(live) == {boss.id, others[1].id, others[2].id}
    assert await told("admin_appointed") == [each.id for each in others[:3]]
    assert await told("admin_removed") == [others[0].id]
    assert await AuditEntry.filter(verb="admin_appointed").count() == 3
    assert await AuditEntry.filter(verb="admin_removed").count() == 1


async def test_R28_the_owner_stays_admin_whatever_is_picked(town: Town) -> None:
    live = await town.upgraded()
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[])
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[0]])
    assert await current(live) == {town.members[0].id}
    assert await told("admin_appointed") == []


async def test_R28_saying_the_same_again_changes_and_tells_nothing(town: Town) -> None:
    live = await town.upgraded()
    for _ in range(3):
        await admins.set_admins(town.desk, town.members[0], subscription=live, members=town.members[1:3])
    assert await told("admin_appointed") == [member.id for member in town.members[1:3]]


async def test_R28_said_twice_at_once_it_happens_once(town: Town) -> None:
    live = await town.upgraded()
    await asyncio.gather(
        *(admins.set_admins(town.desk, town.members[0], subscription=live, members=town.members[1:3]) for _ in range(4))
    )
    assert await told("admin_appointed") == [member.id for member in town.members[1:3]]
    assert await Admin.filter(until=None).count() == 3


@pytest.mark.parametrize("role", ["admin", "member", "former owner"])
async def test_R28_R33_only_the_owner_may(town: Town, role: str) -> None:
    live = await town.upgraded()
    asker = town.members[4]
    if role == "admin":
        await admins.set_admins(town.desk, town.members[0], subscription=live, members=[asker])
    if role == "former owner":
        live = await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
        asker = town.members[0]
    before = await current(live)
    with pytest.raises(no.NotOwner):
        await admins.set_admins(town.desk, asker, subscription=live, members=[])
    with pytest.raises(no.NotOwner):
        await admins.listing(asker, subscription=live)
    assert await current(live) == before


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({"is_bot": True}, "bot"), ({"is_guest": True}, "guest"), ({"is_deactivated": True}, "deactivated")],
)
async def test_R28_who_cannot_be_admin_is_named_and_nobody_is_appointed(
    town: Town, facts: dict[str, Any], reason: str
) -> None:
    live = await town.upgraded()
    wrong = await directory.upsert_member(town.workspace, person(40, **facts))
    with pytest.raises(no.AdminNotEligible) as refused:
        await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[1], wrong])
    assert (refused.value.member, refused.value.reason) == ("U040", reason)
    assert await current(live) == {town.members[0].id}
    assert await told("admin_appointed") == []


async def test_R28_somebody_outside_the_team_or_of_another_workspace_cannot_be_admin_of_it(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    town.scope = team
    live = await town.upgraded(seats=5)
    _, strangers = await settle("T2", 1, first=50)
    for outsider in (town.members[5], strangers[0]):
        with pytest.raises(no.AdminNotEligible) as refused:
            await admins.set_admins(town.desk, town.members[0], subscription=live, members=[outsider])
        assert refused.value.reason == "not_a_member"


async def test_R28_an_admin_who_is_not_active_now_is_left_alone(town: Town) -> None:
    live = await town.upgraded()
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=town.members[1:3])
    await directory.upsert_member(town.workspace, person(2, is_deactivated=True))
    changed = await admins.set_admins(town.desk, town.members[0], subscription=live, members=[])
    assert [member.id for member in changed.removed] == [town.members[2].id]
    assert town.members[1].id in await current(live)


async def test_R28_without_a_subscription_there_is_nothing_to_be_admin_of(town: Town) -> None:
    live = await town.upgraded()
    await town.desk.payments.cancel_now(live.id, credit=False)
    ended = await Subscription.get(id=live.id)
    ended.is_live = False
    with pytest.raises(no.NotSubscribed):
        await admins.set_admins(town.desk, town.members[0], subscription=ended, members=town.members[1:2])


async def test_R48_a_removed_admins_record_is_ended_not_deleted_and_can_begin_again(town: Town) -> None:
    live = await town.upgraded()
    other: Member = town.members[1]
    for members in ([other], [], [other]):
        await admins.set_admins(town.desk, town.members[0], subscription=live, members=members)
    rows = await Admin.filter(member_id=other.id).order_by("id")
    assert [row.until is None for row in rows] == [False, True]
    assert await told("admin_appointed") == [other.id, other.id]
