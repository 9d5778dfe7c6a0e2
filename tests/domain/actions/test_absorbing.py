"""A team's own plan when its organisation upgrades: it ends at once, nothing paid for is lost, nothing unpaid becomes money."""

import asyncio
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from bot.views import confirmation
from bot.words import Words
from domain import sync
from domain.actions import absorbing, cancel, changes, plan, seats, upgrade
from domain.actions.resuming import resume_accepted
from domain.payments import UnpaidFacts
from domain.records import AuditEntry, Notice, Quote, Scope, Subscription
from domain.records.quotes import QuoteKind, QuoteState
from domain.rules import refusals as no
from domain.sync.absorbs import intend_absorbing
from sandbox.stripe import subscriptions
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, make_team


async def design_team(town: Town) -> Scope:
    """A team of three, the first of the members in it."""
    return await make_team(town, town.members[:3])


async def organisation_upgrades(town: Town, **how: Any) -> Subscription:
    """Somebody else upgrades the whole, and the tick does what follows."""
    whole = await town.upgraded(by=town.members[5], plan="business", interval="year", **how)
    await resume_accepted(town.desk)
    return whole


async def test_M4_a_teams_plan_ends_at_once_and_its_unused_time_pays_the_organisations_next_invoice(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), plan="premium", interval="year", seats=3)
    town.move(days=73)  # a fifth of the year
    whole = await organisation_upgrades(town)
    ended = await Subscription.get(id=team.id)
    assert (ended.status, ended.is_live) == ("canceled", False)
    credit = -town.balance(whole)
    assert abs(credit - 3 * 125_000 * 4 // 5) < 50
    assert town.balance(team) == 0
    await town.let_pass(days=31)  # the organisation's trial is over: its first invoice is paid with it
    first = [each for each in town.objects("invoice") if each["billing_reason"] == "subscription_cycle"][-1]
    assert (first["starting_balance"], first["amount_paid"]) == (-credit, first["total"] - credit)


async def test_M4_the_teams_owner_and_the_organisations_are_told_and_it_is_on_the_record(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    whole = await organisation_upgrades(town)
    told = await town.told("absorbed")
    assert {notice.owner_of_id for notice in told} == {team.id, whole.id}
    assert {notice.facts["credit"] for notice in told} == {-town.balance(whole)}
    assert (await AuditEntry.get(verb="absorbed")).reference == team.id
    assert await town.told("ended") == []


async def test_M4_the_intent_is_written_with_the_organisations_subscription(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    intent = await Quote.get(kind=QuoteKind.ABSORB)
    assert (intent.state, intent.subscription_id, intent.requester_id) == (
        QuoteState.ACCEPTED,
        team.id,
        town.members[5].id,
    )
    assert intent.before == {"by": whole.id}


@pytest.mark.parametrize("step", ["cancel", "first balance", "second balance", "sync"])
async def test_M4_cut_off_anywhere_it_is_carried_on_and_credited_once(town: Town, step: str) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    intent = await Quote.get(kind=QuoteKind.ABSORB)
    credit = 3 * 125_000
    if step != "sync":  # what Stripe had done when we died
        await town.desk.payments.cancel_now(team.id, credit=True, why="absorbed")
    if step in {"first balance", "second balance"}:
        await town.desk.payments.adjust_balance(team.customer_id, credit, "sek", key=f"{intent.id}:from")
    if step == "second balance":
        await town.desk.payments.adjust_balance(whole.customer_id, -credit, "sek", key=f"{intent.id}:to")
    town.move(days=2)  # Stripe has forgotten its keys
    await resume_accepted(town.desk)
    await resume_accepted(town.desk)
    assert town.balance(team) == 0
    if step != "sync":
        assert town.balance(whole) == -credit
    assert (await Quote.get(id=intent.id)).state == QuoteState.APPLIED
    assert len(await town.told("absorbed")) == 2


async def test_M4_two_schedulers_at_once_credit_it_once(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    intents = [await Quote.get(kind=QuoteKind.ABSORB) for _ in range(2)]
    await asyncio.gather(*(absorbing.resume(town.desk, each) for each in intents))
    await resume_accepted(town.desk)
    assert (town.balance(team), town.balance(whole)) == (0, -3 * 125_000)
    assert len(await town.told("absorbed")) == 2


async def test_M4_a_second_scheduler_that_reads_late_makes_no_money_of_what_was_never_paid(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await town.upgraded(scope=await design_team(town), interval="month", seats=3)
    town.stripe.account.faults.decline_next_renewal = 1
    await town.let_pass(days=31, hours=2)
    whole = await town.upgraded(by=town.members[5], plan="business", interval="year")
    slow, quick = [await Quote.get(kind=QuoteKind.ABSORB) for _ in range(2)]
    real, others = town.desk.payments.unpaid, [quick]

    async def after_the_other(subscription_id: str) -> list[UnpaidFacts]:
        if others:  # the quick one is through with Stripe before the slow one's question gets there
            await stops_after_giving_up(town, others.pop())
        return await real(subscription_id)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(town.desk.payments, "unpaid", after_the_other)
        await absorbing.resume(town.desk, slow)
    await resume_accepted(town.desk)
    assert (town.balance(team), town.balance(whole)) == (0, 0)


async def stops_after_giving_up(town: Town, intent: Quote) -> None:
    """A scheduler that has given up the unpaid invoice, and is slow from then on."""
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 99, "path": "/balance_transactions"})
    await absorbing.resume(town.desk, intent)
    town.stripe.account.faults.api.clear()


async def test_M4_stripe_away_leaves_the_intent_for_the_next_tick(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    await town.upgraded(by=town.members[5], plan="business")
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 30})
    await resume_accepted(town.desk)
    assert (await Subscription.get(id=team.id)).is_live
    town.stripe.account.faults.api.clear()
    await resume_accepted(town.desk)
    assert not (await Subscription.get(id=team.id)).is_live


async def test_M4_a_team_in_its_trial_is_credited_nothing(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), plan="business", interval="month", seats=3)
    assert team.status == "trialing"
    whole = await organisation_upgrades(town)
    assert not (await Subscription.get(id=team.id)).is_live
    assert (town.balance(team), town.balance(whole)) == (0, 0)
    assert sum(each["amount_paid"] for each in town.objects("invoice")) == 0


async def test_M4_a_team_cancelled_for_the_periods_end_gets_the_rest_back_too(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    await cancel.cancel(town.desk, town.members[0], subscription=team)
    whole = await organisation_upgrades(town)
    assert town.balance(whole) == -3 * 125_000


async def test_M4_a_team_whose_change_waits_for_the_renewal_ends_all_the_same(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=5)
    await town.confirm(await seats.offer_seats(town.desk, town.members[0], subscription=team, seats=3))
    whole = await organisation_upgrades(town)
    assert not (await Subscription.get(id=team.id)).is_live
    assert town.balance(whole) == -5 * 125_000


async def test_M4_an_overdue_team_owes_nothing_and_is_credited_nothing(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), interval="month", seats=3)
    town.stripe.account.faults.decline_next_renewal = 1
    await town.let_pass(days=31, hours=2)
    assert (await town.fresh(team)).status == "past_due"
    whole = await organisation_upgrades(town)
    assert (town.balance(team), town.balance(whole)) == (0, 0)
    assert [each["status"] for each in town.objects("invoice") if each["customer"] == team.customer_id][:2] == [
        "paid",
        "void",
    ]
    assert await town.told("payment_mended") == []


async def test_M4_a_team_whose_renewal_is_still_a_draft_is_neither_charged_nor_credited(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), interval="month", seats=3)
    renewal = team.current_period_end
    while (due := town.stripe.next_due()) is not None and due <= renewal:
        if due > town.clock.now():
            town.clock.move_to(due)
        await town.stripe.process_due()
    assert town.objects("invoice")[-1]["status"] == "draft"
    whole = await organisation_upgrades(town)
    await town.let_pass(hours=3)
    assert (town.balance(team), town.balance(whole)) == (0, 0)
    paid = [each["amount_paid"] for each in town.objects("invoice") if each["customer"] == team.customer_id]
    assert paid[0] == 3 * 12_500
    assert not any(paid[1:])


