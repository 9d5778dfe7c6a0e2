"""Words that lead on to a modal of their own: whether the person may is said at once, else the button that opens it."""

from bot.listeners import finding
from bot.views.blocks import Content, Json, actions, button, section
from bot.views.doors import support_button
from bot.views.links import GO, ask_sales, links_line
from bot.views.page import claim_button
from bot.visit import Visit
from domain import directory
from domain.actions import page
from domain.actions.common import check_actor, check_owner
from domain.rules.refusals import NotOwner, NotSubscribed


async def sales(visit: Visit, _: str = "") -> None:
    """`/billing sales`: several teams, payment by invoice, a quote; for a manually invoiced plan a change (R14, R24, R38)."""
    check_actor(visit.actor)
    await visit.ack()
    t = visit.words
    whole = await directory.whole(visit.team_id)
    row = [
        ask_sales(t.plain("Contact sales"), "", whole.id, style="primary"),
        support_button(t, "sales"),
    ]
    await _say(visit, t("Sales help with several teams, payment by invoice and quotes."), row)


async def support(visit: Visit, _: str = "") -> None:
    """`/billing support` (R17)."""
    await visit.ack()
    t = visit.words
    text = t("Support helps with upgrading and everything about billing.")
    await _say(visit, text, [support_button(t, "command")], *links_line(t, visit.desk, "support"))


async def admins(visit: Visit, _: str = "") -> None:
    """`/billing admins` (R28)."""
    live = await finding.subscription(visit)
    await check_owner(visit.actor, live, "admins")
    await visit.ack()
    t = visit.words
    scope = await finding.scope_of(live)
    row = [button(t.plain("Manage admins"), f"{GO}admins", live.id, style="primary")]
    await _say(visit, t("You choose who else is admin of *{scope}*.", scope=scope.name), row)


async def claim(visit: Visit, _: str = "") -> None:
    """`/billing claim`: an admin takes over from an owner who has left (P1)."""
    await visit.ack()
    live = await finding.subscription(visit)
    found = await page.page(visit.desk, visit.actor, scope=await finding.scope_of(live))
    if found.owner is None:
        raise NotSubscribed(scope=found.scope.name)
    if found.claimable is None:
        raise NotOwner(owner=found.owner, owner_name=found.owner_name or "", asked="claim")
    text = visit.words("The billing owner of *{scope}* has left Slack. You can take over.", scope=found.scope.name)
    await _say(visit, text, [claim_button(visit.words, found.claimable)])


async def _say(visit: Visit, text: str, row: list[Json], *more: Json) -> None:
    await visit.reply(Content(text=text, blocks=[section(text), actions(*row, block_id="onward"), *more]))
