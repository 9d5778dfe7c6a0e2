"""Who did what, when, from where. Only ever added to. Never card data."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from domain.records.people import Member, Scope, Workspace


class AuditEntry(Model):
    """One thing that happened to a scope's billing."""

    id = fields.UUIDField(primary_key=True)
    at = fields.DatetimeField(db_index=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "kassor.Workspace", related_name="audit", on_delete=fields.RESTRICT
    )
    workspace_id: str
    scope: fields.ForeignKeyNullableRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="audit", on_delete=fields.RESTRICT, null=True
    )
    scope_id: str | None
    actor: fields.ForeignKeyNullableRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="audit", on_delete=fields.RESTRICT, null=True
    )  # None: Stripe or the passing of time
    actor_id: int | None
    source = fields.CharField(max_length=16)  # slack, stripe, scheduler, console
    verb = fields.CharField(max_length=64)
    before: Any = fields.JSONField(null=True)
    after: Any = fields.JSONField(null=True)
    reference = fields.CharField(max_length=255, null=True)  # a quote's or Stripe object's id
    dedup_key = fields.CharField(max_length=255, unique=True)  # the same fact learned twice is one entry

    class Meta:
        table = "audit_entry"
