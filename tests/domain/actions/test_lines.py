"""What is shown before a charge is what is charged, discount, tax and credit from before each a line of it (M1)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.views import confirmation
from bot.words import Words
from domain.actions import cancel, plan, seats
from domain.payments import Payments
from domain.records import Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from sandbox.stripe import balances, catalogue, subscription_updates
from tests.domain.conftest import Town

CURRENCIES = ("sek", "jpy", "kwd")


@pytest.fixture
async def bazaar(town: Town) -> AsyncIterator[Town]:
    """The town, with prices in yen (no decimals) and Kuwaiti dinars (three) too."""
    more = {"jpy": 1_799, "kwd": 3_770}
    plans = tuple(
        replace(each, price={**each.price, **more}) if each.price else each for each in town.desk.catalogue.plans
    )
    prices = replace(town.desk.catalogue, plans=plans)
    payments = Payments(town.desk.settings, prices)
    await payments.push_catalogue()
    town.desk = replace(town.desk, catalogue=prices, payments=payments)
    yield town
    await payments.close()


async def with_terms(
    town: Town,
    live: Subscription,
    *,
    percent: str | None = None,
    tax: str | None = None,
    inclusive: bool = False,
    credit: int = 0,
) -> Subscription:
    """The subscription as an operator may have made it in Stripe's dashboard: a coupon, a tax rate, credit for its customer."""
    store = town.stripe.account
    params: dict[str, Any] = {}
    if percent:
        coupon = catalogue.create_coupon(store, {"percent_off": percent, "duration": "forever"})
        params["discounts"] = [{"coupon": coupon["id"]}]
    if tax:
        rate = catalogue.create_tax_rate(store, {"display_name": "Moms", "percentage": tax, "inclusive": inclusive})
        params["default_tax_rates"] = [rate["id"]]
    if params:
        subscription_updates.update(store, params, live.id)
    if credit:
        customer = store.get("customer", live.customer_id)
        balances.move(store, customer, -credit, live.currency, type_="adjustment")
    return await town.fresh(live)


def adds_up(quote: Quote, *, tax_is_added: bool = True) -> bool:
    """Whether the lines shown make the amount to pay."""
    lines = sum(line["amount"] for line in quote.lines)
    tax = quote.tax_now if tax_is_added else 0
    return bool(lines - quote.discount_now + tax - quote.balance_now == quote.due_now)


@pytest.mark.parametrize("currency", CURRENCIES)
async def test_M1_more_seats_with_coupon_tax_and_credit_cost_what_was_shown(bazaar: Town, currency: str) -> None:
    live = await bazaar.upgraded(interval="month", currency=currency)
    live = await with_terms(bazaar, live, percent="12.5", tax="25", credit=1_003)
    bazaar.move(days=11, seconds=7)
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=25)
    bazaar.move(minutes=9)
    await bazaar.confirm(quote)
    charged = bazaar.objects("invoice")[-1]
    assert (charged["amount_paid"], charged["status"]) == (quote.due_now, "paid")
    assert (quote.balance_now, quote.tax_now > 0, adds_up(quote)) == (1_003, True, True)


@pytest.mark.parametrize("currency", CURRENCIES)
async def test_M1_M3_monthly_to_annual_in_the_middle_of_a_month_shows_the_discount_as_a_line(
    bazaar: Town, currency: str
) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(interval="month", currency=currency), percent="20", tax="25")
    bazaar.move(days=17, hours=5)
    quote = await plan.offer(bazaar.desk, bazaar.members[0], subscription=live, interval="year")
    await bazaar.confirm(quote)
    assert bazaar.objects("invoice")[-1]["amount_paid"] == quote.due_now
    assert quote.discount_now == bazaar.objects("invoice")[-1]["total_discount_amounts"][0]["amount"] > 0
    assert adds_up(quote)
    now = await bazaar.fresh(live)
    assert (now.interval, now.seats, now.plan, now.current_period_end) == ("year", 10, "premium", quote.next_at)


async def test_M1_tax_that_is_in_the_price_is_shown_as_part_of_it(bazaar: Town) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(), tax="25", inclusive=True)
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=20)
    await bazaar.confirm(quote)
    assert bazaar.objects("invoice")[-1]["amount_paid"] == quote.due_now
    assert (quote.tax_now > 0, adds_up(quote, tax_is_added=False)) == (True, True)
    shown = str(confirmation.offer(Words("sv-SE"), bazaar.desk, quote, payment_method=None).blocks)
    assert "Varav moms" in shown


