"""A Stripe account of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe
from aiohttp import web

from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.stripe.server import StripeServer
from tests.sandbox.stripe.shop import KEY, SECRET, Endpoint, Shop, free_port


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    clock, journal, endpoint = WorldClock(tmp_path / "clock"), Journal(), Endpoint()
    port, hook = free_port(), free_port()
    app = web.Application()
    app.router.add_post("/stripe/webhooks", endpoint.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", hook).start()
    server = StripeServer(clock=clock, journal=journal, port=port, api_key=KEY)
    await server.start()
    server.add_webhook_endpoint(f"http://127.0.0.1:{hook}/stripe/webhooks", SECRET)
    http = stripe.AIOHTTPClient()
    client = stripe.StripeClient(KEY, base_addresses={"api": server.base_url}, http_client=http, max_network_retries=0)
    try:
        yield Shop(server, clock, client, endpoint, journal)
    finally:
        await http.close_async()
        await server.stop()
        await runner.cleanup()
        clock.close()
