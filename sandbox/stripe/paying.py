"""What comes of a checkout page when a person presses its button: a method kept, a subscription paid, or a refusal."""

import copy
from typing import Any

from sandbox.stripe import collection, ids, subscriptions
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.charging import confirm, open_intent, verdict
from sandbox.stripe.checkout import details_of, expire, subscription_params
from sandbox.stripe.customers import create_customer, keep_method, method_from, update_customer
from sandbox.stripe.errors import ApiError
from sandbox.stripe.payment import CARDS, Outcome, Payment, sentence
from sandbox.stripe.store import Store

Object = dict[str, Any]


def pay(store: Store, session_id: str, payment: Payment, *, address: Object | None, email: str | None) -> Outcome:
    """What the hosted page does when a person presses the button. A refusal leaves the session open."""
    session = store.objects.get("checkout.session", {}).get(session_id)
    problem = _closed_to(store, session, payment)
    if session is None or problem is not None:
        return Outcome("refused", message=problem)
    try:
        customer = _customer_of(store, session, address, email)
        method = method_from(store, payment, billing=_billing(customer))
    except ApiError as error:
        return outcome_of(error)
    refusal = refused_at_once(store, method, payment)
    if refusal is not None:
        if refusal.state == "declined":
            _tell_of_decline(store, session, customer, method)
        return refusal
    keep_method(store, method, customer)
    if session["mode"] == "setup":
        _save(store, session, customer, method)
        return Outcome("paid", redirect_url=_success_url(session))
    return _subscribe(store, session, customer, method)


def _closed_to(store: Store, session: Object | None, payment: Payment) -> str | None:
    if session is None:
        return "This page does not exist."
    if session["status"] == "open" and session["expires_at"] <= store.now():
        expire(store, session)
    if session["status"] != "open":
        return f"This session is {session['status']}."
    if payment.method not in session["payment_method_types"]:
        return f"This page does not take {payment.method}."
    return None


def refused_at_once(store: Store, method: Object, payment: Payment) -> Outcome | None:
    """Whether the bank asks for 3-D Secure first or says no the moment a method is typed; None to go on."""
    card = CARDS.get(store.card_numbers.get(method["id"], ""))
    if card is not None and card.authentication != "never" and not payment.authenticated:
        return Outcome("requires_action")
    decline = verdict(store, method, saved=False)
    return None if decline is None else Outcome("declined", decline, sentence(decline))


def outcome_of(refusal: ApiError) -> Outcome:
    """A card error as the page shows it."""
    error = refusal.body["error"]
    if error["type"] == "card_error":
        return Outcome("declined", error.get("decline_code") or error["code"], error["message"])
    return Outcome("refused", message=error["message"])


def _customer_of(store: Store, session: Object, address: Object | None, email: str | None) -> Object:
    if session["customer"] is None:
        customer = create_customer(store, {"email": email or session["customer_email"], "address": address})
        session["customer"] = customer["id"]
        return customer
    customer = store.get("customer", session["customer"])
    changed: Object = {}
    update = store.checkout_params[session["id"]].get("customer_update", {})
    if address and (update.get("address") == "auto" or customer["address"] is None):
        changed["address"] = address
    if email and customer["email"] is None:
        changed["email"] = email
    return update_customer(store, changed, customer["id"]) if changed else customer


def _billing(customer: Object) -> Object:
    return {"address": customer["address"], "email": customer["email"], "name": customer["name"]}


def _tell_of_decline(store: Store, session: Object, customer: Object, method: Object) -> None:
    if session["mode"] == "setup" or not session["amount_total"]:
        return
    intent = open_intent(
        store,
        customer=customer,
        amount=session["amount_total"],
        currency=session["currency"],
        description="Subscription creation",
    )
    confirm(store, intent, method, off_session=False, authenticated=True)


def _subscribe(store: Store, session: Object, customer: Object, method: Object) -> Outcome:
    wanted = subscription_params(store, copy.deepcopy(store.checkout_params[session["id"]]))
    wanted["customer"] = customer["id"]
    try:
        sub = subscriptions.create(store, wanted, method=method, authenticated=True)
    except ApiError as refusal:
        return outcome_of(refusal)
    if sub["status"] == "incomplete":
        invoice = store.get("invoice", sub["latest_invoice"])
        collection.void(store, invoice)
        sub["status"], sub["ended_at"] = "incomplete_expired", store.now()
        store.emit("customer.subscription.updated", sub)
        return Outcome("declined", "generic_decline", sentence("generic_decline"))
    session["subscription"], session["invoice"] = sub["id"], sub["latest_invoice"]
    invoice = store.get("invoice", sub["latest_invoice"])
    session["payment_status"] = "paid" if invoice["total"] > 0 else "no_payment_required"
    _complete(store, session, customer)
    return Outcome("paid", redirect_url=_success_url(session))


def _complete(store: Store, session: Object, customer: Object) -> None:
    session["status"], session["url"] = "complete", None
    session["customer_details"] = details_of(customer, None)
    store.emit("checkout.session.completed", session)


def _save(store: Store, session: Object, customer: Object, method: Object) -> None:
    intent = setup_intent(store, customer, method, store.checkout_params[session["id"]].get("setup_intent_data", {}))
    session["setup_intent"] = intent["id"]
    _complete(store, session, customer)


def setup_intent(store: Store, customer: Object, method: Object, data: Object) -> Object:
    """A succeeded setup intent: `setup_intent.created`, `setup_intent.succeeded`."""
    intent_id = ids.new("setup_intent")
    intent: Object = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{ids.random_word(31)}",
        "created": store.now(),
        "customer": customer["id"],
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merge_metadata({}, data.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [method["type"]],
        "single_use_mandate": None,
        "status": "succeeded",
        "usage": "off_session",
    }
    return store.add(intent, "setup_intent.created", "setup_intent.succeeded")


def _success_url(session: Object) -> str | None:
    url = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"]) if url else None
