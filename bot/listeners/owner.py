"""Handing billing over (R30): a mention or a picker, a last look, then both are told. Claiming it when the owner is gone (P1)."""

import asyncio
from contextlib import suppress

import aiohttp
from slack_sdk.errors import SlackApiError

from bot import home, people
from bot.listeners import finding
from bot.parsing import parse_person
from bot.views import change
from bot.views.blocks import Content, actions, modal, note
from bot.views.page import claim_button
from bot.views.refusals import refusal_text
from bot.visit import Visit
from bot.words import mention
from domain.actions import owner, page
from domain.actions.common import check_owner
from domain.records import Member, Subscription
from domain.rules.refusals import NotOwner, NotSubscribed, OwnerNotEligible, QuoteOver

GLANCE = 1.0  # seconds to look whether the owner is back, before Slack wants an answer


async def asked(visit: Visit, text: str) -> None:
    """`/billing-owner @colleague`; a bare name is never guessed at: the picker opens."""
    live = await finding.subscription(visit)
    await check_owner(visit.actor, live, "owner")
    user_id = parse_person(text)
    if user_id is None:
        await _open(visit, live)
        return
    await visit.ack()
    to = await finding.colleague(visit, user_id)
    scope = await finding.scope_of(live)
    await owner.check_can_own(scope, to, live)
    blocks = change.owner_question(visit.words, live, scope=scope.name, to=to.slack_user_id)
    await visit.reply(Content(text=visit.words("Hand over billing"), blocks=blocks))


async def pressed(visit: Visit) -> None:
    """A *Hand over billing* button."""
    live = await finding.subscription(visit, visit.action.get("value"))
    await check_owner(visit.actor, live, "owner")
    await _open(visit, live)


async def _open(visit: Visit, live: Subscription) -> None:
    scope = await finding.scope_of(live)
    await visit.open(change.owner_form(visit.words, live, scope=scope.name))
    await visit.ack()


async def submitted(visit: Visit) -> None:
    """Somebody was picked: what is wrong is said on the field, else the last look."""
    live = await finding.subscription(visit, visit.view["private_metadata"])
    await check_owner(visit.actor, live, "owner")
    scope = await finding.scope_of(live)
    user_id = visit.state["kassor.owner.member"]["selected_user"]
    try:
        to = await finding.colleague(visit, user_id)
        await owner.check_can_own(scope, to, live)
    except OwnerNotEligible as refusal:
        name = refusal.name or visit.words.plain("That person")
        said = refusal_text(refusal, visit.words, visit.desk).replace(mention(user_id), name)
        await visit.field_errors({"member": said})
        return
    t = visit.words
    blocks = change.owner_question(t, live, scope=scope.name, to=to.slack_user_id)
    await visit.ack(response_action="update", view=modal(t.plain("Hand over billing"), blocks, close=t.plain("Close")))


async def confirm(visit: Visit) -> None:
    """Yes: one local commit before Slack is answered, then Stripe learns whom to write to."""
    subscription_id, _, user_id = str(visit.action.get("value")).partition(":")
    if not user_id:
        raise QuoteOver(state="unknown")
    live = await finding.subscription(visit, subscription_id)
    to = await finding.colleague(visit, user_id)
    fresh = await owner.hand_over(visit.desk, visit.actor, subscription=live, to=to)
    await visit.ack()
    t = visit.words
    await visit.reply(
        note(":white_check_mark: " + t("{who} is billing owner now, and has been told.", who=mention(user_id)))
    )
    await owner.tell_stripe(visit.desk, fresh)
    await home.publish(visit.client, visit.desk, visit.actor)


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
    await visit.reply(note(text, actions(claim_button(visit.words, found.claimable), block_id="claim")))


async def claim_pressed(visit: Visit) -> None:
    """*Take over billing*, in a message or the App Home (P1): one local commit before Slack is answered; the first press wins."""
    live = await finding.subscription(visit, visit.action.get("value"))
    former = await Member.get(id=live.owner_id)
    with suppress(SlackApiError, aiohttp.ClientError, TimeoutError):  # back meanwhile, and the news of it was missed?
        async with asyncio.timeout(GLANCE):
            await people.look_again(visit.client, visit.team_id, former.slack_user_id)
    fresh = await owner.claim(visit.desk, visit.actor, subscription=live)
    await visit.ack()
    t = visit.words
    scope = await finding.scope_of(fresh)
    text = t(
        "You are billing owner of *{scope}* now, in place of {who}.",
        scope=scope.name,
        who=mention(former.slack_user_id),
    )
    await visit.reply(note(f":white_check_mark: {text}"))
    await owner.tell_stripe(visit.desk, fresh)
    await home.publish(visit.client, visit.desk, visit.actor)
