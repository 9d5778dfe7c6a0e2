"""The owner leaves Slack (P1): powers rest, renewals go on, those who may claim are told, and one of them does."""

import asyncio
from typing import Any

import pytest

from domain import clock, copies, directory, notices, sync, upkeep
from domain.actions import admins, cancel, invoices, owner, page, payment_method, plan, seats
from domain.records import Admin, AuditEntry, Member, Notice, Quote, Subscription, Watermark
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from domain.upkeep import departures
from tests.domain.conftest import Town, make_team, person

GONE = [pytest.param({"is_deactivated": True}, id="deactivated"), pytest.param({"is_guest": True}, id="guest")]


async def leaves(town: Town, number: int = 1, **how: Any) -> None:
    """Slack says that somebody is no longer active."""
    await directory.upsert_member(town.workspace, person(number, **(how or {"is_deactivated": True})))


async def comes_back(town: Town, number: int = 1) -> None:
    await directory.upsert_member(town.workspace, person(number))


async def owned(town: Town, *, admins_too: tuple[int, ...] = ()) -> Subscription:
    """A plan of member 0, who makes some others admins."""
    live = await town.upgraded()
    chosen = [town.members[index] for index in admins_too]
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=chosen)
    return live


async def told_gone() -> list[int | None]:
    return sorted(await Notice.filter(kind="owner_gone").values_list("member_id", flat=True))


@pytest.mark.parametrize("how", GONE)
async def test_P1_the_powers_of_an_owner_who_is_gone_freeze_whatever_they_ask(town: Town, how: dict[str, Any]) -> None:
    live = await owned(town)
    await leaves(town, **how)
    former = await Member.get(id=town.members[0].id)
    for ask in (
        seats.offer_seats(town.desk, former, subscription=live, seats=20),
        plan.offer(town.desk, former, subscription=live, plan="business"),
        cancel.cancel(town.desk, former, subscription=live),
        owner.hand_over(town.desk, former, subscription=live, to=town.members[1]),
        payment_method.edit_link(town.desk, former, subscription=live),
        payment_method.billing_information_link(town.desk, former, subscription=live),
        invoices.listing(former, scope=town.scope),
        admins.set_admins(town.desk, former, subscription=live, members=[]),
        owner.claim(town.desk, former, subscription=live),
    ):
        with pytest.raises(no.ActorNotEligible):
            await ask
    assert (await Subscription.get(id=live.id)).owner_id == former.id


@pytest.mark.parametrize("how", GONE)
async def test_P1_the_other_active_admins_are_told_once_each(town: Town, how: dict[str, Any]) -> None:
    await owned(town, admins_too=(2, 3, 4))
    await leaves(town, 4)  # members[3] isn't active either
    await leaves(town, **how)
    for _ in range(3):
        await departures.look(town.desk)
    assert await told_gone() == [town.members[2].id, town.members[4].id]


async def test_P1_it_is_on_the_record_once_a_departure(town: Town) -> None:
    await owned(town, admins_too=(2,))
    for _ in range(2):
        await leaves(town)
        await departures.look(town.desk)
        await departures.look(town.desk)
        town.move(days=2)
        await comes_back(town)
        await departures.look(town.desk)
    verbs = await AuditEntry.filter(verb__in=["owner_gone", "owner_back"]).order_by("at").values_list("verb", flat=True)
    assert list(verbs) == ["owner_gone", "owner_back"] * 2
    assert len(await told_gone()) == 2  # and so is being told: a second departure is news again


