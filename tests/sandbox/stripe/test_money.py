"""Money in its odder ways: discounts, taxes, balances, credit notes, refunds, declines and retries, to the minor unit."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.page_words import described
from tests.sandbox.stripe.shop import Shop

HOUR, DAY = 3_600, 86_400


def item_of(sub: Any) -> Any:
    return sub["items"]["data"][0]


async def latest(shop: Shop, sub: Any) -> Any:
    now = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    return now.latest_invoice


# --- discounts ---


async def test_a_discount_runs_as_long_as_its_coupon_says_and_the_preview_knows(shop: Shop) -> None:
    coupon = await shop.v1.coupons.create_async({"percent_off": 50, "duration": "once"})
    sub = await shop.subscribe(await shop.price(10_000), 10, discounts=[{"coupon": coupon.id}])
    first = await latest(shop, sub)
    assert (first.total, first.total_discount_amounts[0].amount) == (50_000, 50_000)
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    assert preview.total == 100_000


async def test_a_fixed_sum_is_taken_once_from_the_whole_invoice(shop: Shop) -> None:
    coupon = await shop.v1.coupons.create_async({"amount_off": 12_345, "currency": "sek", "duration": "forever"})
    sub = await shop.subscribe(await shop.price(10_000), 10, discounts=[{"coupon": coupon.id}])
    invoice = await latest(shop, sub)
    assert invoice.total == 100_000 - 12_345
    assert sum(each.amount for line in invoice.lines.data for each in line.discount_amounts) == 12_345


async def test_a_discount_that_is_taken_away_is_gone_from_the_next_invoice(shop: Shop) -> None:
    coupon = await shop.v1.coupons.create_async({"percent_off": 25, "duration": "forever"})
    sub = await shop.subscribe(await shop.price(10_000), 10, discounts=[{"coupon": coupon.id}])
    before = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    await shop.client.v1.subscriptions.delete_discount_async(sub.id)
    after = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    assert (before.total, after.total) == (75_000, 100_000)


async def test_a_coupon_that_is_deleted_is_kept_by_who_has_it_and_given_to_nobody_new(shop: Shop) -> None:
    coupon = await shop.v1.coupons.create_async({"percent_off": 25, "duration": "forever"})
    price = await shop.price(10_000)
    sub = await shop.subscribe(price, 10, discounts=[{"coupon": coupon.id}])
    await shop.v1.coupons.delete_async(coupon.id)
    assert (await shop.v1.invoices.create_preview_async({"subscription": sub.id})).total == 75_000
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.subscriptions.update_async(sub.id, {"discounts": [{"coupon": coupon.id}]})


# --- tax ---


@pytest.mark.parametrize(("inclusive", "total", "tax"), [(False, 125_000, 25_000), (True, 100_000, 20_000)])
async def test_a_tax_rate_is_a_line_of_its_own_on_every_line_and_in_all(
    shop: Shop, inclusive: bool, total: int, tax: int
) -> None:
    vat = await shop.v1.tax_rates.create_async({"display_name": "Moms", "percentage": 25, "inclusive": inclusive})
    sub = await shop.subscribe(await shop.price(10_000), 10, subscription_data={"default_tax_rates": [vat.id]})
    invoice = await latest(shop, sub)
    assert (invoice.total, invoice.amount_paid) == (total, total)
    assert [each.amount for each in invoice.total_taxes] == [tax]
    assert [each.amount for line in invoice.lines.data for each in line.taxes] == [tax]
    assert invoice.total_excluding_tax == total - tax


async def test_reverse_charge_asks_no_tax_and_says_why(shop: Shop) -> None:
    vat = await shop.v1.tax_rates.create_async({"display_name": "VAT", "percentage": 25, "inclusive": False})
    customer = await shop.v1.customers.create_async({"email": "a@b.example", "tax_exempt": "reverse"})
    sub = await shop.subscribe(
        await shop.price(10_000), 10, customer=customer, subscription_data={"default_tax_rates": [vat.id]}
    )
    [tax] = (await latest(shop, sub)).total_taxes
    assert (tax.amount, tax.taxability_reason) == (0, "reverse_charge")


# --- the customer's balance ---


async def test_credit_is_used_on_the_next_invoice_and_the_ledger_says_where(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.v1.customers.balance_transactions.create_async(sub.customer, {"amount": -30_000, "currency": "sek"})
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    assert (preview.starting_balance, preview.amount_due) == (-30_000, 70_000)
    await shop.move_to(item_of(sub).current_period_end + 2 * HOUR)
    invoice = await latest(shop, sub)
    assert (invoice.total, invoice.amount_paid, invoice.starting_balance, invoice.ending_balance) == (
        100_000,
        70_000,
        -30_000,
        0,
    )
    ledger = await shop.v1.customers.balance_transactions.list_async(sub.customer)
    assert [(each.type, each.amount, each.ending_balance) for each in ledger.data] == [
        ("applied_to_invoice", 30_000, 0),
        ("adjustment", -30_000, -30_000),
    ]
    assert ledger.data[0].invoice == invoice.id


async def test_a_void_invoice_gives_back_the_credit_it_took(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.v1.customers.balance_transactions.create_async(sub.customer, {"amount": -30_000, "currency": "sek"})
    await shop.control("faults", {"kind": "decline_next_renewal"})
    await shop.move_to(item_of(sub).current_period_end + 2 * HOUR)
    invoice = await latest(shop, sub)
    assert (await shop.v1.customers.retrieve_async(sub.customer)).balance == 0
    await shop.v1.invoices.void_invoice_async(invoice.id)
    assert (await shop.v1.customers.retrieve_async(sub.customer)).balance == -30_000


# --- credit notes and refunds ---


@pytest.mark.parametrize("way", ["refund_amount", "credit_amount", "out_of_band_amount"])
async def test_a_credit_note_says_where_the_money_goes_and_it_goes_there(shop: Shop, way: str) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    note = await shop.v1.credit_notes.create_async({"invoice": sub.latest_invoice, "amount": 20_000, way: 20_000})
    customer = await shop.v1.customers.retrieve_async(sub.customer)
    refunds = (await shop.v1.refunds.list_async({})).data
    assert customer.balance == (-20_000 if way == "credit_amount" else 0)
    assert [each.amount for each in refunds] == ([20_000] if way == "refund_amount" else [])
    assert [each.refund for each in note.refunds] == [each.id for each in refunds]
    invoice = await shop.v1.invoices.retrieve_async(sub.latest_invoice)
    assert invoice.post_payment_credit_notes_amount == 20_000


async def test_sums_that_do_not_add_up_are_refused_and_change_nothing(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    for wrong in ({"amount": 20_000, "refund_amount": 5_000}, {"amount": 100_001}, {"amount": 0}):
        with pytest.raises(stripe.InvalidRequestError):
            await shop.v1.credit_notes.create_async({"invoice": sub.latest_invoice, **wrong})
    assert (await shop.v1.credit_notes.list_async({})).data == []
    assert (await shop.v1.refunds.list_async({})).data == []


async def test_a_line_is_credited_with_its_tax(shop: Shop) -> None:
    vat = await shop.v1.tax_rates.create_async({"display_name": "Moms", "percentage": 25, "inclusive": False})
    sub = await shop.subscribe(await shop.price(10_000), 10, subscription_data={"default_tax_rates": [vat.id]})
    lines = await shop.v1.invoices.line_items.list_async(sub.latest_invoice)
    wanted = {"type": "invoice_line_item", "invoice_line_item": lines.data[0].id, "quantity": 4}
    preview = await shop.client.v1.credit_notes.preview_async({"invoice": sub.latest_invoice, "lines": [wanted]})
    note = await shop.v1.credit_notes.create_async({"invoice": sub.latest_invoice, "lines": [wanted]})
    assert (note.amount, note.subtotal, note.total_taxes[0].amount) == (50_000, 40_000, 10_000)
    assert preview.amount == note.amount


async def test_a_credit_note_before_payment_lowers_what_is_owed_and_can_be_voided(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.control("faults", {"kind": "decline_next_renewal"})
    await shop.move_to(item_of(sub).current_period_end + 2 * HOUR)
    invoice = await latest(shop, sub)
    note = await shop.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 40_000})
    assert (await latest(shop, sub)).amount_remaining == 60_000
    await shop.v1.credit_notes.void_credit_note_async(note.id)
    assert (await latest(shop, sub)).amount_remaining == 100_000


async def test_a_charge_is_refunded_in_parts_and_never_more_than_it_was(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    [charge] = (await shop.v1.charges.list_async({"customer": sub.customer})).data
    for _ in range(2):
        await shop.v1.refunds.create_async({"charge": charge.id, "amount": 40_000})
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.refunds.create_async({"charge": charge.id, "amount": 40_000})
    now = await shop.v1.charges.retrieve_async(charge.id)
    assert (now.amount_refunded, now.refunded) == (80_000, False)
    await shop.server.deliver_due_webhooks()
    assert shop.endpoint.types().count("charge.refunded") == 2


# --- items that wait ---


async def test_an_item_that_waits_is_listed_and_deleted_before_anybody_pays_it(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    made = await shop.v1.invoice_items.create_async({"customer": sub.customer, "amount": 500, "currency": "sek"})
    waiting = await shop.v1.invoice_items.list_async({"customer": sub.customer, "pending": True})
    assert [each.id for each in waiting.data] == [made.id]
    await shop.v1.invoice_items.delete_async(made.id)
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    assert preview.total == 100_000


# --- declines, retries and mending ---


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_card_the_bank_refuses_is_not_even_saved(shop: Shop, method: str, code: str) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    with pytest.raises(stripe.CardError) as refused:
        await shop.v1.payment_methods.attach_async(method, {"customer": sub.customer})
    assert (refused.value.code, refused.value.error.decline_code) == ("card_declined", code)


async def test_paying_an_invoice_says_why_the_bank_said_no(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.give_card(sub.customer, "4000000000000341")
    await shop.move_to(item_of(sub).current_period_end + 2 * HOUR)
    with pytest.raises(stripe.CardError) as refused:
        await shop.v1.invoices.pay_async((await latest(shop, sub)).id)
    assert (refused.value.code, refused.value.error.decline_code) == ("card_declined", "generic_decline")


async def test_a_failed_renewal_is_tried_again_after_three_five_and_seven_days(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.give_card(sub.customer, "4000000000000341")
    first = item_of(sub).current_period_end + HOUR
    moments = []
    for days in (0, 3, 5, 7):
        first += days * DAY
        await shop.move_to(first + 60)
        moments.append((await latest(shop, sub)).attempt_count)
    assert moments == [1, 2, 3, 4]
    failed = [each["data"]["object"] for each in shop.endpoint.got if each["type"] == "invoice.payment_failed"]
    assert [each["next_payment_attempt"] is None for each in failed] == [False, False, False, True]


async def test_a_new_card_pays_at_the_next_attempt_and_mends_the_subscription(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.give_card(sub.customer, "4000000000000341")
    await shop.move_to(item_of(sub).current_period_end + 2 * HOUR)
    good = await shop.v1.payment_methods.attach_async("pm_card_visa", {"customer": sub.customer})
    await shop.v1.subscriptions.update_async(sub.id, {"default_payment_method": good.id})
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).status == "past_due"
    await shop.move_by(days=3.1)
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).status == "active"
    assert (await latest(shop, sub)).status == "paid"


async def test_an_invoice_by_post_is_overdue_and_then_paid_out_of_band(shop: Shop) -> None:
    price, customer = await shop.price(10_000), await shop.v1.customers.create_async({"email": "inköp@example.com"})
    sub = await shop.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": 20}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
        }
    )
    await shop.move_by(hours=2)
    sent = await latest(shop, sub)
    assert (sent.status, sent.hosted_invoice_url is not None) == ("open", True)
    assert "invoice.sent" in shop.endpoint.types()
    await shop.move_by(days=30.1)
    assert "invoice.overdue" in shop.endpoint.types()
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).status == "past_due"
    paid = await shop.v1.invoices.pay_async(sent.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid) == ("paid", 0)
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).status == "active"


async def test_a_swede_reads_what_each_line_is_for_in_swedish(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(10_000), 10)
    await shop.move_by(days=10)
    change = {"items": [{"id": item_of(sub).id, "quantity": 20}], "proration_behavior": "always_invoice"}
    await shop.v1.subscriptions.update_async(sub.id, change)
    raw = shop.server.account.objects["invoice"][(await latest(shop, sub)).id]
    said = [described(line, "sv") for line in raw["lines"]["data"]]
    assert [each.partition(",")[0] for each in said] == [
        "Outnyttjad tid: 10 × Premium",
        "Återstående tid: 20 × Premium",
    ]
    assert [described(line, "en") for line in raw["lines"]["data"]] == [
        line["description"] for line in raw["lines"]["data"]
    ]
