"""Seats: more now, prorated and applied only once paid; fewer at renewal, never below the members there are (M2, R44)."""

from typing import Any

from domain import directory
from domain.actions import changes
from domain.desk import Desk
from domain.records import Member, Quote, Scope, Subscription
from domain.records.quotes import QuoteKind
from domain.rules.plans import find_plan
from domain.rules.refusals import NothingToChange
from domain.rules.sizes import SeatsAsked, size_for

accept = changes.accept
carry_out = changes.carry_out


async def offer(
    desk: Desk, actor: Member, *, subscription: Subscription, asked: SeatsAsked, origin: dict[str, Any] | None = None
) -> Quote:
    """Price another number of seats; see `offer_seats`."""
    return await offer_seats(
        desk, actor, subscription=subscription, seats=asked.from_(subscription.seats), origin=origin
    )


async def offer_seats(
    desk: Desk, actor: Member, *, subscription: Subscription, seats: int, origin: dict[str, Any] | None = None
) -> Quote:
    """Price `seats` seats, rounded up to a size (R7). Wishing for today's number takes back a waiting decrease.

    Raises NotOwner, NotSubscribed, ManuallyInvoiced, PastDue, the Seats… refusals, NothingToChange, PaymentsAway.
    """
    size = await check(desk, actor, subscription=subscription, seats=seats)
    return await changes.offer(
        desk,
        actor,
        kind=QuoteKind.SEATS,
        subscription=subscription,
        plan=find_plan(desk.catalogue, subscription.plan),
        interval=subscription.interval,
        seats=size,
        seats_asked=seats,
        now=size > subscription.seats,
        origin=origin,
    )


async def check(desk: Desk, actor: Member, *, subscription: Subscription, seats: int) -> int:
    """The size sold for `seats`, without asking Stripe. Raises what `offer_seats` raises, but for Payments…."""
    await changes.check_may_change(actor, subscription, "seats")
    scope = await Scope.get(id=subscription.scope_id)
    size = size_for(seats, await directory.members_in(scope, desk.catalogue), desk.catalogue)
    pending = subscription.next_seats if subscription.next_at else None
    if size == (pending or subscription.seats) and (pending is None or size != subscription.seats):
        interval = subscription.interval.value
        raise NothingToChange(plan=subscription.plan, interval=interval, seats=size)
    return size
