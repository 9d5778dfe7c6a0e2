"""Invoices, prorations and previews add up to the minor unit, whatever the currency, the taxes, the coupons and the moment."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe import renewals
from sandbox.stripe.account import Account
from sandbox.stripe.operations import find
from sandbox.stripe.periods import as_datetime
from tests.clock import a_clock

Json = dict[str, Any]
DAY = 86_400
CURRENCIES = ("jpy", "sek", "kwd")  # none, two and three decimals


@dataclass(frozen=True)
class Deal:
    """What a customer has agreed to: amounts in minor units, `percent` and `off` of the coupons, `vat` in per cent."""

    currency: str
    amount: int
    quantity: int
    percent: float | None
    off: int | None
    duration: str
    vat: float | None
    inclusive: bool
    balance: int


DEALS = st.builds(
    Deal,
    currency=st.sampled_from(CURRENCIES),
    amount=st.integers(1_000, 999_999),
    quantity=st.integers(1, 60),
    percent=st.none() | st.decimals(1, 100, places=1).map(float),
    off=st.none() | st.integers(1, 2_000_000),
    duration=st.sampled_from(["forever", "repeating", "once"]),
    vat=st.none() | st.sampled_from([6, 12, 25, 19.6, 8.875]),
    inclusive=st.booleans(),
    balance=st.just(0) | st.integers(-500_000, 500_000),
)
MOMENTS = st.integers(1, 27 * DAY)


class Books:
    """An account of its own, asked as the API is, without the wire."""

    def __init__(self, folder: Path) -> None:
        self.clock = a_clock(folder)
        self.account = Account(clock=self.clock, base_url="http://127.0.0.1:1")

    def ask(self, line: str, **params: Any) -> Json:
        method, path = line.split(" ")
        found = find(method, path)
        assert found is not None, line
        operation, ids = found
        return operation.answer(self.account, params, *ids)

    def coupons(self, deal: Deal) -> list[Json]:
        lasting: Json = {"duration": deal.duration}
        if deal.duration == "repeating":
            lasting["duration_in_months"] = 2
        wanted: list[Json] = []
        if deal.percent is not None:
            wanted.append({"percent_off": deal.percent})
        if deal.off is not None:
            wanted.append({"amount_off": deal.off, "currency": deal.currency})
        return [{"coupon": self.ask("POST /coupons", **lasting, **each)["id"]} for each in wanted]

    def subscribe(self, deal: Deal) -> Json:
        """The deal, subscribed to and paid by card."""
        recurring = {"interval": "month"}
        price = self.ask(
            "POST /prices",
            unit_amount=deal.amount,
            currency=deal.currency,
            recurring=recurring,
            product_data={"name": "Premium"},
        )
        customer = self.ask("POST /customers", email="kim@example.com")["id"]
        card = self.ask("POST /payment_methods/pm_card_visa/attach", customer=customer)["id"]
        if deal.balance:
            self.ask(f"POST /customers/{customer}/balance_transactions", amount=deal.balance, currency=deal.currency)
        params: Json = {
            "customer": customer,
            "items": [{"price": price["id"], "quantity": deal.quantity}],
            "default_payment_method": card,
        }
        if deal.vat is not None:
            rate = self.ask("POST /tax_rates", display_name="VAT", percentage=deal.vat, inclusive=deal.inclusive)
            params["default_tax_rates"] = [rate["id"]]
        if discounts := self.coupons(deal):
            params["discounts"] = discounts
        preview = self.ask("POST /invoices/create_preview", **_previewed(params))
        sub = self.ask("POST /subscriptions", **params)
        same(preview, self.invoice(sub["latest_invoice"]))
        return sub

    def invoice(self, invoice_id: str) -> Json:
        return self.account.get("invoice", invoice_id)


def _previewed(params: Json) -> Json:
    """A new subscription's parameters as a preview takes them."""
    moved = {name: params[name] for name in ("items", "default_tax_rates") if name in params}
    return {
        "customer": params["customer"],
        "subscription_details": moved,
        **({"discounts": params["discounts"]} if "discounts" in params else {}),
    }


@contextmanager
def books() -> Iterator[Books]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Books(Path(folder))
        try:
            yield opened
        finally:
            opened.clock.close()


SUMS = ("currency", "subtotal", "total", "total_excluding_tax", "amount_due", "starting_balance", "ending_balance")


def same(preview: Json, invoice: Json) -> None:
    """What was promised is what was billed, sum by sum and line by line."""
    for name in SUMS:
        assert preview[name] == invoice[name], name
    for name in ("total_taxes", "total_discount_amounts"):
        assert amounts(preview[name]) == amounts(invoice[name]), name
    assert amounts(preview["lines"]["data"]) == amounts(invoice["lines"]["data"])


