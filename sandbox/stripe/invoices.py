"""Invoices, invoice items, credit notes and refunds as the API serves them."""

from typing import Any

from sandbox.stripe import collection, drafts, ids
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.errors import declined, invalid, missing_parameter
from sandbox.stripe.lines import Line, full_amount
from sandbox.stripe.lists import created_within
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import tax_rates

Object = dict[str, Any]


def create(store: Store, params: Object) -> Object:
    """POST /v1/invoices: a draft by hand, with the customer's waiting items where asked to include them."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = store.get("customer", params["customer"], param="customer")
    included = params.get("pending_invoice_items_behavior", "exclude") == "include"
    lines = drafts.waiting_lines(store, customer["id"], params.get("subscription")) if included else []
    currency = params.get("currency") or (lines[0].currency if lines else customer["currency"] or "usd")
    bill = drafts.Bill(
        lines=lines,
        currency=currency,
        reason="manual",
        customer=customer,
        sub=store.get("subscription", params["subscription"], param="subscription")
        if "subscription" in params
        else None,
        collection_method=params.get("collection_method", "charge_automatically"),
        days_until_due=params.get("days_until_due"),
        default_payment_method=params.get("default_payment_method"),
        description=params.get("description"),
        metadata=merge_metadata({}, params.get("metadata")),
    )
    return drafts.keep(store, bill)


def update(store: Store, params: Object, invoice_id: str) -> Object:
    """POST /v1/invoices/{id}: metadata always; words and days on a draft."""
    invoice = store.get("invoice", invoice_id)
    with store.changing(invoice, "invoice.updated"):
        invoice["metadata"] = merge_metadata(invoice["metadata"], params.get("metadata"))
        for name in ("description", "footer", "due_date", "default_payment_method", "auto_advance"):
            if name in params:
                invoice[name] = params[name] if params[name] != "" else None
    return invoice


def finalize(store: Store, params: Object, invoice_id: str) -> Object:
    """POST …/finalize."""
    return collection.finalize(store, store.get("invoice", invoice_id), advance=params.get("auto_advance", True))


def send(store: Store, invoice_id: str) -> Object:
    """POST …/send: finalises a draft; `invoice.sent`."""
    invoice = store.get("invoice", invoice_id)
    if invoice["status"] == "draft":
        collection.finalize(store, invoice)
    store.emit("invoice.sent", invoice)
    return invoice


def pay(store: Store, params: Object, invoice_id: str) -> Object:
    """POST …/pay. Raises ApiError 402 where the bank says no, 400 where it is not open."""
    invoice = store.get("invoice", invoice_id)
    if invoice["status"] == "draft":
        collection.finalize(store, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] != "open":
        raise invalid(f"You cannot pay an invoice that is {invoice['status']}.", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        return collection.mark_paid_out_of_band(store, invoice)
    method = None
    if "payment_method" in params:
        method = store.get("payment_method", params["payment_method"], param="payment_method")
        if method["customer"] != invoice["customer"]:
            raise invalid("The payment method is not attached to the invoice's customer.", param="payment_method")
    elif collection.method_on_file(store, invoice) is None:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method first, "
            "or specify one as a parameter."
        )
    attempt = collection.collect(
        store,
        invoice,
        method=method,
        off_session=params.get("off_session", True),
        retried=invoice["next_payment_attempt"] is not None,
        by_hand=True,
    )
    if attempt.state == "paid":
        return invoice
    intent = collection.intent_of(store, invoice)
    charge = attempt.charge["id"] if attempt.charge else None
    raise declined(attempt.decline_code or "authentication_required", charge=charge, payment_intent=intent)


def list_invoices(store: Store, params: Object) -> list[Object]:
    """GET /v1/invoices."""
    return [
        each
        for each in store.all("invoice")
        if all(params.get(name, each[name]) == each[name] for name in ("customer", "status", "collection_method"))
        and params.get("subscription") in (None, _subscription_id(each))
        and created_within(each, params.get("created"))
    ]


def _subscription_id(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def list_payments(store: Store, params: Object) -> list[Object]:
    """GET /v1/invoice_payments."""
    return [
        each
        for each in store.all("invoice_payment")
        if params.get("invoice", each["invoice"]) == each["invoice"]
        and params.get("status", each["status"]) == each["status"]
    ]


def create_item(store: Store, params: Object) -> Object:
    """POST /v1/invoiceitems: waits for the customer's next invoice, or goes on the draft named."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = store.get("customer", params["customer"], param="customer")
    quantity = params.get("quantity", 1)
    price_id = params.get("pricing", {}).get("price")
    price = store.get("price", price_id, param="pricing[price]") if price_id else None
    if price is None and "amount" not in params:
        raise missing_parameter("amount")
    amount = full_amount(price, quantity) if price else params["amount"]
    period = params.get("period", {"start": store.now(), "end": store.now()})
    line = Line(
        amount=amount,
        currency=price["currency"] if price else str(params.get("currency", customer["currency"] or "usd")),
        description=params.get("description") or "",
        start=period["start"],
        end=period["end"],
        quantity=quantity,
        price=price,
        subscription=params.get("subscription"),
        invoice_item=ids.new("invoiceitem"),
        discountable=params.get("discountable", True),
        tax_rates=tuple(tax_rates(store, params.get("tax_rates"))),
        metadata=merge_metadata({}, params.get("metadata")),
    )
    if "invoice" in params:
        return _on_draft(store, line, customer, params["invoice"])
    store.pending_lines[str(line.invoice_item)] = line
    return store.add(drafts.invoice_item(store, line, customer["id"]), "invoiceitem.created")


