"""Running Kassör: the public routes, the workers and the ticks, in one process or one role each.

Stopping is orderly: SIGTERM or SIGINT ends the ticks, lets requests and listeners in flight finish, gives claims back, and
closes the database last. Nothing waits longer than a few seconds.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from aiohttp import web

import scheduler.ticks
import webhooks.worker
from bot.app import BotApp, make_app
from cli import public
from cli.health import Sign
from cli.wiring import open_desk
from domain import logs, spans
from domain.config import Settings
from domain.database import migrate_database, opened
from domain.desk import Desk

log = logging.getLogger("kassor")
LONGEST_GOODBYE = 8.0  # seconds
# Seconds a connection may go without a whole request head: aiohttp has one time-out for idle connections and for heads that dawdle.
# Longer than proxies keep theirs open (Caddy: 120), or they would now and then send a request into one that is closing.
IDLE = 150.0


async def run(settings: Settings, role: str) -> None:
    """Serve `role` ("all", "web", "worker", "scheduler") until told to stop."""
    logs.set_up(settings.log_level, as_json=settings.log_format == "json")
    spans.set_up(role)
    try:
        await _serve(settings, role)
    finally:
        spans.close()


async def _serve(settings: Settings, role: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if role == "all":  # one machine: one command is enough; several processes have a `release` step
        await migrate_database(settings.database_url)
    signs: list[Sign] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(opened(settings.database_url))
        desk = await stack.enter_async_context(open_desk(settings))
        bot = make_app(desk)
        stack.push_async_callback(bot.close)
        if role in {"all", "worker"}:
            signs.append(await stack.enter_async_context(_working(desk, bot)))
        if role in {"all", "scheduler"}:
            await stack.enter_async_context(_ticking(desk))
            signs.append(scheduler.ticks.silence)
        if role in {"all", "web"}:
            await stack.enter_async_context(_listening(desk, bot, signs))
        if settings.metrics_port is not None:
            await stack.enter_async_context(_telling(settings, signs))
        if settings.is_sandbox:
            tied = asyncio.create_task(_stop_with_parent(stop))
            stack.callback(tied.cancel)
        loaded_for_good()
        log.info("Kassör is ready (%s)", role)
        await stop.wait()
        log.info("Kassör is stopping")


def loaded_for_good() -> None:
    """What is loaded by now stays until the end: to walk it again for garbage would keep everybody waiting some 60 ms."""
    gc.collect()
    gc.freeze()


async def _stop_with_parent(stop: asyncio.Event) -> None:
    """A sandbox that was killed can't end its Kassör: it ends by itself when its parent is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells a process that its parent ended
        await asyncio.sleep(1)
    stop.set()


@asynccontextmanager
async def _ticking(desk: Desk) -> AsyncIterator[None]:
    ticker = scheduler.ticks.start(desk)
    try:
        yield
    finally:
        ticker.shutdown(wait=False)


@asynccontextmanager
async def _working(desk: Desk, bot: BotApp) -> AsyncIterator[Sign]:
    """Its sign is the first of its loops that has ended, which none should."""
    stop = asyncio.Event()
    work = [
        asyncio.create_task(webhooks.worker.run(desk, stop), name="inbox"),
        asyncio.create_task(bot.run_delivery(stop), name="outbox"),
        asyncio.create_task(bot.run_reading(stop), name="reading"),
        asyncio.create_task(bot.run_socket(stop), name="socket"),
    ]
    try:
        yield partial(broken, work)
    finally:
        stop.set()
        _, late = await asyncio.wait(work, timeout=LONGEST_GOODBYE)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("a worker ended badly", exc_info=result)


def broken(work: Sequence[asyncio.Task[None]]) -> str | None:
    """Why no work is done: the name of a loop that has ended badly. (Without Socket Mode its loop ends at once, and well.)"""
    ended = (task for task in work if task.done() and (task.cancelled() or task.exception() is not None))
    return next((f"the {task.get_name()} is not worked on" for task in ended), None)


@asynccontextmanager
async def _listening(desk: Desk, bot: BotApp, signs: Sequence[Sign] = ()) -> AsyncIterator[None]:
    application = public.application(desk, bot, signs)
    runner = web.AppRunner(application, shutdown_timeout=LONGEST_GOODBYE / 2, keepalive_timeout=IDLE)
    await runner.setup()
    # In production a proxy or the platform's router stands in front; in the sandbox everything stays on this machine.
    host = "127.0.0.1" if desk.settings.is_sandbox else None
    await web.TCPSite(runner, host, desk.settings.port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _telling(settings: Settings, signs: list[Sign]) -> AsyncIterator[None]:
    """This process's own numbers, where it has no public routes: each process counts for itself."""
    runner = web.AppRunner(public.telling(settings, signs), shutdown_timeout=1, keepalive_timeout=IDLE)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1" if settings.is_sandbox else None, settings.metrics_port).start()
    try:
        yield
    finally:
        await runner.cleanup()
