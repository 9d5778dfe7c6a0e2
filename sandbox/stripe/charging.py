"""Taking the money: payment intents and charges, and how the well-known test cards take it."""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.stripe import ids, lists
from sandbox.stripe.payment import CARDS, error_code, sentence
from sandbox.stripe.store import Store

Object = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """How it went. `charge` is None where the bank was never asked."""

    state: Literal["paid", "declined", "requires_action"]
    decline_code: str | None = None
    charge: Object | None = None


def open_intent(store: Store, *, customer: Object, amount: int, currency: str, description: str | None) -> Object:
    """A new payment intent that waits for a method: `payment_intent.created`."""
    intent_id = ids.new("payment_intent")
    return store.add(
        {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{ids.random_word(25)}",
            "confirmation_method": "automatic",
            "created": store.now(),
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": description,
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": ["card", "paypal"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": "off_session",
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        },
        "payment_intent.created",
    )


def confirm(
    store: Store, intent: Object, method: Object, *, off_session: bool, authenticated: bool, refuse: bool = False
) -> Attempt:
    """Charge `method`. `refuse`: the bank says no whatever the card. Tells `charge.*` and `payment_intent.*`."""
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = [method["type"]]
    decline = "generic_decline" if refuse else verdict(store, method, saved=True)
    if decline is None and _asks_for_authentication(store, method, authenticated):
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        store.emit("payment_intent.requires_action", intent)
        return Attempt("requires_action", "authentication_required" if off_session else None)
    if authenticated:
        store.set_up.add(method["id"])
    charge = _charge(store, intent, method, decline)
    store.add(charge)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    if decline is not None:
        intent["status"] = "requires_payment_method"
        intent["payment_method"] = None
        intent["last_payment_error"] = {
            "charge": charge["id"],
            "code": error_code(decline),
            "decline_code": decline,
            "message": sentence(decline),
            "payment_method": method,
            "type": "card_error",
        }
        store.emit("charge.failed", charge)
        store.emit("payment_intent.payment_failed", intent)
        return Attempt("declined", decline, charge)
    intent["status"], intent["amount_received"], intent["last_payment_error"] = "succeeded", intent["amount"], None
    store.emit("charge.succeeded", charge)
    store.emit("payment_intent.succeeded", intent)
    return Attempt("paid", None, charge)


def verdict(store: Store, method: Object, *, saved: bool) -> str | None:
    """The decline the bank answers with; None when it says yes. `saved`: charged later, not only saved."""
    card = CARDS.get(store.card_numbers.get(method["id"], ""))
    if card is None:
        return None
    decline = card.attach_error or (card.charge_error if saved else None)
    if decline is not None and method["type"] == "paypal":
        return "payment_method_provider_decline"
    if decline is None and method["type"] == "card":
        today = store.clock.now()
        if (method["card"]["exp_year"], method["card"]["exp_month"]) < (today.year, today.month):
            return "expired_card"
    return decline


def _asks_for_authentication(store: Store, method: Object, authenticated: bool) -> bool:
    card = CARDS.get(store.card_numbers.get(method["id"], ""))
    if card is None or authenticated or card.authentication == "never":
        return False
    return card.authentication == "always" or method["id"] not in store.set_up


def _charge(store: Store, intent: Object, method: Object, decline: str | None) -> Object:
    charge_id = ids.new("charge")
    paid = decline is None
    details: Object = {"type": method["type"]}
    if method["type"] == "card":
        card = method["card"]
        details["card"] = {
            "amount_authorized": intent["amount"] if paid else None,
            "authorization_code": None,
            "brand": card["brand"],
            "checks": card["checks"],
            "country": card["country"],
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "fingerprint": card["fingerprint"],
            "funding": card["funding"],
            "installments": None,
            "last4": card["last4"],
            "mandate": None,
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": None,
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "wallet": None,
        }
    else:
        details["paypal"] = {
            "country": method["paypal"]["country"],
            "payer_email": method["paypal"]["payer_email"],
            "payer_id": method["paypal"]["payer_id"],
            "payer_name": method["billing_details"]["name"],
            "seller_protection": None,
            "transaction_id": ids.random_word(17).upper() if paid else None,
        }
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": store.name.upper()[:22],
        "captured": paid,
        "created": store.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if decline is None else error_code(decline),
        "failure_message": None if decline is None else sentence(decline),
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": decline,
            "seller_message": "Payment complete." if paid else "The bank did not return any further details.",
            "type": "authorized" if paid else "issuer_declined",
        },
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "refunds": lists.whole([], url=f"/v1/charges/{charge_id}/refunds"),
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }
