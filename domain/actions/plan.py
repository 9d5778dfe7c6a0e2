"""Plan and interval: higher, or monthly → annual, now with credit; lower, or annual → monthly, at the period's end (M3)."""

from typing import Any

from domain.actions import changes
from domain.desk import Desk
from domain.records import Member, Quote, Subscription
from domain.records.mirror import Interval
from domain.records.quotes import QuoteKind
from domain.rules.plans import applies_now, find_plan
from domain.rules.refusals import NoListedPrice, NothingToChange, UnknownCurrency, UnknownInterval
from domain.rules.sizes import size_for

accept = changes.accept
carry_out = changes.carry_out


async def offer(
    desk: Desk,
    actor: Member,
    *,
    subscription: Subscription,
    plan: str | None = None,
    interval: str | None = None,
    seats_asked: int | None = None,
    origin: dict[str, Any] | None = None,
) -> Quote:
    """Price another plan or interval; the number of seats stays. Wishing for today's terms takes back a waiting change.

    `seats_asked` were wished for in the same breath: they are kept in the quote, which says how to get them afterwards.
    Raises NotOwner, NotSubscribed, ManuallyInvoiced, PastDue, UnknownPlan, UnknownInterval, NoListedPrice, UnknownCurrency,
    SeatsTooFew, SeatsTooMany, NothingToChange, PaymentsAway.
    """
    await changes.check_may_change(actor, subscription, "plan")
    level = find_plan(desk.catalogue, plan or subscription.plan)
    if not level.price:
        raise NoListedPrice(plan=level.name)
    if subscription.currency not in level.price:
        raise UnknownCurrency(asked=subscription.currency, known=())  # Stripe changes nobody's currency
    try:
        every = Interval(interval) if interval else subscription.interval
    except ValueError:
        raise UnknownInterval(asked=str(interval)[:40]) from None
    today = (subscription.plan, subscription.interval)
    waiting = (subscription.next_plan, subscription.next_interval) if subscription.next_at else today
    wished = subscription.seats if seats_asked is None else size_for(seats_asked, 0, desk.catalogue)
    if (level.key, every) == waiting:
        raise NothingToChange(plan=level.key, interval=every.value, seats=subscription.seats)
    takes_back = (level.key, every) == today
    now = not takes_back and applies_now(
        desk.catalogue,
        plan=subscription.plan,
        interval=subscription.interval.value,
        new_plan=level.key,
        new_interval=every.value,
    )
    return await changes.offer(
        desk,
        actor,
        kind=QuoteKind.PLAN,
        subscription=subscription,
        plan=level,
        interval=every,
        seats=subscription.seats,
        seats_asked=wished,
        now=now,
        origin=origin,
    )
