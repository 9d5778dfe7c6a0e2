"""A change changes one thing: every pair of seats, plan, interval, cancellation, waiting decrease and waiting downgrade.

What is done second leaves what was done first as it is, or replaces it where the two can't both be: a newer waiting change takes
the place of an older one, and an immediate change of plan takes the place of whatever waits.
"""

import asyncio
from itertools import permutations

import pytest

from bot.views import confirmation
from bot.views.terms import per_interval
from bot.words import Words
from domain.actions import cancel, owner, plan, seats
from domain.actions.resuming import resume_accepted
from domain.records import Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from sandbox.stripe import subscription_updates
from tests.domain.conftest import Town


async def do(town: Town, what: str, live: Subscription) -> Quote | Subscription:
    """One change of a monthly premium plan of twenty seats."""
    owner = town.members[0]
    if what == "cancel":
        return await cancel.cancel(town.desk, owner, subscription=live)
    if what == "more seats":
        quote = await seats.offer_seats(town.desk, owner, subscription=live, seats=25)
    elif what == "fewer seats":
        quote = await seats.offer_seats(town.desk, owner, subscription=live, seats=10)
    elif what == "higher plan":
        quote = await plan.offer(town.desk, owner, subscription=live, plan="business")
    elif what == "longer":
        quote = await plan.offer(town.desk, owner, subscription=live, interval="year")
    else:
        raise AssertionError(what)
    return await town.confirm(quote)


NOW = {"more seats": {"seats": 25}, "higher plan": {"plan": "business"}, "longer": {"interval": "year"}}
START = {"seats": 20, "plan": "premium", "interval": "month"}


def terms(live: Subscription) -> dict[str, object]:
    return {"seats": live.seats, "plan": live.plan, "interval": str(live.interval)}


@pytest.mark.parametrize(("first", "second"), list(permutations(NOW, 2)))
async def test_M2_M3_two_immediate_changes_each_change_one_thing(town: Town, first: str, second: str) -> None:
    live = await town.upgraded(interval="month", seats=20)
    town.move(days=5)
    await do(town, first, live)
    town.move(days=5)
    await do(town, second, await town.fresh(live))
    now = await town.fresh(live)
    assert terms(now) == START | NOW[first] | NOW[second]
    assert now.cancel_at is None


@pytest.mark.parametrize("first", NOW)
async def test_R46_cancelling_leaves_the_terms_as_they_are(town: Town, first: str) -> None:
    live = await town.upgraded(interval="month", seats=20)
    await do(town, first, live)
    await do(town, "cancel", await town.fresh(live))
    now = await town.fresh(live)
    assert terms(now) == START | NOW[first]
    assert now.cancel_at == now.current_period_end


@pytest.mark.parametrize("second", NOW)
async def test_R46_an_immediate_change_leaves_a_cancellation_as_it_is(town: Town, second: str) -> None:
    live = await town.upgraded(interval="month", seats=20)
    await do(town, "cancel", live)
    await do(town, second, await town.fresh(live))
    now = await town.fresh(live)
    assert terms(now) == START | NOW[second]
    assert now.cancel_at == now.current_period_end


async def test_R46_a_cancelled_plan_that_becomes_annual_ends_with_the_year_that_was_paid(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=20)
    await do(town, "cancel", live)
    await do(town, "longer", await town.fresh(live))
    await town.let_pass(days=360)
    assert (await town.fresh(live)).is_live
    await town.let_pass(days=10)
    assert not (await town.fresh(live)).is_live
    assert len([each for each in town.objects("invoice") if each["amount_paid"]]) == 2


@pytest.mark.parametrize("waiting", ["fewer seats", "lower plan", "shorter"])
async def test_R46_cancelling_forgets_what_waits_for_a_renewal_that_never_comes(town: Town, waiting: str) -> None:
    live = await waiting_for(town, waiting)
    await do(town, "cancel", live)
    now = await town.fresh(live)
    assert (now.next_at, now.schedule_id, now.cancel_at) == (None, None, now.current_period_end)


