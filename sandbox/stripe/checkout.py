"""Checkout Sessions: a page on which a person subscribes, or saves a way to pay."""

import copy
from typing import Any

from sandbox.stripe import ids, lists, subscriptions
from sandbox.stripe.catalogue import create_price, create_product, merge_metadata
from sandbox.stripe.drafts import Bill, compose
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.lists import created_within
from sandbox.stripe.periods import DAY
from sandbox.stripe.store import Store
from sandbox.stripe.totals import Discount

Object = dict[str, Any]

_DEFAULT_METHODS = ["card", "paypal"]


def create(store: Store, params: Object) -> Object:
    """POST /v1/checkout/sessions, modes `subscription` and `setup`."""
    mode = params.get("mode")
    if mode is None:
        raise missing_parameter("mode")
    if mode == "payment":
        raise invalid("This account sells subscriptions only; use mode `subscription` or `setup`.", param="mode")
    if params.get("ui_mode", "hosted_page") == "hosted_page" and not params.get("success_url"):
        raise missing_parameter("success_url")
    customer = store.get("customer", params["customer"], param="customer") if "customer" in params else None
    if customer is not None and "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", param="customer_email")
    session = _blank(store, params, customer)
    if mode == "subscription":
        if not params.get("line_items"):
            raise missing_parameter("line_items")
        _fill_with_items(store, session, params, customer)
    elif "line_items" in params:
        raise invalid("`line_items` cannot be used in `setup` mode.", param="line_items")
    store.checkout_params[session["id"]] = copy.deepcopy(params)
    return store.add(session)


def _blank(store: Store, params: Object, customer: Object | None) -> Object:
    now = store.now()
    expires = params.get("expires_at", now + DAY)
    if not now + 30 * 60 - 5 <= expires <= now + DAY + 5:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    session_id = ids.new("checkout.session")
    methods = params.get("allowed_payment_method_types") or _DEFAULT_METHODS
    left_out = params.get("excluded_payment_method_types") or []
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": None,
        "amount_total": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": params.get("consent_collection"),
        "created": now,
        "currency": params.get("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
            **params.get("custom_text", {}),
        },
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "customer_creation": None if customer else params.get("customer_creation", "always"),
        "customer_details": details_of(customer, params.get("customer_email"))
        if customer or params.get("customer_email")
        else None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": expires,
        "integration_identifier": params.get("integration_identifier"),
        "invoice": None,
        "invoice_creation": None,
        "line_items": lists.whole([], url=f"/v1/checkout/sessions/{session_id}/line_items"),
        "livemode": False,
        "locale": params.get("locale"),
        "managed_payments": {"enabled": False},
        "metadata": merge_metadata({}, params.get("metadata")),
        "mode": params["mode"],
        "origin_context": params.get("origin_context"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_configuration_details": None,
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": [each for each in methods if each in _DEFAULT_METHODS and each not in left_out],
        "payment_status": "unpaid" if params["mode"] == "subscription" else "no_payment_required",
        "permissions": None,
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": None,
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "url": f"{store.base_url}/pay/{session_id}",
        "wallet_options": None,
    }


def details_of(customer: Object | None, email: str | None) -> Object:
    """Who buys, as the session shows it."""
    return {
        "address": copy.deepcopy(customer["address"]) if customer else None,
        "business_name": None,
        "email": customer["email"] if customer else email,
        "individual_name": None,
        "name": customer["name"] if customer else None,
        "phone": customer["phone"] if customer else None,
        "tax_exempt": customer["tax_exempt"] if customer else "none",
        "tax_ids": [{"type": t["type"], "value": t["value"]} for t in customer["tax_ids"]["data"]] if customer else [],
    }


def subscription_params(store: Store, params: Object) -> Object:
    """The subscription a session leads to, as parameters. Raises ApiError."""
    items = []
    for index, each in enumerate(params["line_items"]):
        if "price_data" in each:
            price = _price_of_data(store, each["price_data"])
            each["price"] = price["id"]
            del each["price_data"]
        if "price" not in each:
            raise missing_parameter(f"line_items[{index}][price]")
        if "quantity" not in each:
            raise missing_parameter(f"line_items[{index}][quantity]")
        if each["quantity"] < 1:
            raise invalid(
                "This value must be greater than or equal to 1.",
                param=f"line_items[{index}][quantity]",
                code="parameter_invalid_integer",
            )
        items.append({name: each[name] for name in ("price", "quantity", "tax_rates", "metadata") if name in each})
    data = params.get("subscription_data", {})
    wanted = {
        name: data[name]
        for name in ("metadata", "trial_period_days", "trial_end", "default_tax_rates", "description", "trial_settings")
        if name in data
    }
    wanted["items"] = items
    if params.get("discounts"):
        wanted["discounts"] = params["discounts"]
    return wanted


def _price_of_data(store: Store, data: Object) -> Object:
    if "product_data" in data:
        product = create_product(store, data["product_data"])
        data = {**{key: value for key, value in data.items() if key != "product_data"}, "product": product["id"]}
    return create_price(store, data)


def _fill_with_items(store: Store, session: Object, params: Object, customer: Object | None) -> None:
    wanted = subscription_params(store, params)
    sub = subscriptions.draft_of(store, wanted, customer)
    lines = subscriptions.first_lines(store, sub)
    discounts = [
        Discount(each["coupon"], store.get("coupon", each["coupon"], param="discounts"))
        for each in params.get("discounts", [])
        if "coupon" in each
    ]
    priced = compose(
        store,
        Bill(
            lines=lines,
            currency=sub["currency"],
            reason="upcoming",
            customer=customer,
            sub=None,
            discounts=discounts,
            preview=True,
        ),
    )
    session["currency"] = sub["currency"]
    session["amount_subtotal"], session["amount_total"] = priced["subtotal"], priced["total"]
    tax = sum(each["amount"] for each in priced["total_taxes"])
    off = sum(each["amount"] for each in priced["total_discount_amounts"])
    session["total_details"] = {"amount_discount": off, "amount_shipping": 0, "amount_tax": tax}
    session["discounts"] = [{"coupon": each.id, "promotion_code": None} for each in discounts]
    for line, item in zip(priced["lines"]["data"], sub["items"]["data"], strict=True):
        line_off = sum(each["amount"] for each in line["discount_amounts"])
        line_tax = sum(each["amount"] for each in line["taxes"] if each["tax_behavior"] == "exclusive")
        session["line_items"]["data"].append(
            {
                "id": ids.new("item"),
                "object": "item",
                "adjustable_quantity": None,
                "amount_discount": line_off,
                "amount_subtotal": line["amount"],
                "amount_tax": sum(each["amount"] for each in line["taxes"]),
                "amount_total": line["amount"] - line_off + line_tax,
                "currency": line["currency"],
                "description": store.get("product", item["price"]["product"])["name"],
                "metadata": dict(item["metadata"]),
                "price": copy.deepcopy(item["price"]),
                "quantity": line["quantity"],
            }
        )


def expire(store: Store, session: Object) -> Object:
    """It can be paid no longer: `checkout.session.expired`. Raises ApiError unless it is open."""
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of '
            f"{session['status']}.",
            param="session",
        )
    session["status"], session["url"] = "expired", None
    store.emit("checkout.session.expired", session)
    return session


def list_sessions(store: Store, params: Object) -> list[Object]:
    """GET /v1/checkout/sessions."""
    return [
        each
        for each in store.all("checkout.session")
        if all(
            params.get(name, each[name]) == each[name]
            for name in ("customer", "subscription", "status", "payment_intent")
        )
        and created_within(each, params.get("created"))
    ]
