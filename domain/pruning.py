"""Letting go of what nobody needs any more: finished work and used-up keys, never anything unprocessed, never billing history."""

from datetime import timedelta

from domain import clock
from domain.queue import QueueState
from domain.records import Delivery, Event, Quote, Watermark
from domain.records.installations import OAuthState
from domain.records.quotes import QuoteState

EVENTS_KEPT = timedelta(days=30)  # payloads hold personal data
DELIVERIES_KEPT = timedelta(days=7)  # Slack re-delivers within hours


async def prune() -> int:
    """Delete finished events, old deliveries, dead OAuth states; mark offers nobody took expired. Returns how many rows."""
    now = clock.now()
    rows = await Event.filter(state=QueueState.DONE, done_at__lt=now - EVENTS_KEPT).delete()
    rows += await Delivery.filter(received_at__lt=now - DELIVERIES_KEPT).delete()
    rows += await OAuthState.filter(expires_at__lt=now).delete()
    rows += await Watermark.filter(id__startswith="copy:", at__lt=now - EVENTS_KEPT).delete()
    rows += await Quote.filter(state=QuoteState.OFFERED, expires_at__lt=now).update(
        state=QuoteState.EXPIRED, settled_at=now
    )
    return rows
