"""Members outgrow the seats (M6), and decreases that would be too small by renewal (M2)."""

import asyncio

import pytest

from domain import clock, directory, sync, upkeep
from domain.actions import plan, seats
from domain.notices import addressee
from domain.queue import QueueState
from domain.records import AuditEntry, Member, Notice, Subscription
from domain.rules.refusals import PaymentsAway
from domain.upkeep import decreases, growth
from tests.domain.conftest import Town, make_team, person


async def join(town: Town, count: int, *, first: int = 40) -> None:
    """More members."""
    for number in range(first, first + count):
        await directory.upsert_member(town.workspace, person(number))


async def leave(town: Town, count: int, *, first: int = 40) -> None:
    for number in range(first, first + count):
        await directory.upsert_member(town.workspace, person(number, is_deactivated=True))


async def outgrown() -> list[tuple[int, int, int | None]]:
    """(members, seats, size) of each time an owner was told."""
    told = await Notice.filter(kind="outgrown").order_by("created_at")
    return [(each.facts["members"], each.facts["seats"], each.facts["size"]) for each in told]


async def fresh(live: Subscription) -> Subscription:
    return await Subscription.get(id=live.id)


# --- M6 ---


async def test_M6_members_who_fit_are_no_news(town: Town) -> None:
    await town.upgraded(seats=10)
    await join(town, 2)
    assert await growth.look(town.desk) == 0
    assert await outgrown() == []


async def test_M6_the_owner_is_told_once_for_a_number_of_seats_and_the_size_that_fits(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await join(town, 3)
    for _ in range(3):
        await growth.look(town.desk)
    await join(town, 2, first=50)  # 13 members: 15 seats still fit
    await growth.look(town.desk)
    assert await outgrown() == [(11, 10, 15)]
    await join(town, 5, first=60)
    await growth.look(town.desk)
    assert await outgrown() == [(11, 10, 15), (18, 10, 20)]
    notice = await Notice.filter(kind="outgrown").first()
    assert notice is not None
    reader = await addressee(notice)
    assert reader is not None
    assert reader.id == live.owner_id


async def test_M6_seats_are_never_added_silently(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await join(town, 30)
    await upkeep.look(town.desk)
    found = await sync.subscription(town.desk, live.id)
    assert found is not None
    assert found.seats == 10
    assert len(town.objects("invoice")) == 1


async def test_M6_guests_bots_and_deactivated_people_do_not_outgrow_anything(town: Town) -> None:
    await town.upgraded(seats=10)
    for number, facts in enumerate(({"is_guest": True}, {"is_bot": True}, {"is_deactivated": True}) * 3):
        await directory.upsert_member(town.workspace, person(40 + number, **facts))
    await growth.look(town.desk)
    assert await outgrown() == []


async def test_M6_two_schedulers_tell_it_once(town: Town) -> None:
    await town.upgraded(seats=10)
    await join(town, 3)
    await asyncio.gather(*(growth.look(town.desk) for _ in range(5)))
    assert len(await outgrown()) == 1


async def test_M6_a_team_outgrows_its_own_seats_and_the_rest_of_the_workspace_does_not_matter(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    whole, town.scope = town.scope, team
    await town.upgraded(seats=4)
    town.scope = whole
    await join(town, 20)
    await growth.look(town.desk)
    assert await outgrown() == []
    await directory.set_team_members(team, [member.slack_user_id for member in town.members[:5]])
    await growth.look(town.desk)
    assert await outgrown() == [(5, 4, 5)]


async def test_M6_manually_invoiced_it_is_a_matter_for_sales(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await Subscription.filter(id=live.id).update(collection_method="send_invoice")
    await join(town, 3)
    await growth.look(town.desk)
    assert [each.facts["through_sales"] for each in await Notice.filter(kind="outgrown")] == [True]


async def test_M6_more_members_than_any_size_is_a_matter_for_sales(town: Town) -> None:
    await town.upgraded(seats=10)
    everyone = [person(number) for number in range(1, 5_003)]
    await directory.replace_members(town.workspace, everyone)
    await growth.look(town.desk)
    assert await outgrown() == [(5_002, 10, None)]
    assert [each.facts["through_sales"] for each in await Notice.filter(kind="outgrown")] == [True]


async def test_M6_counting_many_at_once_is_counting_each(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    await directory.upsert_member(town.workspace, person(40, is_guest=True))
    await directory.set_team_members(team, ["U001", "U002", "U040"])
    empty = await directory.ensure_scope(town.workspace, slack_ref="S009", name="Empty", kind=team.kind)
    whole = await directory.whole(town.workspace)
    scopes = [whole, team, empty]
    together = await directory.members_in_each(scopes, town.desk.catalogue)
    assert together == {each.id: await directory.members_in(each, town.desk.catalogue) for each in scopes}
    assert [together[each.id] for each in scopes] == [8, 2, 0]


# --- M2: fewer seats at renewal, checked again ---


async def waiting_for(town: Town, wanted: int, *, plan_too: bool = False) -> Subscription:
    """Twenty seats, and fewer from the renewal on."""
    live = await town.upgraded(seats=20)
    if plan_too:
        await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, interval="month"))
        live = await fresh(live)
        found = await town.desk.payments.subscription(live.id)
        assert found is not None
        price = await town.desk.payments.price(
            town.desk.catalogue.for_sale[0], found.next_interval or found.interval, found.currency
        )
        await town.desk.payments.schedule_change(found, price.id, wanted, key="both")
    else:
        await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=wanted))
    found_again = await sync.subscription(town.desk, live.id)
    assert found_again is not None
    assert found_again.next_seats == wanted
    return found_again


async def the_eve(town: Town, live: Subscription) -> None:
    """The day before the renewal."""
    town.clock.move_to(live.current_period_end - decreases.EVE)
    town.move(minutes=1)


async def test_M2_a_decrease_that_fits_on_its_eve_goes_through(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 2)
    await the_eve(town, live)
    assert await decreases.look(town.desk) == 0
    assert (await fresh(live)).next_seats == 10
    assert await Notice.filter(kind="decrease_stopped").count() == 0


async def test_M2_with_more_members_than_the_seats_to_come_it_is_taken_back_and_the_owner_told_once(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 4)
    await the_eve(town, live)
    for _ in range(3):
        await decreases.look(town.desk)
    found = await town.desk.payments.subscription(live.id)
    assert found is not None
    assert (found.seats, found.next_at) == (20, None)
    notice = await Notice.get(kind="decrease_stopped")
    assert {name: notice.facts[name] for name in ("wanted", "members", "seats", "at")} == {
        "wanted": 10,
        "members": 12,
        "seats": 20,
        "at": live.current_period_end.isoformat(),
    }
    assert notice.available_at <= clock.now()
    entry = await AuditEntry.get(verb="decrease_stopped")
    assert (entry.before["seats"], entry.after["seats"]) == (10, 20)
    town.clock.move_to(live.current_period_end)
    town.move(hours=2)
    for _ in range(4):
        await town.stripe.process_due()
    renewed = await sync.subscription(town.desk, live.id)
    assert renewed is not None
    assert renewed.seats == 20


async def test_M2_stopped_wished_for_again_and_stopped_again_the_owner_is_told_again(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 4)
    await the_eve(town, live)
    await decreases.look(town.desk)
    await leave(town, 4)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=await fresh(live), seats=10))
    await join(town, 4)
    await decreases.look(town.desk)
    assert (await fresh(live)).next_at is None
    assert await Notice.filter(kind="decrease_stopped").count() == 2


