"""What Stripe's objects say, in our words. Field names are the records' columns, so that nothing is named twice.

The functions read the raw JSON of Stripe's objects: moments become UTC datetimes, amounts stay minor units.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain import clock
from domain.records.mirror import LIVE_STATUSES, Interval

Json = dict[str, Any]
EndedWhy = Literal[
    "", "absorbed", "asked", "grace_over"
]  # "" is the passing of time, or somebody in Stripe's dashboard
_COMMENT = "kassor"  # kassor:why[:member id], in Stripe's cancellation_details


@dataclass(frozen=True)
class PriceFacts:
    """A price of ours: which plan it sells, how often, at what a seat."""

    id: str
    plan: str
    interval: Interval
    currency: str
    unit_amount: int


@dataclass(frozen=True)
class NextPhase:
    """What a subscription schedule does at the end of the paid period."""

    plan: str
    interval: Interval
    seats: int
    at: datetime


@dataclass(frozen=True)
class SubscriptionFacts:
    """A subscription as Stripe has it now. `quote_id` and `scope_id` are from its metadata: None when it isn't ours."""

    id: str
    customer_id: str
    status: str
    is_live: bool
    plan: str
    interval: Interval
    seats: int
    currency: str
    unit_amount: int
    item_id: str
    price_id: str
    collection_method: str
    current_period_start: datetime
    current_period_end: datetime
    trial_end: datetime | None
    cancel_at: datetime | None
    schedule_id: str | None
    next_plan: str | None
    next_interval: Interval | None
    next_seats: int | None
    next_at: datetime | None
    latest_invoice_id: str | None
    started_at: datetime
    ended_at: datetime | None
    quote_id: str | None
    scope_id: str | None
    pending_update: bool
    ended_why: EndedWhy = ""
    ended_by: int | None = None  # a member's id


@dataclass(frozen=True)
class UnpaidFacts:
    """An invoice somebody still owes, or a draft of one. `needs_action`: the bank waits for the cardholder."""

    id: str
    status: str
    amount: int
    currency: str
    url: str | None
    due_at: datetime | None
    needs_action: bool


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice as Stripe has it now. The period is what its latest subscription line pays for."""

    id: str
    customer_id: str
    subscription_id: str | None
    number: str | None
    status: str
    collection_method: str
    billing_reason: str | None
    currency: str
    total: int
    tax: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    seats: int | None
    period_start: datetime
    period_end: datetime
    created_at: datetime
    finalized_at: datetime | None
    due_at: datetime | None
    hosted_invoice_url: str | None
    invoice_pdf: str | None


@dataclass(frozen=True)
class CustomerFacts:
    """A customer as Stripe has it now; of the payment method only what may be shown."""

    id: str
    scope_id: str | None
    name: str | None
    email: str | None
    currency: str | None
    address: Json | None
    payment_method_id: str | None
    payment_method_type: str | None
    payment_method_label: str | None


@dataclass(frozen=True)
class SessionFacts:
    """A Checkout Session: `status` is open, complete or expired."""

    id: str
    status: str
    url: str | None
    quote_id: str | None
    subscription_id: str | None
    customer_id: str | None


@dataclass(frozen=True)
class PreviewLine:
    """One line of a preview: minor units, tax not included."""

    description: str
    amount: int
    proration: bool


@dataclass(frozen=True)
class Preview:
    """What Stripe would charge: now (tax, credit and discounts included), and at the renewal after it."""

    currency: str
    due_now: int
    tax_now: int
    lines: tuple[PreviewLine, ...]
    next_total: int
    next_at: datetime | None
    proration_date: datetime | None
    discount_now: int = 0  # taken off already
    balance_now: int = 0  # credit that pays a part; negative: credit that is left over, or a debt that is added


def moment(seconds: int | None) -> datetime | None:
    """Stripe's seconds since 1970, or None."""
    return None if seconds is None else clock.from_timestamp(seconds)


def id_of(reference: Any) -> str | None:
    """The id of something that may be expanded."""
    if isinstance(reference, dict):
        return str(reference["id"])
    return reference if reference is None else str(reference)


def subscription(raw: Json, price: PriceFacts, following: NextPhase | None) -> SubscriptionFacts:
    """A subscription of one item, as all of ours are. The period is the item's (it moved there in 2025)."""
    item = raw["items"]["data"][0]
    metadata = raw.get("metadata") or {}
    cancel_at = raw.get("cancel_at") or (item["current_period_end"] if raw.get("cancel_at_period_end") else None)
    return SubscriptionFacts(
        id=raw["id"],
        customer_id=id_of(raw["customer"]) or "",
        status=raw["status"],
        is_live=raw["status"] in LIVE_STATUSES,
        plan=price.plan,
        interval=price.interval,
        seats=item["quantity"],
        currency=raw["currency"],
        unit_amount=price.unit_amount,
        item_id=item["id"],
        price_id=price.id,
        collection_method=raw["collection_method"],
        current_period_start=clock.from_timestamp(item["current_period_start"]),
        current_period_end=clock.from_timestamp(item["current_period_end"]),
        trial_end=moment(raw.get("trial_end")),
        cancel_at=moment(cancel_at) if raw["status"] in LIVE_STATUSES else None,
        schedule_id=id_of(raw.get("schedule")),
        next_plan=following.plan if following else None,
        next_interval=following.interval if following else None,
        next_seats=following.seats if following else None,
        next_at=following.at if following else None,
        latest_invoice_id=id_of(raw.get("latest_invoice")),
        started_at=clock.from_timestamp(raw["start_date"]),
        ended_at=moment(raw.get("ended_at")),
        quote_id=metadata.get("kassor_quote"),
        scope_id=metadata.get("kassor_scope"),
        pending_update=bool(raw.get("pending_update")),
        **_ended(raw),
    )


