"""What people are to be told, and which invoice copies have been. A notice is facts; the words are the bot's."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from domain import trace
from domain.queue import QueueItem
from domain.records.mirror import Subscription
from domain.records.people import Member, Workspace


class Notice(QueueItem):
    """One message to one place. `dedup_key` is unique: whoever notices something twice tells it once.

    Exactly one of three recipients: a member, a channel, or the owner of a subscription at the moment of sending (I1).
    """

    id = fields.UUIDField(primary_key=True)  # carried in the Slack message's metadata
    kind = fields.CharField(max_length=64)  # domain.notices.NoticeKind
    facts: Any = fields.JSONField()
    dedup_key = fields.CharField(max_length=255, unique=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "kassor.Workspace", related_name="notices", on_delete=fields.RESTRICT
    )
    workspace_id: str
    member: fields.ForeignKeyNullableRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="notices", on_delete=fields.RESTRICT, null=True
    )
    member_id: int | None
    channel = fields.CharField(max_length=32, null=True)
    owner_of: fields.ForeignKeyNullableRelation[Subscription] = fields.ForeignKeyField(
        "kassor.Subscription", related_name="owner_notices", on_delete=fields.RESTRICT, null=True
    )
    owner_of_id: str | None
    in_working_hours = fields.BooleanField(default=False)  # I3
    created_at = fields.DatetimeField()
    # What the bot did, written step by step so that a crash between any two is told apart:
    sent_to = fields.CharField(max_length=32, null=True)  # Slack user or channel it is being, or was, sent to
    slack_channel = fields.CharField(max_length=32, null=True)
    slack_ts = fields.CharField(max_length=32, null=True)  # set once the message is known to be there
    slack_file_id = fields.CharField(max_length=32, null=True)
    trace = fields.CharField(max_length=32, default=trace.current)  # what it belongs to (`domain/trace.py`)
    sending_at = fields.DatetimeField(null=True)  # when the last try began: the history is searched around it
    asks = fields.CharField(max_length=64, null=True)  # the invoice or quote it has a button to pay (`domain/asks.py`)

    class Meta:
        table = "notice"
        indexes = (("state", "available_at"),)


class InvoiceCopy(Model):
    """One period of one subscription whose invoice copy is on its way or sent (I1, I2): unique, so never twice."""

    id = fields.BigIntField(primary_key=True)
    subscription: fields.ForeignKeyRelation[Subscription] = fields.ForeignKeyField(
        "kassor.Subscription", related_name="copies", on_delete=fields.RESTRICT
    )
    subscription_id: str
    period_start = fields.DatetimeField()
    invoice_id = fields.CharField(max_length=64)
    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "kassor.Notice", related_name="copies", on_delete=fields.RESTRICT
    )
    notice_id: str
    created_at = fields.DatetimeField()

    class Meta:
        table = "invoice_copy"
        unique_together = (("subscription", "period_start"),)


class DirectChannel(Model):
    """The DM channel between the app and a person, so that Slack isn't asked each time. Forgotten when Slack knows it no more."""

    id = fields.BigIntField(primary_key=True, generated=False)  # the member's
    channel = fields.CharField(max_length=32)

    class Meta:
        table = "direct_channel"


class Pause(Model):
    """Not before then: a lane Slack asked to leave alone, a workspace whose history was just read, the fleet's budget.

    In the database, so that no other process goes on knocking where one was asked to wait.
    """

    id = fields.CharField(max_length=64, primary_key=True)  # a lane, `look:T…`, or `*`
    until = fields.DatetimeField()

    class Meta:
        table = "pause"
