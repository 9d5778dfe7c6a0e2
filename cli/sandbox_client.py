"""A hand on the sandbox's controls, over HTTP: what the tour and the acceptance tests act and look with."""

import asyncio
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

Json = dict[str, Any]
_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")


class SandboxError(Exception):
    """The sandbox refused a control, or said something unexpected."""


@dataclass(frozen=True)
class Person:
    """Somebody in the sandbox's cast."""

    id: str
    name: str
    locale: str
    workspace: str


class SandboxClient:
    """One running sandbox; `slack` is the address of its page. Use as an async context manager."""

    def __init__(self, slack: str) -> None:
        self.slack = slack.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session, for what has no verb here."""
        assert self._session is not None, "use it as an async context manager"
        return self._session

    async def get(self, path: str, **query: str) -> Any:
        """GET a control handle; its JSON. Raises SandboxError."""
        async with self.session.get(f"{self.slack}{path}", params=query) as response:
            return await _json(response)

    async def get_from(self, base: str, path: str) -> Any:
        """GET a handle of another of the sandbox's servers; its JSON. Raises SandboxError."""
        async with self.session.get(f"{base}{path}") as response:
            return await _json(response)

    async def settled(self) -> None:
        """Wait until everything that has begun is done, everywhere."""
        await self.move_clock(days=0)

    async def handle_of(self, who: Person) -> str:
        """How somebody is mentioned: their handle, without the @."""
        for workspace in (await self.state())["workspaces"]:
            for user in workspace["users"]:
                if user["id"] == who.id:
                    return str(user["name"])
        raise SandboxError(f"{who.id} is not here")

    async def post(self, path: str, base: str | None = None, **body: Any) -> Any:
        """POST JSON to a control handle (of `base` instead of Slack's server); its JSON. Raises SandboxError."""
        async with self.session.post(f"{base or self.slack}{path}", json=body) as response:
            return await _json(response)

    async def state(self) -> Json:
        """Everything: people, channels, addresses, credentials."""
        state: Json = await self.get("/control/state")
        return state

    async def stripe_url(self) -> str:
        """Where the local Stripe answers."""
        return str((await self.state())["urls"]["stripe"])

    async def people(self, workspace: int = 0) -> list[Person]:
        """The counted members of a workspace: active, human, no guests."""
        found = (await self.state())["workspaces"][workspace]
        return [
            Person(user["id"], user["real_name"], user["locale"], found["id"])
            for user in found["users"]
            if not (user["is_bot"] or user["deleted"] or user["is_restricted"])
        ]

    async def command(self, who: Person, command: str, text: str = "", channel: str | None = None) -> Json:
        """Type a slash command; the handle answers when what it caused has happened."""
        place = channel or await self.common_channel(who)
        result: Json = await self.post("/control/command", user=who.id, channel=place, command=command, text=text)
        return result

    async def common_channel(self, who: Person) -> str:
        """A channel the person is in."""
        for workspace in (await self.state())["workspaces"]:
            for channel in workspace["channels"]:
                if who.id in channel["members"]:
                    return str(channel["id"])
        raise SandboxError(f"{who.name} is in no channel")

    async def messages(self, who: Person, channel: str | None = None) -> list[Json]:
        """What the person sees in a channel, oldest first; their DM with the app without one."""
        query = {"user": who.id} | ({"channel": channel} if channel else {"channel": "dm"})
        found: list[Json] = (await self.get("/control/messages", **query))["messages"]
        return found

    async def said_to(self, who: Person, channel: str | None = None) -> list[Json]:
        """What only this person was shown in a channel: ephemeral messages, oldest first."""
        place = channel or await self.common_channel(who)
        return [message for message in await self.messages(who, place) if message.get("ephemeral")]

    async def views(self, who: Person) -> list[Json]:
        """The person's open modals, root first."""
        stack: list[Json] = (await self.get("/control/views", user=who.id))["stack"]
        return stack

    async def home(self, who: Person) -> Json:
        """The person's App Home, opened anew."""
        await self.post("/control/open_home", user=who.id)
        view: Json = (await self.get("/control/views", user=who.id))["home"]
        return view

    async def act(self, who: Person, action_id: str, **where: Any) -> Json:
        """Press a button or make a choice: `value`, and `channel`+`message_ts` or `view_id`."""
        result: Json = await self.post("/control/action", user=who.id, action_id=action_id, **where)
        return result

    async def press(self, who: Person, message: Json, action_id: str, channel: str | None = None, **more: Any) -> Json:
        """Press the button with that action id on a message."""
        place = channel or await self.common_channel(who)
        return await self.act(who, action_id, channel=place, message_ts=message["ts"], **more)

    async def submit(self, who: Person, view: Json, values: Json | None = None) -> Json:
        """Submit a modal, with `values` {block_id: {action_id: value}} filled in first."""
        result: Json = await self.post("/control/submit", user=who.id, view_id=view["id"], values=values or {})
        return result

    async def move_clock(self, **how: Any) -> Json:
        """`days=…` or `until="next_renewal"`: Slack, Stripe and Kassör move together."""
        result: Json = await self.post("/control/clock", **how)
        return result

    async def wait_until_ready(self, seconds: float) -> None:
        """Wait for a sandbox to answer and to have Kassör installed. Raises SandboxError when it takes longer."""
        for _ in range(max(1, int(seconds * 5))):
            try:
                if (await self.state()).get("ready"):
                    return
            except (aiohttp.ClientError, SandboxError, TimeoutError):
                pass
            await asyncio.sleep(0.2)
        raise SandboxError(f"no sandbox is ready at {self.slack}")


async def _json(response: aiohttp.ClientResponse) -> Any:
    text = await response.text()
    if response.status >= 400:
        raise SandboxError(f"{response.method} {response.url.path} answered {response.status}: {text[:500]}")
    return await response.json(content_type=None)


def texts(message: Json) -> str:
    """Every text in a message or view, joined: fallback, blocks, fields, buttons. Dates that Slack draws are spelled out."""
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.extend(part[key] for key in ("text", "alt_text") if isinstance(part.get(key), str))
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(message)
    return _DATE.sub(r"\1", "\n".join(found))


def elements(message: Json) -> list[Json]:
    """Every interactive element of a message or view, in order, each with its `block_id`."""
    found: list[Json] = []
    for block in message.get("blocks") or []:
        parts = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        found += [
            part | {"block_id": block.get("block_id")}
            for part in parts
            if isinstance(part, dict) and part.get("action_id")
        ]
    return found


def element(message: Json, action_id: str) -> Json:
    """The element with that action id. Raises SandboxError naming what is there instead."""
    for candidate in elements(message):
        if candidate["action_id"] == action_id:
            return candidate
    there = ", ".join(candidate["action_id"] for candidate in elements(message)) or "nothing to press"
    raise SandboxError(f"no {action_id} here; there is {there}. Text: {texts(message)[:300]}")
