"""An invoice's life after the draft: finalised, paid or not, retried, voided; each with its events."""

from typing import Any

from sandbox.stripe import balances, consequences, ids
from sandbox.stripe.charging import Attempt, confirm, open_intent
from sandbox.stripe.consequences import after_failure, after_paid
from sandbox.stripe.drafts import remember_debits
from sandbox.stripe.errors import invalid
from sandbox.stripe.money import settled
from sandbox.stripe.periods import DAY
from sandbox.stripe.store import Store

Object = dict[str, Any]


def finalize(store: Store, invoice: Object, *, advance: bool = True, debits: bool = True) -> Object:
    """Number it, use the customer's balance, open it. With nothing due it is paid at once. Raises ApiError if no draft.

    `debits=False`: what it bills is not yet in force (a pending update), so later prorations must not build on it.
    """
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    customer = store.get("customer", invoice["customer"])
    due, ending = settled(invoice["total"], customer["balance"], invoice["currency"])
    with store.changing(invoice, "invoice.finalized"):
        invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1
        invoice["starting_balance"], invoice["ending_balance"] = customer["balance"], ending
        invoice["amount_due"] = invoice["amount_remaining"] = due
        invoice["status"] = "open"
        invoice["status_transitions"]["finalized_at"] = invoice["effective_at"] = store.now()
        invoice["automatically_finalizes_at"] = None
        invoice["auto_advance"] = advance
        invoice["hosted_invoice_url"] = f"{store.base_url}/invoice/{invoice['id']}"
        invoice["invoice_pdf"] = f"{store.base_url}/invoice/{invoice['id']}/pdf"
        invoice["webhooks_delivered_at"] = store.now()
        invoice["next_payment_attempt"] = None
        if due > 0:
            _ask_for(store, invoice, customer)
    if customer["balance"] != ending:
        step = ending - customer["balance"]
        balances.move(store, customer, step, invoice["currency"], type_="applied_to_invoice", invoice=invoice["id"])
    if debits:
        remember_debits(store, invoice)
    if due == 0:
        _mark_paid(store, invoice, None)
    return invoice


