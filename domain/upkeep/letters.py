"""Stripe's own letters, with invoices in them, go to the billing owner: where it could not be told of a new one, it is told now."""

from datetime import datetime

from domain.actions import owner
from domain.desk import Desk


async def look(desk: Desk) -> int:
    """Tell Stripe of new owners; returns how many."""
    return await owner.tell_stripe_of_all(desk)


async def next_due(_: Desk) -> datetime | None:
    """Nothing waits for an hour: every look tries."""
    return None
