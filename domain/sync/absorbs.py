"""A whole organisation has a plan: the intent to end each plan that a team of it pays for by itself (M4).

Written in the transaction that made the organisation's subscription ours, or found missing by a later look; carried out by
`domain.actions.absorbing`.
"""

from uuid import uuid4

from domain import clock
from domain.records import Member, Quote, Scope, Subscription
from domain.records.people import ScopeKind
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState


async def intend_absorbing(whole: Subscription, requester: Member) -> int:
    """One accepted intent a live team subscription of the workspace; returns how many are new.

    Whatever was accepted for the team gives way: it is credited with the rest if Stripe has made it, refused if it hasn't.
    Call it in a transaction. Raises IntegrityError when something of a team was accepted at this very moment: look again.
    """
    scope = await Scope.get(id=whole.scope_id)
    if scope.kind == ScopeKind.TEAM:
        return 0
    new = 0
    teams = Subscription.filter(is_live=True, scope__workspace_id=scope.workspace_id, scope__kind=ScopeKind.TEAM)
    for team in await teams.order_by("id"):
        intents = Quote.filter(scope_id=team.scope_id, kind=QuoteKind.ABSORB, state=QuoteState.ACCEPTED)
        if await intents.exists():
            continue
        await Quote.filter(scope_id=team.scope_id, state=QuoteState.ACCEPTED).update(
            state=QuoteState.SUPERSEDED, settled_at=clock.now()
        )
        now = clock.now()
        await Quote.create(
            id=uuid4(),
            kind=QuoteKind.ABSORB,
            applies=QuoteApplies.NOW,
            state=QuoteState.ACCEPTED,
            scope_id=team.scope_id,
            subscription_id=team.id,
            requester=requester,
            plan=whole.plan,
            interval=whole.interval,
            seats=team.seats,
            seats_asked=team.seats,
            currency=team.currency,
            due_now=0,
            lines=[],
            next_total=0,
            before={"by": whole.id},
            offered_at=now,
            expires_at=now,
            accepted_at=now,
        )
        new += 1
    return new


async def covering(scope: Scope, *, but: str = "") -> Subscription | None:
    """The live subscription of the organisation a team is in; None for anything but a team."""
    if scope.kind != ScopeKind.TEAM:
        return None
    found = Subscription.filter(is_live=True, scope__workspace_id=scope.workspace_id).exclude(id=but)
    return await found.exclude(scope__kind=ScopeKind.TEAM).first().prefetch_related("scope")
