"""Disorder: any order, any number of times, one bad among many, Stripe in every mood. At the end it is as Stripe has it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise

from domain import clock, queue, sync
from domain.actions import cancel, plan, seats
from domain.database import opened
from domain.inbox import Arrival, Inbox
from domain.queue import QueueState
from domain.records import Customer, Event, Invoice, Notice, Subscription
from sandbox.stripe.payment import Payment
from tests.chaos.counts import chance, count
from tests.domain.conftest import Town, town
from webhooks import worker

__all__ = ["town"]  # the fixture
pytestmark = pytest.mark.timeout(900)
Json = dict[str, Any]


async def arrive(events: list[Json]) -> None:
    """These events are in the inbox."""
    async with Inbox() as inbox:
        for start in range(0, len(events), 500):
            await inbox.store(
                [
                    Arrival(
                        each["id"],
                        each["type"],
                        clock.now(),
                        json.dumps(each),
                        str(each["data"]["object"].get("customer") or each["data"]["object"].get("id")),
                    )
                    for each in events[start : start + 500]
                ]
            )


async def work_off(town: Town, *, most: int = 200) -> None:
    """Work until nothing waits, letting time pass between tries."""
    for _ in range(most):
        if not await worker.work_once(town.desk):
            if not await Event.filter(state=QueueState.QUEUED).exists():
                return
            town.move(seconds=70)
    raise AssertionError("the inbox never ran dry")


async def a_year(town: Town) -> None:
    """A year's story at Stripe: seats, plans, a change taken back, another card, a renewal, a cancellation."""
    live = await town.upgraded(seats=10)
    owner = town.members[0]

    async def fresh() -> Subscription:
        found = await sync.subscription(town.desk, live.id)
        assert found is not None
        return found

    for wanted in (15, 20):
        town.move(days=20)
        await town.confirm(await seats.offer_seats(town.desk, owner, subscription=await fresh(), seats=wanted))
    town.move(days=40)
    await town.confirm(await plan.offer(town.desk, owner, subscription=await fresh(), plan="business"))
    town.move(days=40)
    await town.confirm(await plan.offer(town.desk, owner, subscription=await fresh(), interval="month"))
    await town.desk.payments.portal_link((await fresh()).customer_id, return_url="https://kassor.example/back")
    session = town.objects("billing_portal.session")[-1]
    await town.stripe.account.save_portal_payment_method(session["id"], Payment("card"))
    town.move(days=270)
    await town.stripe.process_due()
    await cancel.cancel(town.desk, owner, subscription=await fresh())
    town.move(days=40)
    await town.stripe.process_due()


async def records() -> Json:
    """What mirrors Stripe, without what only counts our own looks at it."""

    async def rows(model: Any) -> list[Json]:
        found = [dict(row) for row in await model.all().order_by("id").values()]
        return [{name: value for name, value in row.items() if name not in {"version", "created_at"}} for row in found]

    return {model.__name__: await rows(model) for model in (Subscription, Invoice, Customer)}


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite: a file is copied back as often as there are orders."""
    shutil.copy(sqlite_template, tmp_path / "kassor.db")
    return f"sqlite://{tmp_path / 'kassor.db'}"


async def test_a_years_events_in_any_order_and_twice_over_lead_to_the_same_records(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    await a_year(town)
    events = town.objects("event")
    assert len(events) > 40
    await Event.all().delete()
    await Tortoise.close_connections()
    shutil.copy(tmp_path / "kassor.db", tmp_path / "before.db")
    dice = chance("orders")
    outcomes = []
    for number in range(count(4, 200)):
        _put_back(tmp_path)
        again = [{**each, "id": f"{each['id']}_{turn}"} for each in events for turn in range(1 + number % 2)]
        if number:
            dice.shuffle(again)
        async with opened(database_url):
            for start in range(0, len(again), 7):  # they come in while others are being worked on
                await arrive(again[start : start + 7])
                await worker.work_once(town.desk)
            await work_off(town)
            # Of a new card the owner hears only while there is a plan it pays for: whether that was read first is chance.
            keys = sorted(await Notice.exclude(kind="payment_method_changed").values_list("dedup_key", flat=True))
            outcomes.append((await records(), keys))
    assert len(outcomes[0][0]["Invoice"]) > 3
    for outcome in outcomes[1:]:
        assert outcome == outcomes[0]


def _put_back(folder: Path) -> None:
    """The database as it was before any event, with nothing of SQLite's beside it."""
    for leftover in folder.glob("kassor.db*"):
        leftover.unlink()
    shutil.copy(folder / "before.db", folder / "kassor.db")


async def test_one_poison_event_among_many_is_buried_and_only_it(town: Town) -> None:
    live = await town.upgraded()
    many = count(400, 10_000)
    events = [
        {"id": f"evt_{n}", "type": "customer.updated", "data": {"object": {"id": live.customer_id}}}
        for n in range(many)
    ]
    poison = {
        "id": "evt_poison",
        "type": "invoice.paid",
        "data": {"object": {"id": "in_none", "customer": live.customer_id}},
    }
    await arrive([*events[: many // 2], poison, *events[many // 2 :]])
    for _ in range(queue.MOST_ATTEMPTS):
        while await worker.work_once(town.desk):
            pass
        town.move(hours=7)
    assert await Event.filter(state=QueueState.DONE).count() == many
    assert await Event.filter(state=QueueState.BURIED).values_list("id", flat=True) == ["evt_poison"]
    assert (await Event.get(id="evt_poison")).last_error


@pytest.mark.parametrize(
    "mood",
    [
        {"kind": "api_error"},
        {"kind": "api_error", "status": 503},
        {"kind": "rate_limited"},
        {"kind": "rate_limited", "retry_after": 30},
        {"kind": "timeout", "seconds": 0.3},
        {"kind": "api_error", "should_retry": True},
    ],
    ids=lambda mood: "-".join(map(str, mood.values())),
)
async def test_whatever_mood_stripe_is_in_each_event_is_done_in_the_end_and_no_attempt_is_lost(
    town: Town, mood: Json
) -> None:
    live = await town.upgraded()
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    await arrive(
        [
            {"id": f"evt_{n}", "type": "customer.subscription.updated", "data": {"object": {"id": live.id}}}
            for n in range(20)
        ]
    )
    town.stripe.account.faults.api.append({**mood, "times": count(3, 20)})
    await work_off(town)
    assert await Event.filter(state=QueueState.DONE, attempts=1).count() == 20
    assert (await Subscription.get(id=live.id)).cancel_at is not None


@pytest.fixture
async def gone_away(town: Town) -> Town:
    """A town whose Stripe does not even listen."""
    await town.upgraded()
    await town.stripe.stop()
    return town


async def test_with_stripe_gone_events_wait_uncounted(gone_away: Town) -> None:
    live = await Subscription.first()
    assert live is not None
    await arrive([{"id": "evt_1", "type": "customer.updated", "data": {"object": {"id": live.customer_id}}}])
    await worker.work_once(gone_away.desk)
    event = await Event.get(id="evt_1")
    assert (event.state, event.attempts) == (QueueState.QUEUED, 0)
