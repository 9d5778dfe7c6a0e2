"""`POST /control/settle`, in the sandbox only: do everything that is due, then say when something is due next.

The world's clock steps from one due moment to the next with it, and the tests read the outcome right after.
"""

import asyncio
import time
from datetime import datetime, timedelta

from aiohttp import web

import scheduler.ticks
from bot.app import BotApp
from domain import clock, outbox, queue, upkeep
from domain.desk import Desk
from domain.records import Event, Notice

LONGEST = 20.0  # real seconds
LEFT_BEHIND = 1.0  # real seconds, while what a killed process held can be had by nobody
DAILY = ("reconcile", "prune")


def routes(desk: Desk, bot: BotApp) -> list[web.RouteDef]:
    """The route, for the sandbox's Kassör."""
    began = last_sweep = clock.now()

    async def handle(_: web.Request) -> web.Response:
        nonlocal last_sweep
        names = [name for name in scheduler.ticks.TICKS if name not in DAILY]
        if clock.now() - last_sweep > timedelta(days=1):
            last_sweep = clock.now()
            names += DAILY
        queue.nudge(Event)  # the clock has moved: what was not due may be
        queue.nudge(Notice)
        await bot.read_due()  # by itself it looks once a minute
        for name in names:
            await _quiet(bot, began)
            await scheduler.ticks.TICKS[name](desk)
        settled = await _quiet(bot, began)
        next_due = await _next_due(desk, began)
        return web.json_response({"settled": settled, "next_due": next_due.isoformat() if next_due else None})

    return [web.post("/control/settle", handle)]


async def _quiet(bot: BotApp, began: datetime) -> bool:
    """Wait until no listener runs and nothing due is left in the inbox or the outbox; False when that took too long."""
    deadline = time.monotonic() + (LEFT_BEHIND if await _left_behind(began) else LONGEST)
    while time.monotonic() < deadline:
        if bot.idle() and not await _anything_due():
            return True
        await asyncio.sleep(0.02)
    return False


async def _anything_due() -> bool:
    """An item that waits, or is being worked on (its lease only says until when somebody else keeps off it)."""
    waits = Event.filter(state=queue.QueueState.QUEUED, available_at__lte=clock.now())
    return await waits.exists() or await outbox.is_due()


async def _left_behind(began: datetime) -> datetime | None:
    """When the first lease ends that was given before this process began: whoever has it is gone."""
    ends: list[datetime] = []
    for model in (Event, Notice):
        left = model.filter(leased_until__gt=clock.now(), leased_until__lte=began + queue.LEASE)
        first = await left.filter(state=queue.QueueState.QUEUED).order_by("leased_until").first()
        if first is not None and first.leased_until is not None:
            ends.append(first.leased_until)
    return min(ends, default=None)


async def _next_due(desk: Desk, began: datetime) -> datetime | None:
    moments = [
        await queue.next_due(Event),
        await outbox.next_due(),
        await upkeep.next_due(desk),
        await _left_behind(began),
    ]
    return min((moment for moment in moments if moment is not None), default=None)
