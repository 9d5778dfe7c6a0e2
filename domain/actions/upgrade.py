"""Upgrading a scope: the choices (R1, R16–R20), the owner (R25, R26), the price (M1), and Stripe's page (R22, R23)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from domain import asks, clock, directory, notices, sync
from domain.actions.common import (
    check_actor,
    live_subscription,
    mark_accepted,
    mark_failed,
    open_quote,
    quote_expiry,
    supersede_offers,
)
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import PriceFacts
from domain.records import Customer, Member, Quote, Scope, Subscription
from domain.records.mirror import Interval
from domain.records.people import ScopeKind
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.rules import policy
from domain.rules.catalogue import Plan
from domain.rules.plans import find_plan
from domain.rules.refusals import (
    AlreadySubscribed,
    LiveElsewhere,
    NoListedPrice,
    NotInScope,
    OwnerNotEligible,
    PaymentsAway,
    QuoteChanged,
    QuoteOver,
    Refusal,
    ScopeUnknown,
    UnknownCurrency,
    UnknownInterval,
)
from domain.rules.sizes import size_for

SESSION_HOURS = 23  # Stripe keeps a payment page open for at most 24


async def offer(
    desk: Desk,
    actor: Member,
    *,
    scope: Scope,
    plan: str,
    interval: str,
    seats: int | None = None,
    owner: Member | None = None,
    currency: str | None = None,
    origin: dict[str, Any] | None = None,
) -> Quote:
    """Price an upgrade; nothing is bought yet. `seats` None means the smallest size that fits; `owner` None the actor.

    Raises ActorNotEligible, NotInScope, UnknownPlan, NoListedPrice, UnknownInterval, UnknownCurrency, AlreadySubscribed,
    LiveElsewhere, OwnerNotEligible, ScopeUnknown, the Seats… refusals, PaymentsAway, PaymentsRefused.
    """
    choices = await check(
        desk, actor, scope=scope, plan=plan, interval=interval, seats=seats, owner=owner, currency=currency
    )
    level, every, size, wanted, owner = choices.plan, choices.interval, choices.seats, choices.currency, choices.owner
    customer = await Customer.get_or_none(scope_id=scope.id)
    price = await desk.payments.price(level, every, wanted)
    preview = await desk.payments.preview_new(price, size, customer.id if customer else None)
    trial = await trial_days(level, scope)
    await supersede_offers(scope, actor, QuoteKind.UPGRADE)
    now = clock.now()
    quote = await Quote.create(
        id=uuid4(),
        kind=QuoteKind.UPGRADE,
        applies=QuoteApplies.CHECKOUT,
        scope=scope,
        requester=actor,
        owner=owner,
        plan=level.key,
        interval=every,
        seats=size,
        seats_asked=seats if seats is not None else size,
        currency=wanted,
        due_now=0 if trial else preview.due_now,
        tax_now=0 if trial else preview.tax_now,
        discount_now=0 if trial else preview.discount_now,
        balance_now=0 if trial else preview.balance_now,
        lines=[{"description": line.description, "amount": line.amount} for line in preview.lines],
        next_total=preview.next_total,
        next_at=now + timedelta(days=trial) if trial else None,
        before={"trial_days": trial, "teams": await _teams_with_plans(scope)},
        origin=origin,
        offered_at=now,
        expires_at=now + quote_expiry(desk),
    )
    quote.scope, quote.requester, quote.owner = scope, actor, owner
    return quote


async def _teams_with_plans(scope: Scope) -> int:
    """How many teams' own plans an upgrade of their organisation would end (M4)."""
    if scope.kind == ScopeKind.TEAM:
        return 0
    live = Subscription.filter(is_live=True, scope__workspace_id=scope.workspace_id, scope__kind=ScopeKind.TEAM)
    return await live.count()


@dataclass(frozen=True)
class Choices:
    """Choices that may be made: `seats` is the size sold for what was asked."""

    plan: Plan
    interval: Interval
    seats: int
    currency: str
    owner: Member


