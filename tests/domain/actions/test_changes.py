"""Seats and plans of a live subscription: the price shown is the price charged, and nothing is charged twice."""

import pytest

from domain import directory, sync
from domain.actions import changes, plan, seats
from domain.actions.resuming import resume_accepted
from domain.records import Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from domain.rules.sizes import SeatsAsked
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, person


async def fresh(town: Town) -> Subscription:
    """The live subscription, as Stripe has it."""
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    found = await sync.subscription(town.desk, live.id)
    assert found is not None
    return found


async def give_card(town: Town, number: str) -> None:
    """The owner saves another card."""
    live = await fresh(town)
    await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example/back")
    session = town.objects("billing_portal.session")[-1]
    await town.stripe.account.save_portal_payment_method(session["id"], Payment("card", number=number))


@pytest.mark.parametrize("days", [0, 1, 40, 182, 364])
async def test_M1_more_seats_cost_exactly_what_was_shown_on_any_day(town: Town, days: int) -> None:
    live = await town.upgraded(seats=10)
    town.move(days=days, seconds=17)
    quote = await seats.offer(town.desk, town.members[0], subscription=live, asked=SeatsAsked(5, relative=True))
    town.move(minutes=7)  # people think before they press
    done = await town.confirm(quote)
    charged = town.objects("invoice")[-1]
    assert (done.state, charged["amount_paid"], charged["status"]) == (QuoteState.APPLIED, quote.due_now, "paid")
    assert (await fresh(town)).seats == 15


async def test_M2_a_declined_card_changes_nothing(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await give_card(town, "4000000000000341")
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    with pytest.raises(no.PaymentDeclined):
        await town.confirm(quote)
    assert (await fresh(town)).seats == 10
    assert [each["status"] for each in town.objects("invoice")] == ["paid", "void"]
    await give_card(town, "4242424242424242")
    again = await seats.offer_seats(town.desk, town.members[0], subscription=await fresh(town), seats=20)
    assert (await town.confirm(again)).state == QuoteState.APPLIED
    assert (await fresh(town)).seats == 20


async def test_M2_fewer_seats_come_at_the_renewal_and_charge_nothing_now(town: Town) -> None:
    live = await town.upgraded(seats=20)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10)
    await town.confirm(quote)
    waiting = await fresh(town)
    assert (waiting.seats, waiting.next_seats, waiting.next_at) == (20, 10, waiting.current_period_end)
    assert len(town.objects("invoice")) == 1
    town.move(days=366)
    await town.stripe.process_due()
    assert (await fresh(town)).seats == 10


async def test_M2_wishing_for_todays_seats_takes_a_waiting_decrease_back(town: Town) -> None:
    live = await town.upgraded(seats=20)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=await fresh(town), seats=20)
    await town.confirm(quote)
    now = await fresh(town)
    assert (now.seats, now.next_at) == (20, None)


async def test_M2_seats_below_members_are_refused(town: Town) -> None:
    live = await town.upgraded(seats=20)
    with pytest.raises(no.SeatsBelowMembers):
        await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=5)


async def test_M3_a_higher_plan_comes_at_once_with_credit_for_unused_time(town: Town) -> None:
    live = await town.upgraded(plan="premium", seats=10)
    town.move(days=100)
    quote = await plan.offer(town.desk, town.members[0], subscription=live, plan="business")
    assert any(line["amount"] < 0 for line in quote.lines)
    await town.confirm(quote)
    assert town.objects("invoice")[-1]["amount_paid"] == quote.due_now
    assert (await fresh(town)).plan == "business"
    assert (await fresh(town)).seats == 10


async def test_M3_a_lower_plan_waits_for_the_periods_end_and_can_be_undone(town: Town) -> None:
    live = await town.upgraded(plan="premium", interval="year", seats=10)
    await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, interval="month"))
    waiting = await fresh(town)
    assert (waiting.interval, waiting.next_interval) == ("year", "month")
    await town.confirm(await plan.offer(town.desk, town.members[0], subscription=waiting, interval="year"))
    assert (await fresh(town)).next_at is None


