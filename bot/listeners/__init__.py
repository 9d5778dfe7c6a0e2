"""What Kassör listens to: commands, buttons, modals and events, each a thin hand from Slack to an action of the domain."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners import (
    admins,
    billing,
    commands,
    decisions,
    desk,
    elsewhere,
    events,
    owner,
    page,
    plan,
    quotes,
    recipients,
    seats,
    upgrade,
)
from bot.views import admins as admins_view
from bot.views import change, doors
from bot.views import decisions as decision_views
from bot.views import desk as desk_views
from bot.views import invoices as invoice_views
from bot.views import recipients as recipients_view
from bot.views import upgrade as upgrade_view
from bot.views import usage as usage_view
from bot.views.refusals import ELSEWHERE
from bot.visit import Handler, Visit, listening
from domain.rules.refusals import Refusal

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.bot")
Json = dict[str, Any]
COMMANDS: dict[str, Handler] = {
    "/billing": commands.billing,
    "/fakturering": commands.billing,
    "/upgrade": commands.upgrade,
    "/uppgradera": commands.upgrade,
    "/seats": commands.seats,
    "/platser": commands.seats,
    "/billing-owner": commands.owner,
    "/betalningsansvarig": commands.owner,
}
BUTTONS: dict[str, Handler] = {
    "kassor.go.upgrade": upgrade.pressed,
    "kassor.go.seats": seats.pressed,
    "kassor.go.plan": plan.pressed,
    "kassor.go.owner": owner.pressed,
    "kassor.go.claim": owner.claim_pressed,
    "kassor.go.admins": admins.pressed,
    "kassor.go.copies": recipients.pressed,
    recipients_view.STOP: recipients.stop_pressed,
    "kassor.go.page": page.pressed,
    "kassor.go.usage": page.usage_pressed,
    "kassor.go.invoice": billing.latest_pressed,
    "kassor.go.invoices": billing.invoices_pressed,
    "kassor.go.again": billing.again_pressed,
    "kassor.go.payment": billing.payment_pressed,
    "kassor.go.information": billing.information_pressed,
    "kassor.go.cancel": billing.cancel_pressed,
    "kassor.go.resume": billing.resume_pressed,
    "kassor.seats.grow": seats.grow_pressed,
    "kassor.go.help": page.help_pressed,
    invoice_views.NEWER: billing.invoices_turned,
    invoice_views.OLDER: billing.invoices_turned,
    usage_view.PREVIOUS: page.usage_turned,
    usage_view.NEXT: page.usage_turned,
    ELSEWHERE: elsewhere.cancel_pressed,
    "kassor.quote.accept": quotes.accept,
    "kassor.quote.drop": quotes.drop,
    "kassor.owner.confirm": owner.confirm,
    doors.SALES: desk.sales_pressed,
    doors.SUPPORT: desk.support_pressed,
    f"{desk_views.ASK}topic": desk.chosen,
    f"{desk_views.ASK}scope": desk.chosen,
    f"{decision_views.TERMS}plan": decisions.plan_chosen,
    decision_views.APPROVE: decisions.approve_pressed,
    decision_views.DECLINE: decisions.decline_pressed,
    decision_views.ANSWER: decisions.answer_pressed,
}
SUBMISSIONS: dict[str, Handler] = {
    upgrade_view.CALLBACK: upgrade.submitted,
    change.SEATS: seats.submitted,
    change.PLAN: plan.submitted,
    change.OWNER: owner.submitted,
    admins_view.SUBMIT: admins.submitted,
    recipients_view.SUBMIT: recipients.submitted,
    desk_views.SUBMIT_SALES: desk.sales_submitted,
    desk_views.SUBMIT_SUPPORT: desk.support_submitted,
    decision_views.SUBMIT_TERMS: decisions.terms_submitted,
    decision_views.SUBMIT_PRICE: decisions.price_submitted,
    decision_views.SUBMIT_DECLINE: decisions.decline_submitted,
    decision_views.SUBMIT_ANSWER: decisions.answer_submitted,
}
LINKS = re.compile(r"kassor\.(checkout\.open|invoice\.(open|pay|pdf)|stripe\.open)")
WHICH = re.compile(r"kassor\.which\.\d+")


def register(app: AsyncApp, bot: "BotApp") -> None:
    """Hang every listener on Bolt's app."""
    for command, handler in COMMANDS.items():
        app.command(command)(listening(bot, handler))
    for action_id, handler in BUTTONS.items():
        app.action(action_id)(listening(bot, handler))
    app.action(re.compile(r"kassor\.upgrade\.(scope|channel|plan|interval|seats|currency)"))(
        listening(bot, upgrade.chosen)
    )
    app.action(WHICH)(listening(bot, commands.which_pressed))
    app.options(f"{upgrade_view.CHOOSE}scope")(_suggesting(bot))
    app.action(LINKS)(listening(bot, _opened))
    for callback_id, handler in SUBMISSIONS.items():
        app.view(callback_id)(listening(bot, handler))
    events.register(app, bot)


async def _opened(visit: Visit) -> None:
    """A link was followed; Slack wants to hear that we know."""
    await visit.ack()


def _suggesting(bot: "BotApp") -> Callable[..., Awaitable[None]]:
    """What fits of the teams that are too many for a menu, as it is typed."""

    async def listener(ack: AsyncAck, body: Json, client: AsyncWebClient, context: AsyncBoltContext) -> None:
        visit = Visit(bot, ack, body, client, context)
        with bot.busy():
            try:
                await visit.arrive()
                await ack(options=await upgrade.suggestions(visit, str(body.get("value") or "")))
            except Refusal as refusal:
                log.info("the answer is no: %s", type(refusal).__name__)
                await ack(options=[])
            except Exception:
                log.exception("no teams could be suggested")
                await ack(options=[])

    return listener
