"""The ticks: when to look at what is due. What is due comes from rows, so a tick missed or run twice changes nothing."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain import copies, pruning, reconcile, upkeep
from domain.actions import resuming
from domain.desk import Desk
from domain.rules.refusals import PaymentsAway

log = logging.getLogger("kassor.ticks")


@dataclass(frozen=True)
class Tick:
    """Something to look at again and again. `first` is how soon after the start; both in seconds."""

    every: int
    first: int
    look: Callable[[Desk], Awaitable[None]]

    async def __call__(self, desk: Desk) -> None:
        """Look once. What goes wrong is logged: the next tick looks again."""
        try:
            await self.look(desk)
        except PaymentsAway:
            log.info("stripe is away; the next tick looks again")
        except Exception:
            log.exception("a tick failed; the next one looks again")


async def _copies(desk: Desk) -> None:
    if planned := await copies.plan_due(desk):
        log.info("%s invoice copies are on their way", planned)


async def _resume(desk: Desk) -> None:
    await resuming.resume_accepted(desk)


async def _upkeep(desk: Desk) -> None:
    await upkeep.look(desk)


async def _reconcile(desk: Desk) -> None:
    for line in await reconcile.reconcile(desk, desk.event_types):
        log.warning("mended: %s", line)


async def _prune(desk: Desk) -> None:
    await pruning.prune(desk.settings)


TICKS: dict[str, Tick] = {
    "copies": Tick(every=60, first=1, look=_copies),
    "resume": Tick(every=30, first=2, look=_resume),
    "upkeep": Tick(every=300, first=3, look=_upkeep),
    "reconcile": Tick(every=3_600, first=5, look=_reconcile),
    "prune": Tick(every=86_400, first=60, look=_prune),
}


def start(desk: Desk) -> AsyncIOScheduler:
    """Begin ticking in the running event loop; `shutdown(wait=False)` it at the end.

    Jobs live in memory: APScheduler decides when to look, never what is due. Late ticks run once (`coalesce`), and one tick
    never overtakes itself.
    """
    ticker = AsyncIOScheduler(timezone=UTC)
    began = datetime.now(UTC)  # the machine's own time: a ticker has nothing to do with the sandbox's months
    for name, tick in TICKS.items():
        ticker.add_job(
            tick.__call__,  # a bound method, by which APScheduler can tell that it is a coroutine
            "interval",
            args=[desk],
            id=name,
            seconds=tick.every,
            next_run_time=began + timedelta(seconds=tick.first),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    ticker.start()
    return ticker
