"""Web API: who and where. Users, conversations, user groups, the team and the token's own identity."""

from typing import Any

from sandbox.cast import Channel, Workspace
from sandbox.slack import shapes
from sandbox.slack.state import APP_ID, APP_NAME, SlackError, SlackState

Json = dict[str, Any]


def page(items: list[Json], arguments: Json, name: str, default: int = 100) -> Json:
    """One page of a list, by Slack's cursor. Raises SlackError invalid_cursor, invalid_limit."""
    try:
        limit = int(arguments.get("limit") or default)
        start = int(str(arguments.get("cursor") or "cursor:0").removeprefix("cursor:"))
    except ValueError:
        raise SlackError("invalid_cursor") from None
    if not 1 <= limit <= 1000:
        raise SlackError("invalid_limit")
    end = start + limit
    return {
        "ok": True,
        name: items[start:end],
        "response_metadata": {"next_cursor": f"cursor:{end}" if end < len(items) else ""},
    }


def _true(value: Any) -> bool:
    return str(value).lower() in {"1", "true"}


def _listed(workspace: Workspace, arguments: Json) -> list[Channel]:
    """The channels the app may see, of the `types` asked for; archived ones unless `exclude_archived`."""
    types = str(arguments.get("types") or "public_channel").split(",")
    if unknown := set(types) - {"public_channel", "private_channel", "mpim", "im"}:
        raise SlackError("invalid_types", [f"unknown: {', '.join(sorted(unknown))}"])
    return [
        place
        for place in workspace.channels.values()
        if ("private_channel" if place.is_private else "public_channel") in types
        and (not place.is_private or workspace.bot_user_id in place.members)
        and not (place.is_archived and _true(arguments.get("exclude_archived")))
    ]


def _visible(workspace: Workspace, channel: str) -> Channel:
    place = workspace.channels.get(channel)
    if place is None or (place.is_private and workspace.bot_user_id not in place.members):
        raise SlackError("channel_not_found")
    return place


