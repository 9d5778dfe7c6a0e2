"""Reading a workspace's people from Slack into the directory: all of them now and then, one of them when something happens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from domain import clock, directory
from domain.directory import MemberFacts, Mended
from domain.records import Member, Scope
from domain.records.people import ScopeKind
from domain.rules.refusals import ScopeUnknown

log = logging.getLogger("kassor.people")
Json = dict[str, Any]
PAGE = 200  # Slack's own advice
MOST_PAGES = 5_000  # a million people
MOST_WAITS = 20  # for Slack's limits, a call
LONGEST_WAIT = 120.0  # seconds
MOST_STRANGERS = 20  # ids of a team that are asked about one by one
NOT_THERE = {"channel_not_found", "no_such_subteam", "subteam_not_found"}  # or closed to us


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


def is_of(user: Json, team_id: str) -> bool:
    """Whether a user is the workspace's own: people of other companies, seen through a shared channel, neither count nor act."""
    if user.get("is_stranger"):
        return False
    home = user.get("team_id") or team_id
    return home == team_id or team_id in ((user.get("enterprise_user") or {}).get("teams") or ())


async def read_everybody(client: AsyncWebClient, team_id: str) -> Mended:
    """Read the workspace's own people; returns what was not known. Waits when Slack limits us. Raises SlackApiError."""
    known = await directory.members_by_id(team_id)
    users = await _users(client, team_id)
    if users is None:  # whoever the rest are must not count as gone
        log.error("the list of who is in %s has no end after %s pages; nothing of it is believed", team_id, MOST_PAGES)
        return Mended()
    everyone = [facts_of(user) for user in users if is_of(user, team_id)]
    if not everyone:  # there is always one, the app's own bot: an empty answer must not make everybody leave
        log.error("slack says that nobody is in %s; that is not believed", team_id)
        return Mended()
    return await directory.replace_members(team_id, everyone, known_before=known)


