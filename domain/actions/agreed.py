"""Carrying out what sales has approved: once, whatever is cut off where.

Every call to Stripe has a key made of the request's id, or is preceded by a look; a tick (`domain.upkeep.requests`) carries on
what is approved and not carried out.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid5

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import audit, clock, notices, sync
from domain.actions import upgrade
from domain.actions.common import mark_failed
from domain.actions.deciding import Terms, invoiced_now, price_of, scopes_of, tell_requester
from domain.actions.sales import check_email, tell_the_desk
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import DeskRequest, Invoice, InvoiceCopy, Member, Quote, Scope, Subscription
from domain.records.mirror import Interval
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.records.requests import RequestState, Topic
from domain.rules.plans import find_plan
from domain.rules.refusals import (
    AlreadySubscribed,
    ChangeInProgress,
    NotSubscribed,
    OwnerNotEligible,
    PaymentsAway,
    QuoteChanged,
    Refusal,
    UnknownCurrency,
)
from domain.sync.consequences import owner_for


async def carry_out(desk: Desk, request: DeskRequest) -> DeskRequest:
    """Do what was approved, and tell whoever asked how it ended; done already, nothing more happens.

    Raises PaymentsAway (a tick carries it on), or the reason it can't be had any more, which requester and sales are told of.
    """
    await request.refresh_from_db()
    await request.fetch_related("scope", "requester", "decided_by")
    if request.state != RequestState.APPROVED or request.carried_out_at is not None:
        return request
    try:
        due_at = await _VERBS[Topic(request.topic)](desk, request)
    except PaymentsAway:
        raise
    except Refusal as refusal:
        await _settle(desk, request, due_at=None, failure=refusal)
        raise
    await _settle(desk, request, due_at=due_at, failure=None)
    return request


async def _settle(desk: Desk, request: DeskRequest, *, due_at: datetime | None, failure: Refusal | None) -> None:
    answer = dict(request.answer or {})
    if failure is not None:
        answer["failure"] = failure.as_json()
    if due_at is not None:
        answer["due_at"] = due_at.isoformat()
    async with in_transaction():
        settled = await DeskRequest.filter(id=request.id, carried_out_at=None).update(
            carried_out_at=clock.now(), answer=answer
        )
        if settled:
            await tell_requester(request)
            if failure is not None:
                await tell_the_desk(desk, request, workspace_id=request.scope.workspace_id, failed=True)
                await audit.record(
                    desk,
                    scope=request.scope,
                    actor=None,
                    source="scheduler",
                    verb="request_failed",
                    after={"topic": request.topic},
                    reference=str(request.id),
                    dedup_key=f"request:{request.id}:failed",
                )
    await request.refresh_from_db()
    await request.fetch_related("scope", "requester", "decided_by")


# --- a new subscription, paid by invoice ---


async def _sell(desk: Desk, request: DeskRequest) -> datetime | None:
    """Each scope its own subscription. One that can't have it any more doesn't keep the others from theirs."""
    terms = Terms.from_json(request.answer["terms"])
    due_at, refused = None, None
    scopes = await scopes_of(request)
    for scope in scopes:
        try:
            quote = await _sell_to(desk, request, terms, scope, together=[str(each.id) for each in scopes])
        except PaymentsAway:
            raise
        except Refusal as refusal:
            refused = refused or refusal
            continue
        live = await Subscription.get(id=quote.subscription_id)
        due_at = await _send_latest_invoice(desk, live) or due_at
    if refused is not None:
        raise refused
    return due_at


async def _sell_to(desk: Desk, request: DeskRequest, terms: Terms, scope: Scope, *, together: list[str]) -> Quote:
    quote = await _quote(request, terms, scope, together)
    if quote.state == QuoteState.APPLIED:
        return quote
    if quote.state == QuoteState.FAILED:
        raise Refusal.from_json(quote.failure)
    try:
        await upgrade.close_earlier_pages(desk, quote)
        owner = await owner_for(quote)
        if not owner.is_active:
            raise OwnerNotEligible(member=owner.slack_user_id, name=owner.name, reason="deactivated")
        check_email(owner)
        await _check_not_covered(quote)
        await _subscribe(desk, quote, terms, owner)
        quote = await Quote.get(id=quote.id)
        if quote.failure is not None:  # somebody paid for it on Stripe's page at the same moment
            raise Refusal.from_json(quote.failure)
    except PaymentsAway:
        raise
    except Refusal as refusal:
        await mark_failed(quote, refusal)
        raise
    if quote.subscription_id is None:
        raise PaymentsAway(retry_after=1)
    return quote


async def _quote(request: DeskRequest, terms: Terms, scope: Scope, together: list[str]) -> Quote:
    """The intent of one scope: accepted from the start, and always the same row. An upgrade that waits for payment gives way."""
    key = uuid5(UUID(str(request.id)), str(scope.id))
    quote = await Quote.get_or_none(id=key)
    if quote is None:
        owner = await Member.get(workspace_id=request.scope.workspace_id, slack_user_id=request.facts["owner"])
        seats, now = terms.seats[str(scope.id)], clock.now()
        try:
            async with in_transaction():
                await upgrade.supersede_accepted(scope)
                quote = await Quote.create(
                    id=key,
                    kind=QuoteKind.UPGRADE,
                    applies=QuoteApplies.INVOICE,
                    state=QuoteState.ACCEPTED,
                    scope=scope,
                    requester=request.requester,
                    owner=owner,
                    plan=terms.plan,
                    interval=Interval.YEAR,
                    seats=seats,
                    seats_asked=seats,
                    currency=terms.currency,
                    due_now=0,  # nothing is charged: an invoice is sent
                    lines=[],
                    next_total=terms.unit_amount * seats,
                    before={"request": str(request.id), "teams": together},
                    offered_at=now,
                    expires_at=now,
                    accepted_at=now,
                )
        except IntegrityError:  # somebody else is at it
            quote = await Quote.get_or_none(id=key)
            if quote is None:
                raise ChangeInProgress(scope=scope.name) from None
    await quote.fetch_related("scope", "requester", "owner")
    return quote


async def _check_not_covered(quote: Quote) -> None:
    """Nothing live covers the scope, or what does is this quote's own, cut off before we knew. Raises AlreadySubscribed."""
    try:
        await upgrade.check_not_covered(quote.scope)
    except AlreadySubscribed:
        await quote.refresh_from_db()
        if quote.state != QuoteState.APPLIED:
            raise


