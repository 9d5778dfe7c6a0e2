"""A queue in a table: claim, done, retry, bury. The inbox and the outbox are both one."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class QueueState(StrEnum):
    """Where an item is. A claimed item stays `queued` with a lease in the future."""

    QUEUED = "queued"
    DONE = "done"
    BURIED = "buried"  # gave up; an operator replays it


class QueueItem(Model):
    """The columns every queued thing has. Due: queued, `available_at` passed, and no lease running."""

    state = fields.CharEnumField(QueueState, max_length=8, default=QueueState.QUEUED)
    available_at = fields.DatetimeField()
    leased_until = fields.DatetimeField(null=True)
    attempts = fields.IntField(default=0)
    last_error = fields.TextField(null=True)
    done_at = fields.DatetimeField(null=True)

    class Meta:
        abstract = True
