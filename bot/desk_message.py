"""The message of a request in its desk's channel, put right: its buttons give way to who decided, what and when."""

import logging

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.views.decisions import request_message
from bot.words import Words
from domain.desk import Desk
from domain.records import DeskRequest, Notice

log = logging.getLogger("kassor.desk")


async def refresh(
    client: AsyncWebClient, desk: Desk, request: DeskRequest, *, home: str, pressed: tuple[str, str] | None = None
) -> None:
    """Show a request as it is now, in the workspace `home` that has the channel. That Slack won't have it undoes no decision.

    `pressed`: the channel and ts of the message a button was just pressed on, in case we never learned where it is.
    """
    told = await Notice.get_or_none(dedup_key=f"request:{request.id}")
    if told is not None and told.slack_channel and told.slack_ts:
        pressed = (told.slack_channel, told.slack_ts)
    if pressed is None:
        return
    content = request_message(Words("en-US"), desk, request, home=home)
    try:
        await client.chat_update(channel=pressed[0], ts=pressed[1], text=content.text, blocks=content.blocks)
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("the message of request %s was not updated: %s", request.id, error)