async def _subscribe(desk: Desk, quote: Quote, terms: Terms, owner: Member) -> None:
    customer = await upgrade.customer_of(desk, quote.scope, owner)
    if customer.currency and customer.currency != terms.currency:
        raise UnknownCurrency(asked=terms.currency, known=(customer.currency,))
    await desk.payments.set_customer_contact(customer.id, email=owner.email, locale=owner.locale)
    plan = find_plan(desk.catalogue, terms.plan)
    price = await desk.payments.agreed_price(plan, terms.currency, terms.unit_amount)
    made = await desk.payments.invoiced_subscription(
        key=f"{quote.id}:subscription",
        customer_id=customer.id,
        price_id=price.id,
        seats=quote.seats,
        days_until_due=terms.days_until_due,
        metadata={
            "kassor_quote": str(quote.id),
            "kassor_scope": str(quote.scope_id),
            "kassor_workspace": quote.scope.workspace_id,
        },
    )
    await sync.subscription(desk, made)


async def _send_latest_invoice(desk: Desk, live: Subscription) -> datetime | None:
    """Sent now instead of in an hour; the owner gets it here too. When it is due, or None when there is nothing to pay."""
    if live.latest_invoice_id is None:
        return None
    await desk.payments.send_draft(live.latest_invoice_id)
    found: Invoice | None = await sync.invoice(desk, live.latest_invoice_id)
    if found is None or found.status != "open":
        return None
    if not await InvoiceCopy.filter(invoice_id=found.id).exists():
        # The webhook may have brought the invoice before we knew of its subscription, and then nobody was told: the same key.
        await notices.tell(
            NoticeKind.INVOICE_AGAIN,
            workspace_id=(await Scope.get(id=live.scope_id)).workspace_id,
            facts={"invoice_id": found.id},
            dedup_key=f"open:{found.id}",
            owner_of=live,
            in_working_hours=True,
        )
    return found.due_at


# --- changes of one ---


async def _adjust(desk: Desk, request: DeskRequest) -> datetime | None:
    """Other seats, plan or price from now on, prorated, and invoiced at once (R38, R43)."""
    terms = Terms.from_json(request.answer["terms"])
    live = await _live(request)
    found = await desk.payments.subscription(live.id)
    if found is None:
        raise NotSubscribed(scope=request.scope.name)
    seats = terms.seats[str(live.scope_id)]
    price = await price_of(desk, terms, found)
    if (found.price_id, found.seats) != (price.id, seats):  # not done yet
        assert terms.proration_date is not None  # nothing is approved whose price nobody has seen
        moment = clock.from_timestamp(terms.proration_date)
        if await invoiced_now(desk, terms, found, seats, moment) == terms.due_now:
            await desk.payments.adjust_invoiced(found, price, seats, proration_date=moment, key=f"{request.id}:adjust")
        else:
            now = await desk.payments.subscription(live.id)
            if now is None or (now.price_id, now.seats) != (price.id, seats):  # or another process has just done it
                raise QuoteChanged(fresh="")  # the plan has changed since: sales and whoever asked are told
    fresh = await sync.subscription(desk, live.id, actor=request.requester)
    return await _send_latest_invoice(desk, fresh) if fresh is not None else None


async def _cancel(desk: Desk, request: DeskRequest) -> datetime | None:
    """It ends by itself when the paid period does (R46)."""
    live = await _live(request)
    if live.cancel_at is None:
        await desk.payments.cancel_at_period_end(live.id, cancel=True)
        await sync.subscription(desk, live.id, actor=request.requester)
    return None


async def _live(request: DeskRequest) -> Subscription:
    live = await Subscription.get_or_none(id=request.facts["subscription"], is_live=True)
    if live is None or not live.is_manually_invoiced:
        raise NotSubscribed(scope=request.scope.name)
    return live


_VERBS: dict[Topic, Callable[[Desk, DeskRequest], Awaitable[datetime | None]]] = {
    Topic.PAY_BY_INVOICE: _sell,
    Topic.QUOTE: _sell,
    Topic.SEVERAL_TEAMS: _sell,
    Topic.ADJUST: _adjust,
    Topic.CANCEL: _cancel,
}
