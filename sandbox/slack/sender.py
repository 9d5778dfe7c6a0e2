"""What Slack sends to the app: signed commands, interactions and events, over real HTTP, as Slack sends them."""

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.cast import Workspace
from sandbox.journal import Exchange, Journal
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

    def __init__(self, state: SlackState, journal: Journal, app_url: str, signing_secret: str, base_url: str) -> None:
        self.state = state
        self.app_url = app_url
        self.base_url = base_url
        self._journal = journal
        self._secret = signing_secret.encode()
        self._session: aiohttp.ClientSession | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.drops: Callable[[str], bool] = lambda _: False  # events that get lost on the way

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

    async def _post(self, body: str, content_type: str, headers: dict[str, str] | None = None) -> Ack:
        assert self._session is not None
        stamp = str(int(time.time()))  # a signature's time is the wire's, not the world's
        digest = hmac.new(self._secret, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **(headers or {}),
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
            "channel_name": place.name if place else "directmessage",
            "user_id": user_id,
            "user_name": user.name,
            "command": command,
            "text": escaped(text, workspace),
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": f"{self.base_url}/response/{key}",
            "trigger_id": self.state.new_trigger(user_id),
        }
        return await self._post(urlencode(form), "application/x-www-form-urlencoded"), key

    # --- interactions ---

    async def interaction(self, workspace: Workspace, user_id: str, payload: Json) -> Ack:
        """Deliver an interaction; who, where from and a trigger are added here."""
        user = workspace.users[user_id]
        full = {
            "user": {"id": user_id, "username": user.name, "name": user.name, "team_id": workspace.id},
            "api_app_id": APP_ID,
            "token": "verification-token",
            "trigger_id": self.state.new_trigger(user_id),
            "team": {"id": workspace.id, "domain": workspace.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            **payload,
        }
        return await self._post(urlencode({"payload": json.dumps(full)}), "application/x-www-form-urlencoded")

    # --- events ---

    async def event(self, workspace: Workspace, event: Json) -> bool:
        """Deliver an event, again when it isn't taken, as Slack does (sooner: nobody waits five minutes here)."""
        envelope = {
            "token": "verification-token",
            "team_id": workspace.id,
            "api_app_id": APP_ID,
            "event": {"event_ts": self.state.ts(), **event},
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(6).upper()}",
            "event_time": self.state.clock.timestamp(),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.id,
                    "user_id": workspace.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        body = json.dumps(envelope)
        for number in range(EVENT_TRIES):
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_error"} if number else {}
            if (await self._post(body, "application/json", headers)).ok:
                return True
            await asyncio.sleep(0.2 * (number + 1))
        return False

    def event_soon(self, workspace: Workspace, event: Json) -> None:
        """Deliver an event without waiting for it."""
        if not workspace.installed or self.drops(event["type"]):
            return
        task = asyncio.create_task(self._quietly(workspace, event))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _quietly(self, workspace: Workspace, event: Json) -> None:
        await self.event(workspace, event)


def escaped(text: str, workspace: Workspace) -> str:
    """Command text as Slack sends it with *escape* on: known @names and #channels as ids, the rest escaped."""
    text = re.sub(r"<(?![@#!])", "&lt;", text.replace("&", "&amp;") if "<" not in text else text)
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
