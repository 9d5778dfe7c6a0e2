"""A story in which everything this Stripe can do happens once, so that every kind of object is seen in its various states."""

from typing import Any

from sandbox.stripe.payment import Payment
from tests.sandbox.stripe.shop import Shop

HOUR = 3_600


async def whole_story(shop: Shop) -> None:
    """Upgrade, seats, plan, decline, renewal, schedule, credit, refund, portal, PayPal, trial, tax, coupons, cancellation."""
    price, cheaper = await shop.price(10_007, lookup_key="premium"), await shop.price(5_003)
    sub = await _upgrade(shop, price)
    await _change_seats(shop, sub)
    await _give_back(shop, sub)
    await _schedule(shop, sub, price, cheaper)
    await _portal(shop, sub)
    await shop.move_to(_end(sub) + 2 * HOUR)
    await _be_declined_and_mend(shop, price)
    await _by_invoice(shop, price)
    await _trial_with_paypal(shop, price)
    await _leave(shop, sub)
    await _read_everything(shop, sub)


def _item(sub: Any) -> Any:
    return sub["items"]["data"][0]


def _end(sub: Any) -> int:
    return int(_item(sub).current_period_end)


async def _upgrade(shop: Shop, price: Any) -> Any:
    vat = await shop.v1.tax_rates.create_async(
        {"display_name": "Moms", "percentage": 25, "inclusive": False, "country": "SE"}
    )
    coupons = [
        await shop.v1.coupons.create_async(params)
        for params in (
            {"percent_off": 12.5, "duration": "repeating", "duration_in_months": 3},
            {"amount_off": 700, "currency": "sek", "duration": "once", "name": "Welcome"},
        )
    ]
    customer = await shop.v1.customers.create_async(
        {
            "email": "kim@example.com",
            "name": "Kim",
            "metadata": {"team": "T1"},
            "preferred_locales": ["sv"],
            "address": {"country": "SE", "city": "Umeå", "line1": "Storgatan 1", "postal_code": "903 26"},
        }
    )
    await shop.v1.customers.tax_ids.create_async(customer.id, {"type": "eu_vat", "value": "SE556677889901"})
    abandoned = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.com/done",
        }
    )
    await shop.v1.checkout.sessions.expire_async(abandoned.id)
    return await shop.subscribe(
        price,
        10,
        customer=customer,
        subscription_data={"default_tax_rates": [vat.id], "metadata": {"team": "T1"}},
        discounts=[{"coupon": each.id} for each in coupons[:1]],
    )


async def _change_seats(shop: Shop, sub: Any) -> None:
    await shop.move_by(days=4)
    change = {"items": [{"id": _item(sub).id, "quantity": 15}], "proration_behavior": "always_invoice"}
    await shop.v1.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change})
    await shop.v1.subscriptions.update_async(
        sub.id, {**change, "payment_behavior": "pending_if_incomplete", "expand": ["latest_invoice.payments"]}
    )
    fewer = {"items": [{"id": _item(sub).id, "quantity": 12}], "proration_behavior": "create_prorations"}
    await shop.v1.subscriptions.update_async(sub.id, fewer)


async def _give_back(shop: Shop, sub: Any) -> None:
    wanted = {"invoice": sub.latest_invoice, "amount": 1_000}
    await shop.v1.credit_notes.preview_async(wanted)
    await shop.v1.credit_notes.create_async({**wanted, "refund_amount": 1_000})
    await shop.v1.credit_notes.create_async({**wanted, "credit_amount": 1_000, "reason": "order_change"})
    payment = (await shop.v1.invoice_payments.list_async({"invoice": sub.latest_invoice})).data[0]
    await shop.v1.refunds.create_async({"payment_intent": payment.payment.payment_intent, "amount": 50})
    await shop.v1.customers.balance_transactions.create_async(sub.customer, {"amount": -300, "currency": "sek"})
    await shop.v1.invoice_items.create_async({"customer": sub.customer, "amount": 100, "currency": "sek"})


async def _schedule(shop: Shop, sub: Any, price: Any, cheaper: Any) -> None:
    schedule = await shop.v1.subscription_schedules.create_async({"from_subscription": sub.id})
    phase = schedule.phases[0]
    now = {"items": [{"price": price.id, "quantity": 12}], "start_date": phase.start_date, "end_date": phase.end_date}
    then = {"items": [{"price": cheaper.id, "quantity": 6}], "duration": {"interval": "month"}}
    await shop.v1.subscription_schedules.update_async(schedule.id, {"end_behavior": "release", "phases": [now, then]})
    await shop.v1.invoices.create_preview_async({"schedule": schedule.id})


