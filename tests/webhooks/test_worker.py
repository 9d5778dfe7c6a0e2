"""The worker: each event ends processed, put off, or visibly buried; many about one thing are one reading."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import clock, queue
from domain.inbox import Arrival, Inbox
from domain.lanes import Turns
from domain.queue import QueueState
from domain.records import Event, Notice, Subscription
from tests.clock import a_clock
from tests.domain.conftest import Town, town
from webhooks import worker
from webhooks.interests import INTERESTS, Reading, reading_of
from webhooks.pace import Pace

__all__ = ["town"]  # the fixture
REQUIRED = (
    *("checkout.session.completed", "checkout.session.expired"),
    *(f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "trial_will_end")),
    *(f"customer.subscription.pending_update_{what}" for what in ("applied", "expired")),
    *(f"invoice.{what}" for what in ("created", "finalized", "paid", "payment_failed", "payment_action_required")),
    *("invoice.voided", "invoice.updated", "customer.updated", "payment_method.attached", "payment_method.detached"),
    *(
        f"subscription_schedule.{what}"
        for what in ("created", "updated", "released", "canceled", "completed", "aborted")
    ),
)


async def store(kind: str, subject: Any, *, event_id: str = "evt_1", before: Any = None) -> None:
    now = clock.now()
    payload = {"id": event_id, "type": kind, "data": {"object": subject, "previous_attributes": before}}
    await Event.create(
        id=event_id, type=kind, created_at=now, received_at=now, available_at=now, payload=json.dumps(payload)
    )


@pytest.mark.parametrize("kind", REQUIRED)
def test_every_required_type_has_a_reason_and_leads_to_an_object(kind: str) -> None:
    interest = INTERESTS[kind]
    assert len(interest.why) > 10
    subject = {"id": "x_1", "customer": "cus_1", "subscription": "sub_1"}
    assert reading_of(kind, {"data": {"object": subject}}) is not None


def test_a_detached_method_leads_to_the_customer_it_had() -> None:
    found = reading_of(
        "payment_method.detached",
        {"data": {"object": {"id": "pm_1", "customer": None}, "previous_attributes": {"customer": "cus_1"}}},
    )
    assert found is not None
    assert found.object_id == "cus_1"


async def test_an_event_that_is_none_of_ours_is_done_and_left_alone(town: Town) -> None:
    await store("product.created", {"id": "prod_1"})
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 1})
    await worker.work_once(town.desk)
    assert (await Event.get(id="evt_1")).state == QueueState.DONE
    assert town.stripe.account.faults.api, "Stripe was asked about it"


async def test_many_events_about_one_subscription_are_one_reading(town: Town) -> None:
    live = await town.upgraded()
    for number in range(20):
        await store("customer.subscription.updated", {"id": live.id}, event_id=f"evt_{number}")
    seen = len(town.stripe._api._journal.as_json())
    assert await worker.work_once(town.desk) == 20
    asked = [each for each in town.stripe._api._journal.as_json()[seen:] if "/v1/subscriptions/" in each["url"]]
    assert len(asked) == 1
    assert await Event.filter(state=QueueState.DONE).count() == 20


async def test_stripe_away_puts_events_off_without_counting(town: Town) -> None:
    live = await town.upgraded()
    await store("customer.subscription.updated", {"id": live.id})
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 10})
    await worker.work_once(town.desk)
    event = await Event.get(id="evt_1")
    assert (event.state, event.attempts) == (QueueState.QUEUED, 0)
    assert "away" in (event.last_error or "")
    town.stripe.account.faults.api.clear()
    town.move(seconds=10)
    await worker.work_once(town.desk)
    assert (await Event.get(id="evt_1")).state == QueueState.DONE


async def test_a_poison_event_is_buried_with_its_error_and_delays_nobody(town: Town) -> None:
    live = await town.upgraded()
    await store("invoice.paid", {"id": "in_does_not_exist"}, event_id="evt_poison")
    for _ in range(queue.MOST_ATTEMPTS):
        await store("customer.subscription.updated", {"id": live.id}, event_id=f"evt_{_}")
        await worker.work_once(town.desk)
        town.move(hours=7)
    poison = await Event.get(id="evt_poison")
    assert poison.state == QueueState.BURIED
    assert "PaymentsRefused" in (poison.last_error or "")
    assert await Event.filter(state=QueueState.DONE).count() == queue.MOST_ATTEMPTS


async def test_out_of_order_and_five_times_over_nothing_changes(town: Town) -> None:
    live = await town.upgraded()
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    events = town.objects("event")
    for round_ in range(5):
        for event in reversed(events):
            await store(event["type"], event["data"]["object"], event_id=f"{event['id']}_{round_}")
        while await worker.work_once(town.desk):
            pass
    fresh = await Subscription.get(id=live.id)
    assert fresh.cancel_at == fresh.current_period_end
    assert await Notice.filter(kind="cancel_scheduled").count() == 1
    assert await Notice.filter(kind="upgraded").count() == 1


async def test_a_trial_that_ends_soon_is_told_once(town: Town) -> None:
    live = await town.upgraded(plan="business", interval="month")
    await store("customer.subscription.trial_will_end", {"id": live.id}, event_id="evt_early")
    await worker.work_once(town.desk)
    assert await town.told("trial_ending") == []  # not soon yet
    town.move(days=28)
    for number in range(3):
        await store("customer.subscription.trial_will_end", {"id": live.id}, event_id=f"evt_{number}")
        await worker.work_once(town.desk)
    assert len(await town.told("trial_ending")) == 1


async def put(lane: str, count: int, kind: str = "customer.subscription.updated", first: int = 0) -> None:
    """Events of one customer, each about a subscription of its own."""
    async with Inbox() as inbox:
        for number in range(first, first + count):
            payload = json.dumps({"data": {"object": {"id": f"sub_{lane}_{number}", "customer": lane}}})
            await inbox.store([Arrival(f"evt_{lane}_{number}", kind, clock.now(), payload, lane)])


@dataclass
class SlowStripe:
    """Stands in for a reading: takes its time, and notes what was read, in order."""

    seconds: float = 0.0
    read: list[str] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    def sort(self, _: str, payload: dict[str, Any]) -> Reading | None:
        return Reading(self.verb, payload["data"]["object"]["id"])

    async def verb(self, _: Any, object_id: str) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        self.read.append(object_id)


@asynccontextmanager
async def working(worker_: worker.Worker) -> AsyncIterator[asyncio.Event]:
    """The worker, at work for as long as the block lasts."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker_.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - what is waited for is a row
            await asyncio.sleep(0.02)


