"""What Slack tells by itself: people come, change and go; the Home is opened; the app is taken out."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot import home, people, seen
from bot.visit import Visit, listening
from domain import directory
from domain.records import Scope

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


async def _person(_: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """Somebody joined or changed: their language is not in the event, so they are read."""
    user = event["user"]
    if user.get("team_id", team_id) != team_id:
        return
    if not user.get("locale"):
        user = (await client.users_info(user=user["id"], include_locale=True))["user"]
    await directory.upsert_member(team_id, people.facts_of(user))


async def _groups(_: "BotApp", client: AsyncWebClient, team_id: str, __: Json) -> None:
    await people.read_groups(client, team_id)


async def _channel(_: "BotApp", client: AsyncWebClient, team_id: str, event: Json) -> None:
    """A channel that is a team gained or lost somebody."""
    if await Scope.filter(workspace_id=team_id, slack_ref=event.get("channel", "")).exists():
        await people.team(client, team_id, event["channel"])


async def _gone(bot: "BotApp", _: AsyncWebClient, team_id: str, __: Json) -> None:
    """The app was taken out: billing goes on at Stripe, messages wait (P3)."""
    await bot.installations.revoke(team_id)


_HEARINGS: dict[str, Hearing] = {
    "team_join": _person,
    "user_change": _person,
    "subteam_created": _groups,
    "subteam_updated": _groups,
    "subteam_members_changed": _groups,
    "member_joined_channel": _channel,
    "member_left_channel": _channel,
    "app_uninstalled": _gone,
    "tokens_revoked": _gone,
}
