"""The worker: each event ends processed, put off, or visibly buried; many about one thing are one reading."""

import json
from typing import Any

import pytest

from domain import clock, queue
from domain.queue import QueueState
from domain.records import Event, Notice, Subscription
from tests.domain.conftest import Town, town
from webhooks import worker
from webhooks.interests import INTERESTS, reading_of

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
