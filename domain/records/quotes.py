"""A priced offer and what became of it. The row is the intent: it is accepted before anything is asked of Stripe."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from domain import trace
from domain.records.mirror import Interval
from domain.records.people import Member, Scope


class QuoteKind(StrEnum):
    """What a quote would do."""

    UPGRADE = "upgrade"  # a new subscription, paid on Stripe's page
    SEATS = "seats"
    PLAN = "plan"  # plan or interval of a live subscription
    ABSORB = "absorb"  # a team's subscription ends because its organisation's covers it; unused time is credited (M4)


class QuoteApplies(StrEnum):
    """When it would take hold."""

    CHECKOUT = "checkout"  # when the payment page is done (R23)
    NOW = "now"  # charged at once, prorated, only if paid (M2, M3)
    RENEWAL = "renewal"  # at the end of the paid period, nothing charged now
    INVOICE = (
        "invoice"  # agreed with sales: the subscription is made at once, its invoice is sent and paid by hand (R24)
    )


class QuoteState(StrEnum):
    """`offered` and `accepted` are open; the rest is history."""

    OFFERED = "offered"
    ACCEPTED = "accepted"  # somebody pressed the button; resumed by the scheduler if cut off
    APPLIED = "applied"
    FAILED = "failed"  # declined or refused; see `failure`
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Quote(Model):
    """One offer. Its id is the idempotency key of every call to Stripe it causes. At most one accepted a scope (constraint)."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(QuoteKind, max_length=16)
    applies = fields.CharEnumField(QuoteApplies, max_length=16)
    state = fields.CharEnumField(QuoteState, max_length=16, default=QuoteState.OFFERED)
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="quotes", on_delete=fields.RESTRICT
    )
    scope_id: str
    subscription_id = fields.CharField(max_length=64, null=True)  # what it changes; for an upgrade, what came of it
    requester: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="requested", on_delete=fields.RESTRICT
    )
    requester_id: int
    owner: fields.ForeignKeyNullableRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="appointed", on_delete=fields.RESTRICT, null=True
    )
    owner_id: int | None
    plan = fields.CharField(max_length=32)
    interval = fields.CharEnumField(Interval, max_length=8)
    seats = fields.IntField()
    seats_asked = fields.IntField()  # before rounding up to a size (R7)
    currency = fields.CharField(max_length=3)
    due_now = fields.BigIntField()  # minor units, tax and credit included: exactly what is charged (M1)
    tax_now = fields.BigIntField(default=0)  # of that
    discount_now = fields.BigIntField(default=0)  # taken off already, shown as a line
    balance_now = fields.BigIntField(default=0)  # credit from before that pays part of it, shown as a line
    lines: Any = fields.JSONField()  # [{description, amount, proration}], minor units, for showing
    next_total = fields.BigIntField()  # the renewal after it, minor units
    next_at = fields.DatetimeField(null=True)
    before: Any = fields.JSONField(
        null=True
    )  # {plan, interval, seats} when it was offered; a difference means offer again
    proration_date = fields.DatetimeField(null=True)  # sent back to Stripe so that the charge equals the preview (M1)
    origin: Any = fields.JSONField(null=True)  # where the bot tells how it went; the domain does not look inside
    offered_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)
    failure: Any = fields.JSONField(null=True)  # {refusal, facts}
    checkout_session_id = fields.CharField(max_length=255, null=True, unique=True)
    checkout_url = fields.TextField(null=True)
    trace = fields.CharField(max_length=32, default=trace.current)  # what it belongs to (`domain/trace.py`)

    class Meta:
        table = "quote"
        indexes = (("state", "accepted_at"),)

    @property
    def changes_interval(self) -> bool:
        """Whether a new period begins with it, when it applies at once."""
        return bool((self.before or {}).get("interval") not in {None, self.interval.value})
