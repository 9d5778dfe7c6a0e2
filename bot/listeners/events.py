"""What Slack tells by itself: people come, change and go; the Home is opened; the app is taken out."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import home, people, seen
from bot.visit import Visit, listening
from domain import clock, directory, queue, upkeep
from domain.actions import owner
from domain.records import Member, Notice, Scope, Subscription, Workspace
from domain.records.people import ScopeKind
from domain.rules.refusals import PaymentsAway, ScopeUnknown
from domain.upkeep import teams

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.events")
Json = dict[str, Any]
Hearing = Callable[["BotApp", AsyncWebClient, str, Json], Awaitable[None]]


def register(app: AsyncApp, bot: "BotApp") -> None:
    """Hang the events on Bolt's app."""
    app.event("app_home_opened")(listening(bot, _home_opened))
    for name, hearing in _HEARINGS.items():
        app.event(name)(_hearing(bot, hearing))
    for name in ("app_uninstalled", "tokens_revoked"):
        app.event(name)(_gone(bot))
    for name in ("team_access_granted", "team_access_revoked"):
        app.event(name)(_reach(bot))


def _hearing(bot: "BotApp", hear: Hearing) -> Callable[..., Awaitable[None]]:
    """A listener of an event nobody waits for: what goes wrong is logged, and the daily look mends it."""

    async def listener(body: Json, event: Json, client: AsyncWebClient, context: AsyncBoltContext) -> None:
        with bot.busy():
            try:
                if await seen.first_time(body):
                    await hear(bot, client, context.team_id or str(body.get("team_id") or ""), event)
            except Exception:
                log.exception("an event could not be taken in: %s", event.get("type"))

    return listener


async def _home_opened(visit: Visit) -> None:
    await visit.ack()
    if visit.body["event"].get("tab") == "home":
        await home.publish(visit.client, visit.desk, visit.actor)


