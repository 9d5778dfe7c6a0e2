"""Which plan a member has (E1): said once, and always what the rows say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.connection import get_connection

from domain import clock, directory
from domain.entitlements import NotThere, Standing, entitlement
from domain.records import Member, Scope, ScopeMember, Subscription, Workspace
from domain.records.people import ScopeKind
from domain.rules.catalogue import Catalogue
from tests.domain.conftest import person, settle

DAY = timedelta(days=1)


async def team_of(members: Sequence[Member], ref: str = "S1") -> Scope:
    team = await directory.ensure_scope("T1", slack_ref=ref, name=f"Team {ref}", kind=ScopeKind.TEAM)
    await directory.set_team_members(team, [member.slack_user_id for member in members])
    await directory.becomes_organisation("T1")
    return team


async def subscribed(scope: Scope, owner: Member, plan: str = "premium", **other: Any) -> Subscription:
    """A live subscription's row, as Stripe would have had it written."""
    now = clock.now()
    facts: dict[str, Any] = {
        "id": f"sub_{uuid4().hex}",
        "scope_id": scope.id,
        "owner_id": owner.id,
        "customer_id": "cus_1",
        "status": "active",
        "is_live": True,
        "plan": plan,
        "interval": "month",
        "seats": 10,
        "currency": "sek",
        "unit_amount": 100,
        "item_id": "si_1",
        "price_id": "price_1",
        "collection_method": "charge_automatically",
        "current_period_start": now,
        "current_period_end": now + 30 * DAY,
        "started_at": now,
    }
    return await Subscription.create(**facts | other)


async def plan_of(catalogue: Catalogue, member: Member) -> str | None:
    return (await entitlement(catalogue, member.workspace_id, member.slack_user_id)).plan


async def test_E1_R35_with_nothing_paid_everybody_is_on_the_free_plan(database: str, catalogue: Catalogue) -> None:
    _, members = await settle("T1", 2)
    found = await entitlement(catalogue, "T1", members[0].slack_user_id)
    assert (found.plan, found.source, found.valid_until, found.why_not) == ("basic", None, None, None)


async def test_E1_R12_an_organisations_plan_is_every_members(database: str, catalogue: Catalogue) -> None:
    whole, members = await settle("T1", 3)
    await team_of(members[:1])
    await subscribed(whole, members[0])
    assert [await plan_of(catalogue, member) for member in members] == ["premium"] * 3


async def test_E1_R13_a_teams_plan_is_its_members_alone(database: str, catalogue: Catalogue) -> None:
    _, members = await settle("T1", 3)
    team = await team_of(members[:2])
    await subscribed(team, members[0])
    assert [await plan_of(catalogue, member) for member in members] == ["premium", "premium", "basic"]


async def test_E1_the_best_of_several_is_had_whichever_it_is(database: str, catalogue: Catalogue) -> None:
    whole, members = await settle("T1", 3)
    await subscribed(whole, members[0], "premium")
    await subscribed(await team_of(members[:1], "S1"), members[0], "business")
    await subscribed(await team_of(members[1:2], "S2"), members[1], "premium")
    assert [await plan_of(catalogue, member) for member in members] == ["business", "premium", "premium"]
    told = await entitlement(catalogue, "T1", members[1].slack_user_id)
    assert told.source is not None
    assert told.source.scope.id == whole.id  # of equals the organisation's is told


async def test_E1_another_workspaces_plan_is_nobodys_here(database: str, catalogue: Catalogue) -> None:
    elsewhere, others = await settle("T2", 2, first=50)
    await subscribed(elsewhere, others[0], "business")
    _, members = await settle("T1", 1)
    assert await plan_of(catalogue, members[0]) == "basic"