async def check(
    desk: Desk,
    actor: Member,
    *,
    scope: Scope,
    plan: str,
    interval: str,
    seats: int | None = None,
    owner: Member | None = None,
    currency: str | None = None,
) -> Choices:
    """Whether an upgrade could be offered, without asking Stripe. Raises what `offer` raises, but for Payments…."""
    await check_may_upgrade(actor, scope)
    level = _plan(desk, plan)
    try:
        every = Interval(interval)
    except ValueError:
        raise UnknownInterval(asked=interval[:40]) from None
    owner = owner or actor
    await check_owner_of(scope, owner)
    await check_elsewhere(scope, actor, owner)
    members = await directory.members_in(scope, desk.catalogue)
    if not members:
        raise ScopeUnknown(asked=scope.name)
    size = size_for(seats if seats is not None else max(members, desk.catalogue.sizes[0]), members, desk.catalogue)
    customer = await Customer.get_or_none(scope_id=scope.id)
    wanted = currency or (customer.currency if customer else None) or desk.catalogue.default_currency
    if wanted not in level.price or (customer and customer.currency and customer.currency != wanted):
        own = customer.currency if customer else None  # Stripe changes nobody's currency
        raise UnknownCurrency(asked=wanted, known=tuple(each for each in level.price if own in {None, each}))
    return Choices(level, every, size, wanted, owner)


async def check_may_upgrade(actor: Member, scope: Scope) -> None:
    """Whether the actor may upgrade this scope now. Raises ActorNotEligible, NotInScope, AlreadySubscribed."""
    check_actor(actor)
    if not await directory.is_in(scope, actor):
        raise NotInScope(scope=scope.name if scope.workspace_id == actor.workspace_id else "")
    await check_not_covered(scope)


async def check_not_covered(scope: Scope) -> None:
    """Whether nothing live covers the scope already. Raises AlreadySubscribed."""
    covering = [scope]
    if scope.kind == ScopeKind.TEAM:  # the organisation's plan covers its teams already (R12)
        covering.append(await directory.whole(scope.workspace_id))
    for each in covering:
        live = await live_subscription(each)
        if live is not None:
            owner = await Member.get(id=live.owner_id)
            raise AlreadySubscribed(scope=each.name, plan=live.plan, owner=owner.slack_user_id, owner_name=owner.name)


def _plan(desk: Desk, asked: str) -> Plan:
    plan = find_plan(desk.catalogue, asked)
    if not plan.price:
        raise NoListedPrice(plan=plan.name)
    return plan


async def check_owner_of(scope: Scope, owner: Member) -> None:
    """Whether somebody can be the scope's billing owner (R26). Raises OwnerNotEligible."""
    policy.check_new_owner(
        member=owner.slack_user_id,
        name=owner.name,
        is_bot=owner.is_bot,
        is_guest=owner.is_guest,
        is_deactivated=owner.is_deactivated,
        in_scope=await directory.is_in(scope, owner),
        is_owner=False,
    )


async def check_elsewhere(scope: Scope, actor: Member, owner: Member) -> None:
    """Owner of a live subscription elsewhere: cancel the wrong one first; a scheduled cancellation is enough (R10).

    Elsewhere is another workspace. Both names are for the owner's own eyes; of a colleague only that it is so. Raises
    LiveElsewhere, OwnerNotEligible.
    """
    other = await _owned_elsewhere(scope, actor)
    if other is not None:
        raise LiveElsewhere(scope=scope.name, elsewhere=other.scope.name, elsewhere_subscription=other.id)
    if owner.id != actor.id and await _owned_elsewhere(scope, owner) is not None:
        raise OwnerNotEligible(member=owner.slack_user_id, name=owner.name, reason="owner_elsewhere")


