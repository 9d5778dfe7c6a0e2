"""Whose token speaks where: the workspace's own in its DMs, and in a desk's channel whoever has that channel."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import answers
from domain import clock
from domain.records import Workspace

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.delivery")
FRESH = 30.0  # seconds a token is used before it is asked for again; a dead one is noticed by Slack's answer
MOST = 10_000  # clients kept


@dataclass(frozen=True)
class Speaker:
    """A client that speaks in a workspace, and since when we have held its token."""

    client: AsyncWebClient
    team_id: str
    since: datetime


class Speakers:
    """The clients in use. One a process."""

    def __init__(self, bot: "BotApp") -> None:
        self._bot = bot
        self._known: dict[str, tuple[float, Speaker]] = {}
        self._asked: dict[str, asyncio.Task[Speaker | None]] = {}
        self.homes: dict[str, str] = {}  # channel → workspace that has it

    async def of(self, team_id: str) -> Speaker | None:
        """Who speaks in a workspace; None where Kassör isn't installed."""
        now = time.monotonic()
        known = self._known.get(team_id)
        if known is not None and known[0] > now:
            return known[1]
        asked = self._asked.get(team_id)
        if asked is None:  # whoever else speaks there meanwhile asks with us
            asked = self._asked[team_id] = asyncio.create_task(self._ask(team_id), name=f"token of {team_id}")
            asked.add_done_callback(lambda _: self._asked.pop(team_id, None))
        return await asyncio.shield(asked)

    async def _ask(self, team_id: str) -> Speaker | None:
        client = await self._bot.client_for(team_id)
        if client is None:
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        made = Speaker(client, team_id, clock.now())
        self._known[team_id] = (time.monotonic() + FRESH, made)
        return made

    def forget(self, team_id: str) -> None:
        """Its token is no good any more, or there is a new one."""
        self._known.pop(team_id, None)

    async def in_channel(self, channel: str) -> Speaker | None:
        """Whoever has the channel: the vendor's own workspace, not the customer's. None when nobody does."""
        known = self.homes.get(channel)
        if known is not None:
            return await self.of(known)
        limited: SlackApiError | None = None
        for team_id in await Workspace.filter(installed=True).order_by("id").values_list("id", flat=True):
            try:
                found = await self.of(str(team_id))
                if found is not None and await _has(found.client, channel):
                    self.homes[channel] = str(team_id)
                    return found
            except SlackApiError as error:
                if not answers.is_limit(error):
                    raise
                limited = error  # of one workspace alone: another may have the channel
        if limited is not None:
            raise limited
        return None

    def forget_channel(self, channel: str) -> None:
        """Whoever had it says it is not there: the next message looks again."""
        self.homes.pop(channel, None)


async def _has(client: AsyncWebClient, channel: str) -> bool:
    """Whether a workspace has the channel and the app is in it, having joined where it may."""
    try:
        info = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        if answers.is_limit(error) or answers.is_unsure(error):
            raise
        # Whatever a workspace has against us, the desk of another must not wait for it.
        log.info("whether a workspace has the channel %s is not said: %s", channel, answers.code(error))
        return False
    try:
        if not info["channel"].get("is_member") and not info["channel"].get("is_private"):
            await client.conversations_join(channel=channel)
    except SlackApiError as error:
        if answers.code(error) in {"channel_not_found", "missing_scope"}:
            return False
        raise
    return True
