"""Everything Kassör shows is something Slack takes, also with the longest names, in both languages."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from bot.views import change, confirmation, copies, notices, refusals
from bot.views.blocks import Content, modal, note
from bot.words import Words, written
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import AuditEntry, Invoice, Member, Scope, Subscription
from domain.records.mirror import Interval
from domain.records.quotes import QuoteApplies, QuoteKind
from domain.rules import refusals as no
from domain.rules.catalogue import load
from sandbox.slack.blocks import problems_in_blocks, problems_in_view

DESK = Desk(settings=None, catalogue=load(), payments=None)  # type: ignore[arg-type]  # views look at the catalogue alone
LONG = "Överstyrelsen för *allt* <!channel> & <https://x.example|ännu mer> " * 6
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
READERS = [pytest.param(Words("sv-SE", "Europe/Stockholm"), id="sv"), pytest.param(Words("en-US"), id="en")]
NAMES = [pytest.param("Fjällvind", id="short"), pytest.param(LONG[:255], id="long")]


def scope(name: str) -> Scope:
    return Scope(id=uuid4(), workspace_id="T1", kind="organisation", slack_ref="", name=name, created_at=NOW)


def member(user_id: str = "U1") -> Member:
    return Member(id=1, workspace_id="T1", slack_user_id=user_id, name="Ada")


def subscription(**other: Any) -> Subscription:
    facts: dict[str, Any] = {
        "id": "sub_" + "x" * 24,
        "scope_id": uuid4(),
        "owner_id": 1,
        "customer_id": "cus_1",
        "status": "active",
        "is_live": True,
        "plan": "premium",
        "interval": "year",
        "seats": 20,
        "currency": "sek",
        "unit_amount": 125_000,
        "current_period_start": NOW,
        "current_period_end": NOW + timedelta(days=365),
    }
    return Subscription(**facts | other)


def quote(name: str, **other: Any) -> Any:
    """A quote as the views read it."""
    facts: dict[str, Any] = {
        "id": uuid4(),
        "kind": "seats",
        "applies": "now",
        "plan": "premium",
        "interval": "year",
        "seats": 5000,
        "seats_asked": 4999,
        "currency": "sek",
        "due_now": 123_456_789_012,
        "tax_now": 100,
        "discount_now": 0,
        "balance_now": 0,
        "lines": [
            {"description": "x", "amount": -500, "proration": True},
            {"description": "y", "amount": 900, "proration": True},
        ],
        "next_total": 625_000_000,
        "next_at": NOW,
        "before": {"plan": "business", "interval": "month", "seats": 20},
        "checkout_url": "https://checkout.stripe.com/c/pay/" + "x" * 400,
    }
    facts |= other
    made: Any = SimpleNamespace(**facts, scope=scope(name), requester=member(), owner=member("U2"))
    made.kind, made.applies = QuoteKind(made.kind), QuoteApplies(made.applies)
    made.interval = Interval(made.interval)
    return made


def invoice(number: int = 1) -> Invoice:
    made = Invoice(
        id=f"in_{number}",
        number=f"ABCD1234-{number:04}",
        status="open",
        currency="sek",
        total=123_456_789,
        amount_remaining=123_456_789,
        period_start=NOW,
        period_end=NOW,
        created_at=NOW,
        finalized_at=NOW,
        hosted_invoice_url="https://invoice.stripe.com/i/" + "x" * 300,
    )
    made.scope_id = str(uuid4())
    return made


def fits(content: Content) -> None:
    """Slack takes it as a message and as a modal, and it has a text for those who can't see it."""
    assert content.text.strip()
    assert problems_in_blocks(content.blocks) == []
    assert problems_in_view(modal("Titel", content.blocks, close="Stäng")) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "other",
    [
        {},
        {"kind": "plan", "due_now": 0},
        {"kind": "plan", "due_now": -500},
        {"kind": "upgrade", "applies": "checkout", "before": {"trial_days": 0}},
        {"kind": "upgrade", "applies": "checkout", "before": {"trial_days": 30}, "due_now": 0},
        {"applies": "renewal", "due_now": 0},
    ],
)
def test_M1_a_price_and_what_comes_of_it(t: Words, name: str, other: dict[str, Any]) -> None:
    shown = quote(name, **other)
    fits(confirmation.offer(t, DESK, shown, payment_method="Visa •••• 4242", changed=True))
    fits(confirmation.payment_page(t, DESK, shown))
    fits(confirmation.done(t, DESK, shown))


