"""Fewer seats that wait for the renewal, looked at again on its eve (M2): too few for the members by then, they are taken back.

Nobody is billed wrong and nobody loses their seat. A change of plan that waits for the same renewal is kept, with today's seats.
"""

import logging
from datetime import datetime, timedelta

from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices, queue, sync
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import SubscriptionFacts
from domain.queue import QueueState
from domain.records import Notice, Subscription
from domain.rules.plans import find_plan
from domain.rules.refusals import PaymentsAway, Refusal
from domain.sync.consequences import terms

log = logging.getLogger("kassor.decreases")
EVE = timedelta(days=1)
PATIENCE = timedelta(minutes=15)  # what is told waits so long for Stripe to have done it


async def look(desk: Desk, workspace_id: str | None = None) -> int:
    """Take back what would be too few seats within a day; returns how many. Raises PaymentsAway."""
    now = clock.now()
    waiting = Subscription.filter(is_live=True, next_at__gt=now, next_at__lte=now + EVE, next_seats__not_isnull=True)
    if workspace_id:
        waiting = waiting.filter(scope__workspace_id=workspace_id)
    done = 0
    for live in await waiting.prefetch_related("scope"):
        members = await directory.members_in(live.scope, desk.catalogue)
        if live.next_seats is not None and live.next_seats < min(members, live.seats):
            try:
                done += await _stop(desk, live, members)
            except PaymentsAway:
                raise
            except Refusal as refusal:  # one that Stripe doesn't show must not keep the others from being stopped
                log.warning("the decrease of %s could not be looked at: %s", live.id, refusal)
    return done


async def next_due(_: Desk) -> datetime | None:
    """The eve of the next renewal that a decrease waits for."""
    now = clock.now()
    waiting = Subscription.filter(is_live=True, next_at__gt=now + EVE, next_seats__not_isnull=True)
    first = await waiting.order_by("next_at").first()
    return first.next_at - EVE if first is not None and first.next_at is not None else None


async def _stop(desk: Desk, live: Subscription, members: int) -> bool:
    """Written down first, then done, then told: cut off in between, the next look goes on, or the notice goes out by itself."""
    found = await desk.payments.subscription(live.id)
    if found is None or found.next_at is None or found.next_seats is None or found.next_seats >= members:
        await sync.subscription(desk, live.id)  # somebody took it back already
        return False
    # The schedule is part of it: the same decrease, wished for again after it was stopped, is stopped and told anew.
    key = f"decrease_stopped:{found.schedule_id}:{int(found.next_at.timestamp())}:{found.next_seats}"
    await _write_down(desk, live, found, members, key)
    waiting = Notice.filter(dedup_key=key, state=QueueState.QUEUED)
    try:
        await _take_back(desk, found)
    except PaymentsAway:
        await waiting.update(available_at=clock.now() + PATIENCE)
        raise
    except Refusal as refusal:
        log.error("a decrease of %s is too small for its members and can't be taken back: %s", live.id, refusal)  # noqa: TRY400 - as its words say
        await waiting.update(state=QueueState.BURIED, last_error=str(refusal))
        return False
    await sync.subscription(desk, live.id)
    await waiting.update(available_at=clock.now())
    queue.nudge(Notice)
    return True


async def _write_down(desk: Desk, live: Subscription, found: SubscriptionFacts, members: int, key: str) -> None:
    assert found.next_at is not None  # it is a decrease that waits
    facts = {
        "scope": live.scope.name,
        "subscription": live.id,
        "wanted": found.next_seats,
        "at": found.next_at.isoformat(),
        "members": members,
        "seats": found.seats,
    }
    async with in_transaction():
        await notices.tell(
            NoticeKind.DECREASE_STOPPED,
            workspace_id=live.scope.workspace_id,
            facts=facts,
            dedup_key=key,
            owner_of=live,
            not_before=clock.now() + PATIENCE,
        )
        await audit.record(
            desk,
            scope=live.scope,
            actor=None,
            source="scheduler",
            verb="decrease_stopped",
            before=terms(live) | {"seats": found.next_seats},
            after=terms(live),
            reference=live.id,
            dedup_key=key,
        )


async def _take_back(desk: Desk, found: SubscriptionFacts) -> None:
    assert found.schedule_id is not None  # something waits, so there is a schedule
    if (found.next_plan, found.next_interval) == (found.plan, found.interval):
        await desk.payments.release_schedule(found.schedule_id)
        return
    assert found.next_plan is not None  # a waiting change has all its terms
    assert found.next_interval is not None
    plan = find_plan(desk.catalogue, found.next_plan)
    price = await desk.payments.price(plan, found.next_interval, found.currency)
    await desk.payments.schedule_change(found, price.id, found.seats, key=f"{found.schedule_id}:kept")
