"""An invoice's sums as people read them, the same on its page and in its PDF."""

from typing import Any

Json = dict[str, Any]
Row = tuple[str, int, bool]  # what (a word's key), how much (minor units), whether it is a sum that counts


def sums_of(invoice: Json) -> list[Row]:
    """From the subtotal down to what is left to pay; what is nothing is left out."""
    discounts = sum(each["amount"] for each in invoice.get("total_discount_amounts") or [])
    from_balance = (invoice.get("ending_balance") or 0) - (invoice.get("starting_balance") or 0)
    credited = invoice["pre_payment_credit_notes_amount"]
    rows: list[Row] = []
    if discounts or invoice.get("total_taxes"):
        rows.append(("subtotal", invoice["subtotal"], False))
    if discounts:
        rows.append(("discount", -discounts, False))
    rows += [("tax", tax["amount"], False) for tax in invoice.get("total_taxes") or []]
    rows.append(("total", invoice["total"], True))
    if from_balance:
        rows.append(("from_balance", -from_balance, False))
    if credited:
        rows.append(("credited", -credited, False))
    if invoice["amount_paid"]:
        rows.append(("amount_paid", -invoice["amount_paid"], False))
    if len(rows) > 1:
        rows.append(("amount_due", invoice["amount_remaining"], True))
    return rows
