"""Which permissions Slack asks for: a method's, by the kind of place that is asked about; an event is only sent to who has one."""

from collections.abc import Collection
from typing import Any

from sandbox.cast import Workspace
from sandbox.slack.state import SlackError

_KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}  # `types` → scopes
_PLACES = ("channels:read", "groups:read", "im:read", "mpim:read")
METHODS: dict[str, tuple[str, ...]] = {
    "users.list": ("users:read",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "users.conversations": _PLACES,
    "conversations.list": _PLACES,
    "conversations.info": _PLACES,
    "conversations.members": _PLACES,
    "conversations.open": ("im:write", "mpim:write", "channels:manage", "groups:write"),
    "conversations.join": ("channels:join",),
    "conversations.history": ("im:history", "channels:history", "groups:history", "mpim:history"),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "team.info": ("team:read",),
    "bots.info": ("users:read",),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.info": ("files:read",),
    "files.list": ("files:read",),
}
EVENTS: dict[str, tuple[str, ...]] = {
    "team_join": ("users:read",),
    "user_change": ("users:read",),
    "team_rename": ("team:read",),
    "subteam_created": ("usergroups:read",),
    "subteam_updated": ("usergroups:read",),
    "subteam_members_changed": ("usergroups:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    **dict.fromkeys(
        ("channel_rename", "channel_archive", "channel_unarchive", "channel_deleted", "channel_left"),
        ("channels:read",),
    ),
    **dict.fromkeys(
        ("group_rename", "group_archive", "group_unarchive", "group_deleted", "group_left"), ("groups:read",)
    ),
}


def check(method: str, granted: Collection[str] | None, kinds: Collection[str] = ()) -> None:
    """Raises SlackError missing_scope. `granted` is None for an app that was never installed by OAuth: it may everything.

    `kinds`: what `kinds_of` says of the call. Each of them needs its own scope; without any, one of the method's is enough.
    """
    if granted is None:
        return
    any_of = METHODS.get(method, ())
    own = [scope for scope in any_of if scope.partition(":")[0] in kinds]
    missing = [scope for scope in own if scope not in granted]
    if missing or (any_of and not own and not set(any_of) & set(granted)):
        needed = ",".join(missing or any_of)
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(granted)))


def kinds_of(workspace: Workspace, method: str, arguments: dict[str, Any]) -> set[str]:
    """What scopes call the places that a call asks about: `channels`, `groups` (private ones), `im`; empty when it names none."""
    if method in {"conversations.list", "users.conversations"}:
        types = str(arguments.get("types") or "public_channel").split(",")
        return {_KINDS[each.strip()] for each in types if each.strip() in _KINDS}
    if method == "conversations.open":
        return {"mpim" if "," in str(arguments.get("users")) else "im"}
    channel = str(arguments.get("channel") or "")
    if channel.startswith("D"):
        return {"im"}
    place = workspace.channels.get(channel)
    return set() if place is None else {"groups" if place.is_private else "channels"}