def test_the_button_says_the_amount() -> None:
    shown = confirmation.offer(Words("sv-SE"), DESK, quote("F", due_now=124_500), payment_method=None)
    assert shown.blocks[-1]["elements"][0]["text"]["text"].replace("\u00a0", " ") == "Betala 1 245,00 kr nu"


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_modals_of_a_live_subscription(t: Words, name: str) -> None:
    live = subscription()
    for view in (
        change.seats_form(t, DESK, live, scope=name, members=18),
        change.plan_form(t, DESK, live, scope=name),
        change.owner_form(t, live, scope=name, picked="U1"),
        modal("T", change.owner_question(t, live, scope=name, to="U1"), close="x"),
    ):
        assert problems_in_view(view) == []


FACTS: dict[str, Any] = {
    "plan": "premium",
    "interval": "year",
    "seats": 20,
    "subscription": "sub_1",
    "owner": "U1",
    "requester": "U2",
    "former": "U3",
    "by": "U3",
    "appointed": "U4",
    "before": {"plan": "premium", "interval": "year", "seats": 10},
    "next": {"plan": "business", "interval": "month", "seats": 10},
    "at": NOW.isoformat(),
    "until": NOW.isoformat(),
    "url": "https://checkout.stripe.com/x",
    "amount": 100,
    "currency": "sek",
    "label": "Visa •••• 4242",
    "waiting": "invoice_copy",
    "members": 26,
    "size": 30,
    "through_sales": False,
    "wanted": 15,
    "organisation": "Fjällvind",
    "credit": 100,
    "member": "U5",
    "left": True,
    "recipient": 1,
    "recipients": ["U6", "U7"],
} | no.PaymentDeclined(code="expired_card").as_json()
SHOWN_OTHERWISE = {
    *("invoice_copy", "invoice_again", "invoice_file", "audit", "desk_request", "request_decided", "settled"),
}


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind.value not in SHOWN_OTHERWISE])
def test_every_notice(t: Words, name: str, kind: NoticeKind) -> None:
    fits(notices.message(t, DESK, kind.value, FACTS | {"scope": name}))


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_invoice_copies_and_audit_lines(t: Words, name: str) -> None:
    several = [invoice(number) for number in range(1, 40)]
    for each in several:
        each.amount_remaining, each.collection_method, each.due_at = each.total, "send_invoice", NOW
    shown = copies.invoice_copy(t, DESK, several, scope=name, subscription=subscription(), is_periodic=True)
    fits(shown)
    fits(
        copies.file_follows(
            t, copies.invoice_copy(t, DESK, several[:1], scope=name, subscription=None, is_periodic=False)
        )
    )
    fits(copies.file_of(t, several[0]))
    entry = AuditEntry(
        id=uuid4(), source="slack", verb="seats_changed", before=FACTS["before"], after=FACTS["next"], reference="sub_1"
    )
    line = notices.audit_line(t, DESK, entry, actor="U1", scope=name)
    fits(line)
    assert "10" in line.text
    assert "kr" not in line.text  # never prices in a channel


EXAMPLES: dict[str, Any] = {
    "owner": "U1", "owner_name": "Ada", "asked": 5, "reason": "guest", "member": "U1", "name": "Ada", "scope": "F",
    "known": ("a", "b"), "nearest": None, "plan": "premium", "smallest": 2, "largest": 5000, "members": 18,
    "interval": "year", "seats": 20, "who": ["U1", "U2"], "subscriptions": ("sub_1", "sub_2"), "scopes": ("F", "G"),
    "elsewhere": "G", "elsewhere_subscription": "sub", "invoice": None, "fresh": "x", "state": "expired", "code": "expired_card",
    "url": "https://x.example", "retry_after": 5, "until": NOW.isoformat(), "reference": "req_1",
    "topic": "adjust", "by": "U1", "at": NOW.isoformat(), "desk": "support", "most": 120,
}  # fmt: skip
TEXTS = {
    *("NotOwner", "UnknownPlan", "UnknownWord", "UnknownInterval", "UnknownCurrency"),
    *("SeatsNotANumber", "ScopeUnknown", "ManuallyInvoiced", "PriceNotANumber", "DaysOutOfRange"),
}


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("kind", sorted(no.Refusal.kinds))
def test_every_refusal_has_words_of_its_own_and_survives_being_stored(t: Words, kind: str) -> None:
    cls = no.Refusal.kinds[kind]
    facts = {name: EXAMPLES[name] for name in cls.__dataclass_fields__}  # type: ignore[attr-defined]  # they are dataclasses
    if kind in TEXTS and "asked" in facts:
        facts["asked"] = "qwerty <!channel>"
    refusal = cls(**facts)
    said = refusals.refusal_text(refusal, t, DESK)
    assert said != t("That can't be done here. Nothing was changed; support can help.")
    assert "<!channel>" not in said
    assert "{" not in written(said)
    assert problems_in_blocks(refusals.way_out(refusal, t)) == []
    stored = no.Refusal.from_json(refusal.as_json())
    assert refusals.refusal_text(stored, t, DESK) == said
    fits(Content(text=said, blocks=[*note(said).blocks, *refusals.way_out(refusal, t)]))
