"""The ticks: when to look at what is due. What is due comes from rows, so a tick missed or run twice changes nothing."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain import copies, pruning, reconcile, second_copies, spans, trace, upkeep
from domain.actions import resuming
from domain.config import Settings
from domain.desk import Desk
from domain.metrics import TICKED
from domain.rules.refusals import PaymentsAway

log = logging.getLogger("kassor.ticks")
POLL = 60  # seconds
SILENT = 300  # seconds without any tick: the quickest comes every thirty


@dataclass(frozen=True)
class Tick:
    """Something to look at again and again. `first` is how soon after the start; both in seconds."""

    name: str
    every: int
    first: int
    look: Callable[[Desk], Awaitable[None]]

    async def __call__(self, desk: Desk) -> None:
        """Look once. What goes wrong is logged: the next tick looks again."""
        outcome = "failed"
        with trace.following(), spans.span(f"tick {self.name}"):
            try:
                await self.look(desk)
                outcome = "done"
            except PaymentsAway:
                outcome = "away"
                log.info("stripe is away; the next tick looks again")
            except Exception:
                log.exception("a tick failed; the next one looks again")
        TICKED.labels(self.name, outcome).inc()
        _Last.at = time.monotonic()


class _Last:
    """When this process last ended a tick, or began ticking."""

    at = float("-inf")


def silence() -> str | None:
    """Why nothing is looked at any more; None while this process ticks."""
    return None if time.monotonic() - _Last.at < SILENT else f"nothing has ticked for {SILENT} seconds"


async def _copies(desk: Desk) -> None:
    if planned := await copies.plan_due(desk):
        log.info("%s invoice copies are on their way", planned)
    if seconds := await second_copies.plan_due():
        log.info("%s copies for others are on their way", seconds)


async def _resume(desk: Desk) -> None:
    await resuming.resume_accepted(desk)


async def _upkeep(desk: Desk) -> None:
    await upkeep.look(desk)


async def _reconcile(desk: Desk) -> None:
    for line in await reconcile.reconcile(desk, desk.event_types):
        log.log(logging.WARNING if desk.settings.hears_stripe else logging.INFO, "mended: %s", line)


async def _prune(desk: Desk) -> None:
    await pruning.prune(desk.settings)


TICKS = {
    tick.name: tick
    for tick in (
        Tick("copies", every=60, first=1, look=_copies),
        Tick("resume", every=30, first=2, look=_resume),
        Tick("upkeep", every=300, first=3, look=_upkeep),
        Tick("reconcile", every=3_600, first=5, look=_reconcile),
        Tick("prune", every=86_400, first=60, look=_prune),
    )
}


def every(tick: Tick, settings: Settings) -> int:
    """How often to look, in seconds. Where Stripe can't reach us, looking is the only way to hear of it."""
    return tick.every if tick.name != "reconcile" or settings.hears_stripe else POLL


def start(desk: Desk) -> AsyncIOScheduler:
    """Begin ticking in the running event loop; `shutdown(wait=False)` it at the end.

    Jobs live in memory: APScheduler decides when to look, never what is due. Late ticks run once (`coalesce`), and one tick
    never overtakes itself.
    """
    ticker = AsyncIOScheduler(timezone=UTC)
    _Last.at = time.monotonic()
    began = datetime.now(UTC)  # the machine's own time: a ticker has nothing to do with the sandbox's months
    for tick in TICKS.values():
        ticker.add_job(
            tick.__call__,  # a bound method, by which APScheduler can tell that it is a coroutine
            "interval",
            args=[desk],
            id=tick.name,
            seconds=every(tick, desk.settings),
            next_run_time=began + timedelta(seconds=tick.first),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    ticker.start()
    return ticker
