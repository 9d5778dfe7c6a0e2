"""The customer portal: sessions, configurations, and what a person does on its pages."""

import copy
from typing import Any

from sandbox.stripe import collection, ids
from sandbox.stripe.customers import add_tax_id, detach, keep_method, method_from, methods_of, update_customer
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.paying import outcome_of, refused_at_once, setup_intent
from sandbox.stripe.payment import Outcome, Payment, sentence
from sandbox.stripe.store import Store

Object = dict[str, Any]
_SAVED: Object = {
    "customer_update": {"allowed_updates": ["email", "address", "name", "tax_id"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
}
_UNSAVED = (
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration or create "
    "your default by saving your customer portal settings."
)


def create_configuration(store: Store, params: Object) -> Object:
    """POST /v1/billing_portal/configurations."""
    features = params.get("features", {})
    profile = params.get("business_profile") or {}
    off: Object = {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": False},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }
    for name, given in features.items():
        off[name] = {**off[name], **given}
    return store.add(
        {
            "id": ids.new("billing_portal.configuration"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None, **profile},
            "created": store.now(),
            "default_return_url": params.get("default_return_url") or None,
            "features": off,
            "is_default": not store.all("billing_portal.configuration"),
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": params.get("metadata") or {},
            "name": params.get("name") or None,
            "updated": store.now(),
        },
        "billing_portal.configuration.created",
    )


def update_configuration(store: Store, params: Object, configuration_id: str) -> Object:
    """POST /v1/billing_portal/configurations/{id}."""
    configuration = store.get("billing_portal.configuration", configuration_id)
    with store.changing(configuration, "billing_portal.configuration.updated"):
        for name, given in params.get("features", {}).items():
            configuration["features"][name] = {**configuration["features"].get(name, {}), **given}
        for name in ("active", "default_return_url", "name", "metadata"):
            if name in params:
                configuration[name] = params[name]
        configuration["business_profile"].update(params.get("business_profile") or {})
        configuration["updated"] = store.now()
    return configuration


def list_configurations(store: Store, params: Object) -> list[Object]:
    """GET /v1/billing_portal/configurations. Somebody has saved the portal's settings before the account is used."""
    if not store.all("billing_portal.configuration"):
        create_configuration(store, {"features": _SAVED})
    return [
        each
        for each in store.all("billing_portal.configuration")
        if all(each[name] == params[name] for name in ("active", "is_default") if name in params)
    ]


def create_session(store: Store, params: Object) -> Object:
    """POST /v1/billing_portal/sessions."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = store.get("customer", params["customer"], param="customer")
    if "configuration" in params:
        configuration = store.get("billing_portal.configuration", params["configuration"], param="configuration")
    else:
        defaults = list_configurations(store, {"is_default": True})
        if not defaults:
            raise invalid(_UNSAVED)
        configuration = defaults[0]
    session_id = ids.new("billing_portal.session")
    return store.add(
        {
            "id": session_id,
            "object": "billing_portal.session",
            "configuration": configuration["id"],
            "created": store.now(),
            "customer": customer["id"],
            "customer_account": None,
            "flow": _flow(store, params.get("flow_data")),
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url") or configuration["default_return_url"],
            "url": f"{store.base_url}/portal/{session_id}",
        },
        "billing_portal.session.created",
    )


def _flow(store: Store, data: Object | None) -> Object | None:
    if data is None:
        return None
    flow: Object = {
        "after_completion": {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"},
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
    }
    flow = {**flow, **copy.deepcopy(data)}
    flow["after_completion"] = {"hosted_confirmation": None, "redirect": None, **flow["after_completion"]}
    kind = data["type"]
    if kind.startswith("subscription"):
        if not data.get(kind):
            raise missing_parameter(f"flow_data[{kind}]")
        store.get("subscription", data[kind]["subscription"], param=f"flow_data[{kind}][subscription]")
    return flow


def save_method(store: Store, portal_session_id: str, payment: Payment) -> Outcome:
    """The portal's form: the new method becomes the default everywhere, the one before is detached.

    Nothing is charged: an open invoice waits for its next attempt, or for whoever asks Stripe to pay it.
    """
    session = store.objects.get("billing_portal.session", {}).get(portal_session_id)
    if session is None:
        return Outcome("refused", message="This page does not exist.")
    customer = store.get("customer", session["customer"])
    try:
        method = method_from(store, payment, billing={name: customer[name] for name in ("address", "email", "name")})
        refusal = refused_at_once(store, method, payment)
        if refusal is not None:
            return refusal
        before = [each["id"] for each in methods_of(store, customer["id"])]
        keep_method(store, method, customer)
    except ApiError as error:
        return outcome_of(error)
    setup_intent(store, customer, method, {})
    make_default(store, customer, method)
    for each in before:
        detach(store, each)
    return Outcome("paid", redirect_url=session["return_url"])


def make_default(store: Store, customer: Object, method: Object) -> None:
    """Of the customer and of every subscription that is alive."""
    with store.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for sub in store.all("subscription"):
        if sub["customer"] == customer["id"] and sub["status"] not in {"canceled", "incomplete_expired"}:
            with store.changing(sub, "customer.subscription.updated"):
                sub["default_payment_method"] = method["id"]


def update_details(
    store: Store,
    portal_session_id: str,
    *,
    name: str | None,
    email: str | None,
    address: Object | None,
    tax_id: str | None,
) -> None:
    """Billing details as a person wrote them; None leaves one as it is. Raises ApiError for an unknown session."""
    session = store.get("billing_portal.session", portal_session_id)
    given = {key: value for key, value in (("name", name), ("email", email), ("address", address)) if value is not None}
    customer = update_customer(store, given, session["customer"])
    if tax_id:
        if any(each["value"] == tax_id for each in customer["tax_ids"]["data"]):
            return
        add_tax_id(store, {"type": "eu_vat", "value": tax_id}, customer["id"])


def pay_invoice(store: Store, invoice_id: str, payment: Payment | None) -> Outcome:
    """The hosted invoice page: pay with what was typed, or with the method on file."""
    invoice = store.objects.get("invoice", {}).get(invoice_id)
    if invoice is None or invoice["status"] != "open":
        reason = f"This invoice is {invoice['status']}." if invoice else "This page does not exist."
        return Outcome("refused", message=reason)
    method = None
    if payment is not None:
        customer = store.get("customer", invoice["customer"])
        try:
            method = method_from(
                store, payment, billing={name: customer[name] for name in ("address", "email", "name")}
            )
        except ApiError as refusal:
            return outcome_of(refusal)
    elif collection.method_on_file(store, invoice) is None:
        return Outcome("refused", message="There is no payment method on file.")
    attempt = collection.collect(
        store,
        invoice,
        method=method,
        off_session=False,
        authenticated=payment.authenticated if payment else False,
        retried=invoice["next_payment_attempt"] is not None,
        by_hand=True,
    )
    if attempt.state != "declined":
        return Outcome(attempt.state)
    code = attempt.decline_code or "generic_decline"
    return Outcome("declined", code, sentence(code))
