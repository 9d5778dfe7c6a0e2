"""Slash commands. A bare one opens a prefilled modal; a complete one goes straight to the priced confirmation."""

from collections.abc import Awaitable, Callable

from bot import home
from bot.listeners import admins as admins_listener
from bot.listeners import billing as billing_listener
from bot.listeners import owner as owner_listener
from bot.listeners import plan as plan_listener
from bot.listeners import seats as seats_listener
from bot.listeners import upgrade as upgrade_listener
from bot.parsing import parse_verb
from bot.views import page as views
from bot.visit import Visit


def _text(visit: Visit) -> str:
    return str(visit.body.get("text") or "")[:500]


async def billing(visit: Visit) -> None:
    """`/billing`: a menu, or the word after it."""
    verb, rest = parse_verb(_text(visit), visit.words.language)
    await _VERBS[verb](visit, rest)


async def upgrade(visit: Visit) -> None:
    """`/upgrade business yearly 25`."""
    await upgrade_listener.asked(visit, _text(visit))


async def seats(visit: Visit) -> None:
    """`/seats +5`, `/seats 25`."""
    await seats_listener.asked(visit, _text(visit))


async def owner(visit: Visit) -> None:
    """`/billing-owner @colleague`."""
    await owner_listener.asked(visit, _text(visit))


async def _menu(visit: Visit, _: str) -> None:
    await visit.ack()
    await visit.reply(views.message(visit.words, visit.desk, await home.pages_of(visit.desk, visit.actor)))


_VERBS: dict[str, Callable[[Visit, str], Awaitable[None]]] = {
    "menu": _menu,
    "status": _menu,
    "upgrade": upgrade_listener.asked,
    "seats": seats_listener.asked,
    "plan": plan_listener.asked,
    "owner": owner_listener.asked,
    "admins": admins_listener.asked,
    "invoice": billing_listener.latest,
    "invoices": billing_listener.invoices,
    "payment": billing_listener.payment,
    "information": billing_listener.information,
    "cancel": billing_listener.cancel,
    "resume": billing_listener.resume,
    "help": billing_listener.help_,
}
