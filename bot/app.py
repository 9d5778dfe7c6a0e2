"""Kassör in Slack: Bolt's app, its routes, and the outbox. Requests are verified before anything in them is read."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from tortoise.expressions import Q

from bot import listeners, organisation, reading
from bot.client import Client
from bot.delivery import Outbox
from bot.installations import Authorize, Installations
from bot.installing import Installing
from bot.socket import SocketMode
from domain import clock, outbox, queue
from domain.desk import Desk
from domain.queue import QueueState
from domain.records import Notice, Workspace
from domain.rules.refusals import WorkspaceBeingRead

log = logging.getLogger("kassor.bot")
TIMEOUT = 8  # seconds a call to Slack may take
LARGEST = 1024 * 1024  # bytes; Slack's requests stay well below
SLOWEST = 10.0  # seconds to send a body in
GOODBYE = 4.0  # seconds for listeners still at it when the process stops
READING = 1.5  # seconds to wait for a workspace that is being read


class BotApp:
    """The bot: made inside a running event loop, closed with `close()`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.session = aiohttp.ClientSession(
            # As many connections as there may be calls: those that hang must not keep the others from theirs.
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        )
        self._client = self.speaking(None)
        self.installations = Installations(desk.settings, self._client, self.installed)
        self._verifier = SignatureVerifier(desk.settings.slack_signing_secret)
        self._installing = (
            Installing(desk.settings, self._client, self.installations) if desk.settings.slack_client_id else None
        )
        self._app = AsyncApp(
            client=self._client,
            # Ours, and the flow beside it, are both given: left alone, Bolt reads the environment and keeps tokens in files.
            authorize=Authorize(self.installations),  # type: ignore[arg-type]  # Bolt takes an AsyncAuthorize too
            oauth_flow=self._installing.flow if self._installing is not None else None,
            signing_secret=desk.settings.slack_signing_secret,
            request_verification_enabled=False,  # done in `_slack`, before the body is parsed or could be logged
        )
        self._outbox = Outbox(self)
        self._under_way = 0
        self._reading: dict[str, asyncio.Task[None]] = {}
        listeners.register(self._app, self)

    async def close(self) -> None:
        """Let go of the connections, once what was acknowledged has come to its end: nobody is to read "one moment" for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                while self._under_way:  # noqa: ASYNC110 - nothing rings when a listener is done
                    await asyncio.sleep(0.02)
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)
        await self._outbox.close()
        await self.session.close()

    # --- what runs ---

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While a listener runs, also after it has acknowledged."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def idle(self) -> bool:
        """Whether nothing is being handled right now."""
        quiet = self._under_way == 0 and self._outbox.idle()
        return quiet and all(task.done() for task in self._reading.values())

    async def run_delivery(self, stop: asyncio.Event) -> None:
        """Send what is due until `stop` is set."""
        await self._outbox.run(stop)

    async def run_socket(self, stop: asyncio.Event) -> None:
        """Where there is an app-level token, hold a connection to Slack until `stop` is set."""
        if self.desk.settings.slack_app_token is not None:
            await SocketMode(self, self.desk.settings.slack_app_token).run(stop)

    async def run_reading(self, stop: asyncio.Event) -> None:
        """Read every workspace's people again once a day, until `stop` is set (P2)."""
        await reading.run(self, stop)

    async def read_due(self) -> int:
        """Read the workspaces that are due now; returns how many."""
        return await reading.read_due(self)

    async def client_for(self, team_id: str) -> AsyncWebClient | None:
        """A client that speaks in a workspace; None where Kassör isn't installed."""
        access = await self.installations.access(team_id)
        if access is None:
            return None
        return self.speaking(access.token)

    def speaking(self, token: str | None) -> Client:
        """A client that speaks with a token."""
        return Client(
            token=token,
            base_url=self.desk.settings.slack_api_url,
            timeout=TIMEOUT,
            session=self.session,
            retry_handlers=[],
        )

    # --- getting to know a workspace ---

    def read_soon(self, team_id: str) -> asyncio.Task[None]:
        """Read who is in a workspace, once at a time."""
        running = self._reading.get(team_id)
        if running is None or running.done():
            running = asyncio.create_task(self._read(team_id), name=f"read {team_id}")
            self._reading[team_id] = running
        return running

    async def _read(self, team_id: str) -> None:
        client = await self.client_for(team_id)
        if client is None:
            return
        try:
            await reading.read(self.desk, client, team_id)
        except Exception:
            log.exception("who is in %s could not be read; it is tried again when somebody asks", team_id)

    async def wait_until_read(self, team_id: str) -> None:
        """Wait a moment for a workspace that has just been installed. Raises WorkspaceBeingRead when it takes longer."""
        known = await Workspace.get_or_none(id=team_id)
        if known is not None and known.members_read_at is not None:
            return
        if self.installations.is_single:
            await self.installations.own()
        await asyncio.wait({self.read_soon(team_id)}, timeout=READING)
        known = await Workspace.get_or_none(id=team_id)
        if known is None or known.members_read_at is None:
            raise WorkspaceBeingRead

    async def installed(self, team_id: str) -> None:
        """Kassör was (re)installed: read the people, and send what waited (P3)."""
        self.read_soon(team_id)
        self._outbox.forget(team_id)
        await outbox.resume(team_id)
        # A desk's channel may be in this workspace; what was refused there keeps its own time, however many others install it.
        own_or_a_desks = Q(workspace_id=team_id) | Q(channel__isnull=False, attempts=0)
        await Notice.filter(own_or_a_desks, state=QueueState.QUEUED).update(available_at=clock.now())
        queue.nudge(Notice)

    # --- routes ---

    def routes(self) -> list[web.RouteDef]:
        """`/slack/events` for everything Slack sends, and those of an installation by OAuth."""
        found = [web.post("/slack/events", self._slack)]
        if self._installing is not None:
            found += self._installing.routes()
        return found

    async def _slack(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > LARGEST:
            return web.json_response({"error": f"a request is at most {LARGEST} bytes"}, status=413)
        try:
            async with asyncio.timeout(SLOWEST):
                body = await request.read()
        except TimeoutError:
            return web.json_response({"error": f"the body took more than {SLOWEST:.0f} s"}, status=408)
        if len(body) > LARGEST:
            return web.json_response({"error": f"a request is at most {LARGEST} bytes"}, status=413)
        if not self._is_slacks(body, request):
            log.warning("a request without Slack's signature was refused")
            return web.json_response({"error": "invalid signature"}, status=401)
        try:
            asked = AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=dict(request.headers))
        except ValueError:  # UnicodeDecodeError and JSONDecodeError are
            return web.json_response({"error": "the body can't be read"}, status=400)
        return await to_aiohttp_response(await self.dispatch(asked))

    async def dispatch(self, asked: AsyncBoltRequest) -> BoltResponse:
        """Let the listeners answer what Slack sent, whichever way it came; it is known to be Slack's."""
        workspace = organisation.workspace_in(asked.body)
        if workspace is not None:
            asked.context["team_id"] = asked.context["actor_team_id"] = workspace
        with self.busy():
            return await self._app.async_dispatch(asked)

    def _is_slacks(self, body: bytes, request: web.Request) -> bool:
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(body=body, timestamp=stamp, signature=signature)
        except UnicodeDecodeError:
            return False


def make_app(desk: Desk) -> BotApp:
    """The bot of a desk."""
    return BotApp(desk)
