"""What people have asked sales and support for (S1, R17). A request is decided once."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from domain.records.people import Member, Scope


class Desk(StrEnum):
    """Whose channel a request reaches."""

    SALES = "sales"
    SUPPORT = "support"


class RequestState(StrEnum):
    """Where a request is. Support requests end `answered`."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    ANSWERED = "answered"


class Topic(StrEnum):
    """What a request is about."""

    PAY_BY_INVOICE = "pay_by_invoice"  # R24
    QUOTE = "quote"  # a level without a listed price (R16), or more seats than are listed
    SEVERAL_TEAMS = "several_teams"  # R14
    ADJUST = "adjust"  # seats or plan of a manually invoiced subscription (R38, R43)
    CANCEL = "cancel"  # of one (R38)
    HELP = "help"  # support's (R17)


class DeskRequest(Model):
    """One request to a desk: a durable record before it is a message."""

    id = fields.UUIDField(primary_key=True)
    desk = fields.CharEnumField(Desk, max_length=16)
    topic = fields.CharField(max_length=32)  # a Topic
    state = fields.CharEnumField(RequestState, max_length=16, default=RequestState.OPEN)
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="desk_requests", on_delete=fields.RESTRICT
    )
    scope_id: str
    requester: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="desk_requests", on_delete=fields.RESTRICT
    )
    requester_id: int
    facts: Any = fields.JSONField()  # plan, interval, seats, owner, text: what the topic needs
    asked_at = fields.DatetimeField()
    decided_by: fields.ForeignKeyNullableRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="decided", on_delete=fields.RESTRICT, null=True
    )
    decided_by_id: int | None
    decided_at = fields.DatetimeField(null=True)
    answer: Any = fields.JSONField(null=True)  # terms agreed, or words of decline
    carried_out_at = fields.DatetimeField(null=True)  # approved and done at Stripe; a tick carries on what was cut off

    @property
    def is_pending(self) -> bool:
        """Waits for an answer, or for what was agreed to be carried out."""
        return self.state == RequestState.OPEN or (self.state == RequestState.APPROVED and self.carried_out_at is None)

    class Meta:
        table = "desk_request"
        indexes = (("desk", "state"),)