@pytest.mark.parametrize("waiting", ["fewer seats", "lower plan", "shorter"])
async def test_R46_M3_a_change_at_a_renewal_that_never_comes_is_refused_and_undoes_no_cancellation(
    town: Town, waiting: str
) -> None:
    live = await town.upgraded(plan="premium", interval="year", seats=20)
    if waiting == "lower plan":
        await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, plan="business"))
    await cancel.cancel(town.desk, town.members[0], subscription=await town.fresh(live))
    with pytest.raises(no.EndsAnyway):
        await wish_for(town, waiting, await town.fresh(live))
    now = await town.fresh(live)
    assert (now.cancel_at, now.schedule_id) == (now.current_period_end, None)


async def wish_for(town: Town, what: str, live: Subscription) -> Quote:
    """The offer of a change that waits for the renewal."""
    owner = town.members[0]
    if what == "fewer seats":
        return await seats.offer_seats(town.desk, owner, subscription=live, seats=10)
    if what == "lower plan":
        return await plan.offer(town.desk, owner, subscription=live, plan="premium")
    return await plan.offer(town.desk, owner, subscription=live, interval="month")


async def waiting_for(town: Town, what: str) -> Subscription:
    """A yearly business plan of twenty seats out of its trial, with a change that waits for its renewal."""
    live = await town.upgraded(plan="business", interval="year", seats=20)
    await town.let_pass(days=31)
    await town.confirm(await wish_for(town, what, await town.fresh(live)))
    found = await town.fresh(live)
    assert found.next_at is not None
    return found


def waits(live: Subscription) -> dict[str, object]:
    return {
        "seats": live.next_seats,
        "plan": live.next_plan,
        "interval": live.next_interval and str(live.next_interval),
    }


WAITING = {"fewer seats": {"seats": 10}, "lower plan": {"plan": "premium"}, "shorter": {"interval": "month"}}
YEARLY = {"seats": 20, "plan": "business", "interval": "year"}


@pytest.mark.parametrize(("first", "second"), list(permutations(WAITING, 2)))
async def test_M2_M3_a_newer_waiting_change_takes_the_place_of_the_one_before(
    town: Town, first: str, second: str
) -> None:
    live = await waiting_for(town, first)
    await town.confirm(await wish_for(town, second, live))
    now = await town.fresh(live)
    assert terms(now) == YEARLY
    assert waits(now) == YEARLY | WAITING[second]


@pytest.mark.parametrize("waiting", ["lower plan", "shorter"])
async def test_M2_more_seats_now_leave_a_waiting_change_of_plan_alone_and_go_with_it(town: Town, waiting: str) -> None:
    live = await waiting_for(town, waiting)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=25)
    await town.confirm(quote)
    t = Words("en-US")
    shown = str(confirmation.offer(t, town.desk, quote, payment_method=None).blocks)
    every = "month" if waiting == "shorter" else "year"
    assert per_interval(t, quote.next_total, "sek", every) in shown.replace("\\xa0", "\u00a0")
    now = await town.fresh(live)
    assert terms(now) == YEARLY | {"seats": 25}
    assert waits(now) == YEARLY | WAITING[waiting] | {"seats": 25}
    await town.let_pass(days=366)
    renewal = [each for each in town.objects("invoice") if each["billing_reason"] == "subscription_cycle"]
    assert quote.next_total in {each["total"] for each in renewal}


async def test_M2_more_seats_now_take_the_place_of_fewer_that_waited(town: Town) -> None:
    live = await waiting_for(town, "fewer seats")
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=25))
    now = await town.fresh(live)
    assert (terms(now), now.next_at) == (YEARLY | {"seats": 25}, None)


AWAY = {"kind": "api_error", "times": 99, "path": "/subscription_schedules"}


