"""Small memories: how far a sweep has looked, and which of Slack's deliveries have been acted on."""

from tortoise import fields
from tortoise.models import Model


class Watermark(Model):
    """How far something has come, by name, such as `reconcile.events`."""

    id = fields.CharField(max_length=64, primary_key=True)
    at = fields.DatetimeField()

    class Meta:
        table = "watermark"


class Delivery(Model):
    """A Slack delivery (event id, trigger id) that has been taken care of: Slack sends some twice, the effect is one."""

    id = fields.CharField(max_length=255, primary_key=True)
    received_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "delivery"
