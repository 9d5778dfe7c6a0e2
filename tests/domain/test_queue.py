"""The queue in a table: claimed once, given back, tried again, buried, replayed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain import clock, queue
from domain.queue import QueueState
from domain.records import Event
from tests.clock import a_clock

pytestmark = pytest.mark.usefixtures("database")


async def put(count: int, *, due: timedelta = timedelta()) -> None:
    now = clock.now()
    await Event.bulk_create(
        [
            Event(id=f"evt_{n}", type="x", created_at=now, received_at=now, available_at=now + due, payload="{}")
            for n in range(count)
        ]
    )


async def test_an_item_is_claimed_by_one_of_many() -> None:
    await put(60)
    claims = await asyncio.gather(*(queue.claim(Event, limit=10) for _ in range(12)))
    ids = [event.id for claim in claims for event in claim]
    assert len(ids) == len(set(ids)) == 60


async def test_what_is_not_due_waits() -> None:
    await put(3, due=timedelta(hours=1))
    assert await queue.claim(Event, limit=10) == []
    due = await queue.next_due(Event)
    assert due is not None
    assert due > datetime.now(UTC)


async def test_a_dead_workers_items_come_back_when_the_lease_is_over(tmp_path: Path) -> None:
    world = a_clock(tmp_path)
    clock.follow(world.path)
    try:
        await put(1)
        assert len(await queue.claim(Event, limit=1)) == 1
        assert await queue.claim(Event, limit=1) == []
        world.move_to(world.now() + queue.LEASE + timedelta(seconds=1))
        [again] = await queue.claim(Event, limit=1)
        assert again.attempts == 2
    finally:
        clock.follow(None)
        world.close()


async def test_done_is_for_good() -> None:
    await put(2)
    await queue.done(await queue.claim(Event, limit=2))
    assert await queue.claim(Event, limit=2) == []
    assert await Event.filter(state=QueueState.DONE, done_at__not_isnull=True).count() == 2


async def test_what_fails_is_tried_later_and_buried_after_the_last_attempt() -> None:
    await put(1)
    [event] = await queue.claim(Event, limit=1)
    await queue.retry(event, "it broke")
    await event.refresh_from_db()
    assert (event.state, event.last_error, event.leased_until) == (QueueState.QUEUED, "it broke", None)
    assert event.available_at > clock.now()
    await Event.all().update(attempts=queue.MOST_ATTEMPTS)
    await event.refresh_from_db()
    await queue.retry(event, "it broke for good")
    await event.refresh_from_db()
    assert (event.state, event.last_error) == (QueueState.BURIED, "it broke for good")
    assert await queue.replay(Event, [event.id]) == 1
    assert [found.id for found in await queue.claim(Event, limit=1)] == [event.id]


async def test_somebody_elses_outage_costs_no_attempt() -> None:
    await put(1)
    [event] = await queue.claim(Event, limit=1)
    await queue.put_off(event, "Stripe is away", 30)
    await event.refresh_from_db()
    assert event.attempts == 0
    assert event.available_at > clock.now() + timedelta(seconds=25)


async def test_a_stopping_process_gives_its_claims_back() -> None:
    await put(2)
    claimed = await queue.claim(Event, limit=2)
    await queue.release(claimed)
    again = await queue.claim(Event, limit=2)
    assert [event.attempts for event in again] == [1, 1]


async def test_a_process_that_lost_its_claims_gives_none_of_anothers_away(tmp_path: Path) -> None:
    world = a_clock(tmp_path)
    clock.follow(world.path)
    try:
        await put(1)
        hung = await queue.claim(Event, limit=1)
        world.move_to(world.now() + queue.LEASE + timedelta(seconds=1))
        assert len(await queue.claim(Event, limit=1)) == 1
        await queue.release(hung)  # somebody stops it at last
        assert await queue.claim(Event, limit=1) == []
        world.move_to(world.now() + queue.LEASE / 2)
        await queue.renew(hung)
        world.move_to(world.now() + queue.LEASE / 2 + timedelta(seconds=1))
        assert [each.attempts for each in await queue.claim(Event, limit=1)] == [3]
    finally:
        clock.follow(None)
        world.close()


def test_delays_double_up_to_the_longest_and_spread_out() -> None:
    delays = [queue.delay_after(attempts) for attempts in range(1, 40)]
    assert all(0 < delay <= queue.LONGEST_DELAY for delay in delays)
    assert max(delays[:3]) < 10
    assert len({queue.delay_after(5) for _ in range(20)}) > 1


async def test_a_nudge_wakes_who_waits() -> None:
    waiting = asyncio.create_task(queue.wait_for_work(Event, 30))
    await asyncio.sleep(0.01)
    queue.nudge(Event)
    await asyncio.wait_for(waiting, 1)
