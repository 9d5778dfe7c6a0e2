"""The billing page in its forms: the menu, a team's own page (R37), seat usage (R36), links (R47), and which one is meant."""

from collections.abc import Awaitable, Callable

from bot import home
from bot.listeners import finding
from bot.views import help as help_view
from bot.views import page as views
from bot.views import usage as usage_view
from bot.visit import Visit
from domain import directory
from domain.actions import page
from domain.actions import usage as usage_action
from domain.records import Member, Scope, Subscription
from domain.rules.refusals import CannotMove, SeveralSubscriptions

Verb = Callable[[Visit, str], Awaitable[None]]


async def menu(visit: Visit, _: str = "") -> None:
    """`/billing` alone: in a paying team's channel that team's page, elsewhere everything."""
    await visit.ack()
    meant = await finding.subscription(visit, visit.meant) if visit.meant else None
    here = await finding.scope_of(meant) if meant else await finding.team_here(visit)
    pages = [await page.page(visit.desk, visit.actor, scope=here)] if here else None
    await _show(visit, pages or await home.pages_of(visit.desk, visit.actor))


async def team(visit: Visit, slack_ref: str) -> None:
    """`/billing #channel`, `/billing @group`: that team's page alone (R37)."""
    await visit.ack()
    await _show_scope(visit, await finding.team(visit, slack_ref))


async def pressed(visit: Visit) -> None:
    """*Manage billing*, or *Show billing* without a scope."""
    await visit.ack()
    visit.beside()
    scope_id = str(visit.action.get("value") or "")
    if not scope_id:
        await _show(visit, await home.pages_of(visit.desk, visit.actor))
        return
    await _show_scope(visit, await finding.scope(visit, scope_id))


async def _show_scope(visit: Visit, scope: Scope) -> None:
    await _show(visit, [await page.page(visit.desk, visit.actor, scope=scope)])


async def _show(visit: Visit, pages: list[page.BillingPage]) -> None:
    await visit.reply(views.message(visit.words, visit.desk, await home.soon(visit.desk, pages)))


# --- seat usage ---


async def usage(visit: Visit, _: str = "") -> None:
    """`/billing usage` (R33, R36)."""
    await visit.ack()
    await _usage(visit, await finding.subscription(visit))


async def usage_pressed(visit: Visit) -> None:
    """*See seat usage*."""
    await visit.ack()
    visit.beside()
    await _usage(visit, await finding.subscription(visit, visit.action.get("value")))


async def usage_turned(visit: Visit) -> None:
    """Another page of the people."""
    await visit.ack()
    subscription_id, number = named_page(visit)
    await _usage(visit, await finding.subscription(visit, subscription_id), number)


async def _usage(visit: Visit, live: Subscription, number: int = 0) -> None:
    found = await usage_action.usage(visit.desk, visit.actor, subscription=live, page=number)
    await visit.reply(usage_view.usage(visit.words, found))


def named_page(visit: Visit) -> tuple[str, int]:
    """What a *newer* or *older* button names: an id, and a page of it."""
    key, _, number = str(visit.action.get("value")).partition(":")
    return key, int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0


# --- words ---


async def links(visit: Visit, _: str = "") -> None:
    """`/billing links` (R47)."""
    await visit.ack()
    await visit.reply(views.links(visit.words, visit.desk))


async def move(visit: Visit, _: str = "") -> None:
    """`/billing move`: nothing can be moved, and what to do instead (R9)."""
    raise CannotMove(scope=(await directory.whole(visit.team_id)).name)


async def help_(visit: Visit, _: str = "") -> None:
    """What this person may do, with their own workspace's examples."""
    await visit.ack()
    visit.beside()
    pages = await home.pages_of(visit.desk, visit.actor)
    owned = next((each for each in pages if each.role == "owner"), pages[0])
    colleague = await _somebody_else(visit)
    said = help_view.help_text(visit.words, visit.desk, owned, person=colleague, teams=len(pages) - 1)
    await visit.reply(said)


async def help_pressed(visit: Visit) -> None:
    """A *Get help* button."""
    await help_(visit)


async def _somebody_else(visit: Visit) -> str | None:
    others = Member.filter(workspace_id=visit.team_id, is_bot=False, is_guest=False, is_deactivated=False)
    found = await others.exclude(id=visit.actor.id).order_by("name").first()
    return found.slack_user_id if found else None


# --- which one is meant ---


async def ask_which(visit: Visit, several: SeveralSubscriptions, verb: str, rest: str) -> None:
    """An owner of several is asked; what they wished for goes on with the answer."""
    await visit.ack()
    choices = list(zip(several.subscriptions, several.scopes, strict=True))
    await visit.reply(views.which(visit.words, choices, verb, rest))


async def which_pressed(visit: Visit, verbs: dict[str, Verb]) -> None:
    """*Choose …*: the same wish, for the subscription that was named."""
    subscription_id, _, wish = str(visit.action.get("value")).partition("|")
    verb, _, rest = wish.partition("|")
    visit.meant = (await finding.subscription(visit, subscription_id)).id
    await verbs.get(verb, menu)(visit, rest)