def ended_comment(why: EndedWhy, by: int | None) -> str:
    """Why we end a subscription, as it is left with Stripe."""
    return ":".join([_COMMENT, why, *([str(by)] if by is not None else [])])


def _ended(raw: Json) -> Any:
    """Why it ended: our own comment, or Stripe's word that it gave up on the payment."""
    details = raw.get("cancellation_details") or {}
    whose, _, rest = str(details.get("comment") or "").partition(":")
    why, _, by = rest.partition(":")
    if whose == _COMMENT and why in {"absorbed", "asked", "grace_over"}:
        return {"ended_why": why, "ended_by": int(by) if by.isdigit() else None}
    return {"ended_why": "grace_over"} if details.get("reason") == "payment_failed" else {}


def unpaid(raw: Json) -> UnpaidFacts:
    """What is owed of an invoice whose payments are expanded."""
    payments = (raw.get("payments") or {}).get("data") or []
    intents = [payment["payment"].get("payment_intent") for payment in payments]
    asks = any(isinstance(intent, dict) and intent.get("status") == "requires_action" for intent in intents)
    return UnpaidFacts(
        id=raw["id"],
        status=raw["status"],
        amount=raw["amount_remaining"],
        currency=raw["currency"],
        url=raw.get("hosted_invoice_url"),
        due_at=moment(raw.get("due_date")),
        needs_action=asks,
    )


def following_phase(schedule: Json, prices: dict[str, PriceFacts]) -> NextPhase | None:
    """The phase of a schedule that comes after the current one, when it changes anything."""
    current = schedule.get("current_phase")
    if schedule["status"] not in {"active", "not_started"} or current is None:
        return None
    for phase in schedule["phases"]:
        if phase["start_date"] >= current["end_date"]:
            item = phase["items"][0]
            price = prices[id_of(item["price"]) or ""]
            return NextPhase(price.plan, price.interval, item["quantity"], clock.from_timestamp(phase["start_date"]))
    return None


def invoice(raw: Json) -> InvoiceFacts:
    """An invoice. What it pays for is read from its lines: Stripe's own period_* is the period before."""
    lines = raw["lines"]["data"]
    whole = [line for line in lines if not _is_proration(line)]
    period = max((line["period"] for line in whole or lines), key=lambda period: period["end"], default=None)
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    transitions = raw.get("status_transitions") or {}
    return InvoiceFacts(
        id=raw["id"],
        customer_id=id_of(raw["customer"]) or "",
        subscription_id=id_of(details.get("subscription")),
        number=raw.get("number"),
        status=raw["status"],
        collection_method=raw["collection_method"],
        billing_reason=raw.get("billing_reason"),
        currency=raw["currency"],
        total=raw["total"],
        tax=tax_of(raw),
        amount_due=raw["amount_due"],
        amount_paid=raw["amount_paid"],
        amount_remaining=raw["amount_remaining"],
        seats=next((line["quantity"] for line in reversed(whole) if line.get("quantity")), None),
        period_start=clock.from_timestamp(period["start"] if period else raw["period_start"]),
        period_end=clock.from_timestamp(period["end"] if period else raw["period_end"]),
        created_at=clock.from_timestamp(raw["created"]),
        finalized_at=moment(transitions.get("finalized_at")),
        due_at=moment(raw.get("due_date")),
        hosted_invoice_url=raw.get("hosted_invoice_url"),
        invoice_pdf=raw.get("invoice_pdf"),
    )


def tax_of(raw: Json) -> int:
    """All the tax on an invoice, minor units."""
    return sum(tax["amount"] for tax in raw.get("total_taxes") or [])


def discount_of(raw: Json) -> int:
    """All that discounts take off an invoice, minor units."""
    return sum(each["amount"] for each in raw.get("total_discount_amounts") or [])


def balance_of(raw: Json) -> int:
    """What the customer's balance pays of an invoice; negative when it is left with, or owes, more than before."""
    return int(raw["total"] - raw["amount_due"])


def _is_proration(line: Json) -> bool:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(details.get("proration"))


def preview_lines(raw: Json) -> tuple[PreviewLine, ...]:
    """The lines of a previewed invoice."""
    return tuple(
        PreviewLine(line.get("description") or "", line["amount"], _is_proration(line)) for line in raw["lines"]["data"]
    )


def customer(raw: Json, method: Json | None) -> CustomerFacts:
    """A customer and the method they pay with."""
    return CustomerFacts(
        id=raw["id"],
        scope_id=(raw.get("metadata") or {}).get("kassor_scope"),
        name=raw.get("name"),
        email=raw.get("email"),
        currency=raw.get("currency"),
        address=raw.get("address"),
        payment_method_id=method["id"] if method else None,
        payment_method_type=method["type"] if method else None,
        payment_method_label=_label(method) if method else None,
    )


def _label(method: Json) -> str:
    if method["type"] == "card":
        return f"{method['card']['brand'].title()} •••• {method['card']['last4']}"
    if method["type"] == "paypal":
        payer = (method.get("paypal") or {}).get("payer_email")
        return f"PayPal ({payer})" if payer else "PayPal"
    return str(method["type"]).replace("_", " ").title()


def session(raw: Json) -> SessionFacts:
    """A Checkout Session."""
    return SessionFacts(
        id=raw["id"],
        status=raw["status"],
        url=raw.get("url"),
        quote_id=raw.get("client_reference_id"),
        subscription_id=id_of(raw.get("subscription")),
        customer_id=id_of(raw.get("customer")),
    )
