"""Trials: so many days a plan, once a scope, a reminder before the first charge, and never a charge for who has cancelled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.views import confirmation, page
from bot.words import Words
from domain import sync, upkeep
from domain.actions import cancel, plan, seats
from domain.actions.page import BillingPage
from domain.actions.resuming import resume_accepted
from domain.records import Subscription
from domain.records.quotes import QuoteApplies, QuoteState
from sandbox.stripe import customers
from tests.domain.conftest import Town, make_team

DAYS = 30  # business, in the shipped catalogue


async def in_trial(town: Town, *, interval: str = "month", seats_: int = 10) -> Subscription:
    live = await town.upgraded(plan="business", interval=interval, seats=seats_)
    assert live.status == "trialing"
    return live


def charged(town: Town) -> int:
    """All that was ever taken, minor units."""
    return sum(each["amount"] for each in town.objects("charge") if each["paid"])


async def test_R45_the_trial_lasts_the_plans_days_and_costs_nothing(town: Town) -> None:
    live = await in_trial(town)
    assert live.trial_end is not None
    assert live.trial_end - live.started_at == timedelta(days=DAYS)
    assert charged(town) == 0


async def test_R45_a_plan_without_trial_days_is_charged_at_once(town: Town) -> None:
    live = await town.upgraded(plan="premium", interval="month")
    assert (live.status, charged(town)) == ("active", 10 * 12_500)


async def test_R45_a_team_has_a_trial_of_its_own_though_the_organisation_had_one(town: Town) -> None:
    whole = await in_trial(town)
    await town.desk.payments.cancel_now(whole.id, credit=False)
    await town.fresh(whole)
    team = await town.upgraded(plan="business", scope=await make_team(town, town.members[:3]), seats=3)
    assert team.status == "trialing"


async def test_R45_the_owner_is_reminded_once_before_the_first_charge(town: Town) -> None:
    live = await in_trial(town)
    await town.let_pass(days=DAYS - 3, hours=1)
    for _ in range(3):
        await sync.trial_ending(town.desk, live.id)
    told = await town.told("trial_ending")
    assert [(notice.owner_of_id, notice.facts["amount"]) for notice in told] == [(live.id, 10 * 27_500)]


@pytest.mark.parametrize("wish", ["fewer seats", "lower plan"])
async def test_M1_the_reminder_says_what_will_be_charged_with_the_change_that_waits(town: Town, wish: str) -> None:
    live = await in_trial(town, seats_=20)
    if wish == "fewer seats":
        quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10)
    else:
        quote = await plan.offer(town.desk, town.members[0], subscription=live, plan="premium")
    await town.confirm(quote)
    await town.let_pass(days=DAYS - 3, hours=1)
    await sync.trial_ending(town.desk, live.id)
    [told] = await town.told("trial_ending")
    await town.let_pass(days=3)
    assert told.facts["amount"] == quote.next_total == charged(town)


async def test_R45_the_owner_is_reminded_also_where_stripe_refuses_to_say_what_comes(town: Town) -> None:
    live = await in_trial(town)
    await town.let_pass(days=DAYS - 3, hours=1)
    refuse = {"kind": "api_error", "status": 400, "path": "/invoices/create_preview", "times": 9}
    town.stripe.account.faults.api.append(refuse)  # for want of an address to tax by
    await sync.trial_ending(town.desk, live.id)
    assert [notice.facts["amount"] for notice in await town.told("trial_ending")] == [10 * 27_500]


async def test_R45_who_has_cancelled_is_not_reminded_of_a_charge_that_never_comes(town: Town) -> None:
    live = await in_trial(town)
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    await town.let_pass(days=DAYS - 3, hours=1)
    await sync.trial_ending(town.desk, live.id)
    assert await town.told("trial_ending") == []


async def test_R46_a_cancelled_trial_works_to_its_end_and_is_never_charged(town: Town) -> None:
    live = await in_trial(town)
    waiting = await cancel.cancel(town.desk, town.members[0], subscription=live)
    assert (waiting.is_live, waiting.cancel_at) == (True, live.trial_end)
    await town.let_pass(days=DAYS + 40)
    assert (await town.fresh(live)).is_live is False
    assert charged(town) == 0


async def test_R46_a_cancelled_trial_that_is_kept_after_all_is_charged_when_it_ends(town: Town) -> None:
    live = await in_trial(town)
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    await cancel.resume(town.desk, town.members[0], subscription=await town.fresh(live))
    await town.let_pass(days=DAYS, hours=2)
    assert charged(town) == 10 * 27_500


async def test_M2_more_seats_in_a_trial_cost_nothing_now_and_are_in_the_first_charge(town: Town) -> None:
    live = await in_trial(town)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    assert (quote.due_now, quote.lines, quote.next_at) == (0, [], live.trial_end)
    done = await town.confirm(quote)
    now = await town.fresh(live)
    assert (done.state, now.seats, now.status, charged(town)) == (QuoteState.APPLIED, 15, "trialing", 0)
    await town.let_pass(days=DAYS, hours=2)
    assert charged(town) == quote.next_total == 15 * 27_500


@pytest.mark.parametrize("locale", ["sv-SE", "en-US"])
async def test_M1_a_change_in_a_trial_says_that_nothing_is_charged_now(town: Town, locale: str) -> None:
    live = await in_trial(town)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    t = Words(locale)
    shown = confirmation.offer(t, town.desk, quote, payment_method="Visa •••• 4242")
    assert t("You are in the free trial: nothing is charged now.") in str(shown.blocks)
    assert t.plain("Change now") in shown.text


async def test_M2_fewer_seats_in_a_trial_come_when_it_ends_and_do_not_end_it(town: Town) -> None:
    live = await in_trial(town, seats_=20)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=10))
    waiting = await town.fresh(live)
    assert (waiting.status, waiting.trial_end, waiting.seats) == ("trialing", live.trial_end, 20)
    assert (waiting.next_seats, waiting.next_at) == (10, live.trial_end)
    await town.let_pass(days=DAYS, hours=2)
    assert charged(town) == 10 * 27_500


async def test_M3_a_longer_interval_in_a_trial_keeps_the_trial_and_charges_when_it_ends(town: Town) -> None:
    live = await in_trial(town, interval="month")
    quote = await plan.offer(town.desk, town.members[0], subscription=live, interval="year")
    assert (quote.applies, quote.due_now) == (QuoteApplies.NOW, 0)
    await town.confirm(quote)
    now = await town.fresh(live)
    assert (now.status, now.interval, now.trial_end, charged(town)) == ("trialing", "year", live.trial_end, 0)
    await town.let_pass(days=DAYS, hours=2)
    assert charged(town) == quote.next_total == 10 * 275_000


async def test_M3_a_higher_plan_in_a_trial_comes_at_once_free_and_keeps_the_trials_end(town: Town) -> None:
    plans = tuple(replace(each, trial_days=14) if each.key == "premium" else each for each in town.desk.catalogue.plans)
    town.desk = replace(town.desk, catalogue=replace(town.desk.catalogue, plans=plans))
    live = await town.upgraded(plan="premium", interval="month")
    quote = await plan.offer(town.desk, town.members[0], subscription=live, plan="business")
    await town.confirm(quote)
    now = await town.fresh(live)
    assert (now.plan, now.status, now.trial_end, charged(town)) == ("business", "trialing", live.trial_end, 0)
    await town.let_pass(days=14, hours=2)
    assert charged(town) == quote.next_total == 10 * 27_500


async def test_M3_a_lower_plan_in_a_trial_waits_for_its_end(town: Town) -> None:
    live = await in_trial(town)
    quote = await plan.offer(town.desk, town.members[0], subscription=live, plan="premium")
    await town.confirm(quote)
    waiting = await town.fresh(live)
    assert (waiting.plan, waiting.status, waiting.next_plan) == ("business", "trialing", "premium")
    await town.let_pass(days=DAYS, hours=2)
    assert charged(town) == quote.next_total == 10 * 12_500


async def test_M5_a_trial_that_ends_without_a_payment_method_is_overdue_with_its_grace(town: Town) -> None:
    live = await in_trial(town)
    for method in customers.methods_of(town.stripe.account, live.customer_id):
        customers.detach(town.stripe.account, method["id"])
    await town.let_pass(days=DAYS, hours=2)
    late = await town.fresh(live)
    assert (late.status, late.is_live, charged(town)) == ("past_due", True, 0)
    assert len(await town.told("payment_failed")) == 1
    town.move(days=14)
    assert await upkeep.look(town.desk) == 1
    assert (await town.fresh(live)).is_live is False


async def test_M4_an_organisation_whose_trial_begins_takes_up_its_teams_all_the_same(town: Town) -> None:
    team = await town.upgraded(scope=await make_team(town, town.members[:3]), seats=3)
    await in_trial(town)
    await resume_accepted(town.desk)
    assert not (await Subscription.get(id=team.id)).is_live


@pytest.mark.parametrize(("locale", "words"), [("sv-SE", "Avsluta provperioden"), ("en-US", "Cancel the trial")])
async def test_R45_the_button_says_that_it_cancels_a_trial(town: Town, locale: str, words: str) -> None:
    live = await in_trial(town)
    shown = BillingPage(town.scope, "owner", 8, live.plan, "month", "U001", "Person 1", subscription=live, next_total=1)
    assert words in str(page.body(Words(locale), town.desk, shown))
