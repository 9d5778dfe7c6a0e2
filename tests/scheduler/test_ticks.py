"""The scheduler only ticks: never beside itself, never twice for one delay, never by a wall clock, and on after a failure (I2)."""

import asyncio
import time
from datetime import UTC
from typing import Any, cast

import pytest
from apscheduler.triggers.interval import IntervalTrigger

import scheduler.ticks
from domain.config import Settings
from domain.desk import Desk
from domain.rules.catalogue import Catalogue
from scheduler.ticks import TICKS, Tick


@pytest.fixture
def desk(settings: Settings, catalogue: Catalogue) -> Desk:
    return Desk(settings, catalogue, cast("Any", None))


async def ticked(desk: Desk, seconds: float) -> None:
    """Let the scheduler tick for so long."""
    ticker = scheduler.ticks.start(desk)
    try:
        await asyncio.sleep(seconds)
    finally:
        ticker.shutdown(wait=False)


async def test_a_tick_never_overtakes_itself_and_goes_on_after_one_that_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, most, begun = 0, 0, 0

    async def slow(_: Desk) -> None:
        nonlocal under_way, most, begun
        under_way, begun = under_way + 1, begun + 1
        most = max(most, under_way)
        await asyncio.sleep(1.3)
        under_way -= 1
        if begun == 1:
            raise RuntimeError("the first one fails")

    monkeypatch.setattr(scheduler.ticks, "TICKS", {"slow": Tick("slow", every=1, first=0, look=slow)})
    await ticked(desk, 3.8)
    assert most == 1
    assert begun >= 2


@pytest.mark.parametrize("every", [1, 5])  # two are missed; one, by longer than APScheduler itself would wait
async def test_ticks_that_were_held_up_are_one_and_none_is_too_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    looks: list[float] = []

    async def look(_: Desk) -> None:
        looks.append(time.monotonic())

    monkeypatch.setattr(scheduler.ticks, "TICKS", {"held": Tick("held", every=every, first=1, look=look)})
    ticker = scheduler.ticks.start(desk)
    try:
        time.sleep(2.2)  # noqa: ASYNC251 - the process is held up, as by a machine that sleeps
        await asyncio.sleep(0.3)
    finally:
        ticker.shutdown(wait=False)
    assert len(looks) == 1


async def test_every_tick_comes_by_elapsed_time_so_that_no_change_of_the_clocks_doubles_or_skips_one(
    desk: Desk,
) -> None:
    ticker = scheduler.ticks.start(desk)
    try:
        jobs = {job.id: job for job in ticker.get_jobs()}
    finally:
        ticker.shutdown(wait=False)
    assert jobs.keys() == TICKS.keys()
    for job in jobs.values():
        assert isinstance(job.trigger, IntervalTrigger)
        assert job.trigger.timezone is UTC