async def by_invoice(town: Town, scope: Scope) -> Subscription:
    """A team's plan that sales made: paid by hand within thirty days."""
    quote = await upgrade.offer(town.desk, town.members[0], scope=scope, plan="premium", interval="year")
    customer = await town.desk.payments.ensure_customer(
        scope_id=str(scope.id), name=scope.name, email="a@example.com", locale="sv"
    )
    level = town.desk.catalogue.plan("premium")
    assert level is not None
    price = await town.desk.payments.price(level, quote.interval, "sek")
    params: Any = {
        "customer": customer,
        "items": [{"price": price.id, "quantity": quote.seats}],
        "collection_method": "send_invoice",
        "days_until_due": 30,
        "metadata": {"kassor_quote": str(quote.id), "kassor_scope": str(scope.id)},
    }
    made = subscriptions.create(town.stripe.account, params)
    found = await sync.subscription(town.desk, made["id"])
    assert found is not None
    assert found.is_manually_invoiced
    await town.desk.payments.send_draft(found.latest_invoice_id or "")
    return found


@pytest.mark.parametrize("paid", [True, False])
async def test_M4_a_plan_paid_by_hand_is_credited_only_if_it_was_paid(town: Town, paid: bool) -> None:
    team = await by_invoice(town, await design_team(town))
    if paid:
        await town.stripe.account.pay_invoice(team.latest_invoice_id or "", Payment("card"))
    whole = await organisation_upgrades(town)
    assert not (await Subscription.get(id=team.id)).is_live
    assert (town.balance(team), town.balance(whole)) == (0, -3 * 125_000 if paid else 0)
    assert town.objects("invoice")[0]["status"] == ("paid" if paid else "void")


