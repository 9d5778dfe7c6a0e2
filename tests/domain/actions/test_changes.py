"""Seats and plans of a live subscription: the price shown is the price charged, and nothing is charged twice."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain import directory, sync
from domain.actions import changes, plan, seats
from domain.actions.resuming import resume_accepted
from domain.desk import Desk
from domain.payments import Payments
from domain.records import Quote, Subscription
from domain.records.people import ScopeKind
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from domain.rules.sizes import SeatsAsked
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, make_team, person, settle
from tests.sandbox.stripe.shop import KEY


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


async def test_seats_wished_for_with_another_plan_are_kept_in_mind_and_not_bought(town: Town) -> None:
    live = await town.upgraded(plan="premium", seats=10)
    quote = await plan.offer(town.desk, town.members[0], subscription=live, plan="business", seats_asked=23)
    assert (quote.seats, quote.seats_asked) == (10, 25)
    again = await changes.reoffer(town.desk, quote, live)
    assert (again.seats, again.seats_asked) == (10, 25)
    await town.confirm(again)
    assert ((await fresh(town)).plan, (await fresh(town)).seats) == ("business", 10)


@pytest.mark.parametrize(
    ("seats_asked", "refusal"), [(0, no.SeatsTooFew), (-5, no.SeatsTooFew), (10**30, no.SeatsTooMany)]
)
async def test_seats_nobody_can_have_are_refused_with_another_plan_too(
    town: Town, seats_asked: int, refusal: type[no.Refusal]
) -> None:
    live = await town.upgraded(plan="premium", seats=10)
    with pytest.raises(refusal):
        await plan.offer(town.desk, town.members[0], subscription=live, plan="business", seats_asked=seats_asked)


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


@pytest.mark.parametrize("status", [401, 403])
async def test_what_was_confirmed_while_stripe_refuses_us_is_not_called_failed_and_then_charged(
    town: Town, status: int
) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    refuse = {"kind": "api_error", "status": status, "path": "/subscriptions", "times": 99}
    town.stripe.account.faults.api.append(refuse)
    with pytest.raises(no.PaymentsAway):
        await changes.carry_out(town.desk, accepted)
    town.move(minutes=5)
    await resume_accepted(town.desk)
    assert await town.told("change_failed") == []
    town.stripe.account.faults.api.clear()
    await resume_accepted(town.desk)
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED
    assert town.objects("invoice")[-1]["amount_paid"] == quote.due_now


async def test_what_stripe_refuses_to_show_for_a_day_has_failed_and_is_never_charged(town: Town) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    await changes.accept(town.desk, town.members[0], quote.id)
    refuse = {"kind": "api_error", "status": 403, "path": "/subscriptions", "times": 99}
    town.stripe.account.faults.api.append(refuse)
    town.move(hours=24)
    await resume_accepted(town.desk)
    assert len(await town.told("change_failed")) == 1
    town.stripe.account.faults.api.clear()
    await resume_accepted(town.desk)
    assert (await Quote.get(id=quote.id)).state == QuoteState.FAILED
    assert len(town.objects("invoice")) == 1


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


async def test_M1_stripe_away_while_the_new_price_is_worked_out_leaves_the_intent_as_was_said(town: Town) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    await town.desk.payments.change_now(  # somebody changes it in Stripe's dashboard
        live.id, live.item_id, live.price_id, 15, proration_date=quote.offered_at, key="dashboard"
    )
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 99, "path": "/invoices/create_preview"})
    with pytest.raises(no.PaymentsAway):
        await changes.carry_out(town.desk, accepted)
    town.stripe.account.faults.api.clear()
    town.move(minutes=3)
    await resume_accepted(town.desk)
    told = await town.told("change_failed")
    assert [notice.facts["refusal"] for notice in told] == ["QuoteChanged"]
    fresh_one = await Quote.get(id=told[0].facts["facts"]["fresh"])
    assert (fresh_one.state, fresh_one.seats) == (QuoteState.OFFERED, 20)


@pytest.mark.parametrize("wish", [{"plan": "business"}, {"interval": "month"}], ids=["higher now", "shorter later"])
async def test_M3_M6_members_who_have_outgrown_the_seats_keep_nobody_from_another_plan(
    town: Town, wish: dict[str, str]
) -> None:
    live = await town.upgraded(plan="premium", interval="year", seats=10)
    for number in range(40, 45):
        await directory.upsert_member(town.workspace, person(number))
    done = await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, **wish))
    assert done.state == QuoteState.APPLIED
    assert (await fresh(town)).seats == 10


async def dearer(town: Town) -> Desk:
    """The desk after the operator has raised every price by a tenth."""
    plans = tuple(
        replace(each, price={currency: amount * 11 // 10 for currency, amount in each.price.items()})
        for each in town.desk.catalogue.plans
    )
    catalogue = replace(town.desk.catalogue, plans=plans)
    settings = replace(town.desk.settings, stripe_api_key=KEY, stripe_api_url=town.stripe.base_url)
    desk = Desk(settings, catalogue, Payments(settings, catalogue))
    await desk.payments.push_catalogue()
    return desk


@pytest.mark.parametrize("in_trial", [False, True], ids=["at the renewal", "at the trial's end"])
async def test_M1_a_price_that_was_raised_between_is_shown_again_where_nothing_is_charged_yet(
    town: Town, in_trial: bool
) -> None:
    live = await town.upgraded(plan="business" if in_trial else "premium", interval="month", seats=20)
    wished = 25 if in_trial else 10
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=wished)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    desk = await dearer(town)
    try:
        with pytest.raises(no.QuoteChanged) as changed:
            await changes.carry_out(desk, accepted)
        shown = await Quote.get(id=changed.value.fresh)
        assert shown.next_total == quote.next_total * 11 // 10
        assert ((await fresh(town)).seats, (await fresh(town)).next_at) == (20, None)
        again = await changes.accept(desk, town.members[0], shown.id)
        assert (await changes.carry_out(desk, again)).state == QuoteState.APPLIED
    finally:
        await desk.payments.close()


async def test_M1_taking_a_decrease_back_shows_the_price_they_have_and_keep_after_a_raise(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=20)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    desk = await dearer(town)
    try:
        back = await seats.offer_seats(desk, town.members[0], subscription=await fresh(town), seats=20)
        await changes.carry_out(desk, await changes.accept(desk, town.members[0], back.id))
    finally:
        await desk.payments.close()
    await town.let_pass(days=31, hours=2)
    assert back.next_total == town.objects("invoice")[-1]["amount_paid"] == 20 * 12_500


async def test_M2_a_change_that_the_cardholder_confirms_while_it_is_tried_again_is_not_called_declined(
    town: Town,
) -> None:
    live = await town.upgraded(seats=10)
    await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example/back")
    page = town.objects("billing_portal.session")[-1]
    asks = Payment("card", number="4000002760003184", authenticated=True)
    await town.stripe.account.save_portal_payment_method(page["id"], asks)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=await fresh(town), seats=20)
    with pytest.raises(no.PaymentNeedsAction):
        await town.confirm(quote)
    await town.stripe.account.pay_invoice(town.objects("invoice")[-1]["id"], asks)  # unheard
    assert quote.proration_date is not None
    await town.desk.payments.change_now(  # a tick that looked just before tries it once more
        live.id, live.item_id, live.price_id, 20, proration_date=quote.proration_date, key=f"{quote.id}:change"
    )
    assert town.objects("invoice")[-1]["status"] == "paid"
    assert (await fresh(town)).seats == 20
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED


async def test_many_that_wait_for_their_bank_keep_nobody_from_being_carried_on(town: Town) -> None:
    live = await town.upgraded(seats=10)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    for number in range(60):  # older, and not to be settled for hours: Stripe doesn't say how they are
        scope = await directory.ensure_scope(
            town.workspace, slack_ref=f"S{number:03}", name="Team", kind=ScopeKind.TEAM
        )
        other = await Quote.get(id=quote.id)
        other.id, other.scope_id, other.subscription_id = uuid4(), scope.id, f"sub_{number}"
        other.state, other.accepted_at = QuoteState.ACCEPTED, town.clock.now()
        await other.save(force_create=True)
    town.move(seconds=1)
    await changes.accept(town.desk, town.members[0], quote.id)
    town.move(minutes=3)
    await resume_accepted(town.desk)
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED


async def test_what_goes_wrong_with_one_quote_keeps_nobody_from_theirs(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await make_team(town, town.members[:3])
    first = await town.upgraded(scope=team, seats=3)
    broken = await seats.offer_seats(town.desk, town.members[0], subscription=first, seats=5)
    other, members = await settle("T2", 8, first=30)
    second = await town.upgraded(scope=other, by=members[0])
    quote = await seats.offer_seats(town.desk, members[0], subscription=second, seats=15)
    await changes.accept(town.desk, town.members[0], broken.id)
    town.move(seconds=1)
    await changes.accept(town.desk, members[0], quote.id)
    town.move(minutes=3)
    real = changes.carry_out

    async def fails_for_one(desk: Desk, found: Quote) -> Quote:
        if found.id == broken.id:
            raise RuntimeError("something that nobody thought of")
        return await real(desk, found)

    monkeypatch.setattr(changes, "carry_out", fails_for_one)
    await resume_accepted(town.desk)
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED
    assert (await Quote.get(id=broken.id)).state == QuoteState.ACCEPTED
