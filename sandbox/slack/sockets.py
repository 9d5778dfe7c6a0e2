"""Socket Mode as Slack has it: `apps.connections.open`, a WebSocket with a ticket, envelopes, and their acknowledgements."""

import asyncio
import itertools
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.slack.state import APP_ID, SlackError

Json = dict[str, Any]
MOST_CONNECTIONS = 10
TICKET_SECONDS = 30.0


@dataclass
class _Envelope:
    """Something sent that waits for its ack."""

    sent: float = field(default_factory=time.perf_counter)
    answer: asyncio.Future[Json] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Sockets:
    """The app's open connections. Each envelope goes to one of them; an ack may come by any."""

    def __init__(self, base_url: str, app_token: str) -> None:
        self._base = base_url.replace("http://", "ws://", 1)
        self._app_token = app_token
        self._tickets: dict[str, float] = {}
        self._open: list[web.WebSocketResponse] = []
        self._next = itertools.count()
        self._waiting: dict[str, _Envelope] = {}
        self._losing = 0
        self._arrived = asyncio.Event()
        self.opened = 0  # connections, ever

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def connections_open(self, token: str) -> Json:
        """`apps.connections.open`: an address that works once, soon. Raises SlackError for any but the app's own token."""
        if not token:
            raise SlackError("not_authed")
        if not token.startswith("xapp-"):
            raise SlackError("not_allowed_token_type")
        if not secrets.compare_digest(token, self._app_token):
            raise SlackError("invalid_auth")
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = time.monotonic()
        return {"ok": True, "url": f"{self._base}/link/?ticket={ticket}&app_id={APP_ID}"}

    async def link(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket: `hello`, envelopes out, acks in, until either side ends it."""
        made = self._tickets.pop(request.query.get("ticket", ""), None)
        if made is None or time.monotonic() - made > TICKET_SECONDS:
            return web.Response(status=403, text="invalid ticket")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._open) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": _DEBUG})
            await socket.close()
            return socket
        self._open.append(socket)
        self.opened += 1
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._open),
                "debug_info": _DEBUG | {"approximate_connection_time": 18060},
                "connection_info": {"app_id": APP_ID},
            }
        )
        self._arrived.set()
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._left(socket)
        return socket

    def _left(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        if not self._open:
            self._arrived.clear()

    def _acknowledged(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(said.get("envelope_id", "")) if isinstance(said, dict) else None
        if waiting is None or waiting.answer.done():
            return
        if self._losing:
            self._losing -= 1
            self.drop()
            return
        waiting.answer.set_result(said.get("payload") or {})

    async def send(self, kind: str, payload: Json, retry: tuple[int, str], within: float) -> Json | None:
        """Hand an envelope to one connection; what its ack carries, or None when none came `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._arrived.wait()
                socket = self._open[next(self._next) % len(self._open)]
                envelope_id, waiting = str(uuid.uuid4()), _Envelope()
                envelope: Json = {
                    "envelope_id": envelope_id,
                    "type": kind,
                    "payload": payload,
                    "accepts_response_payload": kind != "events_api",
                }
                if kind == "events_api":
                    envelope |= {"retry_attempt": retry[0], "retry_reason": retry[1]}
                self._waiting[envelope_id] = waiting
                try:
                    await socket.send_json(envelope)
                    return await waiting.answer
                finally:
                    del self._waiting[envelope_id]
        except (TimeoutError, ConnectionError):
            return None

    # --- what goes wrong ---

    def lose_acks(self, number: int) -> None:
        """The connections break off when the next acks arrive, before they are read."""
        self._losing = number

    def drop(self) -> None:
        """Break off every connection without a goodbye."""
        for socket in tuple(self._open):
            self._left(socket)
            transport = socket._req.transport if socket._req is not None else None  # noqa: SLF001 - no public way to be rude
            if transport is not None:
                transport.abort()

    async def refresh(self) -> None:
        """Ask the app to connect anew, as Slack does every few hours."""
        for socket in tuple(self._open):
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": _DEBUG})

    async def stop(self) -> None:
        """Close what is open."""
        for socket in tuple(self._open):
            await socket.close()


_DEBUG: Json = {"host": "applink-sandbox"}