async def test_M2_it_is_not_stopped_before_its_eve_since_members_may_leave_again(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 4)
    town.clock.move_to(live.current_period_end - 2 * decreases.EVE)
    assert await decreases.look(town.desk) == 0
    due = await decreases.next_due(town.desk)
    assert due == live.current_period_end - decreases.EVE
    await leave(town, 4)
    await the_eve(town, live)
    assert await decreases.look(town.desk) == 0
    assert (await fresh(live)).next_seats == 10


async def test_M2_members_who_join_on_the_last_day_stop_it_too(town: Town) -> None:
    live = await waiting_for(town, 10)
    await the_eve(town, live)
    assert await decreases.look(town.desk) == 0
    town.move(hours=20)
    await join(town, 4)
    await upkeep.people_changed(town.desk, town.workspace)
    assert (await fresh(live)).next_at is None


async def test_M2_M3_a_change_of_plan_that_waits_for_the_same_renewal_is_kept_with_todays_seats(town: Town) -> None:
    live = await waiting_for(town, 10, plan_too=True)
    await join(town, 4)
    await the_eve(town, live)
    await decreases.look(town.desk)
    kept = await fresh(live)
    assert (kept.next_interval, kept.next_seats, kept.next_at) == ("month", 20, live.current_period_end)
    assert await Notice.filter(kind="decrease_stopped").count() == 1


async def test_M2_while_stripe_is_away_nothing_is_told_and_it_is_done_when_it_is_back(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 4)
    await the_eve(town, live)
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 30, "path": "/release"})
    with pytest.raises(PaymentsAway):
        await decreases.look(town.desk)
    assert await Notice.filter(kind="decrease_stopped", available_at__lte=clock.now()).count() == 0
    town.stripe.account.faults.api.clear()
    assert await decreases.look(town.desk) == 1
    notice = await Notice.get(kind="decrease_stopped")
    assert (notice.state, notice.available_at <= clock.now()) == (QueueState.QUEUED, True)
    assert (await fresh(live)).next_at is None


async def test_M2_taken_back_but_never_heard_of_the_owner_is_told_all_the_same(town: Town) -> None:
    live = await waiting_for(town, 10)
    await join(town, 4)
    await the_eve(town, live)
    found = await town.desk.payments.subscription(live.id)
    assert found is not None
    await live.fetch_related("scope")
    await decreases._write_down(town.desk, live, found, 12, "decrease_stopped:cut_off")
    await decreases._take_back(town.desk, found)  # and here we died
    await sync.subscription(town.desk, live.id)  # the webhook is faster than the next look
    assert (await fresh(live)).next_at is None
    await decreases.look(town.desk)
    town.clock.move_to(clock.now() + decreases.PATIENCE)
    assert await Notice.filter(kind="decrease_stopped", available_at__lte=clock.now()).count() == 1
    assert await AuditEntry.filter(verb="decrease_stopped").count() == 1


async def test_M2_M6_after_a_renewal_with_too_few_seats_the_owner_is_told_of_the_next_size(town: Town) -> None:
    live = await waiting_for(town, 10)
    town.clock.move_to(live.current_period_end)  # nobody looked on the eve
    town.move(hours=2)
    for _ in range(4):
        await town.stripe.process_due()
    await sync.subscription(town.desk, live.id)
    await join(town, 4)
    await upkeep.look(town.desk)
    assert await outgrown() == [(12, 10, 15)]
    assert await Member.filter(workspace_id=town.workspace, is_deactivated=False).count() == 12