def _ask_for(store: Store, invoice: Object, customer: Object) -> None:
    description = f"Subscription {'creation' if invoice['billing_reason'] == 'subscription_create' else 'update'}"
    intent = open_intent(
        store, customer=customer, amount=invoice["amount_due"], currency=invoice["currency"], description=description
    )
    payment: Object = {
        "id": ids.new("invoice_payment"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": store.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    store.add(payment)
    invoice["payments"]["data"].append(payment)
    invoice["confirmation_secret"] = {"client_secret": intent["client_secret"], "type": "payment_intent"}


def intent_of(store: Store, invoice: Object) -> Object | None:
    """The payment intent that an open invoice is paid with."""
    for payment in invoice["payments"]["data"]:
        return store.find(payment["payment"]["payment_intent"])
    return None


def method_on_file(store: Store, invoice: Object) -> Object | None:
    """What an invoice is charged to: its own default, the subscription's, the customer's."""
    sub = subscription_of(store, invoice)
    customer = store.get("customer", invoice["customer"])
    chosen = (
        invoice["default_payment_method"]
        or (sub["default_payment_method"] if sub else None)
        or customer["invoice_settings"]["default_payment_method"]
    )
    return store.find(chosen) if chosen else None


def subscription_of(store: Store, invoice: Object) -> Object | None:
    """The subscription that the invoice bills."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return store.objects.get("subscription", {}).get(details["subscription"]) if details else None


def collect(
    store: Store,
    invoice: Object,
    *,
    method: Object | None = None,
    off_session: bool = True,
    authenticated: bool = False,
    retried: bool = True,
    by_hand: bool = False,
) -> Attempt:
    """Charge an open invoice to `method` or the one on file, and let the subscription follow.

    `retried`: a failure is tried again later by itself (renewals and the like). `by_hand`: somebody asked for it; it leaves the
    schedule of retries as it is, and counts as an attempt only when it is the first.
    """
    renewal = invoice["billing_reason"] == "subscription_cycle" and invoice["attempt_count"] == 0
    refuse = renewal and off_session and store.faults.decline_next_renewal > 0
    if refuse:
        store.faults.decline_next_renewal -= 1
    intent = intent_of(store, invoice)
    method = method or method_on_file(store, invoice)
    if method is None or intent is None:
        attempt = Attempt("declined", "missing")
    else:
        attempt = confirm(store, intent, method, off_session=off_session, authenticated=authenticated, refuse=refuse)
    if attempt.state == "paid":
        with store.changing(invoice):
            invoice["attempt_count"] += 1
            invoice["attempted"] = True
        _mark_paid(store, invoice, intent)
    else:
        _mark_failed(store, invoice, attempt, retried=retried, by_hand=by_hand and invoice["attempt_count"] > 0)
    return attempt


def _mark_paid(store: Store, invoice: Object, intent: Object | None, *, out_of_band: bool = False) -> None:
    with store.changing(invoice, "invoice.updated"):
        invoice["status"] = "paid"
        invoice["attempted"] = True
        invoice["amount_paid"] = 0 if out_of_band else invoice["amount_due"]
        invoice["amount_remaining"] = 0
        invoice["auto_advance"] = False
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["paid_at"] = store.now()
        invoice.pop("confirmation_secret", None)
        for payment in invoice["payments"]["data"]:
            payment["status"] = "canceled" if out_of_band else "paid"
            payment["status_transitions"]["canceled_at" if out_of_band else "paid_at"] = store.now()
            payment["amount_paid"] = None if out_of_band else payment["amount_requested"]
    store.emit("invoice.paid", invoice)
    store.emit("invoice.payment_succeeded", invoice)
    if intent is not None:
        for payment in invoice["payments"]["data"]:
            store.emit("invoice_payment.paid", payment)
    sub = subscription_of(store, invoice)
    if sub is not None:
        after_paid(store, invoice, sub)
    customer = store.get("customer", invoice["customer"])
    if customer["delinquent"] and not open_invoices(store, customer["id"], attempted=True):
        with store.changing(customer, "customer.updated"):
            customer["delinquent"] = False


def _mark_failed(store: Store, invoice: Object, attempt: Attempt, *, retried: bool, by_hand: bool) -> None:
    days = store.settings.retry_after_days
    sub = subscription_of(store, invoice)
    with store.changing(invoice, "invoice.updated"):
        invoice["attempted"] = True
        number = invoice["attempt_count"] = invoice["attempt_count"] + (not by_hand)
        again = retried and sub is not None and sub["status"] in {"active", "past_due"} and number <= len(days)
        if not by_hand:
            invoice["next_payment_attempt"] = store.now() + days[number - 1] * DAY if again else None
        if retried and not again and not by_hand:
            invoice["auto_advance"] = False
    if attempt.state == "requires_action":
        store.emit("invoice.payment_action_required", invoice)
    store.emit("invoice.payment_failed", invoice)
    customer = store.get("customer", invoice["customer"])
    if retried and not customer["delinquent"]:
        with store.changing(customer, "customer.updated"):
            customer["delinquent"] = True
    if sub is not None and retried and not by_hand:
        after_failure(store, invoice, sub, last=not again)


def open_invoices(store: Store, customer_id: str, *, attempted: bool = False) -> list[Object]:
    """A customer's open invoices; with `attempted`, those that were tried and failed."""
    return [
        each
        for each in store.all("invoice")
        if each["customer"] == customer_id and each["status"] == "open" and (each["attempted"] or not attempted)
    ]


def mark_paid_out_of_band(store: Store, invoice: Object) -> Object:
    """Somebody paid by other means."""
    _cancel_intent(store, invoice)
    _mark_paid(store, invoice, None, out_of_band=True)
    return invoice


def void(store: Store, invoice: Object) -> Object:
    """Nobody owes it any more: `invoice.voided`. Raises ApiError unless it is open."""
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(
            f"You can only pass in open invoices. This invoice isn't open (it is {invoice['status']}).", param="invoice"
        )
    with store.changing(invoice, "invoice.updated", "invoice.voided"):
        invoice["status"] = "void"
        invoice["auto_advance"] = False
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["voided_at"] = store.now()
        for payment in invoice["payments"]["data"]:
            payment["status"] = "canceled"
            payment["status_transitions"]["canceled_at"] = store.now()
    _cancel_intent(store, invoice)
    _give_back_balance(store, invoice)
    for sub_id, (_, waits_for) in list(store.plans.items()):
        if waits_for == invoice["id"]:  # a change that was to be paid with it is discarded
            consequences.drop_pending_update(store, store.get("subscription", sub_id), expired=True)
    return invoice


def _give_back_balance(store: Store, invoice: Object) -> None:
    """What the balance paid of an invoice goes back to it when the invoice no longer counts."""
    step = (invoice["starting_balance"] or 0) - (invoice["ending_balance"] or 0)
    if step:
        customer = store.get("customer", invoice["customer"])
        balances.move(store, customer, step, invoice["currency"], type_="unapplied_from_invoice", invoice=invoice["id"])


def mark_uncollectible(store: Store, invoice: Object) -> Object:
    """Bad debt: `invoice.marked_uncollectible`."""
    if invoice["status"] != "open":
        raise invalid("You can only pass in open invoices. This invoice isn't open.", param="invoice")
    with store.changing(invoice, "invoice.updated", "invoice.marked_uncollectible"):
        invoice["status"] = "uncollectible"
        invoice["auto_advance"] = False
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["marked_uncollectible_at"] = store.now()
    return invoice


def _cancel_intent(store: Store, invoice: Object) -> None:
    intent = intent_of(store, invoice)
    if intent is not None and intent["status"] != "succeeded":
        with store.changing(intent, "payment_intent.canceled"):
            intent["status"], intent["canceled_at"] = "canceled", store.now()
            intent["cancellation_reason"] = "void_invoice"


def reduce(store: Store, invoice: Object, amount: int) -> None:
    """A credit note before payment: that much less is owed; nothing left is paid."""
    with store.changing(invoice, "invoice.updated"):
        invoice["pre_payment_credit_notes_amount"] += amount
        invoice["amount_due"] -= amount
        invoice["amount_remaining"] -= amount
    intent = intent_of(store, invoice)
    if invoice["amount_remaining"] == 0:
        _cancel_intent(store, invoice)
        _mark_paid(store, invoice, None)
    elif intent is not None:
        intent["amount"] = invoice["amount_remaining"]