async def _portal(shop: Shop, sub: Any) -> None:
    made = await shop.v1.billing_portal.configurations.create_async(
        {"features": {"invoice_history": {"enabled": True}, "payment_method_update": {"enabled": True}}}
    )
    await shop.v1.billing_portal.configurations.update_async(made.id, {"metadata": {"for": "owners"}})
    await shop.v1.billing_portal.sessions.create_async(
        {"customer": sub.customer, "configuration": made.id, "flow_data": {"type": "payment_method_update"}}
    )
    session = await shop.v1.billing_portal.sessions.create_async({"customer": sub.customer})
    await shop.server.account.save_portal_payment_method(session.id, Payment("paypal", payer_email="kim@example.com"))
    await shop.server.account.update_portal_customer(session.id, name="Kim AB", email=None, address=None)


async def _be_declined_and_mend(shop: Shop, price: Any) -> None:
    sub = await shop.subscribe(price, 3)
    await shop.give_card(sub.customer, "4000000000000341")
    change = {
        "items": [{"id": _item(sub).id, "quantity": 4}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
    }
    await shop.v1.subscriptions.update_async(sub.id, change)
    await shop.move_by(days=1.5)  # the pending update expires
    await shop.move_to(_end(sub) + 2 * HOUR)
    overdue = await shop.v1.subscriptions.retrieve_async(sub.id)
    good = await shop.v1.payment_methods.attach_async("pm_card_visa", {"customer": sub.customer})
    await shop.v1.invoices.pay_async(overdue.latest_invoice, {"payment_method": good.id})


async def _by_invoice(shop: Shop, price: Any) -> None:
    vat = await shop.v1.tax_rates.create_async({"display_name": "VAT", "percentage": 20, "inclusive": True})
    customer = await shop.v1.customers.create_async({"email": "buyer@example.com"})
    for _ in range(2):
        sub = await shop.v1.subscriptions.create_async(
            {
                "customer": customer.id,
                "items": [{"price": price.id, "quantity": 20, "tax_rates": [vat.id]}],
                "collection_method": "send_invoice",
                "days_until_due": 30,
            }
        )
    await shop.move_by(hours=2)
    sent = (await shop.v1.subscriptions.retrieve_async(sub.id)).latest_invoice
    await shop.v1.credit_notes.create_async({"invoice": sent, "amount": 500})
    first, second = [each.id for each in (await shop.v1.invoices.list_async({"customer": customer.id})).data]
    await shop.v1.invoices.mark_uncollectible_async(first)
    await shop.v1.invoices.void_invoice_async(second)


async def _trial_with_paypal(shop: Shop, price: Any) -> None:
    customer = await shop.v1.customers.create_async({"email": "trial@example.com", "name": "Robin"})
    session = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 2}],
            "subscription_data": {"trial_period_days": 14},
            "success_url": "https://example.com/done",
        }
    )
    paid = await shop.control(f"pay/{session.id}", {"method": "paypal", "outcome": "paid", "email": "r@example.com"})
    assert paid["outcome"] == "paid", paid
    saving = await shop.v1.checkout.sessions.create_async(
        {"mode": "setup", "customer": customer.id, "currency": "sek", "success_url": "https://example.com/done"}
    )
    await shop.control(f"pay/{saving.id}", {"method": "card", "outcome": "paid"})
    await shop.move_by(days=15)


async def _leave(shop: Shop, sub: Any) -> None:
    schedule = (await shop.v1.subscriptions.retrieve_async(sub.id)).schedule
    if schedule:
        await shop.v1.subscription_schedules.release_async(schedule)
    await shop.v1.subscriptions.update_async(
        sub.id, {"cancel_at_period_end": True, "cancellation_details": {"feedback": "too_expensive"}}
    )
    await shop.v1.subscriptions.cancel_async(sub.id)
    coupon = (await shop.v1.coupons.list_async()).data[0]
    await shop.v1.coupons.delete_async(coupon.id)


async def _read_everything(shop: Shop, sub: Any) -> None:
    """Each list, and each object of it by itself."""
    for service in (
        *(shop.v1.products, shop.v1.prices, shop.v1.coupons, shop.v1.tax_rates, shop.v1.customers),
        *(shop.v1.subscriptions, shop.v1.subscription_schedules, shop.v1.invoices, shop.v1.invoice_items),
        *(shop.v1.credit_notes, shop.v1.charges, shop.v1.refunds, shop.v1.events, shop.v1.webhook_endpoints),
        shop.v1.checkout.sessions,
    ):
        for each in (await service.list_async({"limit": 20})).data:
            await service.retrieve_async(each.id)
    for invoice in (await shop.v1.invoices.list_async({"customer": sub.customer})).data:
        await shop.v1.invoices.line_items.list_async(invoice.id)
        for payment in (await shop.v1.invoice_payments.list_async({"invoice": invoice.id})).data:
            await shop.v1.payment_intents.retrieve_async(payment.payment.payment_intent)
    for method in (await shop.v1.customers.payment_methods.list_async(sub.customer)).data:
        await shop.v1.payment_methods.retrieve_async(method.id)
    for intent in list(shop.server.account.objects["setup_intent"]):
        await shop.v1.setup_intents.retrieve_async(intent)
    await shop.v1.customers.balance_transactions.list_async(sub.customer)
    schedule = (await shop.v1.subscription_schedules.list_async()).data[0]
    assert schedule.status == "released"
