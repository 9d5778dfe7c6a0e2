"""`POST /control/settle`, in the sandbox only: do everything that is due, then say when something is due next.

The world's clock steps from one due moment to the next with it, and the tests read the outcome right after.
"""

import asyncio
import time
from datetime import datetime, timedelta

from aiohttp import web

import scheduler.ticks
from bot.app import BotApp
from domain import clock, queue, upkeep
from domain.desk import Desk
from domain.records import Event, Notice

LONGEST = 20.0  # real seconds
DAILY = ("reconcile", "prune")


def routes(desk: Desk, bot: BotApp) -> list[web.RouteDef]:
    """The route, for the sandbox's Kassör."""
    last_sweep = clock.now()

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
            await _quiet(bot)
            await scheduler.ticks.TICKS[name](desk)
        settled = await _quiet(bot)
        next_due = await _next_due(desk)
        return web.json_response({"settled": settled, "next_due": next_due.isoformat() if next_due else None})

    return [web.post("/control/settle", handle)]


async def _quiet(bot: BotApp) -> bool:
    """Wait until no listener runs and nothing due is left in the inbox or the outbox; False when that took too long."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if bot.idle() and not await _anything_due():
            return True
        await asyncio.sleep(0.02)
    return False


async def _anything_due() -> bool:
    """An item that waits, or is being worked on (its lease only says until when somebody else keeps off it)."""
    now = clock.now()
    for model in (Event, Notice):
        if await model.filter(state=queue.QueueState.QUEUED, available_at__lte=now).exists():
            return True
    return False


async def _next_due(desk: Desk) -> datetime | None:
    moments = [await queue.next_due(model) for model in (Event, Notice)]
    moments.append(await upkeep.next_due(desk))
    return min((moment for moment in moments if moment is not None), default=None)