def list_items(store: Store, params: Object) -> list[Object]:
    """GET /v1/invoiceitems; with `pending`, those that wait for an invoice."""
    return [
        each
        for each in store.all("invoiceitem")
        if not each.get("deleted")
        and all(params.get(name, each[name]) == each[name] for name in ("customer", "invoice"))
        and params.get("pending", each["invoice"] is None) == (each["invoice"] is None)
        and created_within(each, params.get("created"))
    ]


def delete_item(store: Store, item_id: str) -> Object:
    """DELETE /v1/invoiceitems/{id}: one that waits is billed to nobody (`invoiceitem.deleted`)."""
    item = store.get("invoiceitem", item_id)
    if item["invoice"] is not None:
        raise invalid("The invoice item is on an invoice already and can't be deleted.", param="id")
    store.pending_lines.pop(item_id, None)
    store.emit("invoiceitem.deleted", item)
    del store.objects["invoiceitem"][item_id]
    return {"id": item_id, "object": "invoiceitem", "deleted": True}


def _on_draft(store: Store, line: Line, customer: Object, invoice_id: str) -> Object:
    invoice = store.get("invoice", invoice_id, param="invoice")
    if invoice["status"] != "draft":
        raise invalid(
            "You can only add invoice items to a draft invoice.", param="invoice", code="invoice_not_editable"
        )
    item = drafts.invoice_item(store, line, customer["id"])
    item["invoice"] = invoice_id
    store.add(item, "invoiceitem.created")
    held = [*store.lines_of.get(invoice_id, ()), line]
    store.lines_of[invoice_id] = held
    fresh = drafts.compose(
        store, drafts.Bill(lines=held, currency=line.currency, reason="manual", customer=customer, sub=None)
    )
    with store.changing(invoice, "invoice.updated"):
        for name in (
            "subtotal",
            "total",
            "total_taxes",
            "amount_due",
            "amount_remaining",
            "subtotal_excluding_tax",
            "total_excluding_tax",
            "currency",
        ):
            invoice[name] = fresh[name]
        for each in fresh["lines"]["data"]:
            each["invoice"] = invoice_id
        invoice["lines"]["data"] = fresh["lines"]["data"]
    return item


def create_refund(store: Store, params: Object) -> Object:
    """POST /v1/refunds of a charge or a payment intent, all of it or a part."""
    charge_id = params.get("charge")
    if charge_id is None and "payment_intent" in params:
        charge_id = store.get("payment_intent", params["payment_intent"], param="payment_intent")["latest_charge"]
    if charge_id is None:
        raise missing_parameter("charge")
    charge = store.get("charge", charge_id, param="charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if left <= 0:
        raise invalid("Charge has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
    refund = store.add(
        {
            "id": ids.new("refund"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": store.now(),
            "currency": charge["currency"],
            "destination_details": None,
            "metadata": merge_metadata({}, params.get("metadata")),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        },
        "refund.created",
    )
    with store.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    return refund
