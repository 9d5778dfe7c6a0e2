"""What the local Slack remembers: messages, views, files, triggers and response addresses. Plain data and small verbs."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox import cast
from sandbox.cast import Organisation, User, Workspace
from sandbox.clock import WorldClock

Json = dict[str, Any]
TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


class SlackError(Exception):
    """An API call that Slack would refuse: `error` is its code, `messages` what it says in response_metadata."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.more = more


@dataclass
class Trigger:
    """A trigger_id: works once, for three seconds of real time."""

    user: str
    made: float = field(default_factory=time.monotonic)
    used: bool = False


@dataclass
class ResponseUrl:
    """A response_url: five uses in half an hour of real time."""

    user: str
    channel: str
    message_ts: str | None
    made: float = field(default_factory=time.monotonic)
    uses: int = 0


@dataclass
class Upload:
    """A file on its way: announced, then received."""

    id: str
    name: str
    length: int
    content: bytes = b""


class SlackState:
    """Everything there is in the local Slack."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.workspaces: dict[str, Workspace] = cast.workspaces()
        self.organisations: dict[str, Organisation] = {}
        self.dms: dict[str, str] = {}  # user id → DM channel id with the app
        self.talks: dict[str, str] = {}  # two people's ids, sorted → their DM channel id
        self.messages: dict[str, list[Json]] = {}  # channel id → messages, oldest first
        self.views: dict[str, list[Json]] = {}  # user id → modal stack, root first
        self.homes: dict[str, Json] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.uploads: dict[str, Upload] = {}
        self.files: dict[str, Json] = {}
        self.file_contents: dict[str, bytes] = {}
        self.granted: dict[str, frozenset[str]] = {}  # who allowed it → the scopes, where OAuth was walked
        self.codes: dict[str, str] = {}  # OAuth code → the workspace's or organisation's id
        self.expiring: dict[str, tuple[str, float]] = {}  # rotating bot tokens → whose, until when (the world's time)
        self.revoked: dict[str, str] = {}  # dead bot tokens → what Slack says to who uses one
        self._number = 0  # the last one given
        self._last_ts = 0.0
        self.changes = 0
        self._listeners: set[asyncio.Event] = set()

    # --- small things ---

    def changed(self) -> None:
        """Something a page shows has changed."""
        self.changes += 1
        for listener in self._listeners:
            listener.set()

    def listen(self) -> asyncio.Event:
        """An event that is set at each change; hand it back to `unlisten`."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def unlisten(self, event: asyncio.Event) -> None:
        """Stop telling this one."""
        self._listeners.discard(event)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def new_id(self, prefix: str) -> str:
        """A Slack-like id, never the same twice."""
        return f"{prefix}{self._next():06d}{secrets.token_hex(2).upper()}"

    def ts(self) -> str:
        """A message timestamp in the world's time, always later than the last."""
        self._last_ts = max(self.clock.now().timestamp(), self._last_ts + 0.000_001)
        return f"{self._last_ts:.6f}"

    # --- who and where ---

    def user(self, user_id: str) -> User:
        """Raises SlackError user_not_found."""
        for workspace in self.workspaces.values():
            if user_id in workspace.users:
                return workspace.users[user_id]
        raise SlackError("user_not_found")

    def workspace_of(self, user_id: str) -> Workspace:
        """The workspace a person is in."""
        return self.workspaces[self.user(user_id).team_id]

    def places(self) -> list[Workspace | Organisation]:
        """Where an app can be installed."""
        return [*self.workspaces.values(), *self.organisations.values()]

    def organisation_of(self, workspace: Workspace) -> Organisation | None:
        """The organisation that a workspace is part of."""
        return next((each for each in self.organisations.values() if workspace.id in each.workspaces), None)

    def reached_by(self, workspace: Workspace) -> Organisation | None:
        """The organisation by whose install the app is in a workspace; None where it is there by one of its own, or not at all."""
        found = self.organisation_of(workspace)
        return found if found is not None and found.installed and workspace.id in found.admitted else None

    def by_token(self, token: str) -> Workspace | Organisation:
        """Whose bot token it is. Raises SlackError."""
        if token in self.revoked:
            raise SlackError(self.revoked[token])
        if token in self.expiring:
            whose, until = self.expiring[token]
            if self.clock.now().timestamp() >= until:
                raise SlackError("token_expired")
            return self.organisations.get(whose) or self.workspaces[whose]
        for each in self.places():
            if secrets.compare_digest(each.bot_token.encode(), token.encode()):
                return each
        raise SlackError("invalid_auth")

    def dm(self, user_id: str) -> str:
        """The DM channel between a person and the app."""
        if user_id not in self.dms:
            self.dms[user_id] = self.new_id("D")
        return self.dms[user_id]

    def dm_owner(self, channel: str) -> str | None:
        """Whose DM with the app a channel is."""
        return next((user for user, dm in self.dms.items() if dm == channel), None)

    def between(self, one: str, other: str) -> str:
        """The DM channel of two people of one workspace; the app never hears of it. Raises SlackError user_not_found."""
        if other not in self.workspace_of(one).users:
            raise SlackError("user_not_found")
        pair = " ".join(sorted((one, other)))
        if pair not in self.talks:
            self.talks[pair] = self.new_id("D")
        return self.talks[pair]

    def latest(self, channel: str) -> str:
        """The ts of the last message that everybody there sees; empty when there is none."""
        seen = (message["ts"] for message in reversed(self.messages.get(channel, [])) if not message.get("ephemeral"))
        return next(seen, "")

    def place(self, workspace: Workspace, channel: str, *, posting: bool = False) -> str:
        """A channel's id from an id, a name or a user id (their DM). Raises SlackError channel_not_found, not_in_channel."""
        if channel in workspace.users:
            user = workspace.users[channel]
            if user.deleted:
                raise SlackError("user_disabled")
            return self.dm(channel)
        owner = self.dm_owner(channel)
        if owner is not None and self.user(owner).team_id == workspace.id:
            return channel
        for known in workspace.channels.values():
            if channel in {known.id, known.name, f"#{known.name}"}:
                if posting and known.is_archived:
                    raise SlackError("is_archived")
                if posting and workspace.bot_user_id not in known.members:
                    raise SlackError("not_in_channel")
                return known.id
        raise SlackError("channel_not_found")

    # --- messages ---

    def post(self, channel: str, message: Json) -> Json:
        """Add a message; gives it its ts."""
        message = {"type": "message", "ts": self.ts(), **message}
        for index, block in enumerate(message.get("blocks") or []):
            block.setdefault("block_id", f"b{index}{secrets.token_hex(2)}")
        self.messages.setdefault(channel, []).append(message)
        self.changed()
        return message

    def find(self, channel: str, ts: str) -> Json:
        """The message at that ts. Raises SlackError message_not_found."""
        for message in self.messages.get(channel, []):
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message. Raises SlackError message_not_found."""
        self.messages[channel].remove(self.find(channel, ts))
        self.changed()

    def seen_by(self, user_id: str, channel: str) -> list[Json]:
        """What a person sees in a channel: everything but other people's ephemeral messages."""
        return [
            message
            for message in self.messages.get(channel, [])
            if not message.get("ephemeral") or message.get("ephemeral_to") == user_id
        ]

    # --- triggers and response addresses ---

    def new_trigger(self, user_id: str) -> str:
        """A fresh trigger_id for something a person just did."""
        trigger = f"{int(time.time() * 1000)}.{self._next()}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(user_id)
        return trigger

    def use_trigger(self, trigger_id: str) -> str:
        """Whose it is; using it up. Raises SlackError invalid_trigger_id, expired_trigger_id, exchanged_trigger_id."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if time.monotonic() - trigger.made > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response_url(self, user_id: str, channel: str, message_ts: str | None = None) -> str:
        """A fresh response address's secret part."""
        key = secrets.token_urlsafe(24)
        self.response_urls[key] = ResponseUrl(user_id, channel, message_ts)
        return key

    def use_response_url(self, key: str) -> ResponseUrl:
        """What it belongs to; counting the use. Raises SlackError expired_url, used_url."""
        found = self.response_urls.get(key)
        if found is None or time.monotonic() - found.made > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if found.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        found.uses += 1
        return found

    # --- views ---

    def new_view(self, view: Json, user_id: str, root: str | None = None) -> Json:
        """A view as Slack gives it back: with ids, a hash and an empty state."""
        view_id = self.new_id("V")
        workspace = self.workspace_of(user_id)
        organisation = self.reached_by(workspace)
        full: Json = {
            "id": view_id,
            "team_id": workspace.id,
            "state": {"values": {}},
            "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
            "previous_view_id": None,
            "root_view_id": root or view_id,
            "app_id": APP_ID,
            "app_installed_team_id": organisation.id if organisation else workspace.id,
            "bot_id": workspace.bot_id,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
        } | view
        self.freshen(full)
        return full

    def freshen(self, view: Json) -> None:
        """Give a changed view a new hash, its blocks ids, and its state what is still on it (Slack keeps by block and action)."""
        view["hash"] = f"{int(time.time())}.{secrets.token_hex(4)}"
        kept = view["state"]["values"]
        values: Json = {}
        for index, block in enumerate(view.get("blocks") or []):
            block.setdefault("block_id", f"b{index}{secrets.token_hex(2)}")
            for element in stateful_elements(block):
                was = kept.get(block["block_id"], {}).get(element["action_id"])
                values.setdefault(block["block_id"], {})[element["action_id"]] = was or initial_state(element)
        view["state"] = {"values": values}
        self.changed()

    def view(self, view_id: str) -> tuple[str, Json]:
        """Whose view, and the view. Raises SlackError not_found."""
        for user_id, stack in self.views.items():
            for view in stack:
                if view["id"] == view_id or (view.get("external_id") and view["external_id"] == view_id):
                    return user_id, view
        for user_id, home in self.homes.items():
            if home["id"] == view_id:
                return user_id, home
        raise SlackError("not_found")


APP_ID = "A0KASSOR1"
APP_NAME = "Kassör"

_STATELESS = {"button", "overflow", "image", "workflow_button"}


def stateful_elements(block: Json) -> list[Json]:
    """The elements of a block that hold a choice."""
    parts = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
    return [
        part
        for part in parts
        if isinstance(part, dict) and part.get("action_id") and part.get("type") not in _STATELESS and "type" in part
    ]


_PICKED = {  # what an element of one choice is called in the state, and where it begins
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input"), ("value", "initial_value")
    ),
}


def initial_state(element: Json) -> Json:
    """What view.state says of an untouched element."""
    kind = element["type"]
    if kind == "checkboxes" or kind.startswith("multi_"):
        return {"type": kind} | _initial_many(element, kind)
    name, initial = _PICKED.get(kind, ("selected_option", "initial_option"))
    return {"type": kind, name: element.get(initial)}


def _initial_many(element: Json, kind: str) -> Json:
    for noun in ("users", "conversations", "channels"):
        if kind == f"multi_{noun}_select":
            return {f"selected_{noun}": element.get(f"initial_{noun}", [])}
    return {"selected_options": element.get("initial_options", [])}
