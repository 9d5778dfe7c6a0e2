"""Prices an invoice: discounts, taxes and totals over its lines. Previews and real invoices both come through here."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sandbox.stripe.lines import Line
from sandbox.stripe.money import rounded

Object = dict[str, Any]


@dataclass(frozen=True)
class Discount:
    """A discount that applies: its id and its coupon."""

    id: str
    coupon: Object


@dataclass(frozen=True)
class Totals:
    """Sums in minor units, and the shares of each line, in the order of the lines."""

    subtotal: int
    total: int
    subtotal_excluding_tax: int
    total_excluding_tax: int
    total_discount_amounts: list[Object]
    total_taxes: list[Object]
    line_discounts: list[list[Object]]
    line_taxes: list[list[Object]]


def reductions(amounts: Sequence[int], discounts: Sequence[Discount]) -> list[list[int]]:
    """How much each discount takes off each amount. Later discounts see what earlier ones left.

    A percentage is rounded line by line; a fixed sum is shared out in proportion, the last minor unit going to the last
    line. Never takes a line below zero.
    """
    left = list(amounts)
    taken: list[list[int]] = [[] for _ in amounts]
    for discount in discounts:
        for index, cut in enumerate(_cuts(left, discount.coupon)):
            taken[index].append(cut)
            left[index] -= cut
    return taken


def _cuts(amounts: list[int], coupon: Object) -> list[int]:
    if coupon["percent_off"] is not None:
        share = Fraction(str(coupon["percent_off"])) / 100
        return [rounded(amount * share) if amount > 0 else 0 for amount in amounts]
    positive = sum(amount for amount in amounts if amount > 0)
    off = min(coupon["amount_off"], positive)
    cuts, given = [], Fraction(0)
    done = 0
    for amount in amounts:
        if amount > 0 and positive:
            given += Fraction(off * amount, positive)
        cut = rounded(given) - done
        done += cut
        cuts.append(cut)
    return cuts


def price(lines: Sequence[Line], discounts: Sequence[Discount], *, tax_exempt: str) -> Totals:
    """Discounts first, then tax on what is left."""
    open_to_discount = [index for index, line in enumerate(lines) if line.discountable]
    taken: list[list[int]] = [[0] * len(discounts) for _ in lines]
    for index, cuts in zip(
        open_to_discount, reductions([lines[i].amount for i in open_to_discount], discounts), strict=True
    ):
        taken[index] = cuts
    line_discounts = [
        [{"amount": cut, "discount": each.id} for cut, each in zip(cuts, discounts, strict=True) if line.discountable]
        for line, cuts in zip(lines, taken, strict=True)
    ]
    line_taxes = [
        [_tax(line.amount - sum(cuts), rate, tax_exempt) for rate in line.tax_rates]
        for line, cuts in zip(lines, taken, strict=True)
    ]
    subtotal = sum(line.amount for line in lines)
    discounted = subtotal - sum(map(sum, taken))
    every_tax = [tax for taxes in line_taxes for tax in taxes]
    exclusive = sum(tax["amount"] for tax in every_tax if tax["tax_behavior"] == "exclusive")
    inclusive = sum(tax["amount"] for tax in every_tax if tax["tax_behavior"] == "inclusive")
    return Totals(
        subtotal=subtotal,
        total=discounted + exclusive,
        subtotal_excluding_tax=subtotal - inclusive,
        total_excluding_tax=discounted - inclusive,
        total_discount_amounts=[
            {"amount": sum(cuts[number] for cuts in taken), "discount": each.id}
            for number, each in enumerate(discounts)
        ],
        total_taxes=_summed(every_tax),
        line_discounts=line_discounts,
        line_taxes=line_taxes,
    )


def _tax(taxable: int, rate: Object, tax_exempt: str) -> Object:
    percentage = Fraction(str(rate["percentage"]))
    reason = {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(tax_exempt, "standard_rated")
    if tax_exempt != "none":
        amount = 0
    elif rate["inclusive"]:
        amount = rounded(taxable * percentage / (100 + percentage))
    else:
        amount = rounded(taxable * percentage / 100)
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": reason,
        "taxable_amount": taxable - amount if rate["inclusive"] else taxable,
        "type": "tax_rate_details",
    }


def _summed(taxes: list[Object]) -> list[Object]:
    sums: dict[str, Object] = {}
    for tax in taxes:
        rate = tax["tax_rate_details"]["tax_rate"]
        if rate in sums:
            sums[rate]["amount"] += tax["amount"]
            sums[rate]["taxable_amount"] += tax["taxable_amount"]
        else:
            sums[rate] = {**tax}
    return list(sums.values())
