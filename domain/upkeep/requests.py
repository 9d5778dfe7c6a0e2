"""What sales approved and a crash, or Stripe's absence, kept from being carried out (S1)."""

import logging
from datetime import datetime, timedelta

from domain import clock
from domain.actions import agreed
from domain.desk import Desk
from domain.records import DeskRequest
from domain.records.requests import RequestState
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.requests")
PATIENCE = timedelta(seconds=30)  # whoever approved it is probably still at it


async def look(desk: Desk) -> int:
    """Carry on what is approved and not carried out; returns how many were looked at."""
    cut_off = DeskRequest.filter(state=RequestState.APPROVED, carried_out_at=None)
    waiting = await cut_off.filter(decided_at__lt=clock.now() - PATIENCE).order_by("decided_at")
    for request in waiting:
        try:
            await agreed.carry_out(desk, request)
        except PaymentsAway:
            log.info("request %s waits for stripe", request.id)
        except Refusal as refusal:
            log.warning("request %s was approved and can't be carried out: %s", request.id, type(refusal).__name__)
        except Exception:  # it must not keep the others from being carried out
            log.exception("request %s could not be carried out; the next look tries again", request.id)
    return len(waiting)


async def next_due(_: Desk) -> datetime | None:
    """When the next one has waited long enough; None when none is about to."""
    fresh = DeskRequest.filter(state=RequestState.APPROVED, carried_out_at=None)
    found = await fresh.filter(decided_at__gte=clock.now() - PATIENCE).order_by("decided_at").first()
    return found.decided_at + PATIENCE + timedelta(seconds=1) if found and found.decided_at else None
