"""Makes invoices: the one function that turns lines into a priced invoice, for previews and for real, and the one that
keeps a real one."""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

from sandbox.stripe import ids, lists
from sandbox.stripe.lines import Line, as_json, new_line_id
from sandbox.stripe.money import settled
from sandbox.stripe.periods import DAY, HOUR
from sandbox.stripe.store import Debit, Store
from sandbox.stripe.totals import Discount, price

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Bill:
    """What an invoice is for. `customer` and `sub` may be missing in a preview for somebody new."""

    lines: Sequence[Line]
    currency: str
    reason: str
    customer: Object | None
    sub: Object | None
    discounts: Sequence[Discount] = ()
    period: tuple[int, int] | None = None
    proration_date: int | None = None
    preview: bool = False
    collection_method: str | None = None
    days_until_due: int | None = None
    default_payment_method: str | None = None
    description: str | None = None
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)


def compose(store: Store, bill: Bill) -> Object:
    """The priced invoice as a draft, not kept. The lines' ids are temporary in a preview."""
    now = store.now()
    customer, sub = bill.customer, bill.sub
    invoice_id = ("upcoming_" if bill.preview else "") + ids.new("invoice")
    totals = price(bill.lines, bill.discounts, tax_exempt=customer["tax_exempt"] if customer else "none")
    balance = customer["balance"] if customer else 0
    due, ending = settled(totals.total, balance, bill.currency)
    lines = [
        as_json(line, line_id=new_line_id(bill.preview), invoice=invoice_id, discount_amounts=discounts, taxes=taxes)
        for line, discounts, taxes in zip(bill.lines, totals.line_discounts, totals.line_taxes, strict=True)
    ]
    period = bill.period or (now, now)
    method = bill.collection_method or (sub["collection_method"] if sub else "charge_automatically")
    return {
        "id": invoice_id,
        "object": "invoice",
        "account_country": store.settings.country,
        "account_name": store.name,
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": bill.reason != "manual",
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": bill.reason,
        "collection_method": method,
        "created": now,
        "currency": bill.currency,
        "custom_fields": None,
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "customer_address": copy.deepcopy(customer["address"]) if customer else None,
        "customer_email": customer["email"] if customer else None,
        "customer_name": customer["name"] if customer else None,
        "customer_phone": customer["phone"] if customer else None,
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"] if customer else "none",
        "customer_tax_ids": [
            {"type": each["type"], "value": each["value"]} for each in (customer["tax_ids"]["data"] if customer else [])
        ],
        "default_payment_method": bill.default_payment_method,
        "default_source": None,
        "default_tax_rates": copy.deepcopy(sub["default_tax_rates"]) if sub else [],
        "description": bill.description,
        "discounts": [each.id for each in bill.discounts],
        "due_date": None,
        "effective_at": None,
        "ending_balance": ending if bill.preview else None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": lists.whole(lines, url=f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": dict(bill.metadata),
        "next_payment_attempt": now + HOUR if bill.reason != "manual" and method == "charge_automatically" else None,
        "number": None,
        "on_behalf_of": None,
        "parent": _parent(bill),
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "payments": lists.whole([], url=f"/v1/invoice_payments?invoice={invoice_id}"),
        "period_end": period[1],
        "period_start": period[0],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": balance,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": totals.subtotal,
        "subtotal_excluding_tax": totals.subtotal_excluding_tax,
        "test_clock": None,
        "total": totals.total,
        "total_discount_amounts": totals.total_discount_amounts,
        "total_excluding_tax": totals.total_excluding_tax,
        "total_pretax_credit_amounts": [{**each, "type": "discount"} for each in totals.total_discount_amounts],
        "total_taxes": totals.total_taxes,
        "webhooks_delivered_at": None,
    }


def _parent(bill: Bill) -> Object | None:
    if bill.sub is None:
        return None
    details: Object = {"metadata": dict(bill.sub["metadata"]), "subscription": bill.sub["id"]}
    if bill.proration_date is not None:
        details["subscription_proration_date"] = bill.proration_date
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def keep(store: Store, bill: Bill, *, finalizes_at: int | None = None) -> Object:
    """Compose and keep a real draft: `invoice.created`. Invoice items on it are waiting no longer."""
    invoice = compose(store, bill)
    invoice["automatically_finalizes_at"] = finalizes_at
    days = bill.days_until_due if bill.days_until_due is not None else (bill.sub or {}).get("days_until_due")
    if invoice["collection_method"] == "send_invoice":
        invoice["next_payment_attempt"] = None
        invoice["due_date"] = store.now() + (days if days is not None else 30) * DAY
    if bill.customer is not None and bill.customer["currency"] is None:
        bill.customer["currency"] = bill.currency
    for line in bill.lines:
        if line.invoice_item is not None:
            store.pending_lines.pop(line.invoice_item, None)
            store.get("invoiceitem", line.invoice_item)["invoice"] = invoice["id"]
    store.add(invoice, "invoice.created")
    return invoice


def remember_debits(store: Store, invoice: Object) -> None:
    """Note what the invoice billed for each subscription item, so that a later change can give a part of it back."""
    for line in invoice["lines"]["data"]:
        details = (line["parent"] or {}).get("subscription_item_details")
        if not details or (details["proration"] and line["description"].startswith("Unused")):
            continue
        net = line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
        debit = Debit(net, line["period"]["start"], line["period"]["end"], invoice["id"], line["id"])
        held = store.debits.get(details["subscription_item"])
        if held is None or held.start <= debit.start:
            store.debits[details["subscription_item"]] = debit


def as_invoice_items(store: Store, lines: Sequence[Line], customer_id: str) -> list[Line]:
    """Make an `invoiceitem` of each proration (`invoiceitem.created`); the lines that name them."""
    made = []
    for line in lines:
        item_id = ids.new("invoiceitem")
        named = dataclasses.replace(line, invoice_item=item_id)
        store.add(invoice_item(store, named, customer_id), "invoiceitem.created")
        store.pending_lines[item_id] = named
        made.append(named)
    return made


def invoice_item(store: Store, line: Line, customer_id: str) -> Object:
    """The `invoiceitem` as the API shows it."""
    pricing = as_json(line, line_id="", invoice=None, discount_amounts=[], taxes=[])["pricing"]
    parent = None
    if line.subscription is not None:
        parent = {
            "type": "subscription_details",
            "subscription_details": {"subscription": line.subscription, "subscription_item": line.subscription_item},
        }
    return {
        "id": line.invoice_item,
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": line.currency,
        "customer": customer_id,
        "customer_account": None,
        "date": store.now(),
        "description": line.description,
        "discountable": line.discountable,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(line.metadata),
        "net_amount": line.amount,
        "parent": parent,
        "period": {"start": line.start, "end": line.end},
        "pricing": pricing,
        "proration": line.proration,
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [copy.deepcopy(rate) for rate in line.tax_rates],
        "test_clock": None,
    }


def waiting_lines(store: Store, customer_id: str, sub_id: str | None, *, prorations_only: bool = False) -> list[Line]:
    """Invoice items that wait for the next invoice of the subscription (or of the customer)."""
    found = []
    for item_id, line in store.pending_lines.items():
        item = store.get("invoiceitem", item_id)
        if item["customer"] != customer_id or line.subscription not in (None, sub_id):
            continue
        if prorations_only and not line.proration:
            continue
        found.append(line)
    return found