async def test_M4_S1_a_plan_of_the_organisation_that_sales_made_takes_up_a_teams_too(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    await by_invoice(town, town.scope)
    await resume_accepted(town.desk)
    assert not (await Subscription.get(id=team.id)).is_live


async def test_M4_credit_in_another_currency_stays_with_the_team_and_both_are_told(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3, currency="eur")
    whole = await organisation_upgrades(town, currency="sek")
    assert (town.balance(team), town.balance(whole)) == (-3 * 11_490, 0)
    told = await town.told("absorbed")
    assert [notice.facts["moved"] for notice in told] == [False, False]
    assert {notice.facts["currency"] for notice in told} == {"eur"}


async def test_M4_a_change_of_the_team_accepted_at_that_moment_gives_way(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=team, seats=5)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    await organisation_upgrades(town)
    with pytest.raises(no.QuoteOver):
        await changes.carry_out(town.desk, accepted)
    assert (await Quote.get(id=quote.id)).state == QuoteState.SUPERSEDED
    assert (
        len([each for each in town.objects("invoice") if each["amount_paid"]]) == 1
    )  # the team's first; nothing since


async def test_M4_a_change_of_the_team_that_stripe_made_at_that_moment_is_credited_with_the_rest(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=team, seats=5)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    assert accepted.proration_date is not None
    whole = await town.upgraded(by=town.members[5], plan="business")
    await town.desk.payments.change_now(
        team.id, team.item_id, team.price_id, 5, proration_date=accepted.proration_date, key=f"{quote.id}:change"
    )
    await resume_accepted(town.desk)
    assert town.balance(whole) == -5 * 125_000


async def test_M4_a_teams_page_that_was_open_when_the_organisation_paid_is_paid_back(town: Town) -> None:
    page = await town.page(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    await town.pay(page)
    assert [each.id for each in await Subscription.filter(is_live=True)] == [whole.id]
    assert sum(each["amount"] for each in town.objects("refund")) == page.due_now
    assert [notice.facts["refusal"] for notice in await town.told("change_failed")] == ["covered"]


async def test_M4_R12_while_the_organisation_has_a_plan_no_team_can_upgrade(town: Town) -> None:
    team = await design_team(town)
    await town.upgraded(by=town.members[5])
    with pytest.raises(no.AlreadySubscribed):
        await upgrade.offer(town.desk, town.members[0], scope=team, plan="premium", interval="year")


async def test_M4_two_teams_with_plans_of_their_own_both_end(town: Town) -> None:
    first = await town.upgraded(scope=await make_team(town, town.members[:3], "S001"), seats=3)
    second = await town.upgraded(
        scope=await make_team(town, town.members[3:5], "S002"), seats=2, by=town.members[3], interval="month"
    )
    whole = await organisation_upgrades(town)
    assert await Subscription.filter(id__in=[first.id, second.id], is_live=True).count() == 0
    assert town.balance(whole) == -(3 * 125_000 + 2 * 12_500)


async def test_M4_a_team_and_its_organisation_paid_at_the_same_moment_are_found_by_the_next_look(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    await town.upgraded(by=town.members[5], plan="business")
    await Quote.filter(kind=QuoteKind.ABSORB).delete()  # as if neither saw the other
    await resume_accepted(town.desk)
    assert not (await Subscription.get(id=team.id)).is_live


async def test_M4_an_organisation_that_left_again_before_leaves_the_team_its_plan(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    await town.desk.payments.cancel_now(whole.id, credit=False)
    await town.fresh(whole)
    await resume_accepted(town.desk)
    assert (await town.fresh(team)).is_live
    assert (await Quote.get(kind=QuoteKind.ABSORB)).state == QuoteState.FAILED


async def test_M4_looked_at_a_hundred_times_there_is_one_intent_a_team(town: Town) -> None:
    await town.upgraded(scope=await design_team(town), seats=3)
    whole = await town.upgraded(by=town.members[5], plan="business")
    async with in_transaction():
        assert await intend_absorbing(whole, town.members[5]) == 0
    assert await Quote.filter(kind=QuoteKind.ABSORB).count() == 1


async def test_M4_a_change_of_plan_that_waits_for_the_bank_is_dropped_uncredited(town: Town) -> None:
    team = await town.upgraded(scope=await design_team(town), seats=3, interval="month")
    session = await town.desk.payments.portal_link(team.customer_id, return_url="https://kassor.example/back")
    assert session
    page = town.objects("billing_portal.session")[-1]
    await town.stripe.account.save_portal_payment_method(
        page["id"], Payment("card", number="4000002760003184", authenticated=True)
    )
    quote = await plan.offer(town.desk, town.members[0], subscription=await town.fresh(team), plan="business")
    with pytest.raises(no.PaymentNeedsAction):
        await town.confirm(quote)
    whole = await organisation_upgrades(town)
    assert town.balance(whole) == -3 * 12_500
    assert await Notice.filter(kind="absorbed").count() == 2


@pytest.mark.parametrize("locale", ["sv-SE", "en-US"])
async def test_M4_the_organisations_price_says_that_teams_plans_end(town: Town, locale: str) -> None:
    await town.upgraded(scope=await design_team(town), seats=3)
    quote = await upgrade.offer(town.desk, town.members[5], scope=town.scope, plan="business", interval="year")
    assert quote.before["teams"] == 1
    shown = str(confirmation.offer(Words(locale), town.desk, quote, payment_method=None).blocks)
    assert ("Design" in shown, "1 team" in shown) == (False, True)  # how many; a private channel's name is its own
