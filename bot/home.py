"""The App Home tab, published for one person as they may see it."""

import asyncio
import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.views import page as views
from bot.views.blocks import Json
from bot.words import Words
from domain.actions import page
from domain.actions.page import BillingPage
from domain.desk import Desk
from domain.records import Member

log = logging.getLogger("kassor.home")
A_MOMENT = 0.9  # seconds somebody waits for a page in front of them


async def pages_of(desk: Desk, actor: Member) -> list[BillingPage]:
    """The page of every scope the person has to do with, the whole first; one team more than is shown tells that there are more."""
    scopes = (await page.scopes_of(actor))[: views.MOST_TEAMS + 2]
    return [await page.page(desk, actor, scope=scope) for scope in scopes]


async def with_next_invoice(desk: Desk, pages: list[BillingPage]) -> list[BillingPage]:
    """The first page with Stripe's own figure of its next invoice; the teams' rows have no amounts."""
    return [await page.with_next_invoice(desk, pages[0]), *pages[1:]]


async def soon(desk: Desk, pages: list[BillingPage]) -> list[BillingPage]:
    """As `with_next_invoice` when Stripe says it within a moment, else as our records have it: a message is posted once."""
    try:
        async with asyncio.timeout(A_MOMENT):
            return await with_next_invoice(desk, pages)
    except TimeoutError:
        return pages


async def publish(client: AsyncWebClient, desk: Desk, actor: Member) -> None:
    """Show the person their App Home anew: at once as our records have it, then with what only Stripe can say.

    That Slack won't have it is no reason to fail what led here.
    """
    t = Words(actor.locale, actor.tz)
    pages = await pages_of(desk, actor)
    shown = await _publish(client, actor, views.home(t, desk, pages))
    if shown is None:
        return
    exact = await with_next_invoice(desk, pages)
    if exact != pages:  # over this very view: while Stripe took its time, a newer one may have come, or another owner
        await _publish(client, actor, views.home(t, desk, exact), over=shown)


async def _publish(client: AsyncWebClient, actor: Member, view: Json, *, over: str | None = None) -> str | None:
    """The hash of what is shown now; None when nothing could be, or `over` is the hash of what is shown no more."""
    try:
        told = await client.views_publish(user_id=actor.slack_user_id, view=view, hash=over)
    except (SlackApiError, OSError, TimeoutError) as error:
        log.warning("the home of %s was not published: %s", actor.slack_user_id, error)
        return None
    return str(told["view"]["hash"])
