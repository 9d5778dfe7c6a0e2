"""Credit notes: what an invoice asks too much is taken back, before it is paid or after."""

from typing import Any

from sandbox.stripe import balances, collection, ids, invoices, lists
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.store import Store

Object = dict[str, Any]
_WAYS = ("refund_amount", "credit_amount", "out_of_band_amount")


def create(store: Store, params: Object) -> Object:
    """POST /v1/credit_notes. On an open invoice it lowers what is owed; on a paid one it says where the money goes:
    `refund_amount` back the way it came, `credit_amount` to the customer's balance, `out_of_band_amount` elsewhere.

    Without any of them it all goes to the balance. Raises ApiError where the sums don't add up.
    """
    invoice = store.get("invoice", params["invoice"], param="invoice")
    note = _composed(store, invoice, params)
    before_payment = note["type"] == "pre_payment"
    store.add(note)
    if before_payment:
        collection.reduce(store, invoice, note["amount"])
    else:
        _hand_out(store, invoice, note, params)
    store.emit("credit_note.created", note)
    return note


def preview(store: Store, params: Object) -> Object:
    """GET /v1/credit_notes/preview: what the note would be. Nothing is kept."""
    return _composed(store, store.get("invoice", params["invoice"], param="invoice"), params)


def void(store: Store, note: Object) -> None:
    """POST /v1/credit_notes/{id}/void: only while the invoice is open."""
    invoice = store.get("invoice", note["invoice"])
    if note["status"] != "issued" or invoice["status"] != "open":
        raise invalid("You can only void a credit note of an open invoice.", param="id")
    with store.changing(note, "credit_note.updated", "credit_note.voided"):
        note["status"], note["voided_at"] = "void", store.now()
    collection.reduce(store, invoice, -note["amount"])


def _composed(store: Store, invoice: Object, params: Object) -> Object:
    before_payment = invoice["status"] == "open"
    if invoice["status"] not in {"open", "paid"}:
        raise invalid("Credit notes can only be issued for open or paid invoices.", param="invoice")
    lines = [_line(store, invoice, each) for each in params.get("lines", [])]
    amount = params.get("amount", sum(line["amount"] + _tax_of(line) for line in lines) if lines else None)
    if amount is None:
        raise missing_parameter("amount")
    given = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    if amount <= 0 or amount > (invoice["amount_remaining"] if before_payment else invoice["total"] - given):
        raise invalid("The credit note amount exceeds what the invoice has left.", param="amount")
    ways = [name for name in _WAYS if name in params]
    if before_payment and ways:
        raise invalid("An unpaid invoice has nothing to refund or to credit.", param=ways[0])
    if ways and sum(params[name] for name in ways) != amount:
        raise invalid(
            "The sum of refund_amount, credit_amount and out_of_band_amount must equal the amount.", param=ways[0]
        )
    number = 1 + sum(1 for each in store.all("credit_note") if each["invoice"] == invoice["id"])
    note_id = ids.new("credit_note")
    taxes = [tax for line in lines for tax in line["taxes"]]
    without_tax = amount - sum(tax["amount"] for tax in taxes)
    return {
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
        "lines": lists.whole(lines, url=f"/v1/credit_notes/{note_id}/lines"),
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": merge_metadata({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{number:02d}",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": f"{store.base_url}/invoice/{invoice['id']}/pdf",
        "post_payment_amount": 0 if before_payment else amount,
        "pre_payment_amount": amount if before_payment else 0,
        "pretax_credit_amounts": [],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": without_tax,
        "subtotal_excluding_tax": without_tax,
        "total": amount,
        "total_excluding_tax": without_tax,
        "total_taxes": taxes,
        "type": "pre_payment" if before_payment else "post_payment",
        "voided_at": None,
    }


def _line(store: Store, invoice: Object, given: Object) -> Object:
    """A line of the note: a part of a line of the invoice, with the same part of its tax, or one of the note's own."""
    of_invoice = given["type"] == "invoice_line_item"
    billed = None
    if of_invoice:
        billed = next((e for e in invoice["lines"]["data"] if e["id"] == given.get("invoice_line_item")), None)
        if billed is None:
            raise invalid("The invoice has no such line.", param="lines[0][invoice_line_item]", code="resource_missing")
    quantity = given.get("quantity")
    if "amount" in given:
        amount = given["amount"]
    elif billed is not None:
        amount = billed["amount"] * (quantity or billed["quantity"]) // billed["quantity"]
    elif "unit_amount" in given:
        amount = given["unit_amount"] * (quantity or 1)
    else:
        raise missing_parameter("lines[0][amount]")
    taxes = []
    for tax in billed["taxes"] if billed is not None and billed["amount"] else []:
        assert billed is not None
        share = {"amount": tax["amount"] * amount // billed["amount"], "taxable_amount": amount}
        taxes.append({**tax, **share})
    rates = [store.get("tax_rate", tax["tax_rate_details"]["tax_rate"]) for tax in taxes]
    return {
        "id": ids.new("credit_note_line_item"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": given.get("description") or (billed["description"] if billed is not None else None),
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": billed["id"] if billed is not None else None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": rates,
        "taxes": taxes,
        "type": given["type"],
        "unit_amount": given.get("unit_amount"),
        "unit_amount_decimal": str(given["unit_amount"]) if "unit_amount" in given else None,
    }


def _tax_of(line: Object) -> int:
    return sum(tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "exclusive")


def _hand_out(store: Store, invoice: Object, note: Object, params: Object) -> None:
    with store.changing(invoice, "invoice.updated"):
        invoice["post_payment_credit_notes_amount"] += note["amount"]
    back = params.get("refund_amount", 0)
    if back:
        intent = collection.intent_of(store, invoice)
        if intent is None or not intent["latest_charge"]:
            raise invalid("The invoice was not paid with a charge that can be refunded.", param="refund_amount")
        refund = invoices.create_refund(store, {"charge": intent["latest_charge"], "amount": back})
        note["refunds"].append(
            {"amount_refunded": back, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}
        )
    credit = params.get("credit_amount", 0 if any(name in params for name in _WAYS) else note["amount"])
    if credit:
        customer = store.get("customer", invoice["customer"])
        made = balances.move(store, customer, -credit, invoice["currency"], type_="credit_note", credit_note=note["id"])
        note["customer_balance_transaction"] = made["id"]
