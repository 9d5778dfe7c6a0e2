"""Ready is a process that does its work: not one that only answers."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web

import scheduler.ticks
from cli import public, serve
from cli.health import Sign
from domain.config import Settings
from domain.database import migrate_database, opened
from tests.domain.test_migrations import go_to
from tests.sandbox.stripe.shop import free_port


@asynccontextmanager
async def telling(settings: Settings, signs: Sequence[Sign] = ()) -> AsyncIterator[str]:
    """A process that says of itself how it is; its address."""
    runner, port = web.AppRunner(public.telling(settings, signs)), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def readiness(address: str) -> tuple[int, Any]:
    async with ClientSession() as session, session.get(f"{address}/readyz") as answer:
        return answer.status, (await answer.json()).get("why")


async def test_a_version_whose_release_has_not_run_is_not_ready(tmp_path: Path, settings: Settings) -> None:
    url = f"sqlite://{tmp_path}/kassor.db"
    await go_to(url, "0002_partial_uniques")
    async with opened(url), telling(settings) as address:
        assert await readiness(address) == (503, "the database is not migrated")
    await migrate_database(url)
    async with opened(url), telling(settings) as address:
        assert await readiness(address) == (200, None)


async def test_a_worker_whose_loop_has_ended_badly_is_not_ready(database: str, settings: Settings) -> None:
    del database

    async def fails() -> None:
        raise RuntimeError

    async def goes_on() -> None:
        await asyncio.sleep(60)

    async def has_nothing_to_do() -> None:
        """As without Socket Mode."""

    well = [asyncio.create_task(each(), name=each.__name__) for each in (goes_on, has_nothing_to_do)]
    badly = asyncio.create_task(fails(), name="inbox")
    await asyncio.sleep(0)
    async with telling(settings, [lambda: serve.broken(well)]) as address:
        assert await readiness(address) == (200, None)
    async with telling(settings, [lambda: serve.broken([*well, badly])]) as address:
        assert await readiness(address) == (503, "the inbox is not worked on")
    well[0].cancel()
    with pytest.raises(RuntimeError):
        await badly


async def test_a_scheduler_that_ticks_no_more_is_not_ready(
    database: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database
    monkeypatch.setattr(scheduler.ticks._Last, "at", time.monotonic())
    async with telling(settings, [scheduler.ticks.silence]) as address:
        assert await readiness(address) == (200, None)
        monkeypatch.setattr(scheduler.ticks._Last, "at", time.monotonic() - scheduler.ticks.SILENT)
        assert await readiness(address) == (503, "nothing has ticked for 300 seconds")


async def _works_badly(*_: object) -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("role", "breaks", "why"),
    [
        ("all", "worker", "the inbox is not worked on"),
        ("worker", "worker", "the inbox is not worked on"),
        ("all", "scheduler", "nothing has ticked for 300 seconds"),
        ("scheduler", "scheduler", "nothing has ticked for 300 seconds"),
    ],
)
async def test_every_process_says_what_of_its_own_work_has_ended(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, role: str, breaks: str, why: str
) -> None:
    ports = {"port": free_port(), "metrics_port": free_port()}
    url = f"sqlite://{tmp_path}/kassor.db"
    await migrate_database(url)
    own = replace(settings, database_url=url, **ports)
    if breaks == "worker":
        monkeypatch.setattr(serve.webhooks.worker, "run", _works_badly)
    else:
        monkeypatch.setattr(scheduler.ticks, "SILENT", 0)
    serving = asyncio.create_task(serve._serve(own, role))
    try:
        for port in ports.values() if role == "all" else (ports["metrics_port"],):
            assert await _readiness_when_there(f"http://127.0.0.1:{port}") == (
                503,
                why.replace("300", str(scheduler.ticks.SILENT)),
            )
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 15)
        gc.unfreeze()


async def _readiness_when_there(address: str) -> tuple[int, Any]:
    for _ in range(200):
        with suppress(ClientError):
            return await readiness(address)
        await asyncio.sleep(0.05)
    raise AssertionError("it was never there")
