"""Subscriptions: what is paid for, by whom it is owned, and what each change means to people."""

import logging
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import asks, clock, trace
from domain.desk import Desk
from domain.payments import SubscriptionFacts
from domain.records import Customer, Invoice, Member, Quote, Subscription
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.rules.refusals import AlreadySubscribed, PaymentsAway, PaymentsRefused
from domain.sync import consequences, endings, lost
from domain.sync.absorbs import covering, intend_absorbing
from domain.sync.customers import TRIES
from domain.sync.endings import being_ended

log = logging.getLogger("kassor.sync")
_UNDONE = {"paid_twice", "covered", "AlreadySubscribed"}  # why one too many was ended as soon as it was seen
_NOT_COLUMNS = ("quote_id", "scope_id", "pending_update", "ended_why", "ended_by")
_OVERDUE = frozenset({"past_due", "unpaid"})


async def subscription(desk: Desk, subscription_id: str, *, actor: Member | None = None) -> Subscription | None:
    """Read a subscription again. None when it isn't one of ours. Raises PaymentsAway, PaymentsRefused.

    `actor` is who just changed it, for the audit; without one, whoever's accepted quote explains the change.

    A second one paid for a scope that has one already (two payment pages raced) is ended and paid back: never two live.
    """
    for _ in range(TRIES):
        known = await Subscription.get_or_none(id=subscription_id).prefetch_related("scope", "owner")
        found = await desk.payments.subscription(subscription_id)
        if found is None:
            return None
        written = await (_update(desk, known, found, actor) if known else _create(desk, found))
        if written:
            return await Subscription.get_or_none(id=subscription_id)
    raise PaymentsAway(retry_after=1)


def _columns(found: SubscriptionFacts) -> dict[str, object]:
    return {name: value for name, value in asdict(found).items() if name not in _NOT_COLUMNS}


async def _create(desk: Desk, found: SubscriptionFacts) -> bool:
    """The first time we hear of it. True when there is nothing more to do."""
    if found.status in {"incomplete", "incomplete_expired"}:
        return True  # not paid for: nothing has happened yet (R23)
    quote = await _quote(found) or await lost.quote_of(desk, found)
    if quote is None:
        log.warning("subscription %s names a quote we don't know; it is left alone", found.id)
        return True
    trace.go_on_as(quote.trace)
    if not found.is_live and (quote.failure or {}).get("refusal") in _UNDONE:  # it never was anybody's
        if quote.applies != QuoteApplies.INVOICE:
            await _tell_undone(desk, found, quote, quote.failure)
        return True
    if found.is_live and (why := await _one_too_many(desk, found, quote)):
        await _undo(desk, found, quote, why)
        return True
    owner = await consequences.owner_for(quote)
    if quote.owner_id not in {None, owner.id}:  # Stripe would write to whoever was appointed, and has left
        with suppress(PaymentsRefused):
            await desk.payments.set_customer_contact(found.customer_id, email=owner.email, locale=owner.locale)
    try:
        async with in_transaction():
            await Customer.bulk_create([Customer(id=found.customer_id, scope_id=quote.scope_id)], ignore_conflicts=True)
            since = clock.now() if found.status in _OVERDUE else None
            made = Subscription(scope_id=quote.scope_id, owner_id=owner.id, past_due_since=since, **_columns(found))
            await made.save(force_create=True)
            made.scope = quote.scope
            await Quote.filter(id=quote.id).update(
                state=QuoteState.APPLIED, settled_at=clock.now(), subscription_id=found.id, failure=None
            )
            await asks.settle(str(quote.id), asks.How.PAID)
            await consequences.upgraded(desk, made, quote, owner)
            if made.is_live:
                await intend_absorbing(made, quote.requester)
    except IntegrityError:
        return False  # somebody wrote it, or another live one, at this moment: look again
    return True


async def _one_too_many(desk: Desk, found: SubscriptionFacts, quote: Quote) -> dict[str, Any] | None:
    """Why a new live subscription can't stand, as a quote's failure; None when it can.

    What stands in its way is read again first: records that come from a backup, or have not heard of its end yet, would undo
    what is rightly paid for. Raises PaymentsAway, PaymentsRefused.
    """
    standing = await Subscription.filter(scope_id=quote.scope_id, is_live=True).exclude(id=found.id).first()
    if await _still_stands(desk, standing):
        return {"refusal": "paid_twice", "facts": {"scope": quote.scope.name}}
    whole = await covering(quote.scope)
    if whole is None or not await _still_stands(desk, whole):
        return None
    # the team's page was still open when the organisation paid (R12)
    facts = {"scope": quote.scope.name, "organisation": whole.scope.name, "plan": whole.plan}
    return {"refusal": "covered", "facts": facts}


async def _still_stands(desk: Desk, standing: Subscription | None) -> bool:
    if standing is None:
        return False
    fresh = await subscription(desk, standing.id)
    return fresh is None or fresh.is_live


async def _quote(found: SubscriptionFacts) -> Quote | None:
    try:
        quote_id = UUID(found.quote_id or "")
    except ValueError:
        return None
    return await Quote.get_or_none(id=quote_id).prefetch_related("scope", "requester", "owner")


