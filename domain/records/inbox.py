"""Stripe's events as received. One row is both the event and the work item: stored means queued."""

from tortoise import fields

from domain.queue import QueueItem


class Event(QueueItem):
    """An event by Stripe's id. The payload is the raw body, kept as it came (personal data: pruned once processed)."""

    id = fields.CharField(max_length=255, primary_key=True)  # evt_…
    type = fields.CharField(max_length=255)
    created_at = fields.DatetimeField()  # Stripe's, whole seconds, ties are usual
    received_at = fields.DatetimeField()
    payload = fields.TextField()  # empty once pruned: the row stays, so that a duplicate stays one
    lane = fields.CharField(max_length=255, default="")  # whose it is: Stripe's customer, or the object's own id

    class Meta:
        table = "event"
        indexes = (("state", "available_at"),)
