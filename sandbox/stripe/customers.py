"""Customers and the ways they pay."""

import hashlib
from typing import Any

from sandbox.stripe import balances, ids
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.errors import declined, invalid, missing_parameter
from sandbox.stripe.lists import created_within
from sandbox.stripe.payment import CARDS, Payment
from sandbox.stripe.store import Store

Object = dict[str, Any]

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def full_address(given: Any) -> Object | None:
    """All six fields, None where not given; None for no address."""
    if not given:
        return None
    return {name: given.get(name) or None for name in _ADDRESS}


def create_customer(store: Store, params: Object) -> Object:
    """POST /v1/customers."""
    customer: Object = {
        "id": ids.new("customer"),
        "object": "customer",
        "address": full_address(params.get("address")),
        "balance": params.get("balance", 0),
        "created": store.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description") or None,
        "discount": None,
        "email": params.get("email") or None,
        "invoice_prefix": params.get("invoice_prefix") or ids.random_word(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merge_metadata({}, params.get("metadata")),
        "name": params.get("name") or None,
        "next_invoice_sequence": params.get("next_invoice_sequence", 1),
        "phone": params.get("phone") or None,
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": params.get("shipping") or None,
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": None,
        "tax_ids": {"object": "list", "data": [], "has_more": False, "url": ""},
        "subscriptions": {"object": "list", "data": [], "has_more": False, "url": ""},
    }
    customer["tax_ids"]["url"] = f"/v1/customers/{customer['id']}/tax_ids"
    customer["subscriptions"]["url"] = f"/v1/customers/{customer['id']}/subscriptions"
    if params.get("payment_method"):
        attach(store, {"customer": customer["id"]}, params["payment_method"], customer=customer)
    settings = params.get("invoice_settings", {})
    _set_invoice_settings(store, customer, settings)
    store.add(customer, "customer.created")
    for each in params.get("tax_id_data", []):
        add_tax_id(store, each, customer["id"])
    return customer


def _set_invoice_settings(store: Store, customer: Object, given: Object) -> None:
    for name, value in given.items():
        if name == "default_payment_method" and value:
            method = store.get("payment_method", value, param="invoice_settings[default_payment_method]")
            if method["customer"] != customer["id"]:
                raise invalid(
                    f"The customer does not have a payment method with the ID {value}. The payment method must be "
                    "attached to the customer.",
                    param="invoice_settings[default_payment_method]",
                    code="resource_missing",
                )
        customer["invoice_settings"][name] = value or None


def update_customer(store: Store, params: Object, customer_id: str) -> Object:
    """POST /v1/customers/{id}."""
    customer = store.get("customer", customer_id)
    if params.get("balance", customer["balance"]) != customer["balance"]:
        amount = params["balance"] - customer["balance"]
        balances.move(store, customer, amount, customer["currency"] or "usd", type_="adjustment")
    with store.changing(customer, "customer.updated"):
        for name in ("preferred_locales", "next_invoice_sequence", "invoice_prefix"):
            if name in params:
                customer[name] = params[name]
        for name in ("description", "email", "name", "phone", "shipping"):
            if name in params:
                customer[name] = params[name] or None
        if "address" in params:
            customer["address"] = full_address(params["address"])
        if "tax_exempt" in params:
            customer["tax_exempt"] = params["tax_exempt"] or "none"
        _set_invoice_settings(store, customer, params.get("invoice_settings", {}))
        customer["metadata"] = merge_metadata(customer["metadata"], params.get("metadata"))
    return customer


def list_customers(store: Store, params: Object) -> list[Object]:
    """GET /v1/customers."""
    return [
        each
        for each in store.all("customer")
        if not each.get("deleted")
        and params.get("email", each["email"]) == each["email"]
        and created_within(each, params.get("created"))
    ]


def add_tax_id(store: Store, params: Object, customer_id: str) -> Object:
    """POST /v1/customers/{id}/tax_ids."""
    customer = store.get("customer", customer_id)
    tax_id = store.add(
        {
            "id": ids.new("tax_id"),
            "object": "tax_id",
            "country": params["value"][:2].upper(),
            "created": store.now(),
            "customer": customer_id,
            "customer_account": None,
            "livemode": False,
            "owner": {"type": "customer", "customer": customer_id},
            "type": params["type"],
            "value": params["value"],
            "verification": {"status": "pending", "verified_address": None, "verified_name": None},
        }
    )
    customer["tax_ids"]["data"].append(tax_id)
    store.emit("customer.tax_id.created", tax_id)
    return tax_id


def method_from(store: Store, payment: Payment, *, billing: Object | None = None) -> Object:
    """A payment method of what was typed, not kept yet. Raises ApiError for a card that is refused at once."""
    details: Object = {"address": full_address({}) or dict.fromkeys(_ADDRESS), "email": None, "name": None}
    details.update({key: value for key, value in (billing or {}).items() if value})
    method: Object = {
        "id": ids.new("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {**details, "phone": None, "tax_id": None},
        "created": store.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": payment.method,
    }
    number = payment.number.replace(" ", "")
    if payment.authenticated:
        store.set_up.add(method["id"])
    if payment.method == "paypal":
        store.card_numbers[method["id"]] = number
        method["paypal"] = {
            "country": "SE",
            "payer_email": payment.payer_email or details["email"] or "payer@example.com",
            "payer_id": ids.random_word(13).upper(),
        }
        return method
    card = CARDS.get(number)
    if card is None:
        raise declined("incorrect_number")
    if (payment.exp_year, payment.exp_month) < _year_month(store):
        raise declined("expired_card")
    method["card"] = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": payment.exp_month,
        "exp_year": payment.exp_year,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    store.card_numbers[method["id"]] = card.number
    return method


def _year_month(store: Store) -> tuple[int, int]:
    now = store.clock.now()
    return now.year, now.month


# Stripe's ready-made payment methods for tests; each attach makes a new one.
_READY_MADE = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
}


def attach(store: Store, params: Object, method_id: str, *, customer: Object | None = None) -> Object:
    """POST /v1/payment_methods/{id}/attach. Takes Stripe's `pm_card_…` names too."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = customer or store.get("customer", params["customer"], param="customer")
    if method_id in _READY_MADE:
        method = method_from(store, Payment("card", number=_READY_MADE[method_id]))
    else:
        method = store.get("payment_method", method_id)
    return keep_method(store, method, customer)


def keep_method(store: Store, method: Object, customer: Object) -> Object:
    """Attach `method` to `customer`. Raises ApiError 402 for a card that the bank refuses to save."""
    if method["customer"] not in (None, customer["id"]):
        raise invalid("The payment method you provided has already been attached to a customer.")
    number = store.card_numbers.get(method["id"])
    if number in CARDS and (refusal := CARDS[number].attach_error):
        raise declined(refusal)
    if method["customer"] == customer["id"]:
        return method
    store.add(method)
    with store.changing(method, "payment_method.attached"):
        method["customer"] = customer["id"]
        if method["allow_redisplay"] == "limited":
            method["allow_redisplay"] = "always"
    return method


def detach(store: Store, method_id: str) -> Object:
    """POST /v1/payment_methods/{id}/detach; it is nobody's default afterwards."""
    method = store.get("payment_method", method_id)
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    for customer in store.all("customer"):
        if customer["invoice_settings"]["default_payment_method"] == method_id:
            with store.changing(customer, "customer.updated"):
                customer["invoice_settings"]["default_payment_method"] = None
    for sub in store.all("subscription"):
        if sub["default_payment_method"] == method_id:
            with store.changing(sub, "customer.subscription.updated"):
                sub["default_payment_method"] = None
    with store.changing(method, "payment_method.detached"):
        method["customer"] = None
    return method


def methods_of(store: Store, customer_id: str, type_: str | None = None) -> list[Object]:
    """The payment methods attached to a customer."""
    return [
        each
        for each in store.all("payment_method")
        if each["customer"] == customer_id and type_ in (None, each["type"])
    ]