async def test_M1_a_full_discount_costs_nothing_and_says_so(bazaar: Town) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(interval="month"), percent="100")
    bazaar.move(days=3)
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=20)
    done = await bazaar.confirm(quote)
    assert (quote.next_total, done.state) == (0, QuoteState.APPLIED)
    assert bazaar.objects("invoice")[-1]["amount_paid"] == quote.due_now == 0


async def test_M1_credit_that_is_more_than_the_price_pays_it_all_and_the_rest_stays(bazaar: Town) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(), credit=10_000_000)
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=20)
    await bazaar.confirm(quote)
    assert (quote.due_now, quote.balance_now) == (0, 10 * 125_000)
    assert bazaar.balance(live) == -(10_000_000 - 10 * 125_000)


async def test_M1_a_debt_from_before_is_in_the_price_and_shown(bazaar: Town) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(), credit=-777)
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=20)
    await bazaar.confirm(quote)
    assert bazaar.objects("invoice")[-1]["amount_paid"] == quote.due_now == 10 * 125_000 + 777
    assert "Skuld sedan tidigare" in str(confirmation.offer(Words("sv-SE"), bazaar.desk, quote, payment_method=None))


@pytest.mark.parametrize("currency", CURRENCIES)
async def test_M1_R48_a_later_upgrade_is_paid_by_the_credit_of_an_earlier_one(bazaar: Town, currency: str) -> None:
    first = await bazaar.upgraded(interval="month", currency=currency)
    await bazaar.desk.payments.cancel_now(first.id, credit=True)
    await bazaar.fresh(first)
    credit = -bazaar.balance(first)
    assert credit > 0
    page = await bazaar.page(interval="year", currency=currency)
    assert (page.balance_now, adds_up(page)) == (credit, True)
    await bazaar.pay(page)
    assert bazaar.objects("invoice")[-1]["amount_paid"] == page.due_now


@pytest.mark.parametrize("waits", ["nothing", "a change", "a cancellation"])
async def test_M1_the_renewal_shown_is_the_renewal_charged_whatever_waits(bazaar: Town, waits: str) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(interval="month", seats=20), percent="10", tax="25")
    owner = bazaar.members[0]
    if waits == "a change":
        await bazaar.confirm(await seats.offer_seats(bazaar.desk, owner, subscription=live, seats=10))
    if waits == "a cancellation":
        await cancel.cancel(bazaar.desk, owner, subscription=live)
    quote = await seats.offer_seats(bazaar.desk, owner, subscription=await bazaar.fresh(live), seats=25)
    await bazaar.confirm(quote)
    assert quote.next_total == 351_563  # 25 × 125.00, less a tenth, and a quarter of tax: rounded up to the öre
    if waits == "a cancellation":
        await cancel.resume(bazaar.desk, owner, subscription=await bazaar.fresh(live))
    await bazaar.let_pass(days=32)
    renewal = [each for each in bazaar.objects("invoice") if each["billing_reason"] == "subscription_cycle"][-1]
    assert renewal["total"] == quote.next_total


async def test_M1_M2_a_decrease_keeps_coupon_and_tax_at_the_renewal(bazaar: Town) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(interval="month", seats=20), percent="10", tax="25")
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=10)
    await bazaar.confirm(quote)
    await bazaar.let_pass(days=32)
    renewal = bazaar.objects("invoice")[-1]
    assert (renewal["total"], quote.due_now) == (quote.next_total, 0)
    assert quote.next_total == 10 * 12_500 * 9 // 10 * 5 // 4


async def test_M1_a_coupon_added_between_the_offer_and_the_button_is_shown_again(bazaar: Town) -> None:
    live = await bazaar.upgraded()
    quote = await seats.offer_seats(bazaar.desk, bazaar.members[0], subscription=live, seats=20)
    await with_terms(bazaar, live, percent="50")
    invoices = len(bazaar.objects("invoice"))
    with pytest.raises(no.QuoteChanged) as changed:
        await bazaar.confirm(quote)
    fresh = await Quote.get(id=changed.value.fresh)
    assert (len(bazaar.objects("invoice")), fresh.due_now < quote.due_now) == (invoices, True)


@pytest.mark.parametrize("locale", ["sv-SE", "en-US"])
async def test_M1_each_part_of_the_price_is_a_line_on_the_confirmation(bazaar: Town, locale: str) -> None:
    live = await with_terms(bazaar, await bazaar.upgraded(interval="month"), percent="20", tax="25", credit=5_000)
    quote = await plan.offer(bazaar.desk, bazaar.members[0], subscription=live, interval="year")
    t = Words(locale)
    shown = str(confirmation.offer(t, bazaar.desk, quote, payment_method=None).blocks)
    for amount in (-quote.discount_now, quote.tax_now, -5_000, quote.due_now):
        assert t.money(amount, "sek") in shown.replace("\\xa0", "\u00a0")