NO_DESK: Any = None  # the readings below ask Stripe nothing


@pytest.mark.usefixtures("database")
async def test_a_customer_with_very_many_events_delays_nobody_elses_checkout() -> None:
    await put("cus_noisy", 10_000)
    stripe = SlowStripe(seconds=0.05)
    async with working(worker.Worker(NO_DESK, sort=stripe.sort)):
        await until(lambda: _is(len(stripe.read) > 20))
        began = time.monotonic()
        await put("cus_quiet", 1, "checkout.session.completed")
        await until(lambda: _is("sub_cus_quiet_0" in stripe.read))
        assert time.monotonic() - began < 3
    assert len(stripe.read) < 5_000, "the noisy one had finished: nothing was shown"


async def _is(value: bool) -> bool:
    return value


@pytest.mark.usefixtures("database")
async def test_no_more_readings_at_once_than_allowed_and_no_customer_takes_them_all() -> None:
    await put("cus_noisy", 40)
    alone = SlowStripe(seconds=0.02)
    await worker.Worker(NO_DESK, at_once=6, sort=alone.sort).once()
    assert alone.most == worker.AT_ONCE_A_LANE
    for number in range(20):
        await put(f"cus_{number}", 2)
    many = SlowStripe(seconds=0.02)
    await worker.Worker(NO_DESK, at_once=6, sort=many.sort).once()
    assert many.most == 6


@pytest.mark.usefixtures("database")
async def test_events_of_one_object_far_apart_in_the_queue_are_one_reading() -> None:
    async with Inbox() as inbox:
        for round_ in range(10):
            for number in range(30):
                payload = json.dumps({"data": {"object": {"id": f"sub_{number}", "customer": f"cus_{number}"}}})
                await inbox.store([Arrival(f"evt_{number}_{round_}", "x", clock.now(), payload, f"cus_{number}")])
    stripe = SlowStripe()
    async with working(worker.Worker(NO_DESK, sort=stripe.sort)):
        await until(_none_waits)
    assert len(stripe.read) == 30


