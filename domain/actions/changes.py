"""A change of a live subscription, from its price to its taking hold: what seats (M2) and plans (M3) have in common.

Offered with Stripe's own preview; accepted by a local commit; carried out with the quote's id as the idempotency key, after
everything it was worked out from has been read again. Cut off anywhere, `carry_out` can be run again.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from domain import clock, directory, sync
from domain.actions.common import (
    KEYS_FORGOTTEN,
    base_of,
    check_owner,
    live_subscription,
    mark_accepted,
    mark_failed,
    open_quote,
    quote_expiry,
    supersede_offers,
)
from domain.desk import Desk
from domain.payments import Preview, PriceFacts, SubscriptionFacts
from domain.records import Member, Quote, Scope, Subscription
from domain.records.mirror import Interval
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.rules.catalogue import Plan
from domain.rules.plans import find_plan
from domain.rules.refusals import (
    EndsAnyway,
    ManuallyInvoiced,
    NotSubscribed,
    PastDue,
    PaymentNeedsAction,
    PaymentsAway,
    PaymentsRefused,
    QuoteChanged,
    QuoteOver,
    Refusal,
)

READ_AGAIN = 60  # seconds
CHANGES = (QuoteKind.SEATS, QuoteKind.PLAN)


async def check_may_change(actor: Member, subscription: Subscription, asked: str) -> None:
    """The owner, of a subscription that isn't with sales or overdue. Raises NotOwner, NotSubscribed, ManuallyInvoiced, PastDue."""
    await check_owner(actor, subscription, asked)
    if subscription.is_manually_invoiced:
        raise ManuallyInvoiced(asked=asked)
    if subscription.status in {"past_due", "unpaid"}:
        raise PastDue(invoice=subscription.latest_invoice_id)


async def offer(
    desk: Desk,
    actor: Member,
    *,
    kind: QuoteKind,
    subscription: Subscription,
    plan: Plan,
    interval: Interval,
    seats: int,
    seats_asked: int,
    now: bool,
    origin: dict[str, Any] | None,
) -> Quote:
    """Price a change the caller found allowed. `now` is charged at once, prorated; else nothing until the renewal.

    In a trial nothing is charged either way: the first charge comes when it ends. Raises EndsAnyway, PaymentsAway.
    """
    scope = await Scope.get(id=subscription.scope_id)
    if not now and subscription.cancel_at is not None:
        raise EndsAnyway(scope=scope.name, until=subscription.cancel_at.isoformat())
    price = await desk.payments.price(plan, interval, subscription.currency)
    moment = clock.now().replace(microsecond=0)
    preview = Preview(price.currency, 0, 0, (), 0, subscription.current_period_end, None)  # free for now
    if now and subscription.status != "trialing":
        preview = await desk.payments.preview_change(subscription.id, subscription.item_id, price, seats, moment)
    applies = QuoteApplies.NOW if now else QuoteApplies.RENEWAL
    next_total = await _next_total(desk, kind, applies, subscription, price, seats)
    await supersede_offers(scope, actor, *CHANGES)
    quote = await Quote.create(
        id=uuid4(),
        kind=kind,
        applies=applies,
        scope=scope,
        subscription_id=subscription.id,
        requester=actor,
        plan=plan.key,
        interval=interval,
        seats=seats,
        seats_asked=seats_asked,
        currency=subscription.currency,
        due_now=preview.due_now,
        tax_now=preview.tax_now,
        discount_now=preview.discount_now,
        balance_now=preview.balance_now,
        lines=[
            {"description": line.description, "amount": line.amount, "proration": line.proration}
            for line in preview.lines
        ],
        next_total=next_total,
        next_at=preview.next_at,
        before=base_of(subscription),
        proration_date=moment if now else None,
        origin=origin,
        offered_at=clock.now(),
        expires_at=clock.now() + quote_expiry(desk),
    )
    quote.scope, quote.requester = scope, actor
    return quote


async def _next_total(
    desk: Desk, kind: QuoteKind, applies: QuoteApplies, subscription: Subscription, price: PriceFacts, seats: int
) -> int:
    """What a renewal after the change would cost. Minor units."""
    if applies == QuoteApplies.NOW:
        price = await _renewing(desk, kind, subscription, price)
    elif (price.plan, price.interval, seats) == (subscription.plan, subscription.interval, subscription.seats):
        # What waits is taken back, and the price they have stays, also where the catalogue's is another by now.
        price = replace(price, id=subscription.price_id, unit_amount=subscription.unit_amount)
    return await desk.payments.preview_renewal(subscription.id, price, seats)