@pytest.mark.parametrize(
    ("state", "standing", "until"),
    [
        ({"status": "active"}, Standing.ACTIVE, None),
        ({"status": "trialing"}, Standing.TRIAL, None),
        ({"status": "active", "cancel_at": 5}, Standing.ENDING, 5),
        ({"status": "trialing", "cancel_at": 5}, Standing.ENDING, 5),
        ({"status": "past_due", "past_due_since": -13}, Standing.OVERDUE, 1),
        ({"status": "unpaid", "past_due_since": -1}, Standing.OVERDUE, 13),
        ({"status": "active", "next_plan": "basic", "next_at": 9}, Standing.ACTIVE, 9),
        ({"status": "active", "next_plan": "business", "next_at": 9}, Standing.ACTIVE, None),
    ],
)
async def test_E1_M5_R46_every_paid_standing_gives_the_whole_plan(
    database: str, catalogue: Catalogue, state: dict[str, Any], standing: Standing, until: int | None
) -> None:
    whole, members = await settle("T1", 2)
    now = clock.now()
    moments = {name: now + value * DAY if isinstance(value, int) else value for name, value in state.items()}
    await subscribed(whole, members[0], **moments)
    found = await entitlement(catalogue, "T1", members[1].slack_user_id)
    assert found.source is not None
    assert (found.plan, found.source.standing) == ("premium", standing)
    assert found.valid_until == (now + until * DAY if until is not None else None)


@pytest.mark.parametrize(
    "state",
    [
        {"status": "past_due", "past_due_since": -14},  # the grace is over
        {"status": "active", "cancel_at": 0},  # its day has come; Stripe's word for it is on its way
        {"status": "paused"},  # a trial that ended with nothing to pay with
        {"status": "canceled", "is_live": False},
    ],
)
async def test_E1_M5_R46_what_is_over_gives_nothing(database: str, catalogue: Catalogue, state: dict[str, Any]) -> None:
    whole, members = await settle("T1", 2)
    now = clock.now()
    moments = {name: now + value * DAY if type(value) is int else value for name, value in state.items()}
    await subscribed(whole, members[0], **moments)
    assert await plan_of(catalogue, members[1]) == "basic"


async def test_E1_R5_guests_have_the_free_plan_unless_they_are_counted(database: str, catalogue: Catalogue) -> None:
    whole, members = await settle("T1", 2)
    await directory.upsert_member("T1", person(2, is_guest=True))
    await subscribed(whole, members[0])
    found = await entitlement(catalogue, "T1", members[1].slack_user_id)
    assert (found.plan, found.why_not) == ("basic", "guest")
    assert await plan_of(replace(catalogue, count_guests=True), members[1]) == "premium"


@pytest.mark.parametrize("flag", ["is_deactivated", "is_bot"])
async def test_E1_who_is_no_person_here_has_no_plan_at_all(database: str, catalogue: Catalogue, flag: str) -> None:
    whole, members = await settle("T1", 2)
    await directory.upsert_member("T1", person(2, **{flag: True}))
    await subscribed(whole, members[0])
    found = await entitlement(catalogue, "T1", members[1].slack_user_id)
    assert (found.plan, found.source) == (None, None)
    assert found.why_not == flag.removeprefix("is_")


async def test_E1_a_plan_that_left_the_catalogue_is_still_what_they_pay_for(
    database: str, catalogue: Catalogue
) -> None:
    whole, members = await settle("T1", 1)
    await subscribed(whole, members[0], "gold_2019")
    assert await plan_of(catalogue, members[0]) == "gold_2019"


@pytest.mark.parametrize(("workspace", "member", "what"), [("T9", "U001", "workspace"), ("T1", "U999", "member")])
async def test_E1_the_unknown_is_named(
    database: str, catalogue: Catalogue, workspace: str, member: str, what: str
) -> None:
    await settle("T1", 1)
    with pytest.raises(NotThere) as said:
        await entitlement(catalogue, workspace, member)
    assert said.value.what == what


@pytest.mark.parametrize("teams", [0, 1, 12])
async def test_E1_however_many_teams_pay_it_takes_three_queries_at_most(
    database: str, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, teams: int
) -> None:
    whole, members = await settle("T1", 3)
    await subscribed(whole, members[0])
    for number in range(teams):
        await subscribed(await team_of(members[:2], f"S{number}"), members[0], "business")
    connection = get_connection("default")
    asked: list[str] = []
    ask = connection.execute_query

    async def counted(query: str, values: list[Any] | None = None) -> Any:
        asked.append(query)
        return await ask(query, values)

    monkeypatch.setattr(connection, "execute_query", counted)
    found = await entitlement(catalogue, "T1", members[1].slack_user_id)
    assert found.plan == ("business" if teams else "premium")
    assert len(asked) == (3 if teams else 2), asked


# --- whatever the rows are, the answer is what a patient reader would find in them ---


@dataclass(frozen=True)
class Paid:
    """A subscription of the whole (0) or a team (1…): days are from now."""

    scope: int
    plan: str
    status: str
    cancel_in: int | None
    overdue_for: int | None


