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


class DeskRequest(Model):
    """One request to a desk: a durable record before it is a message."""

    id = fields.UUIDField(primary_key=True)
    desk = fields.CharEnumField(Desk, max_length=16)
    topic = fields.CharField(max_length=32)  # several_teams, pay_by_invoice, quote, adjust, cancel, help
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

    class Meta:
        table = "desk_request"
        indexes = (("desk", "state"),)
