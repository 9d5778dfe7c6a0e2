"""What Kassör listens to: commands, buttons, modals and events, each a thin hand from Slack to an action of the domain."""

import re
from typing import TYPE_CHECKING

from slack_bolt.async_app import AsyncApp

from bot.listeners import admins, billing, commands, decisions, desk, events, owner, plan, quotes, seats, upgrade
from bot.views import admins as admins_view
from bot.views import change, doors
from bot.views import decisions as decision_views
from bot.views import desk as desk_views
from bot.views import upgrade as upgrade_view
from bot.visit import Handler, Visit, listening

if TYPE_CHECKING:
    from bot.app import BotApp

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
    "kassor.go.invoice": billing.latest_pressed,
    "kassor.go.again": billing.again_pressed,
    "kassor.go.payment": billing.payment_pressed,
    "kassor.go.information": billing.information_pressed,
    "kassor.go.cancel": billing.cancel_pressed,
    "kassor.go.resume": billing.resume_pressed,
    "kassor.go.help": billing.help_pressed,
    "kassor.seats.grow": seats.grow_pressed,
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
    desk_views.SUBMIT_SALES: desk.sales_submitted,
    desk_views.SUBMIT_SUPPORT: desk.support_submitted,
    decision_views.SUBMIT_TERMS: decisions.terms_submitted,
    decision_views.SUBMIT_DECLINE: decisions.decline_submitted,
    decision_views.SUBMIT_ANSWER: decisions.answer_submitted,
}
LINKS = re.compile(r"kassor\.(checkout|invoice|stripe)\.open")


def register(app: AsyncApp, bot: "BotApp") -> None:
    """Hang every listener on Bolt's app."""
    for command, handler in COMMANDS.items():
        app.command(command)(listening(bot, handler))
    for action_id, handler in BUTTONS.items():
        app.action(action_id)(listening(bot, handler))
    app.action(re.compile(r"kassor\.upgrade\.(scope|channel|plan|interval|seats)"))(listening(bot, upgrade.chosen))
    app.action(LINKS)(listening(bot, _opened))
    for callback_id, handler in SUBMISSIONS.items():
        app.view(callback_id)(listening(bot, handler))
    events.register(app, bot)


async def _opened(visit: Visit) -> None:
    """A link was followed; Slack wants to hear that we know."""
    await visit.ack()