async def _renewing(desk: Desk, kind: QuoteKind, subscription: Subscription, price: PriceFacts) -> PriceFacts:
    """The price an immediate change renews at: a change of plan that waits stays waiting when only seats are added."""
    waiting = (subscription.next_plan, subscription.next_interval)
    if kind != QuoteKind.SEATS or subscription.next_at is None or None in waiting:
        return price
    plan = desk.catalogue.plan(str(waiting[0]))
    if plan is None or subscription.currency not in plan.price:
        return price
    return await desk.payments.price(plan, Interval(str(waiting[1])), subscription.currency)


async def accept(desk: Desk, actor: Member, quote_id: str | UUID) -> Quote:
    """Commit to a change: fast and local, so that Slack can be answered after it. `carry_out` does it.

    Raises QuoteOver, NotOwner, ChangeInProgress, …
    """
    quote = await open_quote(actor, quote_id, *CHANGES)
    if quote.state != QuoteState.OFFERED:
        return quote
    subscription = await live_subscription(quote.scope)
    if subscription is None or subscription.id != quote.subscription_id:
        raise NotSubscribed(scope=quote.scope.name)
    await check_may_change(actor, subscription, quote.kind.value)
    await mark_accepted(quote)
    return quote


async def carry_out(desk: Desk, quote: Quote) -> Quote:
    """Make an accepted change happen, once, at the price that was shown.

    Raises QuoteChanged (nothing was charged; `fresh` is the new offer), PaymentDeclined, PaymentNeedsAction, PaymentsAway (it is
    carried on when Stripe is back), NotOwner, QuoteOver.
    """
    subscription = await _as_it_is(desk, quote)
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    if quote.state == QuoteState.APPLIED:
        return quote
    if quote.state != QuoteState.ACCEPTED or quote.accepted_at is None:
        raise QuoteOver(state=quote.state.value)
    try:
        if subscription is None or not subscription.is_live:
            raise NotSubscribed(scope=quote.scope.name)
        if _is_made(quote, subscription):  # and cut off before what waits was put in step with it
            await _mind_what_waits(desk, quote, subscription)
        else:
            await _make(desk, quote, subscription)
    except PaymentsAway:
        raise  # still accepted: a tick carries it on
    except PaymentsRefused as refusal:
        await mark_failed(quote, refusal)
        if await Quote.filter(id=quote.id, state=QuoteState.SUPERSEDED).exists():
            raise QuoteOver(
                state=QuoteState.SUPERSEDED.value
            ) from None  # the organisation's plan took it up meanwhile (M4)
        raise
    except PaymentNeedsAction as refusal:
        if refusal.url is None:
            await mark_failed(quote, refusal)
        raise  # with a page: Stripe applies it once the bank has heard from the cardholder
    except Refusal as refusal:
        await mark_failed(quote, refusal)
        raise
    await sync.subscription(desk, subscription.id, actor=quote.requester)
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    return quote


async def _as_it_is(desk: Desk, quote: Quote) -> Subscription | None:
    """The quote's subscription, read again. While that is refused nobody knows whether the change has happened.

    So it is neither failed nor done: carried on as when Stripe is away, and given up when that isn't safe any more.
    Raises PaymentsAway, PaymentsRefused.
    """
    try:
        return await sync.subscription(desk, quote.subscription_id or "", actor=None)
    except PaymentsRefused as refusal:
        if quote.accepted_at is None or clock.now() - quote.accepted_at <= KEYS_FORGOTTEN:
            raise PaymentsAway(retry_after=READ_AGAIN) from None
        await mark_failed(quote, refusal)
        raise


def _is_made(quote: Quote, subscription: Subscription) -> bool:
    """Whether an immediate change is in force. It never is when it is offered: it always changes something."""
    wanted = (quote.plan, quote.interval, quote.seats)
    return quote.applies == QuoteApplies.NOW and wanted == (
        subscription.plan,
        subscription.interval,
        subscription.seats,
    )


async def _at_stripe(desk: Desk, quote: Quote, subscription: Subscription) -> SubscriptionFacts:
    found = await desk.payments.subscription(subscription.id)
    if found is None:
        raise NotSubscribed(scope=quote.scope.name)
    return found


async def _make(desk: Desk, quote: Quote, subscription: Subscription) -> None:
    """May they still, and can it still be done once, at the price that was shown?"""
    await check_may_change(quote.requester, subscription, quote.kind.value)
    assert quote.accepted_at is not None  # only what is accepted is made
    if clock.now() - quote.accepted_at > KEYS_FORGOTTEN:  # just read: it has not happened, and can't safely be tried
        raise QuoteOver(state=QuoteState.EXPIRED.value)
    if await _still_to_do(desk, quote, subscription):
        await _do(desk, quote, subscription)


