"""The App Home tab, published for one person as they may see it."""

import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.views import page as views
from bot.words import Words
from domain.actions import page
from domain.actions.page import BillingPage
from domain.desk import Desk
from domain.records import Member

log = logging.getLogger("kassor.home")


async def pages_of(desk: Desk, actor: Member) -> list[BillingPage]:
    """The page of every scope the person has to do with: the whole first."""
    return [await page.page(desk, actor, scope=scope) for scope in await page.scopes_of(actor)]


async def publish(client: AsyncWebClient, desk: Desk, actor: Member) -> None:
    """Show the person their App Home anew. That Slack won't have it is no reason to fail what led here."""
    view = views.home(Words(actor.locale, actor.tz), desk, await pages_of(desk, actor))
    try:
        await client.views_publish(user_id=actor.slack_user_id, view=view)
    except (SlackApiError, OSError, TimeoutError) as error:
        log.warning("the home of %s was not published: %s", actor.slack_user_id, error)
