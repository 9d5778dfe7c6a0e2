"""One of everything Kassör shows, on an ordinary day and on the worst: what `builders.py` shows it with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

from bot.views import (
    confirmation,
    copies,
    decisions,
    desk,
    invoices,
    notices,
    page,
    recipients,
    refusals,
    settled,
    upgrade,
    usage,
)
from bot.views import help as help_view
from bot.views.blocks import Content, Json, note
from bot.words import Words
from domain.actions.deciding import Part, Proposal, Terms
from domain.actions.invoices import InvoicePage
from domain.actions.page import BillingPage
from domain.actions.recipients import MOST
from domain.actions.usage import SeatUsage
from domain.asks import How
from domain.notices import NoticeKind
from domain.records import AuditEntry, Invoice, Member
from domain.records.requests import RequestState, Topic
from domain.rules import refusals as no
from tests.acceptance.conftest import ROOT
from tests.bot import test_desk_views as desks
from tests.bot import test_views as facts
from tests.bot.test_views import DESK, NOW, member, scope, subscription

Shown = Content | Json | list[Json]
Made = Iterator[tuple[str, Shown]]
ID = UUID("0d0a1c5e-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Case:
    """How much of everything there is."""

    name: str = "Fjällvind"
    person: str = "Ada Lindqvist"
    words: str = "Vi vill betala mot faktura."
    members: int = 18
    teams: int = 2
    invoices: int = 3
    people: int = 2
    amount: int = 1_099_950
    url: str = "https://invoice.stripe.com/i/1"


ORDINARY = Case()
MARKUP = "<!channel> <@U1> <https://x.example|y> & *fet* _k_ ~s~ `k` > "
WORST = [
    Case(
        name=(MARKUP * 6)[:255],
        person=(MARKUP * 2)[:80],
        words=MARKUP * 50,
        members=4_000,
        teams=200,
        invoices=300,
        people=400,
        amount=999_999_999_999,
        url="https://invoice.stripe.com/i/" + "x" * 1_000,
    ),
    Case(
        name="שלום 👩‍👩‍👧‍👦 فريق التصميم " * 3,
        person="👩‍👩‍👧‍👦" * 7,
        words="\u202eع" * 1_400,
        members=60_000,
        teams=97,
        amount=0,
    ),
    Case(name="x", person="", words="", members=0, teams=0, invoices=1, people=0, amount=-1),
]


def people(case: Case) -> list[Member]:
    return [
        Member(id=number, workspace_id="T1", slack_user_id=f"U{number:010}", name=case.person)
        for number in range(case.people)
    ]


def of_scope(case: Case, number: int | str = "", kind: str = "organisation") -> Any:
    made = scope(f"{number} {case.name}".strip() if number else case.name)
    made.id, made.kind = uuid5(ID, f"{number}{case.name}"), kind  # type: ignore[assignment]  # as the database gives it back
    return made


def invoice_of(case: Case, number: int = 1, **other: Any) -> Invoice:
    made = facts.invoice(number)
    known = {"total": case.amount, "amount_remaining": case.amount, "hosted_invoice_url": case.url, "due_at": NOW}
    for name, value in (known | other).items():
        setattr(made, name, value)
    made.scope_id = str(uuid5(ID, "scope"))
    return made


def live_of(case: Case, **other: Any) -> Any:
    return subscription(scope_id=uuid5(ID, "scope"), seats=max(20, case.members), unit_amount=case.amount, **other)


def quote_of(case: Case, **other: Any) -> Any:
    shown = {"due_now": case.amount, "next_total": case.amount, "seats": 25, "seats_asked": 22, "id": ID, "tax_now": 0}
    return facts.quote(case.name, **shown | {"checkout_url": case.url} | other)


def request_of(case: Case, topic: Topic, **other: Any) -> Any:
    made = desks.request(case.name, topic, id=ID, scope_id=ID, **other)
    made.requester.name = case.person
    made.facts["text"] = case.words
    return made


def decided_of(case: Case, topic: Topic, state: RequestState, **answer: Any) -> Any:
    by = SimpleNamespace(slack_user_id="U0NILS014", name=case.person, workspace_id="T1")
    return request_of(case, topic, state=state, decided_by=by, decided_at=NOW, answer=answer)


def owned(case: Case, **other: Any) -> BillingPage:
    known: Json = {
        "subscription": live_of(case),
        "next_total": case.amount,
        "payment_method": "Visa •••• 4242",
        "invoices": [invoice_of(case, number) for number in range(min(case.invoices, 3))],
        "has_more_invoices": case.invoices > 3,
    }
    return BillingPage(of_scope(case), "owner", case.members, "premium", "year", "U1", case.person, **known | other)


def pages(case: Case) -> Iterator[tuple[str, list[BillingPage]]]:
    """The page of every reader, and in a workspace of teams."""
    basic = BillingPage(of_scope(case), role="member", members=case.members, plan="basic")
    told = BillingPage(of_scope(case), "member", case.members, "premium", "year", "U1", case.person)
    yield "first time", [replace(basic, is_first_time=True)]
    yield "basic", [basic]
    yield "guest", [replace(basic, role="guest")]
    yield "owner", [owned(case)]
    yield "overdue", [owned(case, subscription=live_of(case, status="past_due", past_due_since=NOW))]
    yield "trial", [owned(case, subscription=live_of(case, status="trialing", trial_end=NOW))]
    yield "leaving", [owned(case, subscription=live_of(case, cancel_at=NOW))]
    change_ahead = {"next_at": NOW, "next_plan": "business", "next_interval": "month", "next_seats": 10}
    yield "change ahead", [owned(case, subscription=live_of(case, **change_ahead))]
    yield "by invoice", [owned(case, subscription=live_of(case, collection_method="send_invoice"))]
    yield "member", [told]
    yield "admin, owner gone", [replace(told, role="admin", claimable="sub_1", owner_is_gone=True)]
    teams = [replace(owned(case), scope=of_scope(case, number + 1, "team")) for number in range(case.teams)]
    yield "teams", [basic, *teams]


def homes(t: Words, case: Case) -> Made:
    yield from ((what, page.home(t, DESK, found)) for what, found in pages(case))


def page_messages(t: Words, case: Case) -> Made:
    yield from ((what, page.message(t, DESK, found)) for what, found in pages(case))


def helps(t: Words, case: Case) -> Made:
    for what, found in pages(case):
        yield what, help_view.help_text(t, DESK, found[0], person="U2", teams=case.teams)


QUOTES: dict[str, Json] = {
    "seats": {},
    "plan, nothing to pay": {"kind": "plan", "due_now": 0},
    "plan, money back": {"kind": "plan", "due_now": -500},
    "upgrade": {"kind": "upgrade", "applies": "checkout", "before": {"trial_days": 0}},
    "trial": {"kind": "upgrade", "applies": "checkout", "before": {"trial_days": 30}, "due_now": 0},
    "at renewal": {"applies": "renewal", "due_now": 0},
}


def offers(t: Words, case: Case) -> Made:
    for what, other in QUOTES.items():
        yield what, confirmation.offer(t, DESK, quote_of(case, **other), payment_method="Visa •••• 4242")
    yield "changed since", confirmation.offer(t, DESK, quote_of(case), payment_method=None, changed=True)


def copies_of(t: Words, case: Case) -> Made:
    def copy(found: list[Invoice], **other: Any) -> Content:
        live = None if other.pop("gone", False) else live_of(case)
        return copies.invoice_copy(t, DESK, found, scope=case.name, subscription=live, **{"is_periodic": True} | other)

    several = [invoice_of(case, number + 1) for number in range(case.invoices)]
    yield "paid", copy([invoice_of(case, status="paid", amount_remaining=0)])
    yield "to pay", copy([invoice_of(case, collection_method="send_invoice")])
    yield "of nothing", copy([invoice_of(case, status="paid", total=0, amount_due=0, amount_remaining=0)])
    yield "credited", copy([invoice_of(case, status="paid", total=-4_500, amount_due=0, amount_remaining=0)])
    yield "asked for", copy([invoice_of(case)], is_periodic=False, gone=True)
    yield "missed ones", copy(several)
    yield "for a recipient", copy([invoice_of(case)], told={"recipient": 7, "recipient_of": "U0BJORN02"})
    happened = settled.what_happened(t, How.PAID, NOW.isoformat())
    yield "paid since", copy([invoice_of(case, status="paid", amount_remaining=0)], settled=happened)
    happened = settled.what_happened(t, How.VOID, NOW.isoformat())
    yield "void since", copy([invoice_of(case, status="void")], settled=happened)


def notices_of(t: Words, case: Case) -> Made:
    told = facts.FACTS | {"scope": case.name, "amount": case.amount, "members": case.members, "organisation": case.name}
    told |= {"recipients": [each.slack_user_id for each in people(case)][:MOST]}
    for kind in NoticeKind:
        if kind.value not in facts.SHOWN_OTHERWISE:
            yield kind.value, notices.message(t, DESK, kind.value, told)


def settled_of(t: Words, case: Case) -> Made:
    told = facts.FACTS | {"scope": case.name, "amount": case.amount}
    invoices, pages = (How.PAID, How.VOID), (How.PAID, How.EXPIRED, How.SUPERSEDED)
    kinds = {
        NoticeKind.PAYMENT_FAILED: invoices,
        NoticeKind.PAYMENT_NEEDS_ACTION: invoices,
        NoticeKind.CHECKOUT_READY: pages,
    }
    for kind, ends in kinds.items():
        for how in ends:
            happened = settled.what_happened(t, how, NOW.isoformat())
            yield (
                f"{kind.value}, {how.value}",
                settled.without_buttons(notices.message(t, DESK, kind.value, told), happened),
            )


VERBS = {  # of the audit log, as the domain writes them
    found
    for path in (ROOT / "domain").rglob("*.py")
    for found in re.findall(r'verb="(\w+)"', path.read_text(encoding="utf-8"))
}


def audit_lines(t: Words, case: Case) -> Made:
    for verb in sorted(VERBS):
        before, after = facts.FACTS["before"], facts.FACTS["next"]
        entry = AuditEntry(id=ID, source="slack", verb=verb, before=before, after=after, reference="sub_1")
        yield verb, notices.audit_line(t, DESK, entry, actor="U1", scope=case.name)


def requests(t: Words, case: Case) -> Made:
    for topic in Topic:
        for home, where in (("T1", "here"), ("T2", "elsewhere")):
            yield f"{topic.value}, {where}", decisions.request_message(t, DESK, request_of(case, topic), home=home)


def decisions_told(t: Words, case: Case) -> Made:
    terms = {"terms": desks.TERMS, "due_at": NOW.isoformat()}
    for topic in Topic:
        if topic == Topic.HELP:
            yield (
                "answered",
                decisions.decided(t, DESK, decided_of(case, topic, RequestState.ANSWERED, words=case.words)),
            )
            continue
        answer = {} if topic == Topic.CANCEL else terms
        approved = decided_of(case, topic, RequestState.APPROVED, **answer)
        yield f"{topic.value} approved", decisions.decided(t, DESK, approved)
        declined = decided_of(case, topic, RequestState.DECLINED, words=case.words)
        yield f"{topic.value} declined", decisions.decided(t, DESK, declined)


def _scopes(case: Case) -> tuple[upgrade.ScopeOption, ...]:
    return (
        upgrade.ScopeOption("whole", case.name, case.members, is_whole=True),
        *(upgrade.ScopeOption(str(uuid5(ID, str(each))), f"{each} {case.name}", 5) for each in range(case.teams)),
        upgrade.ScopeOption(upgrade.CHANNEL, "", None),
    )


def upgrade_forms(t: Words, case: Case) -> Made:
    given = upgrade.Form(_scopes(case), "whole", "premium", "year", 20, "U1", "sek", currencies=("sek", "eur", "usd"))
    for plan in ("premium", "business", "enterprise"):
        yield plan, upgrade.form(t, DESK, replace(given, plan=plan))
    yield "a channel", upgrade.form(t, DESK, replace(given, scope=upgrade.CHANNEL))
    yield "rounded up, with a trial", upgrade.form(t, DESK, replace(given, asked=22, trial_days=30, interval="month"))


def sales_forms(t: Words, case: Case) -> Made:
    groups = _scopes(case)[1:-1]
    for topic in (*desk.NEW, *desk.CHANGES):
        live = "sub_1" if topic in desk.CHANGES else ""
        form = desk.SalesForm(
            topic, _scopes(case)[:-1], groups, "whole", case.name, "premium", "25", "U1", subscription=live, now="x"
        )
        yield topic.value, desk.sales_form(t, DESK, form)


def terms_forms(t: Words, case: Case) -> Made:
    for parts, topic in ((1, Topic.ADJUST), (8, Topic.SEVERAL_TEAMS)):
        several = tuple(Part(str(uuid5(ID, str(number))), case.name, 5, 5) for number in range(parts))
        proposal = Proposal("premium", several, max(0, case.amount), "sek", 30)
        shown = request_of(case, topic)
        yield f"{parts}", decisions.terms_form(t, DESK, shown, proposal, channel="C1", home="T2")


def price_forms(t: Words, case: Case) -> Made:
    terms = Terms("premium", {str(ID): 40}, 125_000, "sek", 30, proration_date=1_795_000_000, due_now=case.amount)
    for changed in (False, True):
        shown = request_of(case, Topic.ADJUST)
        yield str(changed), decisions.price_form(t, DESK, shown, terms, channel="C1", home="T2", changed=changed)


def usages(t: Words, case: Case) -> Made:
    for guests in (None, 0, 1, 4_000):
        shown = SeatUsage(of_scope(case), live_of(case), case.members, people(case)[:30], 1, 134, guests, 12, 345)
        yield "guests count too" if guests is None else f"{guests} guests", usage.usage(t, shown)
    outgrown = SeatUsage(of_scope(case), subscription(seats=2), case.members, people(case)[:30], 0, 1, 0, 0, 0)
    yield "outgrown", usage.usage(t, outgrown)


def refusals_of(t: Words, case: Case) -> Made:
    for kind, cls in sorted(no.Refusal.kinds.items()):
        known = facts.EXAMPLES | {"scope": case.name, "name": case.person, "owner_name": case.person, "url": case.url}
        if kind in facts.TEXTS:
            known |= {"asked": case.words or "x"}
        refusal = cls(**{each: known[each] for each in cls.__dataclass_fields__})  # type: ignore[attr-defined]  # dataclasses
        said = refusals.refusal_text(refusal, t, DESK)
        yield kind, note(said, *refusals.way_out(refusal, t))


def invoice_pages(t: Words, case: Case) -> Made:
    last = max(1, case.invoices // 8)
    shown = [invoice_of(case, number) for number in range(min(8, case.invoices))]
    for number in sorted({0, last // 2, last - 1}):
        yield f"page {number + 1}", invoices.invoices(t, InvoicePage(of_scope(case), shown, number, last))
    yield "none", invoices.invoices(t, InvoicePage(of_scope(case), [], 0, 1))
    yield "sent", invoices.invoices(t, InvoicePage(of_scope(case), shown, 0, 1), sent=shown[0].id)


def copies_i_get(t: Words, case: Case) -> Made:
    live = SimpleNamespace(**vars(subscription()), scope=of_scope(case), owner=member())
    yield "some", recipients.mine(t, [SimpleNamespace(id=7, subscription=live)] * case.teams)  # type: ignore[list-item]  # all it reads
