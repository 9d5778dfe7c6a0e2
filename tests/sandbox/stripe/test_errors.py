"""What Stripe says no to, and in which words: status, type, code, param and headers, as plain HTTP sees them."""

import asyncio
from typing import Any

import aiohttp
import pytest
import stripe

from tests.sandbox.stripe.shop import KEY, Shop

Json = dict[str, Any]
AUTH = {"Authorization": f"Bearer {KEY}"}


async def call(
    shop: Shop, method: str, path: str, form: str = "", headers: dict[str, str] | None = None
) -> tuple[int, Json, Any]:
    """One call: status, body and headers."""
    sent = {**AUTH, **({"Content-Type": "application/x-www-form-urlencoded"} if form else {}), **(headers or {})}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{shop.server.base_url}/v1/{path}", data=form or None, headers=sent) as response,
    ):
        return response.status, await response.json(), response.headers


PRICE = "currency=sek&product_data[name]=P"


@pytest.mark.parametrize(
    ("line", "form", "status", "code", "param"),
    [
        ("POST customers", "colour=red", 400, "parameter_unknown", "colour"),
        ("POST customers", "address[planet]=Earth", 400, "parameter_unknown", "address[planet]"),
        ("POST prices", "unit_amount=100", 400, "parameter_missing", "currency"),
        ("POST prices", f"{PRICE}&unit_amount=ten", 400, "parameter_invalid_integer", "unit_amount"),
        ("POST prices", f"{PRICE}&unit_amount=-1", 400, "parameter_invalid_integer", "unit_amount"),
        ("POST prices", "currency=doubloon&unit_amount=1&product_data[name]=P", 400, None, "currency"),
        ("POST prices", f"{PRICE}&unit_amount=1&recurring[interval]=moon", 400, None, "recurring[interval]"),
        ("POST customers", "name=Kim&metadata=x", 400, None, "metadata"),
        ("POST customers", "expand[]=moon", 400, None, "expand"),
        ("POST subscriptions", "customer=cus_0&items[0][price]=price_0", 400, "resource_missing", "customer"),
        ("GET customers/cus_0", "", 404, "resource_missing", "id"),
        ("GET customers?limit=0", "", 400, "parameter_invalid_integer", "limit"),
        ("GET customers?limit=101", "", 400, "parameter_invalid_integer", "limit"),
        ("GET customers?starting_after=cus_0", "", 400, "resource_missing", "starting_after"),
        ("POST refunds", "charge=ch_0&amount=1", 400, "resource_missing", "charge"),
        ("GET moons", "", 404, None, None),
        ("DELETE customers/cus_0", "", 404, None, None),
    ],
    ids=lambda each: str(each).replace(" ", "_"),
)
async def test_a_mistake_is_named_with_its_status_code_and_parameter(
    shop: Shop, line: str, form: str, status: int, code: str | None, param: str | None
) -> None:
    method, path = line.split(" ")
    answered, body, headers = await call(shop, method, path, form)
    error = body["error"]
    assert (answered, error["type"]) == (status, "invalid_request_error")
    assert (error.get("code"), error.get("param")) == (code, param)
    assert error["message"]
    assert headers["Request-Id"] in error["request_log_url"]
    if code:
        assert error["doc_url"] == f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


async def test_each_answer_names_its_request_and_the_version_it_is_written_in(shop: Shop) -> None:
    for headers in ({}, {"Stripe-Version": stripe.api_version}):
        status, _, said = await call(shop, "GET", "customers", headers=headers)
        assert (status, said["Stripe-Version"]) == (200, stripe.api_version)
        assert said["Request-Id"].startswith("req_")


async def test_another_version_of_the_api_is_refused_and_named(shop: Shop) -> None:
    status, body, _ = await call(shop, "GET", "customers", headers={"Stripe-Version": "2015-02-18"})
    assert status == 400
    assert "2015-02-18" in body["error"]["message"]


async def test_json_is_not_how_stripe_is_asked(shop: Shop) -> None:
    status, body, _ = await call(shop, "POST", "customers", '{"name": "Kim"}', {"Content-Type": "application/json"})
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert (await shop.v1.customers.list_async()).data == []


@pytest.mark.parametrize("key", ["", "Bearer sk_test_other_0000", "Basic x"])
async def test_no_key_or_anothers_is_401(shop: Shop, key: str) -> None:
    status, body, _ = await call(shop, "GET", "customers", headers={"Authorization": key})
    assert (status, body["error"]["type"]) == (401, "invalid_request_error")


async def test_a_rate_limit_says_which_and_when_to_come_back(shop: Shop) -> None:
    await shop.control("faults", {"kind": "rate_limited", "retry_after": 7})
    status, body, headers = await call(shop, "GET", "customers")
    assert (status, body["error"]["code"]) == (429, "rate_limit")
    assert (headers["Stripe-Rate-Limited-Reason"], headers["Retry-After"]) == ("global-rate", "7")


# --- idempotency ---


async def test_a_repeated_key_is_answered_from_memory_and_says_so(shop: Shop) -> None:
    key = {"Idempotency-Key": "k1"}
    _, first, before = await call(shop, "POST", "customers", "name=Kim", key)
    status, again, headers = await call(shop, "POST", "customers", "name=Kim", key)
    assert (status, again) == (200, first)
    assert (headers["Idempotent-Replayed"], headers["Original-Request"]) == ("true", before["Request-Id"])
    assert "Idempotent-Replayed" not in before


async def test_a_key_with_other_parameters_is_an_idempotency_error(shop: Shop) -> None:
    key = {"Idempotency-Key": "k1"}
    await call(shop, "POST", "customers", "name=Kim", key)
    status, body, _ = await call(shop, "POST", "customers", "name=Robin", key)
    assert (status, body["error"]["type"]) == (400, "idempotency_error")


async def test_a_key_whose_first_call_is_still_being_answered_is_a_conflict_and_then_replayed(shop: Shop) -> None:
    key = {"Idempotency-Key": "k1"}
    await shop.control("faults", {"kind": "timeout", "after": True, "seconds": 0.6})
    first = asyncio.create_task(call(shop, "POST", "customers", "name=Kim", key))
    await asyncio.sleep(0.2)
    status, body, _ = await call(shop, "POST", "customers", "name=Kim", key)
    assert (status, body["error"]["code"]) == (409, "idempotency_key_in_use")
    await first
    status, body, headers = await call(shop, "POST", "customers", "name=Kim", key)
    assert (status, headers["Idempotent-Replayed"]) == (200, "true")
    assert [each.id for each in (await shop.v1.customers.list_async()).data] == [body["id"]]


async def test_a_call_that_was_never_carried_out_leaves_its_key_free(shop: Shop) -> None:
    key = {"Idempotency-Key": "k1"}
    await call(shop, "POST", "customers", "colour=red", key)
    status, _, headers = await call(shop, "POST", "customers", "name=Kim", key)
    assert status == 200
    assert "Idempotent-Replayed" not in headers