async def _none_waits() -> bool:
    return not await Event.filter(state=QueueState.QUEUED).exists()


@pytest.mark.usefixtures("database")
async def test_a_stopping_worker_finishes_soon_and_keeps_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GOODBYE", 0.2)
    await put("cus_1", 100)
    stripe = SlowStripe(seconds=30)
    async with working(worker.Worker(NO_DESK, sort=stripe.sort)):
        await until(lambda: _is(stripe.at_once > 0))
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert await Event.filter(leased_until=None, attempts=0, state=QueueState.QUEUED).count() == 100


@pytest.mark.usefixtures("database")
async def test_a_worker_that_hangs_loses_its_lease_and_another_finishes(tmp_path: Path) -> None:
    world = a_clock(tmp_path)
    clock.follow(world.path)
    try:
        await put("cus_1", 1)
        [hung] = (await Turns(Event).claim(lanes=1, each=1))["cus_1"]
        world.move_to(world.now() + queue.LEASE + timedelta(seconds=1))
        stripe = SlowStripe()
        await worker.Worker(NO_DESK, sort=stripe.sort).once()
        assert stripe.read == ["sub_cus_1_0"]
        await queue.retry(hung, "woken much too late")
        await queue.bury(hung, "woken much too late")
        assert (await Event.get(id=hung.id)).state == QueueState.DONE
    finally:
        clock.follow(None)
        world.close()


@pytest.mark.usefixtures("database")
async def test_a_long_reading_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RENEW_EVERY", 0.05)
    await put("cus_1", 1)
    stripe = SlowStripe(seconds=0.5)
    async with working(worker.Worker(NO_DESK, sort=stripe.sort)):
        await until(lambda: _is(stripe.at_once > 0))
        before = (await Event.get(id="evt_cus_1_0")).leased_until
        await asyncio.sleep(0.3)
        after = (await Event.get(id="evt_cus_1_0")).leased_until
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.usefixtures("database")
async def test_a_reading_that_takes_too_long_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PATIENCE", 0.05)
    await put("cus_1", 1)
    await worker.Worker(NO_DESK, sort=SlowStripe(seconds=5).sort).once()
    event = await Event.get(id="evt_cus_1_0")
    assert (event.state, event.attempts) == (QueueState.QUEUED, 1)
    assert "TimeoutError" in (event.last_error or "")


@pytest.mark.usefixtures("database")
async def test_a_payload_nobody_understands_is_buried_at_once_and_alone() -> None:
    await put("cus_1", 3)
    await Event.filter(id="evt_cus_1_1").update(payload='{"data": 7')
    stripe = SlowStripe()
    await worker.Worker(NO_DESK, sort=stripe.sort).once()
    assert (await Event.get(id="evt_cus_1_1")).state == QueueState.BURIED
    assert await Event.filter(state=QueueState.DONE).count() == 2


async def test_stripe_saying_too_many_is_left_alone_as_long_as_it_asks(town: Town) -> None:
    live = await town.upgraded()
    await store("customer.subscription.updated", {"id": live.id})
    town.stripe.account.faults.api.append({"kind": "rate_limited", "times": 10, "retry_after": 40})
    await worker.work_once(town.desk)
    event = await Event.get(id="evt_1")
    assert (event.state, event.attempts) == (QueueState.QUEUED, 0)
    assert timedelta(seconds=35) < event.available_at - clock.now() <= timedelta(seconds=40)


async def test_after_a_pause_fewer_ask_at_once_and_more_again_as_stripe_answers() -> None:
    pace = Pace(16)
    for _ in range(5):
        pace.away(None)  # five readings met the same outage: one pause
    assert pace.width == 8
    assert 0 < pace.quiet_for() <= 5
    for _ in range(40):
        pace.answered()
    assert 8 < pace.width < 16
    for _ in range(1_000):
        pace.answered()
    assert pace.width == 16