async def test_a_change_of_plan_leaves_the_seats_and_a_change_of_seats_the_waiting_plan(town: Town) -> None:
    live = await town.upgraded(plan="premium", interval="year", seats=10)
    await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, interval="month"))
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=await fresh(town), seats=15)
    await town.confirm(quote)
    now = await fresh(town)
    assert (now.seats, now.interval, now.next_interval, now.next_seats) == (15, "year", "month", 15)


async def test_R33_an_admin_who_is_not_the_owner_is_refused_and_told_who_is(town: Town) -> None:
    live = await town.upgraded(owner=town.members[2])
    with pytest.raises(no.NotOwner) as refused:
        await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    assert refused.value.owner == town.members[2].slack_user_id


async def test_M1_a_price_that_changed_meanwhile_is_shown_again_and_not_charged(town: Town) -> None:
    live = await town.upgraded(seats=10)
    small = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], small.id)
    await town.desk.payments.change_now(  # somebody changes it in Stripe's dashboard
        live.id, live.item_id, live.price_id, 20, proration_date=small.offered_at, key="dashboard"
    )
    invoices = len(town.objects("invoice"))
    with pytest.raises((no.QuoteChanged, no.Refusal)):
        await changes.carry_out(town.desk, accepted)
    assert len(town.objects("invoice")) == invoices
    assert (await Quote.get(id=small.id)).state == QuoteState.FAILED


async def test_members_who_joined_meanwhile_stop_a_decrease(town: Town) -> None:
    live = await town.upgraded(seats=20)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    for number in range(40, 45):
        await directory.upsert_member(town.workspace, person(number))
    with pytest.raises(no.Refusal):
        await changes.carry_out(town.desk, accepted)
    assert (await fresh(town)).next_at is None


async def test_accepted_twice_and_carried_out_twice_it_is_charged_once(town: Town) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    await town.confirm(quote)
    await town.confirm(quote)
    assert len(town.objects("invoice")) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before Stripe did it", "after Stripe did it"])
async def test_cut_off_around_the_charge_it_is_carried_on_and_charged_once(town: Town, after: bool) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    if after:  # Stripe did it, and we died before we heard
        assert accepted.proration_date is not None
        await town.desk.payments.change_now(
            live.id,
            live.item_id,
            live.price_id,
            15,
            proration_date=accepted.proration_date,
            key=f"{quote.id}:change",
        )
    town.move(minutes=3)
    assert await resume_accepted(town.desk) == 1
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED
    assert [each["amount_paid"] for each in town.objects("invoice")][1:] == [quote.due_now]


@pytest.mark.parametrize("kind", ["api_error", "rate_limited"])
async def test_stripe_away_leaves_the_intent_and_charges_once_when_it_is_back(town: Town, kind: str) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    town.stripe.account.faults.api.append({"kind": kind, "times": 30})
    with pytest.raises(no.PaymentsAway):
        await changes.carry_out(town.desk, accepted)
    town.stripe.account.faults.api.clear()
    town.move(minutes=5)
    await resume_accepted(town.desk)
    assert town.objects("invoice")[-1]["amount_paid"] == quote.due_now
    assert len(town.objects("invoice")) == 2


async def test_a_quote_older_than_it_may_be_is_over(town: Town) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    town.move(hours=1)
    with pytest.raises(no.QuoteOver):
        await changes.accept(town.desk, town.members[0], quote.id)


async def test_a_newer_offer_replaces_the_one_before(town: Town) -> None:
    live = await town.upgraded(seats=10)
    first = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    with pytest.raises(no.QuoteOver):
        await changes.accept(town.desk, town.members[0], first.id)


async def test_it_is_so_already(town: Town) -> None:
    live = await town.upgraded(seats=10)
    with pytest.raises(no.NothingToChange):
        await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10)
    with pytest.raises(no.NothingToChange):
        await plan.offer(town.desk, town.members[0], subscription=live, plan="premium")
