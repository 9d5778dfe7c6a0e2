"""What happens to people and to the app, and the events Slack sends about it (`POST /control/event`)."""

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from sandbox.cast import Channel, Organisation, User, UserGroup, Workspace
from sandbox.slack import shapes
from sandbox.slack.sender import Sender
from sandbox.slack.state import SlackError, SlackState
from sandbox.wrong import ControlError

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
            "group_created": self._group_created,
            "team_created": self._group_created,
            "group_disabled": self._group_disabled,
            "group_enabled": self._group_enabled,
            "team_disabled": self._group_disabled,
            "team_enabled": self._group_enabled,
            "channel_renamed": self._channel_renamed,
            "channel_archived": self._channel_archived,
            "channel_unarchived": self._channel_unarchived,
            "workspace_renamed": self._workspace_renamed,
            "organisation_formed": self._formed,
            "team_access_granted": self._admitted,
            "team_access_revoked": self._taken_out,
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

    def _joined(self, request: Json) -> Json:
        if request.get("channel"):
            user = self._user(request)
            workspace, channel, _ = self._any_channel(request)  # another's, when companies share it
            if user.id not in channel.members:
                channel.members.append(user.id)
            return self._told_of_member("member_joined_channel", workspace, channel, user)
        workspace = self._workspace(request)
        number = len(workspace.users) + 1
        real_name = " ".join(str(request.get("name") or f"New Person {number}").split())[:80] or "Nobody"
        user = User(
            id=self.state.new_id("U"),
            team_id=workspace.id,
            name=f"{real_name.split()[0].lower()}{number}",
            real_name=real_name,
            email=str(request.get("email") or f"person{number}@{workspace.domain}.example"),
            locale=str(request.get("locale") or "en-US"),
            tz=str(request.get("tz") or "Europe/Stockholm"),
        )
        workspace.users[user.id] = user
        general = next(iter(workspace.channels.values()))
        general.members.append(user.id)
        self.sender.event_soon(workspace, {"type": "team_join", "user": self._shown(user)})
        return {"user": user.id}

    def _left(self, request: Json) -> Json:
        if not request.get("channel"):
            return self._deactivated(request)
        user = self._user(request)
        workspace, channel, _ = self._any_channel(request)
        if user.id in channel.members:
            channel.members.remove(user.id)
        return self._told_of_member("member_left_channel", workspace, channel, user)

    def _told_of_member(self, kind: str, workspace: Workspace, channel: Channel, user: User) -> Json:
        """Who comes and goes in a channel, Slack tells only an app that is in it."""
        if workspace.bot_user_id in channel.members:
            event = {"type": kind, "user": user.id, "channel": channel.id, "team": user.team_id}
            self.sender.event_soon(workspace, event | {"channel_type": "G" if channel.is_private else "C"})
        return {"user": user.id}

    def _shown(self, user: User) -> Json:
        organisation = self.state.organisation_of(self.state.workspaces[user.team_id])
        return shapes.user(user, at=self.state.clock.now(), organisation=organisation)

    def _changed(self, user: User) -> Json:
        user.updated = self.state.clock.timestamp()
        workspace = self.state.workspaces[user.team_id]
        now = self.state.clock.timestamp()
        told = {"type": "user_change", "user": self._shown(user), "cache_ts": now}
        self.sender.event_soon(workspace, told)
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
        user.is_restricted, user.is_ultra_restricted = True, bool(request.get("single_channel"))
        return self._changed(user)

    def _became_member(self, request: Json) -> Json:
        user = self._user(request)
        user.is_restricted = user.is_ultra_restricted = False
        return self._changed(user)

    def _profile(self, request: Json) -> Json:
        user = self._user(request)
        given = {"real_name": request.get("name"), **request}
        if given.get("tz") and str(given["tz"]) not in available_timezones():
            raise ControlError(f"there is no time zone {given['tz']!r}", "such as Europe/Stockholm")
        if given.get("locale") and not re.fullmatch(r"[a-z]{2}-[A-Z]{2}", str(given["locale"])):
            raise ControlError(f"{given['locale']!r} is no locale of Slack's", "such as sv-SE or en-GB")
        for name in ("real_name", "email", "locale", "tz"):
            if given.get(name):
                setattr(user, name, str(given[name])[:255])
        return self._changed(user)

    # --- user groups ---

    def _group(self, request: Json) -> tuple[Workspace, UserGroup]:
        wanted = str(request.get("usergroup"))
        for workspace in self.state.workspaces.values():
            if wanted in workspace.usergroups:
                return workspace, workspace.usergroups[wanted]
        there = ", ".join(group for each in self.state.workspaces.values() for group in each.usergroups)
        raise ControlError(f"there is no user group {request.get('usergroup')!r}", f"there is: {there or 'none'}", 404)

    def _known(self, workspace: Workspace, users: Any) -> list[str]:
        if not isinstance(users, list) or (unknown := set(map(str, users)) - set(workspace.users)):
            strangers = ", ".join(sorted(unknown)) if isinstance(users, list) else repr(users)
            raise ControlError(f"not in the workspace: {strangers}", "GET /control/state lists users", 404)
        return users

    def _group_updated(self, workspace: Workspace, group: UserGroup) -> None:
        self.sender.event_soon(workspace, {"type": "subteam_updated", "subteam": shapes.usergroup(group, users=True)})

    def _team_changed(self, request: Json) -> Json:
        workspace, group = self._group(request)
        before = set(group.users)
        after = set(self._known(workspace, request.get("users", list(before))))
        after |= set(self._known(workspace, request.get("add", [])))
        after -= set(self._known(workspace, request.get("remove", [])))
        previous, group.updated = group.updated, self.state.clock.timestamp()
        group.users = sorted(after)
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": workspace.id,
            "date_previous_update": previous,
            "date_update": group.updated,
            "added_users": sorted(after - before),
            "added_users_count": len(after - before),
            "removed_users": sorted(before - after),
            "removed_users_count": len(before - after),
        }
        self.sender.event_soon(workspace, event)
        self._group_updated(workspace, group)
        return {"usergroup": group.id}

    def _group_created(self, request: Json) -> Json:
        workspace = self._workspace(request)
        handle = str(request.get("handle") or f"team{len(workspace.usergroups) + 1}")[:80]
        if handle in {group.handle for group in workspace.usergroups.values()}:
            raise ControlError(f"there is a @{handle} already", "choose another handle")
        users = self._known(workspace, request.get("users", []))
        now = self.state.clock.timestamp()
        group = UserGroup(self.state.new_id("S"), workspace.id, handle, str(request.get("name") or handle), users)
        group.updated = now
        workspace.usergroups[group.id] = group
        self.sender.event_soon(workspace, {"type": "subteam_created", "subteam": shapes.usergroup(group, users=True)})
        return {"usergroup": group.id}

    def _group_disabled(self, request: Json) -> Json:
        workspace, group = self._group(request)
        group.updated = group.deleted_at = self.state.clock.timestamp()
        group.deleted_by = next((user.id for user in workspace.users.values() if user.is_admin), None)
        self._group_updated(workspace, group)
        return {"usergroup": group.id}

    def _group_enabled(self, request: Json) -> Json:
        workspace, group = self._group(request)
        group.updated, group.deleted_at, group.deleted_by = self.state.clock.timestamp(), 0, None
        self._group_updated(workspace, group)
        return {"usergroup": group.id}

    # --- channels and the workspace ---

    def _any_channel(self, request: Json) -> tuple[Workspace, Channel, str]:
        for workspace in self.state.workspaces.values():
            if request.get("channel") in workspace.channels:
                channel = workspace.channels[str(request["channel"])]
                return workspace, channel, "group" if channel.is_private else "channel"
        raise ControlError(f"there is no channel {request.get('channel')!r}", "GET /control/state lists them", 404)

    def _told_in(self, workspace: Workspace, channel: Channel, event: Json) -> Json:
        """An event about a channel; of a private one Slack tells only an app that is in it."""
        if not channel.is_private or workspace.bot_user_id in channel.members:
            self.sender.event_soon(workspace, event)
        return {"channel": channel.id}

    def _channel_renamed(self, request: Json) -> Json:
        workspace, channel, kind = self._any_channel(request)
        name = str(request.get("name") or "")
        if not re.fullmatch(r"[^\W_A-Z][\w-]{0,79}", name) or name != name.lower():
            raise ControlError(f"{name!r} is no channel name", "lower-case letters, digits, - and _, 80 at most")
        if name in {each.name for each in workspace.channels.values()}:
            raise ControlError(f"there is a #{name} already", "choose another name")
        channel.previous_names.insert(0, channel.name)
        channel.name = name
        told = {"id": channel.id, "name": name, "name_normalized": name, "created": 1_700_000_000}
        told |= {"is_channel": not channel.is_private, "is_mpim": False}
        return self._told_in(workspace, channel, {"type": f"{kind}_rename", "channel": told})

    def _channel_archived(self, request: Json) -> Json:
        workspace, channel, kind = self._any_channel(request)
        channel.is_archived = True
        event = {"type": f"{kind}_archive", "channel": channel.id, "user": channel.creator, "is_moved": 0}
        return self._told_in(workspace, channel, event)

    def _channel_unarchived(self, request: Json) -> Json:
        workspace, channel, kind = self._any_channel(request)
        channel.is_archived = False
        event = {"type": f"{kind}_unarchive", "channel": channel.id, "user": channel.creator}
        return self._told_in(workspace, channel, event)

    def _workspace_renamed(self, request: Json) -> Json:
        workspace = self._workspace(request)
        name = str(request.get("name") or "").strip()
        if not 1 <= len(name) <= 255:
            raise ControlError("a workspace has a name of 1 to 255 characters", "send a name")
        workspace.name = name
        self.sender.event_soon(workspace, {"type": "team_rename", "name": name, "team_id": workspace.id})
        return {"workspace": workspace.id}

    # --- Enterprise Grid ---

    def _formed(self, request: Json) -> Json:
        """Workspaces become those of an organisation; the app has to be installed for it before it can be let into any."""
        if self.state.organisations:
            raise ControlError("there is an organisation already", "GET /control/state shows it")
        wanted = request.get("workspaces") or list(self.state.workspaces)
        if not isinstance(wanted, list) or set(map(str, wanted)) - set(self.state.workspaces):
            raise ControlError("workspaces is a list of ids", f"of {', '.join(self.state.workspaces)}", 404)
        name = " ".join(str(request.get("name") or "Nordvik").split())[:80] or "Nordvik"
        made = Organisation("E0NORDVIK", name, "nordvik", "W0KASSOR1", "B0KASSORG", "xoxb-sandbox-nordvik-0003", wanted)
        self.state.organisations[made.id] = made
        return {"organisation": made.id}

    def _organisation(self, request: Json) -> Organisation:
        found = self.state.organisations.get(str(request.get("organisation"))) or next(
            iter(self.state.organisations.values()), None
        )
        if found is None or not found.installed:
            raise ControlError("no organisation has the app", "let one be formed, and install the app for it", 404)
        return found

    def _admitted(self, request: Json) -> Json:
        organisation, workspace = self._organisation(request), self._workspace(request)
        if workspace.id not in organisation.workspaces:
            raise ControlError(f"{workspace.id} is not of {organisation.name}", "another workspace", 404)
        if workspace.id not in organisation.admitted:
            organisation.admitted.append(workspace.id)
        workspace.installed = True
        self.sender.event_soon(workspace, {"type": "team_access_granted", "team_ids": [workspace.id]})
        return {"workspace": workspace.id}

    def _taken_out(self, request: Json) -> Json:
        organisation, workspace = self._organisation(request), self._workspace(request)
        if workspace.id not in organisation.admitted:
            raise ControlError(f"the app is not in {workspace.id} by its organisation", "another workspace", 404)
        self.sender.event_soon(workspace, {"type": "team_access_revoked", "team_ids": [workspace.id]})
        organisation.admitted.remove(workspace.id)
        workspace.installed = False
        return {"workspace": workspace.id}

    def _uninstalled_everywhere(self, organisation: Organisation) -> Json:
        """Told once, as of the organisation: its workspaces hear nothing of their own."""
        reached = [self.state.workspaces[each] for each in organisation.admitted]
        for workspace in reached[:1]:
            self.sender.event_soon(workspace, {"type": "app_uninstalled"})
            tokens = {"oauth": [], "bot": [organisation.bot_user_id]}
            self.sender.event_soon(workspace, {"type": "tokens_revoked", "tokens": tokens})
        for workspace in reached:
            workspace.installed = False
        organisation.installed, organisation.admitted = False, []
        self.state.revoked[organisation.bot_token] = "account_inactive"
        return {"organisation": organisation.id}

    # --- the app ---

    def _uninstalled(self, request: Json) -> Json:
        if request.get("organisation"):
            return self._uninstalled_everywhere(self._organisation(request))
        workspace = self._workspace(request)
        self.sender.event_soon(workspace, {"type": "app_uninstalled"})
        self.sender.event_soon(
            workspace, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user_id]}}
        )
        workspace.installed = False
        self.state.revoked[workspace.bot_token] = "account_inactive"
        return {"workspace": workspace.id}

    def _revoked(self, request: Json) -> Json:
        workspace = self._workspace(request)
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user_id]}}
        self.sender.event_soon(workspace, event)
        self.state.revoked[workspace.bot_token] = "token_revoked"
        return {"workspace": workspace.id}
