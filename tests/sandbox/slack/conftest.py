"""A Slack of its own for each test, with a small app that listens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import WorldClock
from sandbox.world import World
from tests.acceptance.conftest import three_free_ports
from tests.sandbox.slack.town import Listener, Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    clock, app = WorldClock(tmp_path / "clock"), Listener()
    port = three_free_ports()
    world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock)
    site = web.Application()
    site.router.add_post("/slack/events", app.receive)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port + 2).start()
    await world.start()
    for workspace in world.slack.state.workspaces.values():
        workspace.installed = True
    token = next(iter(world.slack.state.workspaces.values())).bot_token
    client = AsyncWebClient(token, base_url=f"{world.slack.base_url}/api/", retry_handlers=[])
    try:
        yield Town(world, app, client)
    finally:
        await world.stop()
        await runner.cleanup()
        clock.close()