async def _still_to_do(desk: Desk, quote: Quote, subscription: Subscription) -> bool:
    """What was shown must still be what is charged (M1). False when another process has done it at this moment.

    Raises QuoteChanged with a fresh offer, or the reason it can't be made.
    """
    fits = quote.kind != QuoteKind.SEATS or quote.seats >= await directory.members_in(quote.scope, desk.catalogue)
    if fits and quote.before == base_of(subscription) and await _costs_the_same(desk, quote, subscription):
        return True
    # It differs too when the same button was just carried out elsewhere.
    now = await sync.subscription(desk, subscription.id) or subscription
    if await Quote.filter(id=quote.id, state=QuoteState.APPLIED).exists():
        return False
    if _is_made(quote, now):
        await _mind_what_waits(desk, quote, now)
        return False
    fresh = await reoffer(desk, quote, now)  # while Stripe is away for this, the quote isn't over but carried on
    raise QuoteChanged(fresh=str(fresh.id))


async def _costs_the_same(desk: Desk, quote: Quote, subscription: Subscription) -> bool:
    """Today's price of it against the one shown: what is charged now, or from the renewal or the trial's end on."""
    price = await desk.payments.price(find_plan(desk.catalogue, quote.plan), quote.interval, subscription.currency)
    if quote.applies == QuoteApplies.NOW and subscription.status != "trialing":
        assert quote.proration_date is not None  # every immediate change has one
        preview = await desk.payments.preview_change(
            subscription.id, subscription.item_id, price, quote.seats, quote.proration_date
        )
        return bool(preview.due_now == quote.due_now)
    total = await _next_total(desk, quote.kind, quote.applies, subscription, price, quote.seats)
    return bool(total == quote.next_total)


async def reoffer(desk: Desk, quote: Quote, subscription: Subscription) -> Quote:
    """The same wish at today's price. Raises the reason when it can't be had any more."""
    from domain.actions import plan as plan_action  # noqa: PLC0415 - they are built on this file
    from domain.actions import seats as seats_action  # noqa: PLC0415 - as above

    if quote.kind == QuoteKind.SEATS:
        return await seats_action.offer_seats(
            desk, quote.requester, subscription=subscription, seats=quote.seats_asked, origin=quote.origin
        )
    return await plan_action.offer(
        desk,
        quote.requester,
        subscription=subscription,
        plan=quote.plan,
        interval=quote.interval.value,
        seats_asked=quote.seats_asked if quote.seats_asked != quote.seats else None,
        origin=quote.origin,
    )


async def _do(desk: Desk, quote: Quote, subscription: Subscription) -> None:
    plan = find_plan(desk.catalogue, quote.plan)
    price = await desk.payments.price(plan, quote.interval, subscription.currency)
    if quote.applies == QuoteApplies.RENEWAL:
        await _schedule(desk, quote, await _at_stripe(desk, quote, subscription), price.id)
        return
    assert quote.proration_date is not None  # every immediate change has one
    await desk.payments.change_now(
        subscription.id,
        subscription.item_id,
        price.id,
        quote.seats,
        proration_date=quote.proration_date,
        key=f"{quote.id}:change",
    )
    await _mind_what_waits(desk, quote, subscription)


async def _schedule(desk: Desk, quote: Quote, found: SubscriptionFacts, price_id: str) -> None:
    """At the period's end; a new pending change replaces the one before, and wishing for what is now takes it back."""
    if (quote.plan, quote.interval, quote.seats) == (found.plan, found.interval, found.seats):
        if found.schedule_id:
            await desk.payments.release_schedule(found.schedule_id)
        return
    await desk.payments.schedule_change(found, price_id, quote.seats, key=str(quote.id))


async def _mind_what_waits(desk: Desk, quote: Quote, subscription: Subscription) -> None:
    """After an immediate change. More seats leave a waiting change of plan alone; anything else that waits gives way.

    An end that waits comes with the period that was just paid, not on the day of the one before.
    """
    found = await _at_stripe(desk, quote, subscription)
    if found.cancel_at is not None and found.cancel_at < found.current_period_end and quote.changes_interval:
        await desk.payments.cancel_at_period_end(found.id, cancel=True)
    if found.schedule_id is None or found.next_at is None:
        return
    waits_for_plan = (found.next_plan, found.next_interval) != (found.plan, found.interval)
    if quote.kind != QuoteKind.SEATS or not waits_for_plan:
        await desk.payments.release_schedule(found.schedule_id)
        return
    assert found.next_plan is not None  # a waiting change has all its terms
    assert found.next_interval is not None
    plan = find_plan(desk.catalogue, found.next_plan)
    price = await desk.payments.price(plan, found.next_interval, found.currency)
    await desk.payments.schedule_change(found, price.id, quote.seats, key=f"{quote.id}:again")
