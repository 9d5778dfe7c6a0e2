"""Letting go of what nobody needs any more: finished work and used-up keys, never anything unprocessed, never billing history."""

from datetime import datetime, timedelta

from tortoise.queryset import QuerySet

from domain import clock
from domain.config import Settings
from domain.latest import ASKED
from domain.queue import QueueState
from domain.records import Delivery, Event, Quote, Watermark
from domain.records.installations import OAuthState
from domain.records.quotes import QuoteState

COPY_MARKS_KEPT = timedelta(days=30)
BATCH = 500  # rows a statement: nobody waits long for a lock, and the log does not swell
ANSWERS_UNDER_WAY = timedelta(days=1)  # no answer of Slack's is written so long after it was asked for
DELIVERIES_KEPT = timedelta(days=7)  # Slack re-delivers within hours


async def prune(settings: Settings) -> int:
    """Delete finished events, old deliveries, dead OAuth states, old marks; mark offers nobody took expired. Returns how many rows.

    A finished event's payload, which holds personal data, goes earlier than its row: as long as the row is there, the event is
    known, and comes in no second time.
    """
    now = clock.now()
    rows = await _events(now - timedelta(days=settings.events_kept_days))
    await _payloads(now - timedelta(days=settings.event_payloads_kept_days))
    rows += await Delivery.filter(received_at__lt=now - DELIVERIES_KEPT).delete()
    rows += await OAuthState.filter(expires_at__lt=now).delete()
    rows += await Watermark.filter(id__startswith="copy:", at__lt=now - COPY_MARKS_KEPT).delete()
    rows += await Watermark.filter(id__startswith=ASKED, at__lt=now - ANSWERS_UNDER_WAY).delete()
    rows += await Quote.filter(state=QuoteState.OFFERED, expires_at__lt=now).update(
        state=QuoteState.EXPIRED, settled_at=now
    )
    return rows


async def _events(before: datetime) -> int:
    rows = 0
    while keys := await _finished(before).limit(BATCH).values_list("id", flat=True):
        rows += await Event.filter(id__in=list(keys), state=QueueState.DONE).delete()
    return rows


async def _payloads(before: datetime) -> None:
    while keys := await _finished(before).exclude(payload="").limit(BATCH).values_list("id", flat=True):
        await Event.filter(id__in=list(keys), state=QueueState.DONE).update(payload="")


def _finished(before: datetime) -> QuerySet[Event]:
    """Done before then. `available_at`, which is never later, is what the index is sorted by."""
    return Event.filter(state=QueueState.DONE, available_at__lt=before, done_at__lt=before).order_by("available_at")
