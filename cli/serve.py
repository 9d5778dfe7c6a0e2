"""Running Kassör: the public routes, the workers and the ticks, in one process or one role each.

Stopping is orderly: SIGTERM or SIGINT ends the ticks, lets requests and listeners in flight finish, gives claims back, and
closes the database last. Nothing waits longer than a few seconds.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from tortoise.connection import get_connection

import scheduler.ticks
import webhooks.entitlements
import webhooks.metrics
import webhooks.receiver
import webhooks.worker
from bot import pages
from bot.app import BotApp, make_app
from cli import settle
from cli.wiring import open_desk
from domain.config import Settings
from domain.database import migrate_database, opened
from domain.desk import Desk

log = logging.getLogger("kassor")
LONGEST_GOODBYE = 8.0  # seconds


async def run(settings: Settings, role: str) -> None:
    """Serve `role` ("all", "web", "worker", "scheduler") until told to stop."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # a line a tick says nothing
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("stripe").setLevel(logging.WARNING)  # two lines a call, with every parameter in the address
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if role == "all":  # one machine: one command is enough; several processes have a `release` step
        await migrate_database(settings.database_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(opened(settings.database_url))
        desk = await stack.enter_async_context(open_desk(settings))
        bot = make_app(desk)
        stack.push_async_callback(bot.close)
        if role in {"all", "worker"}:
            await stack.enter_async_context(_working(desk, bot))
        if role in {"all", "web"}:
            await stack.enter_async_context(_listening(desk, bot))
        if role in {"all", "scheduler"}:
            await stack.enter_async_context(_ticking(desk))
        if settings.is_sandbox:
            tied = asyncio.create_task(_stop_with_parent(stop))
            stack.callback(tied.cancel)
        log.info("Kassör is ready (%s)", role)
        await stop.wait()
        log.info("Kassör is stopping")


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
async def _working(desk: Desk, bot: BotApp) -> AsyncIterator[None]:
    stop = asyncio.Event()
    work = [
        asyncio.create_task(webhooks.worker.run(desk, stop), name="inbox"),
        asyncio.create_task(bot.run_delivery(stop), name="outbox"),
        asyncio.create_task(bot.run_reading(stop), name="reading"),
    ]
    try:
        yield
    finally:
        stop.set()
        _, late = await asyncio.wait(work, timeout=LONGEST_GOODBYE)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("a worker ended badly", exc_info=result)


@asynccontextmanager
async def _listening(desk: Desk, bot: BotApp) -> AsyncIterator[None]:
    application = web.Application(client_max_size=2 * 1024 * 1024)
    webhooks.receiver.attach(application, desk.settings)
    webhooks.metrics.attach(application, desk.settings)
    application.add_routes(webhooks.entitlements.routes(desk))
    application.add_routes(bot.routes())
    application.add_routes(pages.routes())
    application.add_routes([web.get("/healthz", _alive), web.get("/readyz", _ready)])
    if desk.settings.is_sandbox:
        application.add_routes(settle.routes(desk, bot))
    runner = web.AppRunner(application, shutdown_timeout=LONGEST_GOODBYE / 2)
    await runner.setup()
    # In production a proxy or the platform's router stands in front; in the sandbox everything stays on this machine.
    host = "127.0.0.1" if desk.settings.is_sandbox else None
    await web.TCPSite(runner, host, desk.settings.port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def _alive(_: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"ok": True})


async def _ready(_: web.Request) -> web.Response:
    """The process can do its work: the database answers."""
    try:
        await get_connection("default").execute_query("SELECT 1")
    except Exception:  # noqa: BLE001 - whatever it is, we are not ready
        return web.json_response({"ok": False, "why": "the database does not answer"}, status=503)
    return web.json_response({"ok": True})
