"""Who else gets the copies of a subscription's invoices (I6)."""

from tortoise import fields
from tortoise.models import Model

from domain.records.mirror import Subscription
from domain.records.people import Member


class CopyRecipient(Model):
    """Who gets the copies beside the owner. Ended, never deleted (R48), and at most one current row each (constraint).

    Of a subscription, not of its scope: whoever owns the scope's next subscription chooses anew who reads its invoices.
    """

    id = fields.BigIntField(primary_key=True)
    subscription: fields.ForeignKeyRelation[Subscription] = fields.ForeignKeyField(
        "kassor.Subscription", related_name="recipients", on_delete=fields.RESTRICT
    )
    subscription_id: str
    member: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="copies_of", on_delete=fields.RESTRICT
    )
    member_id: int
    added_by: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="recipients_added", on_delete=fields.RESTRICT
    )
    added_by_id: int
    since = fields.DatetimeField()
    until = fields.DatetimeField(null=True)

    class Meta:
        table = "copy_recipient"
