"""`/metrics`: what an operator watches, for nobody else, and nothing personal in it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web

from domain import clock
from domain.config import Settings
from domain.inbox import Arrival, Inbox
from domain.queue import QueueState
from domain.records import Event
from tests.sandbox.stripe.shop import free_port
from webhooks import metrics


@pytest.fixture
async def url(database: str, settings: Settings) -> AsyncIterator[str]:
    del database
    app = web.Application()
    app.add_routes(metrics.routes(replace(settings, api_tokens=("token-1", "token-2"))))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/metrics"
    await runner.cleanup()


async def ask(url: str, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text()


async def test_depth_age_and_what_is_buried_are_told(url: str) -> None:
    async with Inbox() as inbox:
        await inbox.store([Arrival(f"evt_{n}", "x", clock.now(), '{"secret": 1}', "cus_1") for n in range(5)])
    await Event.filter(id="evt_0").update(state=QueueState.BURIED)
    status, text = await ask(url, "token-2")
    assert status == 200
    assert 'kassor_queue_items{queue="inbox",state="due"} 4.0' in text
    assert 'kassor_queue_items{queue="inbox",state="buried"} 1.0' in text
    assert 'kassor_queue_oldest_due_seconds{queue="inbox"}' in text
    assert "cus_1" not in text
    assert "evt_" not in text


@pytest.mark.parametrize("token", [None, "", "token", "token-3", "ö"])
async def test_without_one_of_the_tokens_nothing_is_told(url: str, token: str | None) -> None:
    status, text = await ask(url, token)
    assert status == 401
    assert "kassor_" not in text
