"""Taking turns: however long one customer's lane is, every other gets its turn, and nobody gets anything twice."""

import asyncio
from datetime import timedelta

import pytest

from domain import clock, queue
from domain.inbox import Arrival, Inbox
from domain.lanes import Turns
from domain.records import Event

pytestmark = pytest.mark.usefixtures("database")


async def put(lane: str, count: int) -> None:
    async with Inbox() as inbox:
        for start in range(0, count, 1_000):
            await inbox.store(
                [
                    Arrival(f"evt_{lane}_{n}", "x", clock.now(), "{}", lane)
                    for n in range(start, min(count, start + 1_000))
                ]
            )


async def test_one_event_behind_ten_thousand_of_another_is_in_the_first_claim() -> None:
    await put("cus_noisy", 10_000)
    await put("cus_quiet", 1)
    found = await Turns(Event).claim(lanes=8, each=50)
    assert {lane: len(events) for lane, events in found.items()} == {"cus_noisy": 50, "cus_quiet": 1}


async def test_lanes_are_served_round_and_round() -> None:
    for number in range(6):
        await put(f"cus_{number}", 2)
    turns = Turns(Event)
    served = [list(await turns.claim(lanes=4, each=1)) for _ in range(3)]
    assert sorted(lane for lanes in served for lane in lanes) == sorted([f"cus_{number}" for number in range(6)] * 2)
    assert await turns.claim(lanes=4, each=1) == {}


async def test_a_busy_lane_is_passed_over() -> None:
    await put("cus_1", 3)
    await put("cus_2", 1)
    assert list(await Turns(Event).claim(lanes=5, each=5, busy=["cus_1"])) == ["cus_2"]


async def test_many_workers_at_once_claim_each_event_once() -> None:
    for number in range(10):
        await put(f"cus_{number}", 12)
    claims = await asyncio.gather(*(Turns(Event).claim(lanes=3, each=3) for _ in range(20)))
    ids = [event.id for claim in claims for events in claim.values() for event in events]
    assert len(ids) == len(set(ids))
    while more := await Turns(Event).claim(lanes=10, each=12):
        ids += [event.id for events in more.values() for event in events]
    assert len(ids) == len(set(ids)) == 120


async def test_what_is_held_for_later_or_leased_is_not_claimed() -> None:
    await put("cus_1", 2)
    await put("cus_2", 1)
    turns = Turns(Event)
    [first] = (await turns.claim(lanes=1, each=1))["cus_1"]
    await queue.hold(first, until=clock.now() + timedelta(hours=1), why="not yet")
    found = await turns.claim(lanes=9, each=9)
    assert {lane: [event.attempts for event in events] for lane, events in found.items()} == {
        "cus_1": [1],
        "cus_2": [1],
    }


async def test_events_from_before_there_were_lanes_are_claimed_too() -> None:
    now = clock.now()
    await Event.create(id="evt_old", type="x", created_at=now, received_at=now, available_at=now, payload="{}")
    await put("cus_1", 1)
    assert set(await Turns(Event).claim(lanes=9, each=9)) == {"", "cus_1"}
