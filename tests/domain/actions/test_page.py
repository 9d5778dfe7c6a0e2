"""The billing page, seat usage and pages of invoices: what each may know, whatever way they ask."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain import clock, directory
from domain.actions import admins, cancel, invoices, page, upgrade, usage
from domain.actions.common import subscription_of
from domain.records import Admin, DeskRequest, Invoice, Member, Scope, Subscription
from domain.records.requests import Desk as DeskKind
from domain.records.requests import RequestState
from domain.rules import refusals as no
from tests.domain.conftest import Town, make_team, person, settle


async def team_upgraded(town: Town, team: Scope, by: Member, *, interval: str = "year") -> Subscription:
    quote = await upgrade.offer(town.desk, by, scope=team, plan="premium", interval=interval)
    await town.pay(await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, by, quote.id)))
    return await Subscription.get(scope_id=team.id, is_live=True)


async def with_invoices(scope: Scope, number: int) -> None:
    """So many finalised invoices, some at the same second, and some that people never see."""
    moment = clock.now()
    bills = []
    for each in range(number + 4):
        state = "draft" if each == number else "void" if each > number else "paid"
        finalized = None if state == "draft" else moment - timedelta(days=each // 2)
        bills.append(
            Invoice(
                id=f"in_{each:04}",
                scope_id=scope.id,
                number=f"N-{each:04}",
                status=state,
                collection_method="charge_automatically",
                currency="sek",
                total=100,
                amount_due=100,
                amount_paid=100,
                amount_remaining=0,
                period_start=moment,
                period_end=moment,
                created_at=moment,
                finalized_at=finalized,
            )
        )
    await Invoice.bulk_create(bills)


# --- seat usage ---


async def test_R33_seat_usage_is_the_owners_alone_also_for_an_admin(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[1]])
    for reader in town.members[1:3]:
        with pytest.raises(no.NotOwner):
            await usage.usage(town.desk, reader, subscription=live)
    _, strangers = await settle("T2", 1, first=70)
    with pytest.raises(no.NotSubscribed):
        await usage.usage(town.desk, strangers[0], subscription=live)


async def test_R36_seat_usage_counts_who_uses_a_seat_and_who_does_not_and_why(town: Town) -> None:
    live = await town.upgraded(seats=10)
    for number, facts in (
        (21, {"is_bot": True}),
        (22, {"is_guest": True}),
        (23, {"is_guest": True}),
        (24, {"is_deactivated": True}),
        (25, {"is_deactivated": True, "is_guest": True}),
    ):
        await directory.upsert_member(town.workspace, person(number, **facts))
    seen = await usage.usage(town.desk, town.members[0], subscription=live)
    assert (seen.subscription.seats, seen.used, seen.free) == (10, 8, 2)
    assert (seen.guests, seen.bots, seen.deactivated) == (2, 1, 2)
    assert [each.name for each in seen.people] == [f"Person {number}" for number in range(1, 9)]


async def test_R6_seat_usage_of_a_team_is_of_its_members_alone(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await team_upgraded(town, team, town.members[0])
    await directory.upsert_member(town.workspace, person(30, is_guest=True))
    seen = await usage.usage(town.desk, town.members[0], subscription=live)
    assert (seen.used, seen.free, seen.guests) == (3, 0, 0)


async def test_R36_four_thousand_people_are_turned_a_page_at_a_time(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await directory.replace_members(town.workspace, [person(number) for number in range(1, 4_001)])
    seen: set[int] = set()
    first = await usage.usage(town.desk, town.members[0], subscription=live)
    for number in range(first.pages):
        shown = await usage.usage(town.desk, town.members[0], subscription=live, page=number)
        assert len(shown.people) <= usage.PAGE
        seen |= {each.id for each in shown.people}
    assert len(seen) == first.used == 4_000
    assert first.free == -3_990
    beyond = await usage.usage(town.desk, town.members[0], subscription=live, page=10_000)
    assert beyond.page == first.pages - 1


# --- invoices ---


async def test_R32_R34_every_invoice_is_on_exactly_one_page(town: Town) -> None:
    await town.upgraded(seats=10)
    await Invoice.all().delete()
    await with_invoices(town.scope, 300)
    first = await invoices.paged(town.members[0], scope=town.scope)
    shown = [
        each.id
        for number in range(first.pages)
        for each in (await invoices.paged(town.members[0], scope=town.scope, page=number)).invoices
    ]
    assert len(shown) == len(set(shown)) == 300
    assert first.pages == 38
    assert (await invoices.paged(town.members[0], scope=town.scope, page=99_999)).page == 37
    assert (await invoices.paged(town.members[0], scope=town.scope, page=-1)).page == 0


async def test_R49_pages_of_invoices_are_the_owners_alone(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[1]])
    with pytest.raises(no.NotOwner):
        await invoices.paged(town.members[1], scope=town.scope)


# --- the page ---


async def test_M1_the_next_invoice_is_stripes_own_figure(town: Town) -> None:
    live = await town.upgraded(seats=10)
    seen = await page.page(town.desk, town.members[0], scope=town.scope)
    assert (seen.next_total, seen.next_is_exact) == (10 * 125_000, False)
    exact = await page.with_next_invoice(town.desk, seen)
    assert (exact.next_total, exact.next_is_exact) == (10 * 125_000, True)
    gone = await cancel.cancel(town.desk, town.members[0], subscription=live)
    assert gone.cancel_at is not None
    ending = await page.page(town.desk, town.members[0], scope=town.scope)
    assert ending.next_at is None
    assert await page.with_next_invoice(town.desk, ending) == ending


async def test_M2_the_next_invoice_has_the_change_that_waits_for_it(town: Town) -> None:
    from domain.actions import seats  # noqa: PLC0415 - this test alone changes seats

    live = await town.upgraded(seats=15)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    seen = await page.page(town.desk, town.members[0], scope=town.scope)
    assert seen.next_total == 10 * 125_000
    exact = await page.with_next_invoice(town.desk, seen)
    assert (exact.next_total, exact.next_is_exact) == (10 * 125_000, True)


async def test_R12_a_team_of_a_paying_organisation_is_covered_and_its_page_has_no_money(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    await town.upgraded(seats=10)
    seen = await page.page(town.desk, town.members[0], scope=team)
    assert (seen.plan, seen.covered_by, seen.subscription, seen.claimable) == ("premium", "Workspace T1", None, None)


async def test_R35_only_a_workspace_without_any_history_is_welcomed(town: Town) -> None:
    assert (await page.page(town.desk, town.members[0], scope=town.scope)).is_first_time
    live = await town.upgraded(seats=10)
    await Subscription.filter(id=live.id).update(is_live=False)
    after = await page.page(town.desk, town.members[0], scope=town.scope)
    assert (after.is_first_time, after.was_owner, after.plan) == (False, True, "basic")
    assert not (await page.page(town.desk, town.members[1], scope=town.scope)).was_owner


async def test_R26_P1_an_owner_who_became_a_guest_sees_no_money(town: Town) -> None:
    await town.upgraded(seats=10)
    frozen = await directory.upsert_member(town.workspace, person(1, is_guest=True))
    seen = await page.page(town.desk, frozen, scope=town.scope)
    assert (seen.role, seen.subscription, seen.invoices, seen.claimable) == ("guest", None, [], None)


async def test_R26_P1_an_owner_who_became_a_guest_sees_no_money_either_once_the_plan_has_ended(town: Town) -> None:
    live = await town.upgraded(seats=10)
    bill = await invoices.latest(town.members[0], scope=town.scope)
    await Subscription.filter(id=live.id).update(is_live=False)
    assert await invoices.latest(town.members[0], scope=town.scope) == bill  # R48
    frozen = await directory.upsert_member(town.workspace, person(1, is_guest=True))
    with pytest.raises(no.ActorNotEligible):
        await invoices.paged(frozen, scope=town.scope)
    with pytest.raises(no.ActorNotEligible):
        await invoices.send_again(town.desk, frozen, invoice_id=bill.id)


async def test_P1_admins_can_take_over_only_once_the_owner_is_gone(town: Town) -> None:
    live = await town.upgraded(seats=10)
    admin, member = town.members[1], town.members[2]
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[admin])
    assert (await page.page(town.desk, admin, scope=town.scope)).claimable is None
    await directory.upsert_member(town.workspace, person(1, is_deactivated=True))
    assert (await page.page(town.desk, admin, scope=town.scope)).claimable == live.id
    assert (await page.page(town.desk, member, scope=town.scope)).claimable is None


async def test_P1_where_no_admin_is_left_slacks_own_admins_can(town: Town) -> None:
    live = await town.upgraded(seats=10)
    boss = await directory.upsert_member(town.workspace, person(3, is_workspace_admin=True))
    await directory.upsert_member(town.workspace, person(1, is_deactivated=True))
    assert (await page.page(town.desk, boss, scope=town.scope)).claimable == live.id
    await Admin.create(scope_id=town.scope.id, member_id=town.members[1].id, since=clock.now())
    assert (await page.page(town.desk, boss, scope=town.scope)).claimable is None


async def test_S1_open_requests_are_seen_by_who_asked_and_by_the_owner(town: Town) -> None:
    await town.upgraded(seats=10)
    for number, state in ((2, RequestState.OPEN), (3, RequestState.OPEN), (2, RequestState.DECLINED)):
        await DeskRequest.create(
            id=uuid4(),
            desk=DeskKind.SALES,
            topic="several_teams",
            state=state,
            scope=town.scope,
            requester=town.members[number],
            facts={},
            asked_at=clock.now(),
        )
    counted = [len((await page.page(town.desk, each, scope=town.scope)).requests) for each in town.members[:4]]
    assert counted == [2, 0, 1, 1]


# --- which one is meant ---


async def test_R37_R42_an_owner_of_several_is_asked_never_guessed_for(town: Town) -> None:
    boss = town.members[0]
    first = await make_team(town, town.members[:3])
    second = await directory.ensure_scope(town.workspace, slack_ref="C009", name="#data", kind=first.kind)
    await directory.set_team_members(second, [each.slack_user_id for each in town.members[:2]])
    one = await team_upgraded(town, first, boss)
    assert (await subscription_of(boss)).id == one.id
    two = await team_upgraded(town, second, boss)
    with pytest.raises(no.SeveralSubscriptions) as asked:
        await subscription_of(boss)
    assert dict(zip(asked.value.scopes, asked.value.subscriptions, strict=True)) == {"Design": one.id, "#data": two.id}
    assert [each.name for each in await page.scopes_of(boss)] == ["Workspace T1", "#data", "Design"]


async def test_R37_owned_teams_come_before_those_one_belongs_to(town: Town) -> None:
    mine = await directory.ensure_scope(
        town.workspace, slack_ref="S2", name="Zebra", kind=(await make_team(town, [])).kind
    )
    theirs = await make_team(town, town.members[:3])
    await directory.set_team_members(mine, [town.members[0].slack_user_id, town.members[1].slack_user_id])
    await team_upgraded(town, theirs, town.members[1])
    await team_upgraded(town, mine, town.members[0])
    assert [each.name for each in await page.scopes_of(town.members[0])] == ["Workspace T1", "Zebra", "Design"]
    assert [each.name for each in await page.scopes_of(town.members[7])] == ["Workspace T1"]


async def test_R10_the_wrong_one_is_cancelled_from_where_the_right_one_is_upgraded(town: Town) -> None:
    live = await town.upgraded(seats=10)
    scope, there = await settle("T2", 3)  # the same people, by e-mail, in another workspace
    ended = await cancel.cancel_elsewhere(town.desk, there[0], live.id)
    assert ended.cancel_at is not None
    assert ended.is_live
    assert await upgrade.offer(town.desk, there[0], scope=scope, plan="premium", interval="year")


async def test_R10_nobody_cancels_what_is_another_persons_elsewhere(town: Town) -> None:
    live = await town.upgraded(seats=10)
    _, there = await settle("T2", 3)
    for actor in (there[1], town.members[1]):
        with pytest.raises(no.NotSubscribed):
            await cancel.cancel_elsewhere(town.desk, actor, live.id)
    assert (await Subscription.get(id=live.id)).cancel_at is None
