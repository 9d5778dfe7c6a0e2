"""Slash commands. A bare one opens a prefilled modal; a complete one goes straight to the priced confirmation."""

from bot.listeners import admins as admins_listener
from bot.listeners import billing as billing_listener
from bot.listeners import desk as desk_listener
from bot.listeners import owner as owner_listener
from bot.listeners import page
from bot.listeners import plan as plan_listener
from bot.listeners import recipients as recipients_listener
from bot.listeners import seats as seats_listener
from bot.listeners import upgrade as upgrade_listener
from bot.parsing import parse_verb
from bot.visit import Visit
from domain.rules.refusals import SeveralSubscriptions


def _text(visit: Visit) -> str:
    return str(visit.body.get("text") or "")[:500]


async def billing(visit: Visit) -> None:
    """`/billing`: a menu, or the word after it."""
    verb, rest = parse_verb(_text(visit), visit.words.language)
    await _do(visit, verb, rest)


async def upgrade(visit: Visit) -> None:
    """`/upgrade business yearly 25`."""
    await _do(visit, "upgrade", _text(visit))


async def seats(visit: Visit) -> None:
    """`/seats +5`, `/seats 25`."""
    await _do(visit, "seats", _text(visit))


async def owner(visit: Visit) -> None:
    """`/billing-owner @colleague`."""
    await _do(visit, "owner", _text(visit))


async def which_pressed(visit: Visit) -> None:
    """*Choose …* after a word that could have meant several."""
    await page.which_pressed(visit, VERBS)


async def _do(visit: Visit, verb: str, rest: str) -> None:
    try:
        await VERBS[verb](visit, rest)
    except SeveralSubscriptions as several:
        await page.ask_which(visit, several, verb, rest)


VERBS: dict[str, page.Verb] = {
    "menu": page.menu,
    "team": page.team,
    "upgrade": upgrade_listener.asked,
    "seats": seats_listener.asked,
    "usage": page.usage,
    "plan": plan_listener.asked,
    "owner": owner_listener.asked,
    "admins": admins_listener.asked,
    "claim": owner_listener.claim,
    "invoice": billing_listener.latest,
    "invoices": billing_listener.invoices,
    "copies": recipients_listener.asked,
    "payment": billing_listener.payment,
    "information": billing_listener.information,
    "cancel": billing_listener.cancel,
    "resume": billing_listener.resume,
    "sales": desk_listener.sales,
    "support": desk_listener.support,
    "move": page.move,
    "links": page.links,
    "help": page.help_,
}