async def test_P1_without_an_active_admin_slacks_own_admins_are_told_and_may_claim(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    for number in (1, 2):
        await leaves(town, number)
    await directory.upsert_member(town.workspace, person(6, is_workspace_admin=True))
    await departures.look(town.desk)
    assert await told_gone() == [town.members[5].id]
    with pytest.raises(no.CannotClaim) as refused:
        await owner.claim(town.desk, town.members[3], subscription=live)
    assert refused.value.who == (town.members[5].slack_user_id,)
    fresh = await owner.claim(town.desk, town.members[5], subscription=live)
    assert fresh.owner_id == town.members[5].id


async def test_P1_slacks_own_admins_may_not_claim_while_an_appointed_admin_is_there(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await directory.upsert_member(town.workspace, person(6, is_workspace_admin=True))
    await leaves(town)
    await departures.look(town.desk)
    assert await told_gone() == [town.members[1].id]
    with pytest.raises(no.CannotClaim):
        await owner.claim(town.desk, await Member.get(id=town.members[5].id), subscription=live)


async def test_P1_with_nobody_who_could_claim_it_is_on_the_record_and_looked_at_every_half_day(town: Town) -> None:
    await owned(town)
    await leaves(town)
    for _ in range(4):
        await departures.look(town.desk)
    assert await AuditEntry.filter(verb="nobody_can_claim").count() == 1
    assert await Notice.filter(kind="owner_gone").count() == 0
    due = await departures.next_due(town.desk)
    assert due is not None
    assert due - clock.now() <= departures.LOOK_AGAIN
    await directory.upsert_member(town.workspace, person(6, is_workspace_admin=True))
    await departures.look(town.desk)
    assert await told_gone() == [town.members[5].id]
    assert await departures.next_due(town.desk) is None


async def test_P1_an_admin_who_has_left_the_team_is_neither_told_nor_may_claim(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await bought_for_team(town, team)
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=town.members[1:3])
    await directory.set_team_members(team, ["U001", "U002"])
    await leaves(town)
    await departures.look(town.desk)
    assert await told_gone() == [town.members[1].id]
    with pytest.raises(no.CannotClaim):
        await owner.claim(town.desk, town.members[2], subscription=live)


async def test_P1_for_a_team_slacks_own_admins_are_asked_also_from_outside_it(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await bought_for_team(town, team)
    await directory.upsert_member(town.workspace, person(8, is_workspace_admin=True))
    await leaves(town)
    fresh = await owner.claim(town.desk, await Member.get(id=town.members[7].id), subscription=live)
    assert fresh.owner_id == town.members[7].id


async def bought_for_team(town: Town, team: Any) -> Subscription:
    """A plan of the team, owned by member 0."""
    whole, town.scope = town.scope, team
    live = await town.upgraded(seats=5)
    town.scope = whole
    return live


async def test_P1_the_first_to_press_gets_it_and_the_others_read_who_has_it(town: Town) -> None:
    live = await owned(town, admins_too=(1, 2, 3))
    await leaves(town)
    outcomes = await asyncio.gather(
        *(owner.claim(town.desk, each, subscription=live) for each in town.members[1:4]), return_exceptions=True
    )
    won = [each for each in outcomes if isinstance(each, Subscription)]
    assert len(won) == 1, outcomes
    holder = await Member.get(id=won[0].owner_id)
    for lost in outcomes:
        if lost is not won[0]:
            assert isinstance(lost, no.NotOwner), outcomes
            assert lost.owner == holder.slack_user_id
    assert await AuditEntry.filter(verb="claimed").count() == 1


async def test_P1_a_claim_is_not_lost_to_news_from_stripe_at_the_same_moment(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await Subscription.filter(id=live.id).update(version=live.version + 5)  # written since the button was shown
    assert (await owner.claim(town.desk, town.members[1], subscription=live)).owner_id == town.members[1].id


async def test_P1_claiming_is_on_the_record_ends_open_offers_and_moves_stripes_letters(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    offer = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    await leaves(town)
    fresh = await owner.claim(town.desk, town.members[1], subscription=live)
    await owner.tell_stripe(town.desk, fresh)
    entry = await AuditEntry.get(verb="claimed")
    assert (entry.actor_id, entry.before, entry.after) == (town.members[1].id, {"owner": "U001"}, {"owner": "U002"})
    assert (await Quote.get(id=offer.id)).state == QuoteState.SUPERSEDED
    assert town.objects("customer")[-1]["email"] == "person2@example.com"
    assert await Admin.filter(member_id=town.members[0].id, until=None).count() == 1  # the former stays admin (R28)


async def test_P1_while_stripe_is_away_its_letters_still_find_their_way_to_whoever_claimed(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 99})
    await owner.tell_stripe(town.desk, await owner.claim(town.desk, town.members[1], subscription=live))
    town.stripe.account.faults.api.clear()
    await upkeep.look(town.desk)
    assert town.objects("customer")[-1]["email"] == "person2@example.com"
    assert await upkeep.letters.look(town.desk) == 0


async def test_R30_cut_off_before_stripe_was_told_its_letters_go_to_the_new_owner_all_the_same(town: Town) -> None:
    live = await owned(town)
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[3])  # and here we died
    await upkeep.look(town.desk)
    assert town.objects("customer")[-1]["email"] == "person4@example.com"


async def test_P1_what_waited_for_the_owner_goes_to_whoever_claimed(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await copies.plan_due(town.desk)
    waiting = await Notice.get(kind="invoice_copy")
    await Notice.filter(id=waiting.id).update(available_at=clock.now().replace(year=clock.now().year + 1))
    await owner.claim(town.desk, town.members[1], subscription=live)
    due = await Notice.get(id=waiting.id)
    assert due.available_at <= clock.now()
    assert (await notices.addressee(due) or town.members[0]).id == town.members[1].id


async def test_P1_an_owner_who_comes_back_before_anybody_claimed_is_owner_again(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await departures.look(town.desk)
    await copies.plan_due(town.desk)
    await Notice.filter(kind="invoice_copy").update(available_at=clock.now().replace(year=clock.now().year + 1))
    await comes_back(town)
    await departures.look(town.desk)
    with pytest.raises(no.NotOwner) as refused:  # the button in the admin's message is stale
        await owner.claim(town.desk, town.members[1], subscription=live)
    assert refused.value.owner == "U001"
    seen = await page.page(town.desk, await Member.get(id=town.members[0].id), scope=town.scope)
    assert seen.role == "owner"
    assert (await Notice.get(kind="invoice_copy")).available_at <= clock.now()
    assert await Watermark.filter(id__startswith=departures.MARK).count() == 0


async def test_P1_the_next_owner_leaving_too_is_told_anew(town: Town) -> None:
    live = await owned(town, admins_too=(1, 2))
    await leaves(town)
    await departures.look(town.desk)
    await owner.claim(town.desk, town.members[1], subscription=live)
    await leaves(town, 2)
    await departures.look(town.desk)
    assert await told_gone() == [town.members[1].id, town.members[2].id, town.members[2].id]
    assert await AuditEntry.filter(verb="owner_back").count() == 0


async def test_P1_renewals_go_on_while_the_owner_is_gone(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await upkeep.look(town.desk)
    town.clock.move_to(live.current_period_end)
    town.move(hours=2)
    for _ in range(4):
        await town.stripe.process_due()
    renewed = await sync.subscription(town.desk, live.id)
    assert renewed is not None
    assert (renewed.status, renewed.current_period_start) == ("active", live.current_period_end)


async def test_P1_an_owner_of_an_ended_subscription_who_leaves_is_nobodys_matter(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await departures.look(town.desk)
    await town.desk.payments.cancel_now(live.id, credit=False)
    await sync.subscription(town.desk, live.id)
    await departures.look(town.desk)
    assert await Watermark.filter(id__startswith=departures.MARK).count() == 0
    with pytest.raises(no.NotSubscribed):
        await owner.claim(town.desk, town.members[1], subscription=live)


async def test_P1_somebody_of_another_workspace_cannot_claim(town: Town) -> None:
    live = await owned(town, admins_too=(1,))
    await leaves(town)
    await directory.ensure_workspace("T2", name="Elsewhere")
    stranger = await directory.upsert_member("T2", person(70, is_workspace_admin=True))
    with pytest.raises(no.NotSubscribed):
        await owner.claim(town.desk, stranger, subscription=live)


async def test_R26_an_owner_who_leaves_the_team_stays_owner_but_could_not_be_made_one(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await bought_for_team(town, team)
    await directory.set_team_members(team, ["U002", "U003"])
    await departures.look(town.desk)
    assert await Notice.filter(kind="owner_gone").count() == 0
    assert (await page.page(town.desk, town.members[0], scope=team)).role == "owner"
    handed = await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
    with pytest.raises(no.OwnerNotEligible) as refused:
        await owner.hand_over(town.desk, town.members[1], subscription=handed, to=town.members[0])
    assert refused.value.reason == "not_a_member"


async def test_P1_an_audit_entry_is_never_written_twice_by_two_schedulers(town: Town) -> None:
    await owned(town, admins_too=(1,))
    await leaves(town)
    await asyncio.gather(*(departures.look(town.desk) for _ in range(5)))
    assert await AuditEntry.filter(verb="owner_gone").count() == 1
    assert await told_gone() == [town.members[1].id]
