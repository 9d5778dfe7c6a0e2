"""What people read about money in motion: each part of a price a line, and first on the row the button that mends."""

from typing import Any

import pytest

from bot.views import confirmation, notices, page
from bot.views.blocks import Content
from bot.words import Words, written
from domain.actions.page import BillingPage
from domain.records import Subscription
from domain.records.quotes import QuoteKind
from tests.bot.test_views import DESK, FACTS, NOW, READERS, fits, quote, scope, subscription

URL = "https://invoice.stripe.com/i/1"


def pressed(shown: Content) -> list[str]:
    """The action ids of the buttons, in order."""
    return [each["action_id"] for block in shown.blocks if block["type"] == "actions" for each in block["elements"]]


def failed(t: Words, **more: Any) -> Content:
    told = FACTS | {"scope": "Fjällvind", "url": URL, "until": NOW.isoformat(), "amount": 12_500} | more
    return notices.message(t, DESK, "payment_failed", told)


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(
    ("more", "buttons"),
    [
        ({}, ["kassor.go.payment", "kassor.invoice.open"]),
        ({"again": True}, ["kassor.go.payment", "kassor.invoice.open"]),
        ({"needs_action": True}, ["kassor.invoice.open", "kassor.go.payment"]),
        ({"by_hand": True}, ["kassor.invoice.open"]),
        ({"url": None}, ["kassor.go.payment"]),
        ({"by_hand": True, "url": None}, ["kassor.go.invoice"]),
    ],
)
def test_M5_the_button_that_mends_it_is_the_first(t: Words, more: dict[str, Any], buttons: list[str]) -> None:
    shown = failed(t, **more)
    fits(shown)
    assert pressed(shown) == buttons


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("more", [{}, {"again": True}, {"needs_action": True}, {"by_hand": True}])
def test_M5_it_says_until_when_everything_works_and_what_is_to_be_paid(t: Words, more: dict[str, Any]) -> None:
    said = failed(t, **more).text
    assert written(t.day(NOW)) in said
    assert t.money(12_500, "sek") in said


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("moved", [True, False])
def test_M4_the_credit_says_where_it_is(t: Words, moved: bool) -> None:
    told = FACTS | {"scope": "Design", "organisation": "Fjällvind", "credit": 4_200, "moved": moved}
    shown = notices.message(t, DESK, "absorbed", told)
    fits(shown)
    assert t.money(4_200, "sek") in shown.text
    assert shown.text.rindex("Fjällvind") > shown.text.index(t.money(4_200, "sek"))


@pytest.mark.parametrize("t", READERS)
def test_M4_a_page_that_was_paid_too_late_says_that_the_money_comes_back(t: Words) -> None:
    facts = {"refusal": "covered", "facts": {"scope": "Design", "organisation": "Fjällvind", "plan": "premium"}}
    shown = notices.message(t, DESK, "change_failed", facts)
    fits(shown)
    assert "Fjällvind" in shown.text
    assert "Premium" in shown.text


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("past_due", "End the subscription now"),
        ("unpaid", "End the subscription now"),
        ("trialing", "Cancel the trial"),
    ],
)
def test_M5_R45_the_way_out_says_what_it_does_here(t: Words, status: str, words: str) -> None:
    live: Subscription = subscription(status=status)
    shown = BillingPage(scope("F"), "owner", 8, "premium", "year", "U1", "Ada", subscription=live, next_total=1)
    rows = [block for block in page.body(t, DESK, shown) if block["type"] == "actions"]
    leave = next(each for row in rows for each in row["elements"] if each["action_id"] == "kassor.go.cancel")
    assert leave["text"]["text"] == t.plain(words)
    assert leave["confirm"]["confirm"]["text"] == t.plain(words)


def price(t: Words, **other: Any) -> str:
    made = quote("F", before={"plan": "premium", "interval": "year", "seats": 10}, **other)
    shown = confirmation.offer(t, DESK, made, payment_method=None)
    fits(shown)
    return str(shown.blocks).replace("\\xa0", "\u00a0")


LINES = [{"description": "x", "amount": -500, "proration": True}, {"description": "y", "amount": 10_000}]


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(
    ("other", "label", "amount"),
    [
        ({"discount_now": 1_000, "due_now": 8_500, "tax_now": 0}, "Discount: {money}", -1_000),
        ({"tax_now": 2_375, "due_now": 11_875}, "Tax: {money}", 2_375),
        ({"tax_now": 1_900, "due_now": 9_500}, "Of which tax: {money}", 1_900),
        ({"tax_now": 0, "balance_now": 4_000, "due_now": 5_500}, "Credit from before: {money}", -4_000),
        ({"tax_now": 0, "balance_now": -300, "due_now": 9_800}, "Owed from before: {money}", 300),
        (
            {"tax_now": 0, "lines": [{"amount": -900}, {"amount": 100}], "balance_now": -800, "due_now": 0},
            "Kept as credit for the next invoice: {money}",
            800,
        ),
    ],
)
def test_M1_what_makes_up_the_price_is_named(t: Words, other: dict[str, Any], label: str, amount: int) -> None:
    shown = price(t, **({"lines": LINES} | other))
    assert t(label, money=t.money(amount, "sek")) in shown


@pytest.mark.parametrize("t", READERS)
def test_R46_a_change_of_a_cancelled_plan_says_that_nothing_is_renewed(t: Words) -> None:
    made = quote("F", before={"plan": "premium", "interval": "year", "seats": 10, "cancel_at": NOW.isoformat()})
    assert made.kind == QuoteKind.SEATS
    shown = str(confirmation.offer(t, DESK, made, payment_method=None).blocks)
    assert t("It is still cancelled: it ends on {day}, and nothing is renewed.", day=t.day(NOW)) in shown