async def _owned_elsewhere(scope: Scope, member: Member) -> Subscription | None:
    """By the same e-mail, in any case, or by the same Stripe customer as the scope's own."""
    same = Q(owner__email__iexact=member.email.strip()) if member.email else Q(id="")
    customer = await Customer.get_or_none(scope_id=scope.id)
    if customer is not None:
        same |= Q(customer_id=customer.id)
    found = Subscription.filter(same, is_live=True, cancel_at=None).exclude(scope__workspace_id=scope.workspace_id)
    return await found.order_by("started_at").first().prefetch_related("scope")


async def trial_days(plan: Plan, scope: Scope) -> int:
    """Days of trial: the plan's, once a scope."""
    return 0 if await Subscription.filter(scope_id=scope.id).exists() else plan.trial_days


async def accept(desk: Desk, actor: Member, quote_id: str | UUID) -> Quote:
    """Commit to an upgrade: fast and local, so that Slack can be answered after it. `carry_out` opens the payment page.

    An earlier payment page of the scope is taken out of use. Raises QuoteOver, AlreadySubscribed, OwnerNotEligible, LiveElsewhere.
    """
    quote = await open_quote(actor, quote_id, QuoteKind.UPGRADE)
    if quote.state != QuoteState.OFFERED:
        return quote
    await check_may_upgrade(actor, quote.scope)
    assert quote.owner is not None  # every upgrade appoints one
    await check_owner_of(quote.scope, quote.owner)
    await check_elsewhere(quote.scope, actor, quote.owner)
    if quote.seats < await directory.members_in(quote.scope, desk.catalogue):  # some have joined since: offered again
        await Quote.filter(id=quote.id, state=QuoteState.OFFERED).update(state=QuoteState.SUPERSEDED)
        raise QuoteOver(state=QuoteState.SUPERSEDED.value)
    async with in_transaction():
        await supersede_accepted(quote.scope)
        await mark_accepted(quote)
    return quote


async def supersede_accepted(scope: Scope) -> None:
    """An accepted upgrade that waits for its payment gives way to a newer one; one that sales is making does not.

    Call it in a transaction.
    """
    waiting = Quote.filter(scope_id=scope.id, kind=QuoteKind.UPGRADE, state=QuoteState.ACCEPTED)
    for quote_id in await waiting.exclude(applies=QuoteApplies.INVOICE).values_list("id", flat=True):
        if await Quote.filter(id=quote_id, state=QuoteState.ACCEPTED).update(state=QuoteState.SUPERSEDED):
            await asks.settle(str(quote_id), asks.How.SUPERSEDED)


async def carry_out(desk: Desk, quote: Quote) -> Quote:
    """Open Stripe's page for an accepted upgrade; asked twice, it is the same page (`checkout_url`).

    Raises QuoteOver, QuoteChanged, AlreadySubscribed (an earlier page was paid after all), PaymentsRefused, PaymentsAway (carried
    on later).
    """
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    if quote.state == QuoteState.APPLIED or quote.checkout_url:
        return quote
    if quote.state != QuoteState.ACCEPTED or quote.accepted_at is None:
        raise QuoteOver(state=quote.state.value)
    expires_at = quote.accepted_at + timedelta(hours=SESSION_HOURS)
    try:
        if expires_at < clock.now() + timedelta(minutes=31):  # Stripe's shortest page lasts 30
            raise QuoteOver(state=QuoteState.EXPIRED.value)
        await close_earlier_pages(desk, quote)
        await check_may_upgrade(quote.requester, quote.scope)
        await _open_page(desk, quote, expires_at)
    except PaymentsAway:
        raise  # still accepted: a tick carries it on
    except Refusal as refusal:
        await mark_failed(quote, refusal)
        raise
    return quote


async def close_earlier_pages(desk: Desk, quote: Quote) -> None:
    """Two open pages could both be paid: earlier ones are expired first, and one that was just paid is taken in."""
    earlier = Quote.filter(
        scope_id=quote.scope_id, kind=QuoteKind.UPGRADE, state=QuoteState.SUPERSEDED, settled_at=None
    )
    for old in await earlier.exclude(checkout_session_id=None):
        session = await desk.payments.expire_checkout(old.checkout_session_id or "")
        if session.status == "complete":
            await sync.checkout_session(desk, session.id)
        await Quote.filter(id=old.id, state=QuoteState.SUPERSEDED).update(settled_at=clock.now())


