"""A subscription that was bought in a time the records don't know (`domain.lapse`): its quote is lost with that time.

Stripe knows what was bought, for which scope and with whose address; of that the quote is put together again, so that whoever
paid has their plan. Outside such a time an unknown quote is another installation's, and left alone.
"""

import logging
from uuid import UUID

from domain import clock, lapse
from domain.desk import Desk
from domain.payments import SubscriptionFacts
from domain.records import Admin, Member, Quote, Scope
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState

log = logging.getLogger("kassor.sync")


async def quote_of(desk: Desk, found: SubscriptionFacts) -> Quote | None:
    """The quote anew, applied. None when nothing was lost then, or nobody is left who could own it. Raises PaymentsAway."""
    forgotten = await lapse.noted()
    if forgotten is None or not forgotten.since <= found.started_at <= forgotten.until:
        return None
    scope, quote_id = await _scope(found.scope_id), _uuid(found.quote_id)
    owner = await _payer(desk, found, scope) if scope is not None else None
    if scope is None or quote_id is None or owner is None:
        log.error(
            "%s was bought since the backup, and for whom is not known: see it in Stripe, and sell it anew", found.id
        )
        return None
    now = clock.now()
    by_invoice = found.collection_method == "send_invoice"
    made = Quote(
        id=quote_id,
        kind=QuoteKind.UPGRADE,
        applies=QuoteApplies.INVOICE if by_invoice else QuoteApplies.CHECKOUT,
        state=QuoteState.APPLIED,
        scope_id=scope.id,
        requester_id=owner.id,
        plan=found.plan,
        interval=found.interval,
        seats=found.seats,
        seats_asked=found.seats,
        currency=found.currency,
        due_now=0,  # what was charged is on the invoice
        lines=[],
        next_total=found.unit_amount * found.seats,
        offered_at=now,
        expires_at=now,
        accepted_at=now,
        settled_at=now,
    )
    await Quote.bulk_create([made], ignore_conflicts=True)
    return await Quote.get(id=quote_id).prefetch_related("scope", "requester", "owner")


async def _scope(scope_id: str | None) -> Scope | None:
    known = _uuid(scope_id)
    return await Scope.get_or_none(id=known) if known else None


async def _payer(desk: Desk, found: SubscriptionFacts, scope: Scope) -> Member | None:
    """Whose address the customer has: the owner's when it was bought, unless they made it another since.

    Else whoever may take billing over where an owner is gone (P1): an admin of the scope, or one of Slack's own. None when the
    customer is another scope's: a subscription stays where it was bought (R9).
    """
    customer = await desk.payments.customer(found.customer_id)
    if customer.scope_id != found.scope_id:
        return None
    people = [each for each in await Member.filter(workspace_id=scope.workspace_id).order_by("id") if each.is_active]
    email = (customer.email or "").lower()
    payer = next((each for each in people if email and (each.email or "").lower() == email), None)
    if payer is not None:
        log.warning("%s was bought since the backup: %s owns it", found.id, payer.slack_user_id)
        return payer
    appointed = set(await Admin.filter(scope_id=scope.id, until=None).values_list("member_id", flat=True))
    stand_in = next(
        iter([each for each in people if each.id in appointed] or [each for each in people if each.is_workspace_admin]),
        None,
    )
    if stand_in is not None:
        log.error(
            "%s was bought since the backup, and nobody has its customer's address: %s owns it until they hand it over",
            found.id,
            stand_in.slack_user_id,
        )
    return stand_in


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
