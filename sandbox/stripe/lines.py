"""Lines of an invoice before it is priced: a period of an item, a proration, or something billed by hand."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import ids
from sandbox.stripe.money import rounded, shown, unit_amount

Object = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One line. `amount` in minor units, before discounts unless `discountable` is off; [start, end) in seconds.

    `credited`: for a credit, the invoice and the line that it gives back a part of.
    """

    amount: int
    currency: str
    description: str
    start: int
    end: int
    quantity: int
    price: Object | None = None
    subscription: str | None = None
    subscription_item: str | None = None
    invoice_item: str | None = None
    proration: bool = False
    discountable: bool = True
    tax_rates: tuple[Object, ...] = ()
    credited: tuple[str, str] | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def full_amount(price: Object, quantity: int) -> int:
    """What `quantity` of a price costs for a whole period, before discounts."""
    return rounded(unit_amount(price) * quantity)


def product_name(price: Object, products: dict[str, Object]) -> str:
    """What people call it."""
    product = products.get(price["product"])
    return str(product["name"]) if product else str(price["product"])


def period_line(sub: Object, item: Object, start: int, end: int, *, name: str, trial: bool = False) -> Line:
    """A whole period of an item; free in a trial."""
    price, quantity = item["price"], item["quantity"]
    recurring = price["recurring"]
    each = shown(rounded(unit_amount(price)), price["currency"])
    every = recurring["interval"] if recurring["interval_count"] == 1 else _every(recurring)
    description = f"Trial period for {name}" if trial else f"{quantity} × {name} (at {each} / {every})"
    return Line(
        amount=0 if trial else full_amount(price, quantity),
        currency=price["currency"],
        description=description,
        start=start,
        end=end,
        quantity=quantity,
        price=price,
        subscription=sub["id"],
        subscription_item=item["id"],
        tax_rates=tax_rates_of(sub, item),
        metadata=dict(sub["metadata"]),
    )


def _every(recurring: Object) -> str:
    return f"every {recurring['interval_count']} {recurring['interval']}s"


def tax_rates_of(sub: Object, item: Object) -> tuple[Object, ...]:
    """The item's own tax rates, else the subscription's."""
    return tuple(item["tax_rates"] or sub["default_tax_rates"] or ())


def as_json(
    line: Line, *, line_id: str, invoice: str | None, discount_amounts: list[Object], taxes: list[Object]
) -> Object:
    """The `line_item` as the API shows it."""
    return {
        "id": line_id,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": discount_amounts,
        "discountable": line.discountable,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(line.metadata),
        "parent": _parent(line),
        "period": {"start": line.start, "end": line.end},
        "pretax_credit_amounts": [
            {"amount": each["amount"], "discount": each["discount"], "type": "discount"} for each in discount_amounts
        ],
        "pricing": _pricing(line),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": taxes,
    }


def _parent(line: Line) -> Object:
    credited = None
    if line.credited is not None:
        credited = {"invoice": line.credited[0], "invoice_line_items": [line.credited[1]]}
    details: Object = {
        "invoice_item": line.invoice_item,
        "proration": line.proration,
        "proration_details": {"credited_items": credited},
        "subscription": line.subscription,
    }
    if line.subscription_item is None:
        return {
            "type": "invoice_item_details",
            "invoice_item_details": details,
            "subscription_item_details": None,
        }
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {**details, "subscription_item": line.subscription_item},
    }


def _pricing(line: Line) -> Object | None:
    if line.price is None:
        return {"type": "price_details", "price_details": None, "unit_amount_decimal": str(line.amount)}
    return {
        "type": "price_details",
        "price_details": {"price": line.price["id"], "product": line.price["product"]},
        "unit_amount_decimal": line.price["unit_amount_decimal"],
    }


def new_line_id(preview: bool) -> str:
    """A line's id; a preview's is temporary."""
    return ids.new("line_item").replace("il_1", "il_tmp_1") if preview else ids.new("line_item")
