"""What Stripe says: customers, subscriptions, invoices. Written by `domain.sync` alone, compare-and-swap on `version`.

The one column here that Stripe does not know is a subscription's `owner`: who answers for it in Slack. It is NOT NULL, so a
subscription has exactly one owner, always.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from domain.records.people import Member, Scope


class Interval(StrEnum):
    """How often a subscription renews (R3), in Stripe's words."""

    MONTH = "month"
    YEAR = "year"


ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
LIVE_STATUSES = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


class Customer(Model):
    """A Stripe customer: one a scope, kept for ever, so that a later upgrade finds the invoices of an earlier one (R48)."""

    id = fields.CharField(max_length=64, primary_key=True)  # cus_…
    scope: fields.OneToOneRelation[Scope] = fields.OneToOneField(
        "kassor.Scope", related_name="customer", on_delete=fields.RESTRICT
    )
    scope_id: str
    name = fields.CharField(max_length=255, null=True)
    email = fields.CharField(max_length=512, null=True)
    currency = fields.CharField(max_length=3, null=True)  # once set by Stripe it cannot change
    address: Any = fields.JSONField(null=True)  # Stripe's address object
    payment_method_id = fields.CharField(max_length=64, null=True)
    payment_method_type = fields.CharField(max_length=32, null=True)  # card, paypal
    payment_method_label = fields.CharField(
        max_length=255, null=True
    )  # "visa •••• 4242" or a PayPal e-mail; never more
    version = fields.IntField(default=0)

    class Meta:
        table = "customer"


class Subscription(Model):
    """A Stripe subscription as last re-read. At most one live a scope (constraint `subscription_one_live_per_scope`)."""

    id = fields.CharField(max_length=64, primary_key=True)  # sub_…
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="subscriptions", on_delete=fields.RESTRICT
    )
    scope_id: str
    owner: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="owned", on_delete=fields.RESTRICT
    )
    owner_id: int
    customer_id = fields.CharField(max_length=64)
    status = fields.CharField(max_length=32)  # Stripe's word
    is_live = fields.BooleanField()
    plan = fields.CharField(max_length=32)  # a key of the catalogue
    interval = fields.CharEnumField(Interval, max_length=8)
    seats = fields.IntField()
    currency = fields.CharField(max_length=3)
    unit_amount = fields.BigIntField()  # minor units a seat and interval
    item_id = fields.CharField(max_length=64)  # si_…
    price_id = fields.CharField(max_length=64)
    collection_method = fields.CharField(max_length=32)  # charge_automatically, send_invoice
    current_period_start = fields.DatetimeField()
    current_period_end = fields.DatetimeField()
    trial_end = fields.DatetimeField(null=True)
    cancel_at = fields.DatetimeField(null=True)  # set while it ends by itself (R46)
    schedule_id = fields.CharField(max_length=64, null=True)
    next_plan = fields.CharField(max_length=32, null=True)  # what a schedule does at next_at (M2, M3)
    next_interval = fields.CharEnumField(Interval, max_length=8, null=True)
    next_seats = fields.IntField(null=True)
    next_at = fields.DatetimeField(null=True)
    latest_invoice_id = fields.CharField(max_length=64, null=True)
    past_due_since = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    # Of the periodic copy (`domain/copies`), which alone writes them:
    copied_period = fields.DatetimeField(null=True)  # start of the newest period whose copy is planned
    copy_ask_at = fields.DatetimeField(default=ALWAYS)  # not looked at again before
    version = fields.IntField(default=0)

    class Meta:
        table = "subscription"
        indexes = (("is_live", "current_period_start"), ("customer_id",))

    @property
    def is_manually_invoiced(self) -> bool:
        """Paid by invoice, adjusted and cancelled through sales (R38, R43)."""
        return self.collection_method == "send_invoice"


class Invoice(Model):
    """A Stripe invoice as last re-read. Amounts in minor units of `currency`."""

    id = fields.CharField(max_length=64, primary_key=True)  # in_…
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="invoices", on_delete=fields.RESTRICT
    )
    scope_id: str
    subscription_id = fields.CharField(
        max_length=64, null=True
    )  # no foreign key: an invoice may be read before its subscription
    number = fields.CharField(max_length=64, null=True)
    status = fields.CharField(max_length=16)  # draft, open, paid, uncollectible, void
    collection_method = fields.CharField(max_length=32)
    billing_reason = fields.CharField(max_length=64, null=True)
    currency = fields.CharField(max_length=3)
    total = fields.BigIntField()
    tax = fields.BigIntField(default=0)
    amount_due = fields.BigIntField()
    amount_paid = fields.BigIntField()
    amount_remaining = fields.BigIntField()
    seats = fields.IntField(null=True)  # of its last non-proration line
    period_start = (
        fields.DatetimeField()
    )  # what it pays for: the latest period on its lines, not Stripe's invoice.period_*
    period_end = fields.DatetimeField()
    created_at = fields.DatetimeField()
    finalized_at = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    hosted_invoice_url = fields.TextField(null=True)
    invoice_pdf = fields.TextField(null=True)
    version = fields.IntField(default=0)

    class Meta:
        table = "invoice"
        indexes = (("subscription_id", "period_start"), ("scope_id", "created_at"))
