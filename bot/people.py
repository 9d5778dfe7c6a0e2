"""Reading a workspace's people from Slack into the directory: all of them now and then, one of them when something happens."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain import directory
from domain.directory import MemberFacts
from domain.records import Member, Scope
from domain.records.people import ScopeKind
from domain.rules.refusals import ScopeUnknown

log = logging.getLogger("kassor.people")
Json = dict[str, Any]
PAGE = 200  # Slack's own advice
MOST_PAGES = 500


def facts_of(user: Json) -> MemberFacts:
    """A person as Slack's user object tells of them."""
    profile = user.get("profile") or {}
    name = profile.get("display_name") or user.get("real_name") or profile.get("real_name") or user.get("name") or "?"
    return MemberFacts(
        slack_user_id=user["id"],
        name=name,
        # One nobody has confirmed could be anybody's, and a person is known by it in other workspaces (R10).
        email=profile.get("email") if user.get("is_email_confirmed", True) else None,
        locale=user.get("locale") or "en-US",
        tz=user.get("tz") or "UTC",
        is_bot=bool(user.get("is_bot")) or user["id"] == "USLACKBOT",
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")),
        is_deactivated=bool(user.get("deleted")),
        is_workspace_admin=bool(user.get("is_admin") or user.get("is_owner")),
    )


async def read_workspace(client: AsyncWebClient, team_id: str) -> None:
    """Read everybody and every user group. Raises SlackApiError."""
    everyone = [facts_of(user) async for user in _users(client, team_id)]
    await directory.replace_members(team_id, everyone)
    await read_groups(client, team_id)


async def _users(client: AsyncWebClient, team_id: str) -> AsyncIterator[Json]:
    cursor = None
    for _ in range(MOST_PAGES):
        told = await client.users_list(team_id=team_id, limit=PAGE, cursor=cursor, include_locale=True)
        for user in told["members"]:
            yield user
        cursor = (told.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


async def read_groups(client: AsyncWebClient, team_id: str) -> None:
    """User groups are teams (R2); a workspace that has any is an organisation. Raises SlackApiError."""
    told = await client.usergroups_list(team_id=team_id, include_users=True, include_disabled=False)
    for group in told["usergroups"]:
        scope = await directory.ensure_scope(team_id, slack_ref=group["id"], name=group["name"], kind=ScopeKind.TEAM)
        await directory.set_team_members(scope, group.get("users") or [])
    if told["usergroups"]:
        await directory.becomes_organisation(team_id)


async def member(client: AsyncWebClient, team_id: str, user_id: str) -> Member | None:
    """Somebody by id, asked of Slack when they are new to us; None when Slack doesn't know them either."""
    if (known := await directory.member(team_id, user_id)) is not None:
        return known
    try:
        told = await client.users_info(user=user_id, include_locale=True)
    except SlackApiError as error:
        if error.response.get("error") in {"user_not_found", "user_not_visible"}:
            return None
        raise
    if told["user"].get("team_id", team_id) != team_id:
        return None  # of another company, through a shared channel
    return await directory.upsert_member(team_id, facts_of(told["user"]))


async def team(client: AsyncWebClient, team_id: str, slack_ref: str) -> Scope:
    """The team of a user group (S…) or channel (C…), its members as Slack has them now. Raises ScopeUnknown."""
    try:
        if slack_ref.startswith("S"):
            known = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref)
            if known is None:
                await read_groups(client, team_id)
                known = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref)
            if known is None:
                raise ScopeUnknown(asked=slack_ref[:40])
            told = await client.usergroups_users_list(usergroup=slack_ref)
            await directory.set_team_members(known, told["users"])
            return known
        info = await client.conversations_info(channel=slack_ref)
        scope = await directory.ensure_scope(
            team_id, slack_ref=slack_ref, name=f"#{info['channel']['name']}", kind=ScopeKind.TEAM
        )
        members: list[str] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = await client.conversations_members(channel=slack_ref, limit=PAGE, cursor=cursor)
            members += page["members"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        await directory.set_team_members(scope, members)
        await directory.becomes_organisation(team_id)
        return scope
    except SlackApiError as error:
        log.info("team %s can't be read: %s", slack_ref, error.response.get("error"))
        raise ScopeUnknown(asked=slack_ref[:40]) from None