async def _person(bot: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """Somebody joined or changed: they are read, for the event may come late, and its language may be missing."""
    user, asked_at = event["user"], clock.now()
    if not people.is_of(user, team_id):
        return
    before = await directory.member(team_id, user["id"])
    if not _is_known(user, before):
        user = await _as_slack_has_it(client, user, before)
    after = await directory.upsert_member(team_id, people.facts_of(user), asked_at=asked_at)
    if before is None or _standing(before) != _standing(after):
        await _heed(bot, team_id)
    if before is not None and after.is_active and (before.email, before.locale) != (after.email, after.locale):
        for owned in await Subscription.filter(owner_id=after.id, is_live=True):
            await owner.tell_stripe(bot.desk, owned)


def _is_known(user: Json, before: Member | None) -> bool:
    """Whether the event tells nothing new, such as a status text: with every one of those Slack need not be asked."""
    return before is not None and bool(user.get("locale")) and people.facts_of(user) == directory.facts_of(before)


async def _as_slack_has_it(client: AsyncWebClient, user: Json, before: Member | None) -> Json:
    """The person read again; while Slack won't have it, what the event says, in the language we know: nobody goes unnoticed."""
    try:
        told: Json = (await client.users_info(user=user["id"], include_locale=True))["user"]
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("%s could not be read, what the event says is taken: %s", user["id"], type(error).__name__)
        return ({"locale": before.locale} if before else {}) | user
    return told


def _standing(member: Member) -> tuple[bool, ...]:
    """What decides whether somebody counts, acts and may claim. Slack tells of every change of a status text too."""
    return member.is_bot, member.is_guest, member.is_deactivated, member.is_workspace_admin


async def _heed(bot: "BotApp", team_id: str) -> None:
    """Notice at once what the tick would notice later: an owner gone or back, seats outgrown."""
    with suppress(PaymentsAway):
        await upkeep.people_changed(bot.desk, team_id)
    queue.nudge(Notice)


async def _groups(bot: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """A user group was made, changed, disabled or enabled again."""
    there = await people.read_groups(client, team_id)
    named = str((event.get("subteam") or {}).get("id") or "")
    if named and named not in there:
        await _team_gone(bot, team_id, named)
    await _heed(bot, team_id)


async def _channel(bot: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """A channel that is a team gained or lost somebody, is gone, closed to us, or back: how it is, Slack is asked."""
    channel = str(event.get("channel") or "")
    if not await Scope.filter(workspace_id=team_id, slack_ref=channel).exists():
        return
    try:
        await people.team(client, team_id, channel)
    except ScopeUnknown:
        await _team_gone(bot, team_id, channel)
    await _heed(bot, team_id)


async def _team_gone(bot: "BotApp", team_id: str, slack_ref: str) -> None:
    scope = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref)
    if scope is not None and await teams.is_gone(bot.desk, scope):
        queue.nudge(Notice)


async def _channel_renamed(_: "BotApp", __: AsyncWebClient, team_id: str, event: Json) -> None:
    """A channel that is a team has another name."""
    channel = event["channel"]
    known = await Scope.get_or_none(workspace_id=team_id, slack_ref=str(channel["id"]))
    if known is not None:
        await directory.ensure_scope(
            team_id, slack_ref=known.slack_ref, name=f"#{channel['name']}", kind=ScopeKind.TEAM
        )


async def _workspace_renamed(_: "BotApp", __: AsyncWebClient, team_id: str, event: Json) -> None:
    """The workspace has another name."""
    await directory.rename_workspace(team_id, str(event.get("name") or ""))


def _gone(bot: "BotApp") -> Callable[..., Awaitable[None]]:
    """The app was taken out, or its token taken back: billing goes on at Stripe, messages wait (P3).

    What ends is what the event was sent for: the organisation's install or the workspace's own.
    """

    async def listener(body: Json, event: Json) -> None:
        if event["type"] == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
            return  # somebody's own token, which we don't have
        # As Slack documents these two events, they have the latter alone.
        told_at = event.get("event_ts") or body.get("event_time")
        happened = datetime.fromtimestamp(float(told_at), UTC) if told_at else None
        with bot.busy():
            [sent_for] = (body.get("authorizations") or [body])[:1]
            if sent_for.get("is_enterprise_install"):
                organisation = str(sent_for.get("enterprise_id") or body.get("enterprise_id") or "")
                await bot.installations.revoke_organisation(organisation, before=happened)
            else:
                team_id = str(sent_for.get("team_id") or body.get("team_id") or "")
                await bot.installations.revoke(team_id, before=happened)

    return listener


def _reach(bot: "BotApp") -> Callable[..., Awaitable[None]]:
    """An organisation lets its install into more of its workspaces, or takes it out of some (P3).

    Slack is asked which it is in now: news that comes late, or twice, takes nobody out who is let in again. News of the contrary is
    taken at its word, and should it be late, the first call says so.
    """

    async def listener(body: Json, event: Json) -> None:
        organisation = str(body.get("enterprise_id") or "")
        with bot.busy():
            if not await bot.installations.serves_organisation(organisation):
                return
            there = await bot.installations.names_in(organisation)
            for team_id in event.get("team_ids") or []:
                known = await Workspace.get_or_none(id=team_id)
                if known is not None and known.enterprise_id != organisation and known.enterprise_id is not None:
                    log.warning("%s is not of the organisation %s; nothing is done", team_id, organisation)
                elif event["type"] == "team_access_granted":
                    name = there.get(str(team_id)) or (known.name if known is not None else str(team_id))
                    await bot.installations.granted(str(team_id), organisation, name=name)
                elif team_id not in there:
                    await bot.installations.withdrawn(str(team_id))

    return listener


_HEARINGS: dict[str, Hearing] = {
    "team_join": _person,
    "user_change": _person,
    "subteam_created": _groups,
    "subteam_updated": _groups,
    "subteam_members_changed": _groups,
    "member_joined_channel": _channel,
    "member_left_channel": _channel,
    "channel_rename": _channel_renamed,
    "group_rename": _channel_renamed,
    "channel_archive": _channel,
    "group_archive": _channel,
    "channel_deleted": _channel,
    "group_deleted": _channel,
    "channel_left": _channel,
    "group_left": _channel,
    "channel_unarchive": _channel,
    "group_unarchive": _channel,
    "team_rename": _workspace_renamed,
}
