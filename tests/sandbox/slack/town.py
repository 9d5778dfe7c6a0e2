"""An app of three lines in front of a whole world: it keeps what Slack sends and answers what a test tells it to."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.world import World
from tests.acceptance.conftest import three_free_ports
from tests.clock import a_clock

Json = dict[str, Any]
ALICE, BJORN, GUEST = "U0ALICE01", "U0BJORN02", "U0GUEST19"


@dataclass
class Listener:
    """The app's end. `answers`: what the next requests get, first things first; then 200 and nothing."""

    events: list[Json] = field(default_factory=list)
    headers: list[Json] = field(default_factory=list)
    payloads: list[Json] = field(default_factory=list)
    commands: list[dict[str, str]] = field(default_factory=list)
    answers: deque[Any] = field(default_factory=deque)
    delay: float = 0.0  # seconds it takes to answer

    async def receive(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay)
        if request.content_type == "application/json":
            self.headers.append(dict(request.headers))
            self.events.append(await request.json())
            return web.Response()
        form = {name: values[0] for name, values in parse_qs(await request.text(), keep_blank_values=True).items()}
        if "payload" in form:
            self.payloads.append(json.loads(form["payload"]))
        else:
            self.commands.append(form)
        answer = self.answers.popleft() if self.answers else None
        return web.Response() if answer is None else web.json_response(answer)

    def told(self, kind: str) -> list[Json]:
        """The events of a type, without their envelopes."""
        return [each["event"] for each in self.events if each["event"]["type"] == kind]


@dataclass
class Town:
    """The world, the app's end of it, and Slack's official client."""

    world: World
    app: Listener
    client: AsyncWebClient

    async def control(self, path: str, **body: Any) -> Json:
        """Use a control handle; its answer with the `status`."""
        url = f"{self.world.slack.base_url}/control/{path}"
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as response:
            return {"status": response.status, **await response.json()}

    async def happens(self, kind: str, **more: Any) -> Json:
        """Let something happen; it must be accepted."""
        answer = await self.control("event", type=kind, **more)
        assert answer["status"] == 200, answer
        return answer

    async def modal(self, user: str, blocks: list[Json], **more: Any) -> Json:
        """Open a modal for somebody who has just typed a command."""
        await self.control("command", user=user, channel="dm", command="/billing", text="")
        view = {
            "type": "modal",
            "callback_id": "test",
            "title": plain("A modal"),
            "submit": plain("Go"),
            "blocks": blocks,
            **more,
        }
        opened: Any = await self.client.views_open(trigger_id=self.app.commands[-1]["trigger_id"], view=view)
        shown: Json = opened["view"]
        return shown

    def stack(self, user: str) -> list[Json]:
        return self.world.slack.state.views.get(user, [])


@asynccontextmanager
async def open_town(folder: Path) -> AsyncIterator[Town]:
    """A world on free ports with the small app installed everywhere, closed afterwards."""
    clock, app = a_clock(folder), Listener()
    port = three_free_ports()
    world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock)
    site = web.Application()
    site.router.add_post("/slack/events", app.receive)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=1)
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


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field_of(element: Json, **more: Any) -> Json:
    """An input block named `b` around an element named `e`."""
    return {"type": "input", "block_id": "b", "label": plain("Field"), "element": {"action_id": "e", **element}, **more}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}