def amounts(parts: list[Json] | None) -> list[int]:
    return [each["amount"] for each in parts or []]


def adds_up(invoice: Json) -> None:
    """Every sum on an invoice is the sum of its parts."""
    lines = invoice["lines"]["data"]
    discounts, taxes = amounts(invoice["total_discount_amounts"]), invoice["total_taxes"] or []
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    assert invoice["subtotal"] == sum(amounts(lines))
    assert invoice["total"] == invoice["subtotal"] - sum(discounts) + added
    assert sum(discounts) == sum(sum(amounts(line["discount_amounts"])) for line in lines)
    assert sum(amounts(taxes)) == sum(sum(amounts(line["taxes"])) for line in lines)
    assert invoice["total_excluding_tax"] == invoice["total"] - sum(amounts(taxes))
    assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
    assert invoice["amount_due"] >= 0
    assert all(isinstance(each, int) for each in (invoice["total"], invoice["amount_due"], *amounts(lines)))
    if invoice["ending_balance"] is not None:
        kept = invoice["ending_balance"] - invoice["starting_balance"]
        assert invoice["amount_due"] + kept == invoice["total"]


def charged(account: Account, customer: str) -> int:
    return sum(each["amount"] for each in account.all("charge") if each["customer"] == customer and each["paid"])


@settings(max_examples=25, deadline=None)
@given(DEALS, MOMENTS, st.integers(1, 120))
def test_a_change_costs_what_its_preview_said_and_every_invoice_adds_up(deal: Deal, after: int, quantity: int) -> None:
    with books() as town:
        sub = town.subscribe(deal)
        first = town.invoice(sub["latest_invoice"])
        adds_up(first)
        item = sub["items"]["data"][0]
        change: Json = {
            "items": [{"id": item["id"], "quantity": quantity}],
            "proration_date": item["current_period_start"] + after,
            "proration_behavior": "always_invoice",
        }
        with town.account.as_of(item["current_period_start"] + after):
            preview = town.ask("POST /invoices/create_preview", subscription=sub["id"], subscription_details=change)
            changed = town.ask(f"POST /subscriptions/{sub['id']}", **change)
        if changed["latest_invoice"] != first["id"]:
            billed = town.invoice(changed["latest_invoice"])
            same(preview, billed)
            adds_up(billed)
        invoices = [each for each in town.account.all("invoice") if each["customer"] == sub["customer"]]
        assert charged(town.account, sub["customer"]) == sum(each["amount_paid"] for each in invoices)
        balance = town.account.get("customer", sub["customer"])["balance"]
        moved = sum(each["total"] - each["amount_due"] for each in invoices)
        assert balance == deal.balance + moved


# A coupon for one invoice is spent by the first: what follows costs its full price, so nothing is taken back for nothing.
@settings(max_examples=25, deadline=None)
@given(DEALS.filter(lambda deal: deal.duration != "once"), MOMENTS, st.integers(1, 120))
def test_a_change_taken_back_in_the_same_second_costs_nothing(deal: Deal, after: int, quantity: int) -> None:
    with books() as town:
        sub = town.subscribe(deal)
        item = sub["items"]["data"][0]
        at = item["current_period_start"] + after
        with town.account.as_of(at):
            for wanted in (quantity, deal.quantity):
                town.ask(
                    f"POST /subscriptions/{sub['id']}",
                    items=[{"id": item["id"], "quantity": wanted}],
                    proration_date=at,
                    proration_behavior="create_prorations",
                )
        waiting = [each for each in town.account.all("invoiceitem") if each["invoice"] is None]
        assert sum(amounts(waiting)) == 0


@settings(max_examples=25, deadline=None)
@given(DEALS, st.integers(1, 3))
def test_a_renewal_costs_what_its_preview_said(deal: Deal, periods: int) -> None:
    with books() as town:
        sub = town.subscribe(deal)
        for _ in range(periods):
            preview = town.ask("POST /invoices/create_preview", subscription=sub["id"])
            end = town.account.get("subscription", sub["id"])["items"]["data"][0]["current_period_end"]
            town.clock.move_to(as_datetime(end + 2 * 3_600))
            renewals.process_due(town.account)
            billed = town.invoice(town.account.get("subscription", sub["id"])["latest_invoice"])
            assert billed["billing_reason"] == "subscription_cycle"
            same(preview, billed)
            adds_up(billed)