class PeopleApi:
    """The methods about people and places."""

    def __init__(self, state: SlackState) -> None:
        self.state = state

    def auth_test(self, workspace: Workspace, _: Json) -> Json:
        organisation = self.state.organisation_of(workspace)
        return {
            "ok": True,
            "url": f"https://{workspace.domain}.slack.example/",
            "team": workspace.name,
            "user": "kassor",
            "team_id": workspace.id,
            "user_id": workspace.bot_user_id,
            "bot_id": workspace.bot_id,
            "is_enterprise_install": False,
        } | ({} if organisation is None else {"enterprise_id": organisation.id})

    def auth_teams_list(self, workspace: Workspace, arguments: Json) -> Json:
        return page([{"id": workspace.id, "name": workspace.name}], arguments, "teams")

    def users_list(self, workspace: Workspace, arguments: Json) -> Json:
        locale = _true(arguments.get("include_locale"))
        organisation = self.state.organisation_of(workspace)
        members = [shapes.user(person, locale=locale, organisation=organisation) for person in workspace.users.values()]
        return page(members, arguments, "members") | {"cache_ts": self.state.clock.timestamp()}

    def users_info(self, workspace: Workspace, arguments: Json) -> Json:
        user_id = str(arguments.get("user"))
        person = workspace.users.get(user_id)
        if person is not None:
            locale, organisation = _true(arguments.get("include_locale")), self.state.organisation_of(workspace)
            return {"ok": True, "user": shapes.user(person, locale=locale, organisation=organisation)}
        if any(user_id in place.members for place in workspace.channels.values()):  # of another company
            return {"ok": True, "user": shapes.user(self.state.user(user_id), locale=False) | {"is_stranger": True}}
        raise SlackError("user_not_found")

    def users_lookup_by_email(self, workspace: Workspace, arguments: Json) -> Json:
        for person in workspace.users.values():
            if person.email and person.email == arguments.get("email") and not person.deleted:
                return {"ok": True, "user": shapes.user(person, organisation=self.state.organisation_of(workspace))}
        raise SlackError("users_not_found")

    def users_conversations(self, workspace: Workspace, arguments: Json) -> Json:
        who = str(arguments.get("user") or workspace.bot_user_id)
        if who not in workspace.users:
            raise SlackError("user_not_found")
        untold = {"is_member", "num_members"}  # here Slack says neither
        found = [
            {name: value for name, value in shapes.channel(place).items() if name not in untold}
            for place in _listed(workspace, arguments)
            if who in place.members
        ]
        return page(found, arguments, "channels")

    def conversations_list(self, workspace: Workspace, arguments: Json) -> Json:
        found = [
            shapes.channel(place, member=workspace.bot_user_id in place.members)
            for place in _listed(workspace, arguments)
        ]
        return page(found, arguments, "channels")

    def conversations_info(self, workspace: Workspace, arguments: Json) -> Json:
        channel = str(arguments.get("channel"))
        owner = self.state.dm_owner(channel)
        if owner is not None and self.state.user(owner).team_id == workspace.id:
            return {"ok": True, "channel": {"id": channel, "is_im": True, "user": owner, "created": 1_700_000_000}}
        place = _visible(workspace, channel)
        return {"ok": True, "channel": shapes.channel(place, member=workspace.bot_user_id in place.members)}

    def conversations_members(self, workspace: Workspace, arguments: Json) -> Json:
        place = _visible(workspace, str(arguments.get("channel")))
        ids = page([{"id": member} for member in place.members], arguments, "members")
        return ids | {"members": [member["id"] for member in ids["members"]]}

    def conversations_open(self, workspace: Workspace, arguments: Json) -> Json:
        users = str(arguments.get("users") or "").split(",")
        person = workspace.users.get(users[0])
        if person is None or len(users) != 1:
            raise SlackError("user_not_found")
        if person.deleted:
            raise SlackError("user_disabled")
        if person.is_bot:
            raise SlackError("cannot_dm_bot")
        known = person.id in self.state.dms
        channel: Json = {"id": self.state.dm(person.id)}
        return {"ok": True, "channel": channel} | ({"already_open": True, "no_op": True} if known else {})

    def conversations_join(self, workspace: Workspace, arguments: Json) -> Json:
        place = workspace.channels.get(str(arguments.get("channel")))
        if place is None or place.is_private:
            raise SlackError("channel_not_found")
        if place.is_archived:
            raise SlackError("is_archived")
        if workspace.bot_user_id not in place.members:
            place.members.append(workspace.bot_user_id)
        return {"ok": True, "channel": shapes.channel(place)}

    def conversations_history(self, workspace: Workspace, arguments: Json) -> Json:
        channel = self.state.place(workspace, str(arguments.get("channel")))
        place = workspace.channels.get(channel)
        if place is not None and workspace.bot_user_id not in place.members:
            raise SlackError("not_in_channel")
        self._may_read(workspace, place)
        oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
        metadata = _true(arguments.get("include_all_metadata"))
        found = [
            {key: value for key, value in message.items() if key != "metadata" or metadata}
            for message in reversed(self.state.messages.get(channel, []))
            if not message.get("ephemeral") and oldest <= float(message["ts"]) <= latest
        ]
        listed = page(found, arguments, "messages")
        return listed | {"has_more": bool(listed["response_metadata"]["next_cursor"])}

    def _may_read(self, workspace: Workspace, place: Channel | None) -> None:
        """Slack has a permission for each kind of conversation; another kind's is of no use. Raises SlackError missing_scope."""
        granted = self.state.granted.get(workspace.id)
        needed = "im:history" if place is None else "groups:history" if place.is_private else "channels:history"
        if granted is not None and needed not in granted:
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(granted)))

    def usergroups_list(self, workspace: Workspace, arguments: Json) -> Json:
        users, disabled = _true(arguments.get("include_users")), _true(arguments.get("include_disabled"))
        found = [
            shapes.usergroup(group, users=users)
            for group in workspace.usergroups.values()
            if disabled or not group.deleted_at
        ]
        if not _true(arguments.get("include_count")):
            for group in found:
                group.pop("user_count")
        return {"ok": True, "usergroups": found}

    def usergroups_users_list(self, workspace: Workspace, arguments: Json) -> Json:
        group = workspace.usergroups.get(str(arguments.get("usergroup")))
        if group is None or (group.deleted_at and not _true(arguments.get("include_disabled"))):
            raise SlackError("no_such_subteam")
        return {"ok": True, "users": list(group.users)}

    def team_info(self, workspace: Workspace, _: Json) -> Json:
        return {"ok": True, "team": shapes.team(workspace)}

    def bots_info(self, workspace: Workspace, _: Json) -> Json:
        return {
            "ok": True,
            "bot": {
                "id": workspace.bot_id,
                "deleted": False,
                "name": APP_NAME,
                "updated": 1_700_000_000,
                "app_id": APP_ID,
                "user_id": workspace.bot_user_id,
                "icons": {},
            },
        }
