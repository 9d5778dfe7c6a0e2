"""What happens to people and to the app, and the events Slack sends about it (`POST /control/event`)."""

from collections.abc import Callable
from typing import Any

from sandbox.cast import Channel, User, UserGroup, Workspace
from sandbox.slack import shapes
from sandbox.slack.acting import ControlError
from sandbox.slack.sender import Sender
from sandbox.slack.state import SlackError, SlackState

Json = dict[str, Any]


class Happenings:
    """One verb an event type; each changes the world first, then tells the app."""

    def __init__(self, state: SlackState, sender: Sender) -> None:
        self.state, self.sender = state, sender
        self._verbs: dict[str, Callable[[Json], Json]] = {
            "member_joined": self._joined,
            "member_left": self._left,
            "deactivated": self._deactivated,
            "reactivated": self._reactivated,
            "became_guest": self._became_guest,
            "became_member": self._became_member,
            "profile_changed": self._profile,
            "team_changed": self._team_changed,
            "team_created": self._team_created,
            "team_disabled": self._team_disabled,
            "team_enabled": self._team_enabled,
            "channel_renamed": self._channel_renamed,
            "channel_archived": self._channel_archived,
            "channel_unarchived": self._channel_unarchived,
            "workspace_renamed": self._workspace_renamed,
            "app_uninstalled": self._uninstalled,
            "tokens_revoked": self._revoked,
        }

    def happen(self, request: Json) -> Json:
        """Let it happen. Raises ControlError."""
        verb = self._verbs.get(str(request.get("type")))
        if verb is None:
            raise ControlError(f"unknown type {request.get('type')!r}", f"one of {', '.join(sorted(self._verbs))}")
        outcome = verb(request)
        self.state.changed()
        return {"ok": True, **outcome}

    def _workspace(self, request: Json) -> Workspace:
        wanted = request.get("workspace") or next(iter(self.state.workspaces))
        if wanted not in self.state.workspaces:
            raise ControlError(f"there is no workspace {wanted!r}", f"one of {', '.join(self.state.workspaces)}", 404)
        return self.state.workspaces[wanted]

    def _user(self, request: Json) -> User:
        try:
            return self.state.user(str(request.get("user")))
        except SlackError:
            raise ControlError(
                f"there is no user {request.get('user')!r}", "GET /control/state lists them", 404
            ) from None

    def _channel(self, workspace: Workspace, request: Json) -> Channel:
        found = workspace.channels.get(str(request["channel"]))
        if found is None:
            raise ControlError(f"there is no channel {request['channel']!r}", "GET /control/state lists them", 404)
        return found

    def _home_of(self, request: Json) -> Workspace:
        """The workspace that has the channel."""
        channel = str(request.get("channel"))
        found = next((each for each in self.state.workspaces.values() if channel in each.channels), None)
        if found is None:
            raise ControlError(f"there is no channel {channel!r}", "GET /control/state lists them", 404)
        return found

    def _joined(self, request: Json) -> Json:
        if request.get("channel"):
            user = self._user(request)
            workspace = self._home_of(request)  # not the user's own when the channel is shared with another company
            channel = self._channel(workspace, request)
            if user.id not in channel.members:
                channel.members.append(user.id)
            kind = "G" if channel.is_private else "C"
            event = {"type": "member_joined_channel", "user": user.id, "channel": channel.id, "channel_type": kind}
            self.sender.event_soon(workspace, event | {"team": user.team_id})
            return {"user": user.id}
        workspace = self._workspace(request)
        number = len(workspace.users) + 1
        real_name = str(request.get("name") or f"New Person {number}")[:80]
        user = User(
            id=self.state.new_id("U"),
            team_id=workspace.id,
            name=f"{real_name.split()[0].lower()}{number}",
            real_name=real_name,
            email=f"person{number}@{workspace.domain}.example",
            locale=str(request.get("locale") or "en-US"),
            tz=str(request.get("tz") or "Europe/Stockholm"),
        )
        workspace.users[user.id] = user
        general = next(iter(workspace.channels.values()))
        general.members.append(user.id)
        self.sender.event_soon(workspace, {"type": "team_join", "user": shapes.user(user)})
        return {"user": user.id}

    def _left(self, request: Json) -> Json:
        if not request.get("channel"):
            return self._deactivated(request)
        user = self._user(request)
        workspace = self._home_of(request)
        channel = self._channel(workspace, request)
        if user.id in channel.members:
            channel.members.remove(user.id)
        kind = "G" if channel.is_private else "C"
        event = {"type": "member_left_channel", "user": user.id, "channel": channel.id, "channel_type": kind}
        self.sender.event_soon(workspace, event | {"team": user.team_id})
        return {"user": user.id}

    def _changed(self, user: User) -> Json:
        user.updated = self.state.clock.timestamp()
        workspace = self.state.workspaces[user.team_id]
        self.sender.event_soon(workspace, {"type": "user_change", "user": shapes.user(user)})
        return {"user": user.id}

    def _deactivated(self, request: Json) -> Json:
        user = self._user(request)
        user.deleted = True
        return self._changed(user)

    def _reactivated(self, request: Json) -> Json:
        user = self._user(request)
        user.deleted = False
        return self._changed(user)

    def _became_guest(self, request: Json) -> Json:
        user = self._user(request)
        user.is_restricted = True
        return self._changed(user)

    def _became_member(self, request: Json) -> Json:
        user = self._user(request)
        user.is_restricted = False
        return self._changed(user)

    def _profile(self, request: Json) -> Json:
        user = self._user(request)
        for name in ("real_name", "email", "locale", "tz"):
            if request.get(name):
                setattr(user, name, str(request[name])[:255])
        return self._changed(user)

    def _group(self, workspace: Workspace, request: Json) -> UserGroup:
        group = workspace.usergroups.get(str(request.get("usergroup")))
        if group is None:
            there = ", ".join(workspace.usergroups) or "none"
            raise ControlError(f"there is no user group {request.get('usergroup')!r}", f"there is: {there}", 404)
        return group

    def _team_changed(self, request: Json) -> Json:
        workspace = self._workspace(request)
        group = self._group(workspace, request)
        before = set(group.users)
        after = set(request.get("users", before)) | set(request.get("add", [])) - set(request.get("remove", []))
        after -= set(request.get("remove", []))
        unknown = after - set(workspace.users)
        if unknown:
            raise ControlError(
                f"not in the workspace: {', '.join(sorted(unknown))}", "GET /control/state lists users", 404
            )
        group.users = sorted(after)
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": workspace.id,
            "date_previous_update": self.state.clock.timestamp(),
            "date_update": self.state.clock.timestamp(),
            "added_users": sorted(after - before),
            "added_users_count": len(after - before),
            "removed_users": sorted(before - after),
            "removed_users_count": len(before - after),
        }
        self.sender.event_soon(workspace, event)
        self.sender.event_soon(workspace, {"type": "subteam_updated", "subteam": shapes.usergroup(group, users=True)})
        return {"usergroup": group.id}

    def _team_created(self, request: Json) -> Json:
        workspace = self._workspace(request)
        handle = str(request.get("handle") or f"team{len(workspace.usergroups) + 1}")
        users = [user for user in request.get("users", []) if user in workspace.users]
        group = UserGroup(self.state.new_id("S"), workspace.id, handle, str(request.get("name") or handle), users)
        workspace.usergroups[group.id] = group
        self.sender.event_soon(workspace, {"type": "subteam_created", "subteam": shapes.usergroup(group, users=True)})
        return {"usergroup": group.id}

    def _team_disabled(self, request: Json) -> Json:
        return self._able(request, self.state.clock.timestamp())

    def _team_enabled(self, request: Json) -> Json:
        return self._able(request, 0)

    def _able(self, request: Json, deleted_at: int) -> Json:
        workspace = self._workspace(request)
        group = self._group(workspace, request)
        group.deleted_at = deleted_at
        self.sender.event_soon(workspace, {"type": "subteam_updated", "subteam": shapes.usergroup(group, users=True)})
        return {"usergroup": group.id}

    def _channel_renamed(self, request: Json) -> Json:
        workspace = self._home_of(request)
        channel = self._channel(workspace, request)
        channel.name = str(request.get("name") or channel.name)[:80]
        kind = "group_rename" if channel.is_private else "channel_rename"
        about = {"id": channel.id, "name": channel.name, "created": 1_700_000_000}
        self.sender.event_soon(workspace, {"type": kind, "channel": about})
        return {"channel": channel.id}

    def _channel_archived(self, request: Json) -> Json:
        return self._archive(request, archived=True)

    def _channel_unarchived(self, request: Json) -> Json:
        return self._archive(request, archived=False)

    def _archive(self, request: Json, *, archived: bool) -> Json:
        workspace = self._home_of(request)
        channel = self._channel(workspace, request)
        channel.is_archived = archived
        kind = ("group_" if channel.is_private else "channel_") + ("archive" if archived else "unarchive")
        self.sender.event_soon(workspace, {"type": kind, "channel": channel.id, "user": channel.creator})
        return {"channel": channel.id}

    def _workspace_renamed(self, request: Json) -> Json:
        workspace = self._workspace(request)
        workspace.name = str(request.get("name") or workspace.name)[:80]
        self.sender.event_soon(workspace, {"type": "team_rename", "name": workspace.name})
        return {"workspace": workspace.id}

    def _uninstalled(self, request: Json) -> Json:
        workspace = self._workspace(request)
        self.sender.event_soon(workspace, {"type": "app_uninstalled"})
        self.sender.event_soon(
            workspace, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user_id]}}
        )
        workspace.installed = False
        self.state.revoked.add(workspace.bot_token)
        return {"workspace": workspace.id}

    def _revoked(self, request: Json) -> Json:
        workspace = self._workspace(request)
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user_id]}}
        self.sender.event_soon(workspace, event)
        self.state.revoked.add(workspace.bot_token)
        return {"workspace": workspace.id}
