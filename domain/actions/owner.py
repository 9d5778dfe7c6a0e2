"""The billing owner: handing over (R30), and claiming when the owner is gone (P1).

An owner stays owner whatever becomes of their membership of a team: leaving the team whose plan they own changes nothing, leaving
Slack (or becoming a guest) freezes their powers until somebody claims them or they come back. Only who can be *made* owner is
asked whether they belong (R26).
"""

import logging
from contextlib import suppress

from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices
from domain.actions import recipients
from domain.actions.common import check_actor, check_owner
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Admin, Member, Quote, Scope, Subscription, Watermark
from domain.records.quotes import QuoteState
from domain.rules import policy
from domain.rules.refusals import CannotClaim, ChangeInProgress, NotOwner, NotSubscribed, PaymentsAway, Refusal
from domain.sync.consequences import make_admin, terms

log = logging.getLogger("kassor.owner")
LETTERS = "letters:"  # + subscription: Stripe still writes to its former owner
TRIES = 3  # Stripe's news may write the subscription at the moment somebody claims it


async def hand_over(
    desk: Desk, actor: Member, *, subscription: Subscription, to: Member, source: str = "slack"
) -> Subscription:
    """Make another member of the scope billing owner. Both are told; the former one stays admin (R28).

    Raises NotOwner, NotSubscribed, OwnerNotEligible, ChangeInProgress (somebody else handed it over at this moment).
    """
    await check_owner(actor, subscription, "owner")
    scope = await Scope.get(id=subscription.scope_id)
    await check_can_own(scope, to, subscription)
    return await _pass_on(
        desk, subscription, scope, former=actor, to=to, actor=actor, verb="handed_over", source=source
    )


async def claim(desk: Desk, actor: Member, *, subscription: Subscription) -> Subscription:
    """Take over from an owner who has left Slack or became a guest (P1): the first of `claimants` to ask gets it.

    Raises NotOwner (naming the owner) while the owner is here, also when somebody else was faster; CannotClaim, naming who can;
    ActorNotEligible, NotSubscribed, ChangeInProgress.
    """
    check_actor(actor)
    for _ in range(TRIES):
        live = await Subscription.get_or_none(id=subscription.id, is_live=True, scope__workspace_id=actor.workspace_id)
        if live is None:
            raise NotSubscribed(scope="")
        scope = await Scope.get(id=live.scope_id)
        owner = await Member.get(id=live.owner_id)
        if owner.is_active:
            raise NotOwner(owner=owner.slack_user_id, owner_name=owner.name, asked="claim")
        who = await claimants(live)
        if actor.id not in {each.id for each in who}:
            names = tuple(each.slack_user_id for each in who[:5])
            raise CannotClaim(scope=scope.name, owner=owner.slack_user_id, who=names)
        with suppress(
            ChangeInProgress
        ):  # the subscription was written meanwhile: by another claimant, or by Stripe's news
            return await _pass_on(
                desk, live, scope, former=owner, to=actor, actor=actor, verb="claimed", source="slack"
            )
    raise ChangeInProgress(scope=scope.name)


async def claimants(subscription: Subscription) -> list[Member]:
    """Who may take billing over once its owner is gone (P1), longest known first.

    The scope's other admins that are active and belong to it. Where none is left: Slack's own workspace admins, for a team's
    plan also those who aren't on the team, since otherwise nobody could.
    """
    scope = await Scope.get(id=subscription.scope_id)
    admins = await Admin.filter(scope_id=scope.id, until=None).order_by("id").prefetch_related("member")
    appointed = [
        admin.member
        for admin in admins
        if admin.member_id != subscription.owner_id
        and admin.member.is_active
        and await directory.is_in(scope, admin.member)
    ]
    if appointed:
        return appointed
    workspace_admins = Member.filter(
        workspace_id=scope.workspace_id,
        is_workspace_admin=True,
        is_bot=False,
        is_guest=False,
        is_deactivated=False,
    )
    return await workspace_admins.exclude(id=subscription.owner_id).order_by("id")


async def check_can_own(scope: Scope, member: Member, subscription: Subscription) -> None:
    """Whether somebody can become owner of it now (R26). Raises OwnerNotEligible."""
    policy.check_new_owner(
        member=member.slack_user_id,
        name=member.name,
        is_bot=member.is_bot,
        is_guest=member.is_guest,
        is_deactivated=member.is_deactivated,
        in_scope=await directory.is_in(scope, member),
        is_owner=member.id == subscription.owner_id,
    )


async def _pass_on(
    desk: Desk,
    subscription: Subscription,
    scope: Scope,
    *,
    former: Member,
    to: Member,
    actor: Member,
    verb: str,
    source: str,
) -> Subscription:
    async with in_transaction():
        moved = await Subscription.filter(id=subscription.id, owner_id=former.id, version=subscription.version).update(
            owner_id=to.id, version=subscription.version + 1
        )
        if not moved:
            raise ChangeInProgress(scope=scope.name)
        await Watermark.update_or_create(id=f"{LETTERS}{subscription.id}", defaults={"at": clock.now()})
        await make_admin(scope.id, to)
        await Quote.filter(subscription_id=subscription.id, requester_id=former.id, state=QuoteState.OFFERED).update(
            state=QuoteState.SUPERSEDED
        )
        await notices.wake(subscription)
        fresh = await Subscription.get(id=subscription.id)
        key = f"{verb}:{fresh.id}:{fresh.version}"
        facts = terms(fresh) | {
            "scope": scope.name,
            "subscription": fresh.id,
            "owner": to.slack_user_id,
            "former": former.slack_user_id,
            "by": actor.slack_user_id,
            "recipients": [row.member.slack_user_id for row in await recipients.current(fresh)],
        }
        told = [(NoticeKind.BECAME_OWNER, to)] + ([(NoticeKind.HANDED_OVER, former)] if former.is_active else [])
        for kind, member in told:
            await notices.tell(
                kind, workspace_id=scope.workspace_id, facts=facts, dedup_key=f"{key}:{member.id}", member=member
            )
        await audit.record(
            desk,
            scope=scope,
            actor=actor,
            source=source,
            verb=verb,
            before={"owner": former.slack_user_id},
            after={"owner": to.slack_user_id},
            reference=fresh.id,
            dedup_key=key,
        )
    return fresh


async def tell_stripe(desk: Desk, subscription: Subscription) -> None:
    """Stripe's own letters follow the owner. While Stripe is away, or cut off, `tell_stripe_of_all` does it later."""
    mark = f"{LETTERS}{subscription.id}"
    try:
        told = None
        while told != (live := await Subscription.get(id=subscription.id).prefetch_related("owner")).owner_id:
            told = live.owner_id  # whoever it was handed to meanwhile is told of last
            await desk.payments.set_customer_contact(live.customer_id, email=live.owner.email, locale=live.owner.locale)
    except PaymentsAway:
        await Watermark.update_or_create(id=mark, defaults={"at": clock.now()})
        return
    except Refusal as refusal:
        log.warning("stripe does not take the new address of %s: %s", subscription.customer_id, refusal)
    await Watermark.filter(id=mark).delete()


async def tell_stripe_of_all(desk: Desk) -> int:
    """Tell Stripe of the owners it could not be told of at once; returns how many."""
    marked = [mark.id.removeprefix(LETTERS) for mark in await Watermark.filter(id__startswith=LETTERS)]
    for live in await Subscription.filter(id__in=marked):
        await tell_stripe(desk, live)
    return len(marked)
