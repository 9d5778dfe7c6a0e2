"""What Slack sends to the app: commands, interactions and events, over HTTP and signed or, with Socket Mode on, by WebSocket."""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.cast import Workspace
from sandbox.journal import Exchange, Journal
from sandbox.slack.faults import Faults
from sandbox.slack.sockets import Sockets
from sandbox.slack.state import APP_ID, SlackState

Json = dict[str, Any]
ACK_SECONDS = 3.0
EVENT_TRIES = 3


@dataclass
class Ack:
    """How the app answered: the status is 0 when it didn't in time."""

    status: int
    body: str
    ms: int

    @property
    def ok(self) -> bool:
        """Answered 200 within three seconds."""
        return self.status == 200

    def json(self) -> Json:
        """The body as JSON, {} for an empty or other one."""
        try:
            found = json.loads(self.body) if self.body else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Sender:
    """Signs and delivers to `{app_url}/slack/events`."""

    def __init__(
        self,
        state: SlackState,
        journal: Journal,
        app_url: str,
        signing_secret: str,
        base_url: str,
        *,
        faults: Faults,
        sockets: Sockets | None = None,
        subscribed: Collection[str] | None = None,
    ) -> None:
        self.state = state
        self._faults = faults
        self._sockets = sockets  # given: Socket Mode is on in the app's manifest, and nothing goes over HTTP
        self._subscribed = subscribed  # the event types in the app's manifest; None: all of them
        self._late: list[
            tuple[float, Json]
        ] = []  # when (seconds of the world's time), what: events that took their time
        self.app_url = app_url
        self.base_url = base_url
        self._journal = journal
        self._secret = signing_secret.encode()
        self._session: aiohttp.ClientSession | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        """Give up what is still being delivered, and close."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _send(self, kind: str, payload: Json, retry: tuple[int, str] = (0, "")) -> Ack:
        """Deliver a `kind` of Socket Mode's names, whichever way the app is reached."""
        if self._sockets is not None:
            return await self._hand_over(self._sockets, kind, payload, retry)
        if kind == "events_api":
            headers = {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]} if retry[0] else {}
            return await self._post(json.dumps(payload), "application/json", headers)
        form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        return await self._post(urlencode(form), "application/x-www-form-urlencoded", {})

    async def _hand_over(self, sockets: Sockets, kind: str, payload: Json, retry: tuple[int, str]) -> Ack:
        started = time.perf_counter()
        answer = await sockets.send(kind, payload, retry, ACK_SECONDS)
        seconds = time.perf_counter() - started
        ack = Ack(0, "", round(seconds * 1000))
        if answer is not None:
            ack = Ack(200, json.dumps(answer) if answer else "", ack.ms)
        exchange = Exchange(
            *("slack", "kassor", "SOCKET", kind, {}, json.dumps(payload), ack.status, ack.body, seconds),
        )
        exchange.note = f"retry {retry[0]}: {retry[1]}" if retry[0] else ""
        self._journal.record(exchange)
        return ack

    async def _post(self, body: str, content_type: str, headers: dict[str, str]) -> Ack:
        assert self._session is not None
        stamp = str(int(time.time()))  # a signature's time is the wire's, not the world's
        digest = hmac.new(self._secret, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **headers,
        }
        url = f"{self.app_url}/slack/events"
        started = time.perf_counter()
        try:
            async with self._session.post(
                url, data=body.encode(), headers=sent, timeout=aiohttp.ClientTimeout(total=ACK_SECONDS)
            ) as response:
                ack = Ack(response.status, await response.text(), 0)
        except (aiohttp.ClientError, TimeoutError):
            ack = Ack(0, "", 0)
        seconds = time.perf_counter() - started
        ack.ms = round(seconds * 1000)
        self._journal.record(Exchange("slack", "kassor", "POST", url, sent, body, ack.status, ack.body, seconds))
        return ack

    # --- commands ---

    async def command(
        self, workspace: Workspace, user_id: str, channel: str, command: str, text: str
    ) -> tuple[Ack, str]:
        """Deliver a slash command; returns the ack and the response address's key."""
        user = workspace.users[user_id]
        key = self.state.new_response_url(user_id, channel)
        place = workspace.channels.get(channel)
        form = {
            "token": "verification-token",
            "team_id": workspace.id,
            "team_domain": workspace.domain,
            "channel_id": channel,
            "channel_name": "directmessage" if place is None else "privategroup" if place.is_private else place.name,
            "user_id": user_id,
            "user_name": user.name,
            "command": command,
            "text": escaped(text, workspace),
            "api_app_id": APP_ID,
            "is_enterprise_install": "true" if self.state.reached_by(workspace) else "false",
            "response_url": f"{self.base_url}/response/{key}",
            "trigger_id": self.state.new_trigger(user_id),
        }
        organisation = self.state.organisation_of(workspace)
        if organisation is not None:
            form |= {"enterprise_id": organisation.id, "enterprise_name": organisation.name}
        return await self._send("slash_commands", form), key

    # --- interactions ---

    async def interaction(self, workspace: Workspace, user_id: str, payload: Json) -> Ack:
        """Deliver an interaction; who, where from and a trigger are added here."""
        user = workspace.users[user_id]
        organisation, wide = self.state.organisation_of(workspace), self.state.reached_by(workspace) is not None
        team = {"id": workspace.id, "domain": workspace.domain}
        if organisation is not None:
            team |= {"enterprise_id": organisation.id, "enterprise_name": organisation.name}
        full = {
            "user": {"id": user_id, "username": user.name, "name": user.name, "team_id": workspace.id},
            "api_app_id": APP_ID,
            "token": "verification-token",
            "trigger_id": self.state.new_trigger(user_id),
            "team": None if wide else team,  # then only the person's own `team_id` says where they are
            "enterprise": {"id": organisation.id, "name": organisation.name} if organisation else None,
            "is_enterprise_install": wide,
            **payload,
        }
        if payload["type"] == "view_closed":  # nothing can be opened in answer to a view that is gone
            del full["trigger_id"]
        return await self._send("interactive", full)

    # --- events ---

    async def event(self, workspace: Workspace, event: Json) -> bool:
        """Deliver an event that the app subscribes to; a fault asked for may lose it, double it or make it late."""
        return await self._tell(self._envelope(workspace, event))

    async def _tell(self, body: Json) -> bool:
        event = body["event"]
        kind = event["type"] if event["type"] != "message" else f"message.{event['channel_type']}"
        if self._subscribed is not None and kind not in self._subscribed:
            return True
        fault = self._faults.next_for(f"event:{event['type']}")
        if fault is not None and fault.kind == "drop":
            return True
        if fault is not None and fault.kind == "late":
            self._late.append((self.state.clock.now().timestamp() + fault.seconds, body))
            return True
        if fault is not None:  # the answer was lost on its way back: Slack sends the same event again
            await self._delivered(body)
            return await self._delivered(body, first=1)
        return await self._delivered(body)

    def next_late(self) -> datetime | None:
        """When the next event that was held up arrives."""
        return datetime.fromtimestamp(min(when for when, _ in self._late), UTC) if self._late else None

    async def deliver_late(self) -> None:
        """Deliver the events that were held up until now."""
        now = self.state.clock.now().timestamp()
        arrived = sorted((each for each in self._late if each[0] <= now), key=lambda each: each[0])
        self._late = [each for each in self._late if each[0] > now]
        for _, body in arrived:
            await self._delivered(body)

    def _envelope(self, workspace: Workspace, event: Json) -> Json:
        part_of = self.state.organisation_of(workspace)
        wide = self.state.reached_by(workspace) is not None
        named = {} if part_of is None else {"enterprise_id": part_of.id}
        return named | {
            "token": "verification-token",
            "team_id": workspace.id,
            "api_app_id": APP_ID,
            "event": {"event_ts": self.state.ts(), **event},
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(6).upper()}",
            "event_time": self.state.clock.timestamp(),
            "authorizations": [
                {
                    "enterprise_id": part_of.id if part_of else None,
                    "team_id": None if wide else workspace.id,
                    "user_id": workspace.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": wide,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{secrets.token_hex(12)}",
        }

    async def _delivered(self, body: Json, *, first: int = 0) -> bool:
        """Deliver, again when it isn't taken, as Slack does (sooner: nobody waits five minutes here)."""
        for number in range(first, EVENT_TRIES):
            reason = ("http_timeout" if first else "http_error") if self._sockets is None else "timeout"
            if (await self._send("events_api", body, (number, reason if number else ""))).ok:
                return True
            await asyncio.sleep(0.2 * (number + 1))
        return False

    def event_soon(self, workspace: Workspace, event: Json) -> None:
        """Deliver an event without waiting for it; nothing is sent to an app that is not installed."""
        if not workspace.installed:
            return
        body = self._envelope(workspace, event)  # as things are now: the install it tells of may be gone in a moment
        task = asyncio.create_task(self._quietly(body))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _quietly(self, body: Json) -> None:
        await self._tell(body)


def escaped(text: str, workspace: Workspace) -> str:
    """Command text as Slack sends it with *escape* on: known @names and #channels as ids, the rest escaped.

    What has the form of a mention already, such as `<@U0ALICE01>`, is one that somebody picked, and stays.
    """
    parts = re.split(r"(<(?:@[UW]|#C|!subteam\^S)[A-Z0-9]+(?:\|[^<>]*)?>)", text)
    parts[::2] = (each.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for each in parts[::2])
    text = "".join(parts)
    names: dict[str, str] = {}
    for user in workspace.users.values():
        names[user.name.lower()] = names[user.real_name.lower()] = f"<@{user.id}|{user.name}>"
    for group in workspace.usergroups.values():
        names[group.handle.lower()] = f"<!subteam^{group.id}|@{group.handle}>"
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    text = re.sub(rf"(?<![<\w])@({pattern})\b", lambda found: names[found[1].lower()], text, flags=re.IGNORECASE)
    channels = {channel.name: channel for channel in workspace.channels.values()}

    def place(found: re.Match[str]) -> str:
        channel = channels.get(found[1])
        return f"<#{channel.id}|{channel.name}>" if channel else found[0]

    return re.sub(r"(?<![<\w])#([\w-]+)", place, text)
