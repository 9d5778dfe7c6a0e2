"""What every action asks first: may they, what is there, is the quote still good."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import clock, trace
from domain.desk import Desk
from domain.records import Member, Quote, Scope, Subscription
from domain.records.quotes import QuoteKind, QuoteState
from domain.rules import policy
from domain.rules.refusals import ChangeInProgress, NotSubscribed, QuoteOver, Refusal, SeveralSubscriptions

KEYS_FORGOTTEN = timedelta(hours=23)  # Stripe forgets idempotency keys after 24


def check_actor(actor: Member) -> None:
    """Raises ActorNotEligible."""
    policy.check_actor(is_bot=actor.is_bot, is_guest=actor.is_guest, is_deactivated=actor.is_deactivated)


async def check_owner(actor: Member, subscription: Subscription, asked: str) -> None:
    """Only its billing owner may (R33). Raises ActorNotEligible, NotOwner, NotSubscribed (it has ended)."""
    check_actor(actor)
    scope = await Scope.get(id=subscription.scope_id)
    if scope.workspace_id != actor.workspace_id or not subscription.is_live:
        raise NotSubscribed(scope=scope.name if scope.workspace_id == actor.workspace_id else "")
    owner = await Member.get(id=subscription.owner_id)
    policy.check_owner_rights(
        actor_id=actor.id, owner_id=owner.id, owner=owner.slack_user_id, owner_name=owner.name, asked=asked
    )


async def live_subscription(scope: Scope) -> Subscription | None:
    """The scope's live subscription; there is at most one."""
    return await Subscription.get_or_none(scope_id=scope.id, is_live=True)


async def subscription_in(actor: Member, subscription_id: str) -> Subscription:
    """A live subscription of the actor's own workspace by its id. Raises NotSubscribed; ids of elsewhere look the same."""
    found = await Subscription.get_or_none(id=subscription_id, is_live=True, scope__workspace_id=actor.workspace_id)
    if found is None:
        raise NotSubscribed(scope="")
    return found


async def subscription_of(actor: Member) -> Subscription:
    """The live subscription somebody means without naming it: the one they own, else the whole's, else one of their team's.

    Raises NotSubscribed; SeveralSubscriptions for an owner of more than one, who is asked rather than guessed for.
    """
    live = Subscription.filter(is_live=True, scope__workspace_id=actor.workspace_id)
    owned = await live.filter(owner_id=actor.id).order_by("scope__slack_ref").prefetch_related("scope")
    if len(owned) > 1:
        raise SeveralSubscriptions(
            subscriptions=tuple(each.id for each in owned), scopes=tuple(each.scope.name for each in owned)
        )
    if owned:
        return owned[0]
    whole = await live.filter(scope__slack_ref="").first()
    team = None if whole else await live.filter(scope__memberships__member_id=actor.id).first()
    found = whole or team
    if found is None:
        raise NotSubscribed(scope="")
    return found


async def open_quote(actor: Member, quote_id: str | UUID, *kinds: QuoteKind) -> Quote:
    """A quote the actor was shown, that can still be confirmed or has been. Raises QuoteOver.

    An accepted or applied one is returned too: pressing twice is not an error.
    """
    try:
        key = quote_id if isinstance(quote_id, UUID) else UUID(quote_id)
    except ValueError:
        raise QuoteOver(state="unknown") from None
    quote = await Quote.get_or_none(id=key, requester_id=actor.id).prefetch_related("scope", "requester", "owner")
    if quote is None or quote.kind not in kinds:
        raise QuoteOver(state="unknown")
    trace.go_on_as(quote.trace)
    if quote.state in {QuoteState.ACCEPTED, QuoteState.APPLIED}:
        return quote
    if quote.state != QuoteState.OFFERED:
        raise QuoteOver(state=quote.state.value)
    if quote.expires_at <= clock.now():
        await Quote.filter(id=quote.id, state=QuoteState.OFFERED).update(
            state=QuoteState.EXPIRED, settled_at=clock.now()
        )
        raise QuoteOver(state=QuoteState.EXPIRED.value)
    return quote


async def mark_accepted(quote: Quote) -> bool:
    """Commit the intent. False when it was accepted already. Raises ChangeInProgress when another of the scope is being made."""
    try:
        async with in_transaction():
            accepted = await Quote.filter(id=quote.id, state=QuoteState.OFFERED).update(
                state=QuoteState.ACCEPTED, accepted_at=clock.now()
            )
    except IntegrityError:
        raise ChangeInProgress(scope=quote.scope.name) from None
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    return bool(accepted)


async def mark_failed(quote: Quote, refusal: Refusal) -> None:
    """It came to nothing, and why. One that is settled stays as it is."""
    await Quote.filter(id=quote.id, state=QuoteState.ACCEPTED).update(
        state=QuoteState.FAILED, settled_at=clock.now(), failure=refusal.as_json()
    )


async def supersede_offers(scope: Scope, requester: Member, *kinds: QuoteKind) -> None:
    """A newer offer of the same kind replaces those the person was shown before."""
    await Quote.filter(scope_id=scope.id, requester_id=requester.id, kind__in=kinds, state=QuoteState.OFFERED).update(
        state=QuoteState.SUPERSEDED
    )


def base_of(subscription: Subscription) -> dict[str, Any]:
    """What a quote's price was worked out from; a difference means another price."""
    return {
        "plan": subscription.plan,
        "interval": subscription.interval.value,
        "seats": subscription.seats,
        "price": subscription.price_id,
        "period_end": subscription.current_period_end.isoformat(),
        "trial_end": _iso(subscription.trial_end) if subscription.status == "trialing" else None,
        "cancel_at": _iso(subscription.cancel_at),
        "waiting": [subscription.next_plan, subscription.next_interval, subscription.next_seats],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def quote_expiry(desk: Desk) -> timedelta:
    """How long a shown price can be confirmed."""
    return timedelta(minutes=desk.catalogue.quote_minutes)