@pytest.mark.parametrize("waiting", ["fewer seats", "lower plan"])
async def test_M2_M3_more_seats_are_not_done_before_what_waits_goes_with_them(town: Town, waiting: str) -> None:
    live = await waiting_for(town, waiting)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=25)
    town.stripe.account.faults.api.append(AWAY | {})  # right after the charge
    with pytest.raises(no.PaymentsAway):
        await town.confirm(quote)
    await town.fresh(live)  # and the news of the charge comes
    town.stripe.account.faults.api.clear()
    town.move(minutes=3)
    await resume_accepted(town.desk)
    now = await town.fresh(live)
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED
    assert [each["amount_paid"] for each in town.objects("invoice")].count(quote.due_now) == 1
    await town.let_pass(days=366)
    renewed = await town.fresh(now)
    assert terms(renewed) == YEARLY | {"seats": 25} | (WAITING[waiting] if waiting == "lower plan" else {})


async def test_M3_a_longer_interval_is_not_undone_by_what_waited_for_the_month_it_was_bought_in(town: Town) -> None:
    live = await town.upgraded(plan="premium", interval="month", seats=20)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    quote = await plan.offer(town.desk, town.members[0], subscription=await town.fresh(live), interval="year")
    town.stripe.account.faults.api.append(AWAY | {})
    with pytest.raises(no.PaymentsAway):
        await town.confirm(quote)
    town.stripe.account.faults.api.clear()
    await owner.hand_over(town.desk, town.members[0], subscription=await town.fresh(live), to=town.members[1])
    town.move(days=2)  # Stripe has forgotten its keys, and billing is somebody else's
    await resume_accepted(town.desk)
    await town.let_pass(days=40)
    now = await town.fresh(live)
    assert (terms(now), now.next_at) == (START | {"interval": "year"}, None)
    assert await town.told("change_failed") == []


async def test_M3_what_waits_is_forgotten_by_two_at_once_without_a_refusal(town: Town) -> None:
    live = await waiting_for(town, "fewer seats")
    assert live.schedule_id is not None
    await asyncio.gather(*(town.desk.payments.release_schedule(live.schedule_id) for _ in range(2)))
    assert (await town.fresh(live)).next_at is None


async def test_M3_an_immediate_change_of_plan_takes_the_place_of_what_waited(town: Town) -> None:
    live = await town.upgraded(plan="premium", interval="month", seats=20)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    await town.confirm(
        await plan.offer(town.desk, town.members[0], subscription=await town.fresh(live), interval="year")
    )
    now = await town.fresh(live)
    assert (terms(now), now.next_at) == (START | {"interval": "year"}, None)


async def test_M3_a_change_that_waited_does_not_come_back_with_the_renewal_after_it(town: Town) -> None:
    live = await waiting_for(town, "fewer seats")
    await town.let_pass(days=366)
    after = await town.fresh(live)
    assert (terms(after), after.next_at, after.cancel_at) == (YEARLY | {"seats": 10}, None, None)
    await town.let_pass(days=366)
    assert terms(await town.fresh(live)) == YEARLY | {"seats": 10}


async def test_R46_a_cancellation_made_on_stripes_portal_is_taken_back_too(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=20)
    end = int(live.current_period_end.timestamp())
    subscription_updates.update(town.stripe.account, {"cancel_at": end}, live.id)  # a date, and not the flag
    cancelled = await town.fresh(live)
    assert cancelled.cancel_at == live.current_period_end
    now = await cancel.resume(town.desk, town.members[0], subscription=cancelled)
    assert (now.cancel_at, terms(now)) == (None, START)
    await town.let_pass(days=40)
    assert (await town.fresh(live)).is_live


async def test_R46_a_plan_cancelled_for_a_day_that_becomes_annual_ends_with_the_year_that_was_paid(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=20)
    end = int(live.current_period_end.timestamp())
    subscription_updates.update(town.stripe.account, {"cancel_at": end}, live.id)  # as Stripe's portal does it
    await do(town, "longer", await town.fresh(live))
    now = await town.fresh(live)
    assert now.cancel_at == now.current_period_end
    await town.let_pass(days=360)
    assert (await town.fresh(live)).is_live
    await town.let_pass(days=10)
    assert not (await town.fresh(live)).is_live


async def test_R46_resuming_leaves_the_terms_as_they_are(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=20)
    await do(town, "cancel", live)
    now = await cancel.resume(town.desk, town.members[0], subscription=await town.fresh(live))
    assert (terms(now), now.cancel_at, now.next_at) == (START, None, None)
