"""Letting go: the payload first, the row later, and never anything that is not finished."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain import clock, pruning
from domain.config import Settings, SettingsError, load
from domain.inbox import Arrival, Inbox
from domain.queue import QueueState
from domain.records import Event, Watermark
from tests.cli.test_console import GOOD

pytestmark = pytest.mark.usefixtures("database")


async def put(name: str, state: QueueState, *, days_ago: float) -> None:
    then = clock.now() - timedelta(days=days_ago)
    await Event.create(
        id=f"evt_{name}",
        type="x",
        created_at=then,
        received_at=then,
        available_at=then,
        payload='{"email": "ada@example.com"}',
        state=state,
        done_at=then if state == QueueState.DONE else None,
    )


async def test_a_payload_goes_before_its_row_and_the_event_stays_known(settings: Settings) -> None:
    for name, days in (("new", 1.0), ("middle", 8.0), ("old", 31.0)):
        await put(name, QueueState.DONE, days_ago=days)
    await pruning.prune(settings)
    found = {event.id: event.payload for event in await Event.all()}
    assert found == {"evt_new": '{"email": "ada@example.com"}', "evt_middle": ""}
    async with Inbox() as inbox:
        await inbox.store([Arrival("evt_middle", "x", clock.now(), "{}", "evt_middle")])
    assert (await Event.get(id="evt_middle")).state == QueueState.DONE


@pytest.mark.parametrize("state", [QueueState.QUEUED, QueueState.BURIED])
async def test_what_is_not_finished_is_kept_whole_for_ever(settings: Settings, state: QueueState) -> None:
    await put("old", state, days_ago=4_000)
    await pruning.prune(replace(settings, events_kept_days=4, event_payloads_kept_days=0))
    assert (await Event.get(id="evt_old")).payload


async def test_an_event_finished_late_is_kept_from_its_end(settings: Settings) -> None:
    await put("slow", QueueState.DONE, days_ago=40)
    await Event.filter(id="evt_slow").update(done_at=clock.now() - timedelta(days=1))
    await pruning.prune(settings)
    assert (await Event.get(id="evt_slow")).payload


async def test_when_something_was_asked_for_is_forgotten_once_no_older_answer_can_come(settings: Settings) -> None:
    for name, hours in (("asked:member:1", 25), ("asked:team:2", 1), ("reading:T1", 900)):
        await Watermark.create(id=name, at=clock.now() - timedelta(hours=hours))
    await pruning.prune(settings)
    assert set(await Watermark.all().values_list("id", flat=True)) == {"asked:team:2", "reading:T1"}


async def test_more_than_a_batch_is_pruned_in_one_go(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for number in range(10):
        await put(str(number), QueueState.DONE, days_ago=31)
    assert await pruning.prune(settings) == 10
    assert not await Event.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [({}, (30, 7)), ({"KASSOR_EVENTS_KEPT_DAYS": "5"}, (5, 5)), ({"KASSOR_EVENT_PAYLOADS_KEPT_DAYS": "0"}, (30, 0))],
)
def test_an_operator_says_how_long(given: dict[str, str], kept: tuple[int, int]) -> None:
    found = load({**GOOD, **given})
    assert (found.events_kept_days, found.event_payloads_kept_days) == kept


@pytest.mark.parametrize(
    "given",
    [
        {"KASSOR_EVENTS_KEPT_DAYS": "3"},
        {"KASSOR_EVENTS_KEPT_DAYS": "for ever"},
        {"KASSOR_EVENT_PAYLOADS_KEPT_DAYS": "31"},
        {"KASSOR_EVENT_PAYLOADS_KEPT_DAYS": "-1"},
    ],
)
def test_fewer_days_than_stripe_tries_or_no_number_is_said_at_start(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=json.dumps(next(iter(given)))[1:-1]):
        load({**GOOD, **given})
