"""Appointing and removing admins (R28): one modal with all of them; what is wrong with somebody is said on the field."""

from bot.listeners import finding
from bot.views import admins as views
from bot.views.blocks import modal
from bot.views.refusals import refusal_text
from bot.visit import Visit
from bot.words import mention
from domain.actions import admins
from domain.actions.admins import check_can_be_admin
from domain.actions.common import check_owner
from domain.records import Member, Subscription
from domain.rules.refusals import AdminNotEligible, OwnerNotEligible


async def asked(visit: Visit, _: str = "") -> None:
    """`/billing admins`."""
    await _open(visit, await finding.subscription(visit))


async def pressed(visit: Visit) -> None:
    """A *Choose admins* button."""
    await _open(visit, await finding.subscription(visit, visit.action.get("value")))


async def _open(visit: Visit, live: Subscription) -> None:
    present = await admins.listing(visit.actor, subscription=live)
    scope = await finding.scope_of(live)
    await visit.open(views.form(visit.words, live, scope=scope.name, owner=visit.actor, admins=present))
    await visit.ack()


async def submitted(visit: Visit) -> None:
    """Everybody who can't be admin is named on the field; otherwise all of it is done before Slack is answered."""
    live = await finding.subscription(visit, visit.view["private_metadata"])
    await check_owner(visit.actor, live, "admins")
    scope = await finding.scope_of(live)
    picked = visit.state[views.PICKER].get("selected_users") or []
    present = {member.slack_user_id for member in await admins.listing(visit.actor, subscription=live)}
    members, problems = [], []
    for user_id in picked:
        try:
            member = await _colleague(visit, user_id)
            if user_id not in present | {visit.actor.slack_user_id}:
                await check_can_be_admin(scope, member)
            members.append(member)
        except AdminNotEligible as refusal:
            problems.append(_on_the_field(visit, refusal))
    if problems:
        await visit.field_errors({"members": "\n".join(problems)})
        return
    changed = await admins.set_admins(visit.desk, visit.actor, subscription=live, members=members)
    t = visit.words
    said = views.saved(t, appointed=changed.appointed, removed=changed.removed)
    await visit.ack(response_action="update", view=modal(t.plain("Admins"), said.blocks, close=t.plain("Close")))


async def _colleague(visit: Visit, user_id: str) -> Member:
    """Somebody of the workspace. Raises AdminNotEligible for one that isn't there."""
    try:
        return await finding.colleague(visit, user_id)
    except OwnerNotEligible:
        raise AdminNotEligible(member=user_id, name="", reason="unknown") from None


def _on_the_field(visit: Visit, refusal: AdminNotEligible) -> str:
    """A field shows plain text: a name, not a mention."""
    name = refusal.name or visit.words.plain("That person")
    return refusal_text(refusal, visit.words, visit.desk).replace(mention(refusal.member), name)