@dataclass(frozen=True)
class TownOfRows:
    """People by their flags (guest, bot, deactivated), teams by their members, and what is paid for."""

    people: tuple[tuple[bool, bool, bool], ...]
    teams: tuple[frozenset[int], ...]
    paid: tuple[Paid, ...]
    count_guests: bool


DAYS = st.one_of(st.none(), st.integers(-20, 20).filter(bool))
PAID = st.builds(
    Paid,
    scope=st.integers(0, 3),
    plan=st.sampled_from(["premium", "business", "enterprise", "gone"]),
    status=st.sampled_from(["active", "trialing", "past_due", "unpaid", "paused", "canceled"]),
    cancel_in=DAYS,
    overdue_for=DAYS,
)
SELDOM = st.sampled_from([False, False, False, True])
TOWNS = st.builds(
    TownOfRows,
    people=st.lists(st.tuples(SELDOM, SELDOM, SELDOM), min_size=1, max_size=4).map(tuple),
    teams=st.lists(st.frozensets(st.integers(0, 3)), max_size=3).map(tuple),
    paid=st.lists(PAID, max_size=5, unique_by=lambda each: (each.scope, each.status == "canceled")).map(tuple),
    count_guests=st.booleans(),
)


def by_hand(catalogue: Catalogue, town: TownOfRows, who: int) -> str | None:
    """The same question answered from the description, one rule at a time."""
    guest, bot, deactivated = town.people[who]
    if bot or deactivated:
        return None
    if guest and not town.count_guests:
        return "basic"
    had = ["basic"]
    for paid in town.paid:
        covers = paid.scope == 0 or (paid.scope <= len(town.teams) and who in town.teams[paid.scope - 1])
        over = paid.status in {"paused", "canceled"} or (paid.cancel_in is not None and paid.cancel_in < 0)
        unpaid_too_long = paid.overdue_for is not None and -paid.overdue_for >= catalogue.grace_days
        if covers and not over and not unpaid_too_long:
            had.append(paid.plan)
    order = ["basic", "gone", "premium", "business", "enterprise"]
    return max(had, key=order.index)


async def write(town: TownOfRows, now: datetime) -> str:
    """The rows of a town, in a workspace of its own."""
    workspace = f"T{uuid4().hex[:12].upper()}"
    await directory.ensure_workspace(workspace, name=workspace)
    await Member.bulk_create(
        [
            Member(
                workspace_id=workspace,
                slack_user_id=f"U{number}",
                name=f"{number}",
                is_guest=guest,
                is_bot=bot,
                is_deactivated=deactivated,
            )
            for number, (guest, bot, deactivated) in enumerate(town.people)
        ]
    )
    members = {member.slack_user_id: member for member in await Member.filter(workspace_id=workspace)}
    scopes: dict[int, UUID] = {0: (await directory.whole(workspace)).id}
    for number, team in enumerate(town.teams, start=1):
        scope = await directory.ensure_scope(workspace, slack_ref=f"S{number}", name="x", kind=ScopeKind.TEAM)
        scopes[number] = scope.id
        on = [members[f"U{who}"].id for who in team if f"U{who}" in members]
        await ScopeMember.bulk_create([ScopeMember(scope_id=scope.id, member_id=each) for each in on])
    for paid in town.paid:
        if paid.scope in scopes:
            await subscribed(
                await Scope.get(id=scopes[paid.scope]),
                members["U0"],
                paid.plan,
                status=paid.status,
                is_live=paid.status != "canceled",
                cancel_at=now + paid.cancel_in * DAY if paid.cancel_in else None,
                past_due_since=now + paid.overdue_for * DAY if paid.overdue_for else None,
            )
    return workspace


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(town=TOWNS)
async def test_E1_the_answer_is_always_what_reading_every_row_by_hand_gives(
    database: str, catalogue: Catalogue, town: TownOfRows
) -> None:
    workspace = await write(town, clock.now())
    asked = replace(catalogue, count_guests=town.count_guests)
    for who in range(len(town.people)):
        found = await entitlement(asked, workspace, f"U{who}")
        assert found.plan == by_hand(catalogue, town, who)
        assert (found.source is None) == (found.plan in {None, "basic"})
    assert await Workspace.filter(id=workspace).exists()
