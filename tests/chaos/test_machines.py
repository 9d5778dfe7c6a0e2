"""Machines die, databases restart: every event answered 200 is carried out, once in effect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from domain.queue import LEASE, QueueState
from domain.records import Event, Notice, Subscription
from tests.chaos.counts import chance, count
from tests.chaos.machines import Machine, Sender, event
from tests.domain.conftest import Town, town
from tests.postgres import Postgres

__all__ = ["town"]  # the fixture
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """PostgreSQL alone: several processes share it."""
    with postgres.database() as url:
        yield url


@asynccontextmanager
async def running(town: Town, url: str, folder: Path, *roles: str) -> AsyncIterator[list[Machine]]:
    machines = [Machine(town, url, role, folder / f"{role}.{number}.log") for number, role in enumerate(roles)]
    try:
        for machine in machines:
            machine.start()
        for machine in machines:
            await machine.ready()
        yield machines
    finally:
        for machine in machines:
            await machine.stop()


async def settled(town: Town, seconds: float = 60) -> None:
    """Wait until nothing waits, moving the clock past leases and delays now and then."""
    async with asyncio.timeout(seconds):
        while await Event.filter(state=QueueState.QUEUED).exists():
            await asyncio.sleep(1)
            town.move(seconds=(LEASE + timedelta(seconds=1)).total_seconds())


def about(live: Subscription, numbers: range) -> list[tuple[str, bytes]]:
    """Events about one real subscription and its customer, each with an id of its own."""
    kinds = [("customer.subscription.updated", live.id), ("customer.updated", live.customer_id)]
    return [
        (f"evt_{n}", event(f"evt_{n}", kinds[n % 2][0], {"id": kinds[n % 2][1], "customer": live.customer_id}))
        for n in numbers
    ]


async def everything_accepted_was_done_once(town: Town, sender: Sender, live: Subscription) -> None:
    stored = {event.id: event.state for event in await Event.all()}
    assert set(stored) == sender.accepted
    assert set(stored.values()) == {QueueState.DONE}
    fresh = await Subscription.get(id=live.id)
    theirs = town.stripe.account.get("subscription", live.id)
    assert (fresh.cancel_at is not None) == theirs["cancel_at_period_end"]
    keys = await Notice.all().values_list("dedup_key", flat=True)
    assert len(keys) == len(set(keys))
    assert await Notice.filter(kind="upgraded").count() == 1


async def test_kill_9_of_receiver_and_worker_under_load_loses_and_doubles_nothing(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    live = await town.upgraded()
    kills = count(2, 50)
    dice = chance("kill")
    async with running(town, database_url, tmp_path, "web", "worker") as machines:
        sender = Sender(machines[0].url)
        sending = asyncio.create_task(sender.send(about(live, range(kills * 150)), pause=0.3))
        for number in range(kills):
            await asyncio.sleep(dice.uniform(0.1, 0.5))
            await town.desk.payments.cancel_at_period_end(live.id, cancel=number % 2 == 0)
            victim = machines[number % 2]
            victim.kill()
            victim.start()
            await victim.ready()
        await asyncio.wait_for(sending, 600)
        await sender.send(about(live, range(kills * 150, kills * 150 + 2)))  # the last word is heard
        await settled(town)
    await everything_accepted_was_done_once(town, sender, live)


async def test_postgres_restarted_under_load_loses_nothing(
    town: Town, database_url: str, postgres: Postgres, tmp_path: Path
) -> None:
    live = await town.upgraded()
    restarts = count(1, 10)
    async with running(town, database_url, tmp_path, "web", "worker") as machines:
        sender = Sender(machines[0].url)
        sending = asyncio.create_task(sender.send(about(live, range(restarts * 400)), pause=0.05))
        for _ in range(restarts):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(postgres.restart)
        await asyncio.wait_for(sending, 300)
        await _again(lambda: settled(town))
    await everything_accepted_was_done_once(town, sender, live)
    assert sender.answers[200] >= restarts * 400
    assert set(sender.answers) <= {0, 200, 503}, "something else than an honest 'come again'"


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Our own connections broke too, and the server is not back at once."""
    for _ in range(100):
        try:
            return await work()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await asyncio.sleep(0.1)
    raise AssertionError("the database did not come back")


async def test_two_workers_and_two_receivers_share_the_work_and_go_when_told(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    live = await town.upgraded()
    async with running(town, database_url, tmp_path, "web", "web", "worker", "worker") as machines:
        senders = [Sender(machine.url) for machine in machines[:2]]
        bodies = about(live, range(count(200, 5_000)))
        await asyncio.gather(*(sender.send(bodies) for sender in senders))  # each event at both
        await settled(town)
        took = [await machine.stop() for machine in machines]
    assert max(took) < 8
    assert [sender.answers for sender in senders] == [{200: len(bodies)}] * 2, "they got in each other's way"
    await everything_accepted_was_done_once(town, senders[0], live)


async def test_the_same_event_at_once_from_64_connections_is_one_row_and_one_effect(
    town: Town, database_url: str, tmp_path: Path
) -> None:
    live = await town.upgraded()
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    async with running(town, database_url, tmp_path, "web", "worker") as machines:
        sender = Sender(machines[0].url)
        body = event("evt_1", "customer.subscription.updated", {"id": live.id, "customer": live.customer_id})
        await sender.send([("evt_1", body)] * count(300, 1_000), connections=64)
        await settled(town)
    await everything_accepted_was_done_once(town, sender, live)
    assert await Notice.filter(kind="cancel_scheduled").count() == 1
