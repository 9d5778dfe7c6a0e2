"""What a customer lives through, told by date, with the official client over loopback."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.payment import Payment
from tests.sandbox.stripe.shop import SECRET, Shop


def item_of(sub: Any) -> Any:
    return sub["items"]["data"][0]


async def test_a_paid_checkout_makes_an_active_subscription_a_paid_invoice_and_the_events_of_both(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), 10)
    assert (sub.status, item_of(sub).quantity) == ("active", 10)
    invoice = await shop.v1.invoices.retrieve_async(sub.latest_invoice, {"expand": ["payments"]})
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 100_000, "subscription_create")
    assert invoice.parent.subscription_details.subscription == sub.id
    assert invoice.payments.data[0].status == "paid"
    assert invoice.number.endswith("-0001")
    await shop.server.deliver_due_webhooks()
    assert {
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "payment_method.attached",
        "charge.succeeded",
    } <= set(shop.endpoint.types())


async def test_webhooks_are_signed_so_that_the_official_client_believes_them(shop: Shop) -> None:
    await shop.subscribe(await shop.price())
    await shop.server.deliver_due_webhooks()
    body, signature = shop.endpoint.raw[0]
    assert stripe.Webhook.construct_event(body, signature, SECRET).type
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")


@pytest.mark.parametrize(("amount", "currency"), [(10_007, "sek"), (733, "jpy"), (1_237, "usd"), (9_999, "kwd")])
async def test_more_seats_cost_what_the_preview_said_to_the_minor_unit(shop: Shop, amount: int, currency: str) -> None:
    sub = await shop.subscribe(await shop.price(amount, currency=currency), 10)
    await shop.move_by(days=11.3)
    at = shop.clock.timestamp()
    change = {
        "items": [{"id": item_of(sub).id, "quantity": 23}],
        "proration_date": at,
        "proration_behavior": "always_invoice",
    }
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change})
    await shop.move_by(minutes=7)
    after = await shop.v1.subscriptions.update_async(
        sub.id, {**change, "payment_behavior": "pending_if_incomplete", "expand": ["latest_invoice"]}
    )
    assert item_of(after).quantity == 23
    assert after.pending_update is None
    assert after.latest_invoice.amount_paid == preview.amount_due > 0
    assert after.latest_invoice.billing_reason == "subscription_update"
    assert [line.amount for line in after.latest_invoice.lines.data] == [line.amount for line in preview.lines.data]


async def test_seats_stay_as_they_were_until_the_card_has_paid(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), 10)
    await shop.give_card(sub.customer, "4000000000000341")
    await shop.move_by(days=10)
    after = await shop.v1.subscriptions.update_async(
        sub.id,
        {
            "items": [{"id": item_of(sub).id, "quantity": 20}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert (after.status, item_of(after).quantity) == ("active", 10)
    assert after.pending_update.subscription_items[0].quantity == 20
    card = await shop.v1.payment_methods.attach_async("pm_card_visa", {"customer": sub.customer})
    await shop.v1.invoices.pay_async(after.latest_invoice, {"payment_method": card.id})
    applied = await shop.v1.subscriptions.retrieve_async(sub.id)
    assert item_of(applied).quantity == 20
    assert applied.pending_update is None
    await shop.server.deliver_due_webhooks()
    assert "customer.subscription.pending_update_applied" in shop.endpoint.types()


async def test_an_unpaid_pending_update_expires_and_its_invoice_is_void(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), 10)
    await shop.give_card(sub.customer, "4000000000000341")
    after = await shop.v1.subscriptions.update_async(
        sub.id,
        {
            "items": [{"id": item_of(sub).id, "quantity": 20}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    await shop.move_by(days=1)
    gone = await shop.v1.subscriptions.retrieve_async(sub.id)
    assert (gone.pending_update, item_of(gone).quantity) == (None, 10)
    assert (await shop.v1.invoices.retrieve_async(after.latest_invoice)).status == "void"
    assert "customer.subscription.pending_update_expired" in shop.endpoint.types()


async def test_a_renewal_is_drafted_at_the_periods_end_and_charged_an_hour_later(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), 10)
    end = item_of(sub).current_period_end
    await shop.move_to(end + 60)
    renewed = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert item_of(renewed).current_period_start == end
    assert (renewed.latest_invoice.status, renewed.latest_invoice.billing_reason) == ("draft", "subscription_cycle")
    await shop.move_to(end + 3_700)
    invoice = await shop.v1.invoices.retrieve_async(renewed.latest_invoice.id)
    assert (invoice.status, invoice.amount_paid) == ("paid", 100_000)
    assert invoice.lines.data[0].period.start == end


async def test_a_downgrade_waits_for_the_periods_end_in_a_schedule(shop: Shop) -> None:
    price, cheaper = await shop.price(), await shop.price(5_000)
    sub = await shop.subscribe(price, 10)
    schedule = await shop.v1.subscription_schedules.create_async({"from_subscription": sub.id})
    phase = schedule.phases[0]
    await shop.v1.subscription_schedules.update_async(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": price.id, "quantity": 10}],
                    "start_date": phase.start_date,
                    "end_date": phase.end_date,
                },
                {"items": [{"price": cheaper.id, "quantity": 6}], "duration": {"interval": "month"}},
            ],
        },
    )
    scheduled = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["schedule"]})
    assert scheduled.schedule.id == schedule.id
    assert item_of(scheduled).quantity == 10
    await shop.move_to(phase.end_date + 2 * 3_600)
    after = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert (item_of(after).price.id, item_of(after).quantity) == (cheaper.id, 6)
    assert after.latest_invoice.amount_paid == 30_000
    await shop.move_by(days=32)
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).schedule is None
    assert (await shop.v1.subscription_schedules.retrieve_async(schedule.id)).status == "released"


async def test_a_subscription_cancelled_at_period_end_runs_until_then(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    asked = await shop.v1.subscriptions.update_async(sub.id, {"cancel_at_period_end": True})
    assert asked.status == "active"
    await shop.move_to(item_of(sub).current_period_end + 1)
    gone = await shop.v1.subscriptions.retrieve_async(sub.id)
    assert (gone.status, gone.cancellation_details.reason) == ("canceled", "cancellation_requested")
    assert "customer.subscription.deleted" in shop.endpoint.types()
    invoices = await shop.v1.invoices.list_async({"subscription": sub.id})
    assert len(invoices.data) == 1


async def test_a_declined_renewal_is_overdue_until_it_is_paid(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    await shop.control("faults", {"kind": "decline_next_renewal", "times": 1})
    await shop.move_to(item_of(sub).current_period_end + 2 * 3_600)
    overdue = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert (overdue.status, overdue.latest_invoice.status) == ("past_due", "open")
    assert overdue.latest_invoice.next_payment_attempt > shop.clock.timestamp()
    await shop.move_by(days=4)
    mended = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert (mended.status, mended.latest_invoice.status) == ("active", "paid")
    failed = [each for each in shop.endpoint.got if each["type"] == "invoice.payment_failed"]
    assert failed[0]["data"]["object"]["next_payment_attempt"] is not None


async def test_a_card_that_never_pays_again_ends_the_subscription_after_the_last_attempt(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    await shop.give_card(sub.customer, "4000000000000341")
    await shop.move_to(item_of(sub).current_period_end + 16 * 86_400)
    gone = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert (gone.status, gone.cancellation_details.reason) == ("canceled", "payment_failed")
    assert gone.latest_invoice.attempt_count == 4


async def test_a_trial_is_free_warns_three_days_before_and_is_charged_at_its_end(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), subscription_data={"trial_period_days": 14})
    assert sub.status == "trialing"
    first = await shop.v1.invoices.retrieve_async(sub.latest_invoice)
    assert (first.total, first.status) == (0, "paid")
    await shop.move_by(days=11.5)
    assert "customer.subscription.trial_will_end" in shop.endpoint.types()
    await shop.move_to(sub.trial_end + 2 * 3_600)
    after = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.amount_paid) == ("active", 100_000)


async def test_an_invoice_to_be_paid_later_is_open_with_a_due_date(shop: Shop) -> None:
    price = await shop.price()
    customer = await shop.v1.customers.create_async({"email": "inköp@example.com"})
    sub = await shop.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": 5}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "expand": ["latest_invoice"],
        }
    )
    invoice = sub.latest_invoice
    assert (sub.status, invoice.status, invoice.due_date) == ("active", "draft", invoice.created + 30 * 86_400)
    await shop.move_by(hours=1.1)
    assert (await shop.v1.invoices.retrieve_async(invoice.id)).status == "open"
    assert "invoice.sent" in shop.endpoint.types()
    await shop.move_by(days=30.1)
    assert (await shop.v1.subscriptions.retrieve_async(sub.id)).status == "past_due"
    outcome = await shop.server.account.pay_invoice(invoice.id, Payment("card"))
    assert outcome.state == "paid"


async def test_going_annual_starts_a_new_period_now_with_credit_for_the_rest(shop: Shop) -> None:
    price, annual = await shop.price(10_000), await shop.price(100_000, interval="year")
    sub = await shop.subscribe(price, 10)
    await shop.move_by(days=10)
    at = shop.clock.timestamp()
    change = {"items": [{"id": item_of(sub).id, "price": annual.id, "quantity": 10}], "proration_date": at}
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change})
    after = await shop.v1.subscriptions.update_async(sub.id, {**change, "expand": ["latest_invoice"]})
    assert after.latest_invoice.amount_paid == preview.amount_due
    assert item_of(after).current_period_start == at
    start, end = item_of(sub).current_period_start, item_of(sub).current_period_end
    credit = round(100_000 * (end - at) / (end - start))
    assert after.latest_invoice.amount_paid == 1_000_000 - credit


async def test_tax_and_coupon_are_in_the_preview_and_in_the_charge(shop: Shop) -> None:
    price = await shop.price(9_900)
    vat = await shop.v1.tax_rates.create_async({"display_name": "Moms", "percentage": 25, "inclusive": False})
    coupon = await shop.v1.coupons.create_async({"percent_off": 12.5, "duration": "forever"})
    sub = await shop.subscribe(
        price, 7, subscription_data={"default_tax_rates": [vat.id]}, discounts=[{"coupon": coupon.id}]
    )
    first = await shop.v1.invoices.retrieve_async(sub.latest_invoice)
    assert (first.subtotal, first.total) == (69_300, round((69_300 - 8_663) * 1.25 + 1e-9))
    await shop.move_by(days=3)
    change = {
        "items": [{"id": item_of(sub).id, "quantity": 9}],
        "proration_date": shop.clock.timestamp(),
        "proration_behavior": "always_invoice",
    }
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change})
    after = await shop.v1.subscriptions.update_async(sub.id, {**change, "expand": ["latest_invoice"]})
    assert after.latest_invoice.amount_paid == preview.amount_due


async def test_a_price_for_somebody_new_can_be_previewed(shop: Shop) -> None:
    price = await shop.price(7_900)
    preview = await shop.v1.invoices.create_preview_async(
        {"currency": "sek", "subscription_details": {"items": [{"price": price.id, "quantity": 18}]}}
    )
    assert preview.amount_due == 18 * 7_900


async def test_a_declined_card_leaves_the_page_open_and_an_abandoned_one_expires(shop: Shop) -> None:
    price = await shop.price()
    customer = await shop.v1.customers.create_async({})
    session = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 3}],
            "success_url": "https://example.com",
        }
    )
    declined = await shop.control(f"pay/{session.id}", {"method": "paypal", "outcome": "declined"})
    assert declined["outcome"] == "declined"
    assert (await shop.v1.checkout.sessions.retrieve_async(session.id)).status == "open"
    await shop.control(f"pay/{session.id}", {"outcome": "abandoned"})
    assert (await shop.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"
    assert (await shop.v1.subscriptions.list_async({"customer": customer.id})).data == []


async def test_paypal_pays_too(shop: Shop) -> None:
    price = await shop.price()
    customer = await shop.v1.customers.create_async({"email": "kim@example.com"})
    session = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 3}],
            "success_url": "https://example.com",
        }
    )
    answer = await shop.control(f"pay/{session.id}", {"method": "paypal", "outcome": "paid"})
    sub = await shop.v1.subscriptions.retrieve_async(answer["subscription"], {"expand": ["default_payment_method"]})
    assert sub.default_payment_method.type == "paypal"
