"""What a change in the middle of a period costs, to the second: the unused rest is given back, the new rest is charged.

The credit is the same share of what was really billed (net of discounts) as the share of its period that is left, so
no chain of changes ever gives back more than was billed.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sandbox.stripe.lines import Line, full_amount, tax_rates_of
from sandbox.stripe.money import rounded
from sandbox.stripe.periods import day_month_year
from sandbox.stripe.store import Debit
from sandbox.stripe.totals import Discount, reductions

Object = dict[str, Any]


def share(amount: int, start: int, end: int, at: int) -> int:
    """The part of `amount`, billed for [start, end), that falls on or after `at`. Rounded to the minor unit."""
    if end <= start or at >= end:
        return 0
    return rounded(amount * Fraction(end - max(at, start), end - start))


def net_amounts(items: Sequence[Object], discounts: Sequence[Discount]) -> dict[str, int]:
    """What each subscription item costs for a whole period after discounts, by item id."""
    amounts = [full_amount(item["price"], item["quantity"]) for item in items]
    taken = reductions(amounts, discounts)
    return {item["id"]: amount - sum(cuts) for item, amount, cuts in zip(items, amounts, taken, strict=True)}


def credit(sub: Object, item: Object, debit: Debit | None, *, at: int, name: str) -> Line | None:
    """The unused rest of what was billed for an item, as a negative line; None where nothing is left of it."""
    if debit is None:
        return None
    amount = share(debit.amount, debit.start, debit.end, at)
    if debit.end <= at:
        return None
    return Line(
        amount=-amount,
        currency=sub["currency"],
        description=f"Unused time on {_many(item['quantity'])}{name} after {day_month_year(at)}",
        start=at,
        end=debit.end,
        quantity=item["quantity"],
        price=item["price"],
        subscription=sub["id"],
        subscription_item=item["id"],
        proration=True,
        discountable=False,
        tax_rates=tax_rates_of(sub, item),
        credited=(debit.invoice, debit.line) if debit.invoice and debit.line else None,
        metadata=dict(sub["metadata"]),
    )


def charge(sub: Object, item: Object, net: int, *, start: int, end: int, at: int, name: str) -> Line | None:
    """The rest of the period [start, end) at an item's new price and quantity (`net` for the whole period)."""
    if at >= end:
        return None
    return Line(
        amount=share(net, start, end, at),
        currency=sub["currency"],
        description=f"Remaining time on {_many(item['quantity'])}{name} after {day_month_year(at)}",
        start=at,
        end=end,
        quantity=item["quantity"],
        price=item["price"],
        subscription=sub["id"],
        subscription_item=item["id"],
        proration=True,
        discountable=False,
        tax_rates=tax_rates_of(sub, item),
        metadata=dict(sub["metadata"]),
    )


def _many(quantity: int) -> str:
    return "" if quantity == 1 else f"{quantity} × "