async def _open_page(desk: Desk, quote: Quote, expires_at: Any) -> None:
    plan = _plan(desk, quote.plan)
    price = await desk.payments.price(plan, quote.interval, quote.currency)
    customer = await customer_of(desk, quote.scope, quote.owner or quote.requester)
    await _check_price(desk, quote, price, customer)
    await _address(desk, quote, customer)
    session = await desk.payments.open_checkout(
        key=f"{quote.id}:checkout",
        customer_id=customer.id,
        price_id=price.id,
        seats=quote.seats,
        quote_id=str(quote.id),
        metadata={
            "kassor_quote": str(quote.id),
            "kassor_scope": str(quote.scope_id),
            "kassor_workspace": quote.scope.workspace_id,
        },
        trial_days=int((quote.before or {}).get("trial_days", 0)),
        locale=quote.requester.locale,
        return_url=desk.settings.return_url,
        expires_at=expires_at,
    )
    await Quote.filter(id=quote.id).update(checkout_session_id=session.id, checkout_url=session.url)
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    if quote.state == QuoteState.SUPERSEDED:  # a newer upgrade was accepted while Stripe was answering
        await desk.payments.expire_checkout(session.id)
        raise QuoteOver(state=quote.state.value)


async def _check_price(desk: Desk, quote: Quote, price: PriceFacts, customer: Customer) -> None:
    """What was shown must still be what Stripe's page asks for (M1). Raises QuoteChanged with a fresh offer."""
    preview = await desk.payments.preview_new(price, quote.seats, customer.id)
    is_trial = bool((quote.before or {}).get("trial_days"))
    if preview.next_total == quote.next_total and (is_trial or preview.due_now == quote.due_now):
        return
    fresh = await offer(
        desk,
        quote.requester,
        scope=quote.scope,
        plan=quote.plan,
        interval=quote.interval.value,
        seats=quote.seats_asked,
        owner=quote.owner,
        currency=quote.currency,
        origin=quote.origin,
    )
    raise QuoteChanged(fresh=str(fresh.id))


async def customer_of(desk: Desk, scope: Scope, owner: Member) -> Customer:
    """The scope's customer at Stripe, made when there is none yet. Raises PaymentsAway, PaymentsRefused."""
    known = await Customer.get_or_none(scope_id=scope.id)
    if known is not None:
        return known
    made = await desk.payments.ensure_customer(
        scope_id=str(scope.id), name=scope.name, email=owner.email, locale=owner.locale
    )
    return await sync.new_customer(scope, made)


async def _address(desk: Desk, quote: Quote, customer: Customer) -> None:
    """Stripe's page and letters are for who becomes owner, not for who owned what the scope had before.

    An owner of before who comes back keeps the address they have there: they may have made it another.
    """
    owner = quote.owner or quote.requester
    last = await Subscription.filter(scope_id=quote.scope_id).order_by("-started_at").first()
    if last is None or last.owner_id != owner.id:
        await desk.payments.set_customer_contact(customer.id, email=owner.email, locale=owner.locale)


async def resume(desk: Desk, quote: Quote) -> None:
    """Carry on an accepted upgrade that was cut off, and tell the one who asked where to pay."""
    await carry_out(desk, quote)
    if quote.checkout_url and quote.state == QuoteState.ACCEPTED:
        await notices.tell(
            NoticeKind.CHECKOUT_READY,
            workspace_id=quote.scope.workspace_id,
            facts={
                "url": quote.checkout_url,
                "scope": quote.scope.name,
                "plan": quote.plan,
                "seats": quote.seats,
                "quote": str(quote.id),
            },
            dedup_key=f"checkout_ready:{quote.id}",
            member=quote.requester,
        )
