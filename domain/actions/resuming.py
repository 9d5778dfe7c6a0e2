"""Accepted quotes that were cut off, carried on (a crash, a restart, Stripe away): the same call with the same key."""

import logging
from datetime import timedelta

from domain import clock, notices, trace
from domain.actions import absorbing, changes, upgrade
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Quote
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.resuming")
PATIENCE = timedelta(seconds=30)  # whoever accepted it is probably still at it


async def resume_accepted(desk: Desk) -> int:
    """Carry on what is accepted and not settled; returns how many were looked at. A refusal is told to whoever asked.

    What goes wrong with one is logged, and keeps no other customer from theirs.
    """
    absorbed = await _absorb(desk)
    cut_off = Quote.filter(state=QuoteState.ACCEPTED, accepted_at__lt=clock.now() - PATIENCE)
    ours = cut_off.filter(checkout_session_id=None).exclude(kind=QuoteKind.ABSORB)
    ours = ours.exclude(applies=QuoteApplies.INVOICE)  # those are upkeep.requests'
    waiting = await ours.order_by("accepted_at")  # all: those that wait for a bank, for hours, are the oldest
    for quote in waiting:
        await quote.fetch_related("scope", "requester", "owner")
        with trace.following(quote.trace):
            await _carry_on(desk, quote)
    return absorbed + len(waiting)


async def _carry_on(desk: Desk, quote: Quote) -> None:
    try:
        if quote.kind == QuoteKind.UPGRADE:
            await upgrade.resume(desk, quote)
        else:
            await changes.carry_out(desk, quote)
    except PaymentsAway:
        log.info("quote %s waits for stripe", quote.id)
    except Refusal as refusal:
        await notices.tell(
            NoticeKind.CHANGE_FAILED,
            workspace_id=quote.scope.workspace_id,
            facts=refusal.as_json(),
            dedup_key=f"failed:{quote.id}",
            member=quote.requester,
        )
    except Exception:
        log.exception("quote %s could not be carried on; the next tick tries again", quote.id)


async def _absorb(desk: Desk) -> int:
    """Teams' plans that their organisation's makes needless: nobody is at it, so nothing is waited for (M4)."""
    await absorbing.intend_missing(desk)
    waiting = await Quote.filter(state=QuoteState.ACCEPTED, kind=QuoteKind.ABSORB).order_by("accepted_at")
    for quote in waiting:
        with trace.following(quote.trace):
            await absorbing.resume(desk, quote)
    return len(waiting)