async def _undo(desk: Desk, found: SubscriptionFacts, quote: Quote, why: dict[str, Any]) -> None:
    """One too many for what is covered already: ended and paid back in full, and the payer hears why, once.

    Why is written first: cut off later, one that has ended is still known for what it was.
    """
    log.warning("subscription %s is one too many for scope %s: ending it and paying it back", found.id, quote.scope_id)
    if quote.applies == QuoteApplies.INVOICE:
        await _undo_agreed(desk, found, quote)
        return
    await _failed(quote, why)
    if used := await desk.payments.refund_latest(found.id):
        await desk.payments.adjust_balance(found.customer_id, used, found.currency, key=f"{found.id}:undone")
    await desk.payments.cancel_now(found.id, credit=False)
    await _tell_undone(desk, found, quote, why)


async def _failed(quote: Quote, why: dict[str, Any]) -> None:
    await Quote.filter(id=quote.id).update(state=QuoteState.FAILED, settled_at=clock.now(), failure=why)


async def _tell_undone(desk: Desk, found: SubscriptionFacts, quote: Quote, why: dict[str, Any]) -> None:
    async with in_transaction():
        await consequences.second_undone(desk, quote, found, why)


async def _undo_agreed(desk: Desk, found: SubscriptionFacts, quote: Quote) -> None:
    """Somebody paid for the scope while sales' own was being made: nobody is to pay the invoice. The desk tells people."""
    own = await Subscription.get_or_none(scope_id=quote.scope_id, is_live=True).prefetch_related("scope", "owner")
    live = own or await covering(quote.scope)
    if live is None:
        raise PaymentsAway(retry_after=1)  # what stood in the way has ended at this moment: look again
    await live.fetch_related("owner")
    refusal = AlreadySubscribed(
        scope=live.scope.name, plan=live.plan, owner=live.owner.slack_user_id, owner_name=live.owner.name
    )
    await _failed(quote, refusal.as_json())
    await desk.payments.void_unpaid(found.id)
    await desk.payments.cancel_now(found.id, credit=False)


async def _update(desk: Desk, known: Subscription, found: SubscriptionFacts, actor: Member | None) -> bool:
    fields = _columns(found)
    del fields["id"]
    fields["past_due_since"] = await _past_due_since(known, found)
    overdue_now = found.status in _OVERDUE and known.status not in _OVERDUE
    owed = await desk.payments.unpaid(found.id) if overdue_now else []
    same = all(getattr(known, name) == value for name, value in fields.items())
    async with in_transaction():
        if not same:
            fields["version"] = known.version + 1
            if not await Subscription.filter(id=known.id, version=known.version).update(**fields):
                return False
            fresh = await Subscription.get(id=known.id).prefetch_related("scope", "owner")
            if known.is_live and not fresh.is_live:
                await endings.ended(desk, known, fresh, actor, found)
            else:
                await consequences.changed(desk, known, fresh, actor, owed)
        await _settle_quotes(found)
    return True


async def _past_due_since(known: Subscription, found: SubscriptionFacts) -> object:
    """Since when it is overdue: the day an invoice to be paid by hand was due, else when we first saw it; kept when it ends so."""
    if not found.is_live:
        return known.past_due_since
    if found.status not in _OVERDUE:
        # Being ended, it is overdue to its end: only its invoices have been given up.
        return known.past_due_since if known.past_due_since and await being_ended(known.id) else None
    if known.past_due_since is not None:
        return known.past_due_since
    late = Invoice.filter(subscription_id=found.id, status="open", due_at__lte=clock.now())
    first = await late.order_by("due_at").first() if found.collection_method == "send_invoice" else None
    return first.due_at if first is not None else clock.now()


async def _settle_quotes(found: SubscriptionFacts) -> None:
    """An accepted change is applied once Stripe says it is so, whoever asked Stripe and however that ended."""
    changes = (QuoteKind.SEATS, QuoteKind.PLAN)
    for quote in await Quote.filter(subscription_id=found.id, state=QuoteState.ACCEPTED, kind__in=changes):
        if _is_so(quote, found) and not found.pending_update:
            await Quote.filter(id=quote.id, state=QuoteState.ACCEPTED).update(
                state=QuoteState.APPLIED, settled_at=clock.now(), failure=None
            )


def _is_so(quote: Quote, found: SubscriptionFacts) -> bool:
    wanted = (quote.plan, quote.interval, quote.seats)
    now = (found.plan, found.interval, found.seats)
    if quote.applies == QuoteApplies.RENEWAL:
        return wanted == ((found.next_plan, found.next_interval, found.next_seats) if found.next_at else now)
    in_midst = found.cancel_at is not None and found.cancel_at < found.current_period_end and quote.changes_interval
    return wanted == now and not in_midst and (found.next_at is None or _goes_with(quote, found))


def _goes_with(quote: Quote, found: SubscriptionFacts) -> bool:
    """Whether what waits for the renewal has been put in step with an immediate change: until then it isn't done.

    More seats go with a waiting change of plan; anything else that waits gives way.
    """
    waits_for_plan = (found.next_plan, found.next_interval) != (found.plan, found.interval)
    return quote.kind == QuoteKind.SEATS and waits_for_plan and found.next_seats == quote.seats
