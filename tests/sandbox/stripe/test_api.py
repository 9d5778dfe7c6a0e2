"""The API's manners: keys, errors, parameters, idempotency, expansion, pages; with the official client."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
import stripe

from sandbox.stripe.payment import Payment
from tests.sandbox.stripe.shop import KEY, Shop


async def test_a_wrong_key_is_refused_with_401(shop: Shop) -> None:
    client = stripe.StripeClient("sk_test_somebody_else", base_addresses={"api": shop.server.base_url})
    with pytest.raises(stripe.AuthenticationError) as refused:
        await asyncio.to_thread(client.v1.customers.list)
    assert refused.value.http_status == 401


async def test_every_answer_names_its_request(shop: Shop) -> None:
    customer = await shop.v1.customers.create_async({})
    assert customer.last_response.headers["Request-Id"].startswith("req_")


async def test_the_same_idempotency_key_gets_the_same_answer_and_no_second_object(shop: Shop) -> None:
    first = await shop.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k1"})
    second = await shop.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k1"})
    assert first.id == second.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len((await shop.v1.customers.list_async()).data) == 1


async def test_other_parameters_under_the_same_key_are_refused(shop: Shop) -> None:
    await shop.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        await shop.v1.customers.create_async({"name": "B"}, {"idempotency_key": "k1"})


@pytest.mark.parametrize(
    ("params", "name"),
    [({"colour": "red"}, "colour"), ({"address": {"planet": "Mars"}}, "address[planet]")],
)
async def test_an_unknown_parameter_is_refused_by_name(shop: Shop, params: dict[str, Any], name: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.v1.customers.create_async(params)
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", name)


async def test_a_word_that_is_not_one_of_the_choices_is_refused(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        await shop.v1.subscriptions.update_async(sub.id, {"proration_behavior": "sometimes"})


async def test_what_does_not_exist_is_a_404_with_a_code(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.v1.subscriptions.retrieve_async("sub_nothing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_expansion_goes_four_levels_deep_and_into_lists(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    deep = await shop.v1.subscriptions.retrieve_async(
        sub.id, {"expand": ["latest_invoice.payments", "customer", "items.data.price.product"]}
    )
    assert deep.customer.email == "kim@example.com"
    assert deep["items"]["data"][0].price.product.name == "Premium"
    assert deep.latest_invoice.payments.data[0].status == "paid"
    listed = await shop.v1.subscriptions.list_async({"customer": deep.customer.id, "expand": ["data.latest_invoice"]})
    assert listed.data[0].latest_invoice.status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["moon"]})


async def test_pages_go_forwards_and_back_and_nothing_is_lost(shop: Shop) -> None:
    made = [(await shop.v1.customers.create_async({"name": str(number)})).id for number in range(7)]
    page = await shop.v1.customers.list_async({"limit": 3})
    assert page.has_more
    assert [each.id async for each in page.auto_paging_iter()] == made[::-1]
    back = await shop.v1.customers.list_async({"limit": 3, "ending_before": made[0]})
    assert [each.id for each in back.data] == made[1:4][::-1]


async def test_prices_are_found_by_lookup_key_and_a_key_moves_only_when_told_to(shop: Shop) -> None:
    old = await shop.price(lookup_key="premium_month")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        await shop.price(200, lookup_key="premium_month")
    new = await shop.v1.prices.create_async(
        {
            "unit_amount": 300,
            "currency": "sek",
            "product": old.product,
            "recurring": {"interval": "month"},
            "lookup_key": "premium_month",
            "transfer_lookup_key": True,
        }
    )
    found = await shop.v1.prices.list_async({"lookup_keys": ["premium_month"]})
    assert [each.id for each in found.data] == [new.id]


async def test_metadata_is_merged_and_an_empty_value_deletes(shop: Shop) -> None:
    customer = await shop.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    after = await shop.v1.customers.update_async(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert after.metadata.to_dict() == {"a": "1", "c": "3"}


async def test_an_injected_error_is_a_500_and_then_all_is_well(shop: Shop) -> None:
    await shop.control("faults", {"kind": "api_error", "times": 1})
    with pytest.raises(stripe.APIError):
        await shop.v1.customers.create_async({})
    await shop.control("faults", {"kind": "rate_limited", "times": 1})
    with pytest.raises(stripe.RateLimitError):
        await shop.v1.customers.create_async({})
    assert (await shop.v1.customers.list_async()).data == []


async def test_an_unknown_fault_is_refused_with_the_list_of_kinds(shop: Shop) -> None:
    answer = await shop.control("faults", {"kind": "earthquake"})
    assert answer["status"] == 400
    assert "decline_next_renewal" in str(answer)


async def test_duplicates_and_reordering_reach_the_endpoint(shop: Shop) -> None:
    await shop.control("faults", {"kind": "duplicate", "times": 3})
    await shop.subscribe(await shop.price())
    await shop.server.deliver_due_webhooks()
    ids = [each["id"] for each in shop.endpoint.got]
    assert len(ids) - len(set(ids)) == 3
    await shop.control("faults", {"kind": "reorder", "times": 2})
    before = len(shop.endpoint.got)
    account = shop.server.account
    for number in range(3):
        account.emit("customer.updated", {"object": "customer", "id": f"cus_{number}"})
    await shop.server.deliver_due_webhooks()
    seen = [each["data"]["object"]["id"] for each in shop.endpoint.got[before:]]
    assert sorted(seen) == ["cus_0", "cus_1", "cus_2"]
    assert seen != ["cus_0", "cus_1", "cus_2"]


async def test_the_same_events_can_be_sent_five_times_out_of_order(shop: Shop) -> None:
    await shop.subscribe(await shop.price())
    await shop.server.deliver_due_webhooks()
    first = len(shop.endpoint.got)
    answer = await shop.control("redeliver", {"all": True, "times": 5, "shuffle": True})
    assert answer["deliveries"] == 5 * first
    assert len(shop.endpoint.got) == 6 * first


async def test_a_refused_webhook_is_tried_again_later_and_pending_until_then(shop: Shop) -> None:
    shop.endpoint.refusing = 1
    customer = await shop.v1.customers.create_async({})
    await shop.server.deliver_due_webhooks()
    waiting = await shop.v1.events.list_async({"delivery_success": False})
    assert [each.pending_webhooks for each in waiting.data] == [1]
    await shop.move_by(minutes=2)
    assert shop.endpoint.got[-1]["data"]["object"]["id"] == customer.id
    assert (await shop.v1.events.list_async({"delivery_success": False})).data == []


async def test_webhooks_leave_at_once_without_being_asked(shop: Shop) -> None:
    await shop.v1.customers.create_async({})
    deadline = time.monotonic() + 2
    while not shop.endpoint.got and time.monotonic() < deadline:  # noqa: ASYNC110 (the endpoint has no event to wait for)
        await asyncio.sleep(0.01)
    assert shop.endpoint.types() == ["customer.created"]


async def test_a_change_tells_what_was_there_before(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price())
    await shop.v1.subscriptions.update_async(sub.id, {"cancel_at_period_end": True})
    events = await shop.v1.events.list_async({"types": ["customer.subscription.updated"]})
    previous = events.data[0].data.previous_attributes
    assert previous["cancel_at_period_end"] is False
    assert "metadata" not in previous


async def test_a_credit_on_the_balance_is_used_first(shop: Shop) -> None:
    price = await shop.price(10_000)
    customer = await shop.v1.customers.create_async({"balance": -30_000})
    sub = await shop.subscribe(price, 10, customer=customer)
    invoice = await shop.v1.invoices.retrieve_async(sub.latest_invoice)
    assert (invoice.total, invoice.amount_paid, invoice.ending_balance) == (100_000, 70_000, 0)
    assert (await shop.v1.customers.retrieve_async(customer.id)).balance == 0


async def test_fewer_seats_now_leave_a_credit_for_the_next_invoice(shop: Shop) -> None:
    sub = await shop.subscribe(await shop.price(), 10)
    item = sub["items"]["data"][0]
    await shop.move_by(days=5)
    at = shop.clock.timestamp()
    change = {"items": [{"id": item.id, "quantity": 4}], "proration_date": at}
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change})
    await shop.v1.subscriptions.update_async(sub.id, change)
    await shop.move_to(item.current_period_end + 2 * 3_600)
    renewed = await shop.v1.subscriptions.retrieve_async(sub.id, {"expand": ["latest_invoice"]})
    assert renewed.latest_invoice.amount_paid == preview.amount_due < 40_000


async def test_a_card_with_3d_secure_asks_for_it_on_the_page(shop: Shop) -> None:
    price = await shop.price()
    session = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.com",
        }
    )
    card = Payment("card", number="4000002500003155")
    assert (await shop.server.account.pay_checkout(session.id, card)).state == "requires_action"
    done = Payment("card", number="4000002500003155", authenticated=True)
    assert (await shop.server.account.pay_checkout(session.id, done, email="kim@example.com")).state == "paid"


async def test_setup_mode_saves_a_method_and_charges_nothing(shop: Shop) -> None:
    customer = await shop.v1.customers.create_async({})
    session = await shop.v1.checkout.sessions.create_async(
        {"mode": "setup", "customer": customer.id, "currency": "sek", "success_url": "https://example.com"}
    )
    await shop.control(f"pay/{session.id}", {"method": "paypal"})
    done = await shop.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["setup_intent.payment_method"]})
    assert done.setup_intent.payment_method.customer == customer.id
    assert done.setup_intent.payment_method.type == "paypal"


async def test_the_client_libraries_wire_format_of_nested_forms_is_understood(shop: Shop) -> None:
    body = "name=%C3%85sa&preferred_locales[]=sv&preferred_locales[]=en&metadata[a]=1&address[country]=SE"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{shop.server.base_url}/v1/customers", data=body, headers=headers) as response,
    ):
        customer = await response.json()
    assert (customer["name"], customer["preferred_locales"], customer["address"]["country"]) == (
        "Åsa",
        ["sv", "en"],
        "SE",
    )
