"""Second recipients of the copies (I6): one modal with all of them; what is wrong with somebody is said on the field."""

from bot.listeners import finding
from bot.parsing import parse_people
from bot.views import recipients as views
from bot.views.blocks import modal
from bot.views.refusals import refusal_text
from bot.visit import Visit
from domain.actions import recipients
from domain.actions.common import check_owner
from domain.records import Member, Scope, Subscription
from domain.rules.refusals import NotOwner, NotSubscribed, OwnerNotEligible, RecipientNotEligible, TooManyRecipients


async def asked(visit: Visit, text: str) -> None:
    """`/billing copies @colleague`: the modal, whoever was named picked already. A recipient is shown what they get instead."""
    try:
        live = await finding.subscription(visit)
        await check_owner(visit.actor, live, "copies")
    except (NotOwner, NotSubscribed):
        if not (mine := await recipients.own(visit.actor)):
            raise
        await visit.ack()
        await visit.reply(views.mine(visit.words, mine))
        return
    await _open(visit, live, parse_people(text))


async def pressed(visit: Visit) -> None:
    """A *Choose who gets copies* button."""
    await _open(visit, await finding.subscription(visit, visit.action.get("value")))


async def _open(visit: Visit, live: Subscription, named: tuple[str, ...] = ()) -> None:
    """Whoever is named and can't get copies is refused before the modal opens; so are too many."""
    present = [member.slack_user_id for member in await recipients.listing(visit.actor, subscription=live)]
    scope = await finding.scope_of(live)
    for user_id in named:
        recipients.check_can_receive(live, scope, await _colleague(visit, user_id))
    picked = list(dict.fromkeys([*present, *named]))
    if len(picked) > recipients.MOST:
        raise TooManyRecipients(most=recipients.MOST)
    await visit.open(views.form(visit.words, live, scope=scope.name, owner=visit.actor, picked=picked))
    await visit.ack()


async def submitted(visit: Visit) -> None:
    """Everybody who can't get copies is named on the field; otherwise all of it is done before Slack is answered."""
    live = await finding.subscription(visit, visit.view["private_metadata"])
    await check_owner(visit.actor, live, "copies")
    scope = await finding.scope_of(live)
    present = {member.slack_user_id for member in await recipients.listing(visit.actor, subscription=live)}
    members, problems = await _picked(visit, live, scope, present)
    if not problems:
        try:
            changed = await recipients.choose(visit.desk, visit.actor, subscription=live, members=members)
        except (RecipientNotEligible, TooManyRecipients) as refusal:
            problems = [refusal_text(refusal, visit.words, visit.desk)]
    if problems:
        await visit.field_errors({"members": "\n".join(problems)})
        return
    t = visit.words
    said = views.saved(t, added=changed.added, removed=changed.removed)
    view = modal(t.plain("Copies of invoices"), said.blocks, close=t.plain("Close"))
    await visit.ack(response_action="update", view=view)


async def _picked(visit: Visit, live: Subscription, scope: Scope, present: set[str]) -> tuple[list[Member], list[str]]:
    """Those picked, and what is wrong with any who are new."""
    members, problems = [], []
    for user_id in visit.state[views.PICKER].get("selected_users") or []:
        try:
            member = await _colleague(visit, user_id)
            if user_id not in present:
                recipients.check_can_receive(live, scope, member)
            members.append(member)
        except RecipientNotEligible as refusal:
            problems.append(refusal_text(refusal, visit.words, visit.desk))
    return members, problems


async def stop_pressed(visit: Visit) -> None:
    """*Stop these copies*, confirmed: done before Slack is answered; the button gives way to what happened."""
    scope = await recipients.stop(visit.desk, visit.actor, recipient_id=str(visit.action.get("value") or ""))
    await visit.ack()
    await visit.reply(views.stopped(visit.words, scope=scope.name))


async def _colleague(visit: Visit, user_id: str) -> Member:
    """Somebody of the workspace. Raises RecipientNotEligible for one that isn't there."""
    try:
        return await finding.colleague(visit, user_id)
    except OwnerNotEligible:
        raise RecipientNotEligible(member=user_id, name="", reason="unknown") from None
