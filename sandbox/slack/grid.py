"""Enterprise Grid: what a token of a whole organisation may ask, and which of its workspaces a call with it is about.

Each workspace keeps its own people and channels, and its own user for the app. Where one is, Slack tells from what is asked
about; the methods that list something have to be told (`team_id`).
"""

from collections.abc import Callable
from typing import Any

from sandbox.cast import Organisation, Workspace
from sandbox.slack.people_api import page
from sandbox.slack.state import SlackError, SlackState

Json = dict[str, Any]
_LISTING = {
    *("users.list", "users.conversations", "conversations.list", "usergroups.list", "usergroups.users.list"),
    *("team.info", "bots.info"),
}
_NAMING = ("channel", "channel_id", "channels", "user", "user_id", "users")  # arguments that hold ids


class Grid:
    """The side of the Web API that organisations' tokens have."""

    def __init__(self, state: SlackState) -> None:
        self.state = state
        self.methods: dict[str, Callable[[Organisation, Json], Json]] = {
            "auth.test": _test,
            "auth.teams.list": self._teams,
            "auth.revoke": self._revoke,
        }

    def workspace_for(self, organisation: Organisation, method: str, arguments: Json) -> Workspace:
        """The workspace a call is about. Raises SlackError missing_argument, team_not_found, team_access_not_granted."""
        told = str(arguments.get("team_id") or "")
        if told and told not in organisation.workspaces:
            raise SlackError("team_not_found")
        if not told and method in _LISTING:
            raise SlackError("missing_argument", ["[ERROR] missing required field: team_id"])
        home = told or self._home(arguments)
        if home is None or home not in organisation.workspaces:  # of nobody here: whichever looks will not find it
            home = next(iter(organisation.admitted), None)
        if home not in organisation.admitted:
            raise SlackError("team_access_not_granted")
        return self.state.workspaces[home]

    def _home(self, arguments: Json) -> str | None:
        """The workspace of what the arguments name."""
        ids = {each for name in _NAMING for each in str(arguments.get(name) or "").split(",") if each}
        ids |= {owner for each in ids if (owner := self.state.dm_owner(each)) is not None}
        trigger = self.state.triggers.get(str(arguments.get("trigger_id")))
        if trigger is not None:
            ids.add(trigger.user)
        if view_id := arguments.get("view_id") or arguments.get("external_id"):
            ids.add(self.state.view(str(view_id))[0])
        homes = (
            each.id for each in self.state.workspaces.values() if not ids.isdisjoint({*each.users, *each.channels})
        )
        return next(homes, None)

    def _teams(self, organisation: Organisation, arguments: Json) -> Json:
        named = [{"id": each, "name": self.state.workspaces[each].name} for each in organisation.admitted]
        return page(named, arguments, "teams")

    def _revoke(self, organisation: Organisation, _: Json) -> Json:
        self.state.revoked[organisation.bot_token] = "token_revoked"
        return {"ok": True, "revoked": True}


def _test(organisation: Organisation, _: Json) -> Json:
    return {
        "ok": True,
        "url": f"https://{organisation.domain}.enterprise.slack.example/",
        "team": organisation.name,
        "user": "kassor",
        "team_id": organisation.id,
        "user_id": organisation.bot_user_id,
        "bot_id": organisation.bot_id,
        "enterprise_id": organisation.id,
        "is_enterprise_install": True,
    }
