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
from domain import directory, queue, upkeep
from domain.actions import owner
from domain.records import Member, Notice, Scope, Subscription
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


def _hearing(bot: "BotApp", hear: Hearing) -> Callable[..., Awaitable[None]]:
    """A listener of an event nobody waits for: what goes wrong is logged, and the daily look mends it."""

    async def listener(body: Json, event: Json, client: AsyncWebClient, context: AsyncBoltContext) -> None:
        with bot.busy():
            try:
                if await seen.first_time(body):
                    await hear(bot, client, context.team_id or "", event)
            except Exception:
                log.exception("an event could not be taken in: %s", event.get("type"))

    return listener


async def _home_opened(visit: Visit) -> None:
    await visit.ack()
    if visit.body["event"].get("tab") == "home":
        await home.publish(visit.client, visit.desk, visit.actor)


async def _person(bot: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """Somebody joined or changed: their language is not in the event, so they are read."""
    user = event["user"]
    if not people.is_of(user, team_id):
        return
    before = await directory.member(team_id, user["id"])
    if not user.get("locale"):
        user = await _with_locale(client, user, before)
    after = await directory.upsert_member(team_id, people.facts_of(user))
    if before is None or _standing(before) != _standing(after):
        await _heed(bot, team_id)
    if before is not None and after.is_active and (before.email, before.locale) != (after.email, after.locale):
        for owned in await Subscription.filter(owner_id=after.id, is_live=True):
            await owner.tell_stripe(bot.desk, owned)


async def _with_locale(client: AsyncWebClient, user: Json, before: Member | None) -> Json:
    """The person read again; while Slack won't have it, what the event says, in the language we know: nobody goes unnoticed."""
    try:
        told: Json = (await client.users_info(user=user["id"], include_locale=True))["user"]
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("%s could not be read, what the event says is taken: %s", user["id"], type(error).__name__)
        return user | ({"locale": before.locale} if before else {})
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
    await people.read_groups(client, team_id)
    subteam = event.get("subteam") or {}
    if subteam.get("date_delete"):
        await _team_gone(bot, team_id, str(subteam.get("id")))
    await _heed(bot, team_id)


async def _channel(bot: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """A channel that is a team gained or lost somebody, or is back."""
    channel = str(event.get("channel") or "")
    if not await Scope.filter(workspace_id=team_id, slack_ref=channel).exists():
        return
    try:
        await people.team(client, team_id, channel)
    except ScopeUnknown:
        await _team_gone(bot, team_id, channel)
    await _heed(bot, team_id)


async def _channel_gone(bot: "BotApp", _: AsyncWebClient, team_id: str, event: Json) -> None:
    """A channel that is a team was archived or deleted, or we were taken out of a private one."""
    await _team_gone(bot, team_id, str(event.get("channel") or ""))


async def _team_gone(bot: "BotApp", team_id: str, slack_ref: str) -> None:
    scope = await Scope.get_or_none(workspace_id=team_id, slack_ref=slack_ref) if slack_ref else None
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


async def _gone(bot: "BotApp", _: AsyncWebClient, team_id: str, event: Json) -> None:
    """The app was taken out, or its token taken back: billing goes on at Stripe, messages wait (P3)."""
    if event["type"] == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
        return  # somebody's own token, which we don't have
    happened = datetime.fromtimestamp(float(event["event_ts"]), UTC) if event.get("event_ts") else None
    await bot.installations.revoke(team_id, before=happened)


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
    "channel_archive": _channel_gone,
    "group_archive": _channel_gone,
    "channel_deleted": _channel_gone,
    "group_deleted": _channel_gone,
    "channel_left": _channel,
    "group_left": _channel,
    "channel_unarchive": _channel,
    "group_unarchive": _channel,
    "team_rename": _workspace_renamed,
    "app_uninstalled": _gone,
    "tokens_revoked": _gone,
}