async def _users(client: AsyncWebClient, team_id: str) -> list[Json] | None:
    """Everybody Slack lists; None when the list goes on after `MOST_PAGES`."""
    cursor, found = None, []
    for _ in range(MOST_PAGES):
        told = await patiently(client.users_list, team_id=team_id, limit=PAGE, cursor=cursor, include_locale=True)
        found += told["members"]
        cursor = (told.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return found
    return None


async def _at_once(call: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> AsyncSlackResponse:
    return await call(**arguments)


async def hear(client: AsyncWebClient, scope: Scope) -> None:
    """Be in the channel of a team that pays: Slack tells only those inside who comes and goes. A private one can't be joined
    uninvited; it is read once a day all the same.
    """
    if not scope.slack_ref.startswith("C"):
        return
    try:
        await client.conversations_join(channel=scope.slack_ref)
    except SlackApiError as error:
        log.info("channel %s can't be joined: %s", scope.slack_ref, error.response.get("error"))


async def patiently(call: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> AsyncSlackResponse:
    """A call nobody waits in front of: when Slack limits us it is made again after the time Slack names. Raises SlackApiError."""
    for _ in range(MOST_WAITS):
        try:
            return await call(**arguments)
        except SlackApiError as error:
            seconds = retry_after(error)
            if seconds is None:
                raise
            await asyncio.sleep(min(seconds, LONGEST_WAIT))
    return await call(**arguments)


def retry_after(error: SlackApiError) -> float | None:
    """How many seconds to wait when Slack limits us; None when it said something else."""
    response = error.response
    if getattr(response, "status_code", 0) != 429 and response.get("error") != "ratelimited":
        return None
    given = str((getattr(response, "headers", None) or {}).get("Retry-After", ""))
    return float(given) if given.isdigit() else 30.0


async def read_groups(client: AsyncWebClient, team_id: str) -> set[str]:
    """User groups are teams (R2); a workspace that has any is an organisation. Returns their ids. Raises SlackApiError."""
    asked_at = clock.now()
    told = await patiently(client.usergroups_list, team_id=team_id, include_users=True, include_disabled=False)
    for group in told["usergroups"]:
        scope = await directory.ensure_scope(team_id, slack_ref=group["id"], name=group["name"], kind=ScopeKind.TEAM)
        await _set_team(client, scope, group.get("users") or [], asked_at)
    if told["usergroups"]:
        await directory.becomes_organisation(team_id)
    return {group["id"] for group in told["usergroups"]}


async def _set_team(client: AsyncWebClient, scope: Scope, user_ids: list[str], asked_at: datetime) -> None:
    """Write a team's members. Somebody new may be named here before their own event is heard: they are asked about."""
    known = await Member.filter(workspace_id=scope.workspace_id, slack_user_id__in=user_ids).values_list(
        "slack_user_id", flat=True
    )
    strangers = sorted(set(user_ids) - {str(each) for each in known})[:MOST_STRANGERS]
    await asyncio.gather(*(_meet(client, scope.workspace_id, each) for each in strangers))  # somebody may be waiting
    joined, left = await directory.set_team_members(scope, user_ids, asked_at=asked_at)
    if joined or left:
        log.info("%s in %s: %s joined, %s left", scope.slack_ref, scope.workspace_id, joined, left)


async def _meet(client: AsyncWebClient, team_id: str, user_id: str) -> None:
    try:
        await member(client, team_id, user_id)
    except SlackApiError as error:
        log.warning("who %s is could not be read: %s", user_id, error.response.get("error"))


async def member(client: AsyncWebClient, team_id: str, user_id: str) -> Member | None:
    """Somebody by id, asked of Slack when they are new to us; None when Slack doesn't know them either."""
    if (known := await directory.member(team_id, user_id)) is not None:
        return known
    asked_at = clock.now()
    try:
        told = await client.users_info(user=user_id, include_locale=True)
    except SlackApiError as error:
        if error.response.get("error") in {"user_not_found", "user_not_visible"}:
            return None
        raise
    if not is_of(told["user"], team_id):
        return None
    return await directory.upsert_member(team_id, facts_of(told["user"]), asked_at=asked_at)


async def look_again(client: AsyncWebClient, team_id: str, user_id: str) -> None:
    """Read somebody we know once more. Raises SlackApiError."""
    asked_at = clock.now()
    told = await client.users_info(user=user_id, include_locale=True)
    if is_of(told["user"], team_id):
        await directory.upsert_member(team_id, facts_of(told["user"]), asked_at=asked_at)


async def team(client: AsyncWebClient, team_id: str, slack_ref: str, *, patient: bool = False) -> Scope:
    """The team of a user group (S…) or channel (C…), its members as Slack has them now; `patient` waits when Slack limits us.

    Raises ScopeUnknown for one that is archived, deleted or closed to us, SlackApiError for what may be otherwise next time.
    """
    ask, asked_at = patiently if patient else _at_once, clock.now()
    try:
        if slack_ref.startswith("S"):
            known = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref)
            if known is None:
                await read_groups(client, team_id)
                known = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref)
            if known is None:
                raise ScopeUnknown(asked=slack_ref[:40])
            told = await ask(client.usergroups_users_list, usergroup=slack_ref, team_id=team_id)
            await _set_team(client, known, told["users"], asked_at)
            return known
        info = await ask(client.conversations_info, channel=slack_ref)
        if info["channel"].get("is_archived"):
            raise ScopeUnknown(asked=slack_ref[:40])
        scope = await directory.ensure_scope(
            team_id, slack_ref=slack_ref, name=f"#{info['channel']['name']}", kind=ScopeKind.TEAM
        )
        members: list[str] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = await ask(client.conversations_members, channel=slack_ref, limit=PAGE, cursor=cursor)
            members += page["members"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        await _set_team(client, scope, members, asked_at)
        await directory.becomes_organisation(team_id)
        return scope
    except SlackApiError as error:
        code = str(error.response.get("error"))
        log.info("team %s can't be read: %s", slack_ref, code)
        if code not in NOT_THERE:
            raise
        raise ScopeUnknown(asked=slack_ref[:40]) from None
