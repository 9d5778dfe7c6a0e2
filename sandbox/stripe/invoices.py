"""Invoices, invoice items, credit notes and refunds as the API serves them."""

from typing import Any

from sandbox.stripe import balances, collection, drafts, ids, lists
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


def create_credit_note(store: Store, params: Object) -> Object:
    """POST /v1/credit_notes for a sum of a finalised invoice: lowers what is open, or credits the customer's balance."""
    invoice = store.get("invoice", params["invoice"], param="invoice")
    amount = params.get("amount")
    if amount is None:
        raise missing_parameter("amount")
    if invoice["status"] not in {"open", "paid"}:
        raise invalid("Credit notes can only be issued for open or paid invoices.", param="invoice")
    before_payment = invoice["status"] == "open"
    given = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    if amount <= 0 or amount > (invoice["amount_remaining"] if before_payment else invoice["total"] - given):
        raise invalid("The credit note amount exceeds what the invoice has left.", param="amount")
    number = 1 + sum(1 for each in store.all("credit_note") if each["invoice"] == invoice["id"])
    note_id = ids.new("credit_note")
    note = store.add(
        {
            "id": note_id,
            "object": "credit_note",
            "amount": amount,
            "amount_shipping": 0,
            "created": store.now(),
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "customer_account": None,
            "customer_balance_transaction": None,
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": store.now(),
            "invoice": invoice["id"],
            "lines": lists.whole([], url=f"/v1/credit_notes/{note_id}/lines"),
            "livemode": False,
            "memo": params.get("memo"),
            "metadata": merge_metadata({}, params.get("metadata")),
            "number": f"{invoice['number']}-CN-{number:02d}",
            "out_of_band_amount": None,
            "pdf": f"{store.base_url}/invoice/{invoice['id']}/pdf",
            "post_payment_amount": 0 if before_payment else amount,
            "pre_payment_amount": amount if before_payment else 0,
            "pretax_credit_amounts": [],
            "reason": params.get("reason"),
            "refunds": [],
            "shipping_cost": None,
            "status": "issued",
            "subtotal": amount,
            "subtotal_excluding_tax": amount,
            "total": amount,
            "total_excluding_tax": amount,
            "total_taxes": [],
            "type": "pre_payment" if before_payment else "post_payment",
            "voided_at": None,
        },
        "credit_note.created",
    )
    if before_payment:
        collection.reduce(store, invoice, amount)
    else:
        with store.changing(invoice, "invoice.updated"):
            invoice["post_payment_credit_notes_amount"] += amount
        customer = store.get("customer", invoice["customer"])
        step = balances.move(store, customer, -amount, invoice["currency"], type_="credit_note", credit_note=note["id"])
        note["customer_balance_transaction"] = step["id"]
    return note


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
