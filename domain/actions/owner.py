"""The billing owner and the admins: handing over (R30), appointing (R28), and claiming when the owner is gone (P1)."""

from contextlib import suppress

from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices
from domain.actions.common import check_actor, check_owner
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Admin, Member, Scope, Subscription
from domain.rules import policy
from domain.rules.refusals import ChangeInProgress, NotInScope, NotOwner, OwnerNotEligible, Refusal
from domain.sync.consequences import make_admin, terms


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
    """An admin takes over from an owner who has left Slack (P1). Raises NotOwner while the owner is still here."""
    check_actor(actor)
    scope = await Scope.get(id=subscription.scope_id)
    owner = await Member.get(id=subscription.owner_id)
    is_admin = await Admin.filter(scope_id=scope.id, member_id=actor.id, until=None).exists()
    if owner.is_active or not is_admin:
        raise NotOwner(owner=owner.slack_user_id, owner_name=owner.name, asked="claim")
    await check_can_own(scope, actor, subscription)
    return await _pass_on(
        desk, subscription, scope, former=owner, to=actor, actor=actor, verb="claimed", source="slack"
    )


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
        await make_admin(scope.id, to)
        await notices.wake(subscription)
        fresh = await Subscription.get(id=subscription.id)
        key = f"{verb}:{fresh.id}:{fresh.version}"
        facts = terms(fresh) | {
            "scope": scope.name,
            "subscription": fresh.id,
            "owner": to.slack_user_id,
            "former": former.slack_user_id,
            "by": actor.slack_user_id,
        }
        for kind, member in ((NoticeKind.BECAME_OWNER, to), (NoticeKind.HANDED_OVER, former)):
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
    """Stripe's own letters follow the owner. Should Stripe be away, nothing here depends on it."""
    owner = await Member.get(id=subscription.owner_id)
    with suppress(Refusal):
        await desk.payments.set_customer_contact(subscription.customer_id, email=owner.email, locale=owner.locale)


async def appoint_admin(desk: Desk, actor: Member, *, subscription: Subscription, member: Member) -> None:
    """The owner appoints another admin (R28). Raises NotOwner, OwnerNotEligible, NotInScope."""
    await check_owner(actor, subscription, "admins")
    scope = await Scope.get(id=subscription.scope_id)
    reason = policy.ineligible(is_bot=member.is_bot, is_guest=member.is_guest, is_deactivated=member.is_deactivated)
    if reason:
        raise OwnerNotEligible(member=member.slack_user_id, name=member.name, reason=reason)
    if not await directory.is_in(scope, member):
        raise NotInScope(scope=scope.name)
    async with in_transaction():
        await make_admin(scope.id, member)
        current = await Admin.get(scope_id=scope.id, member_id=member.id, until=None)
        await audit.record(
            desk,
            scope=scope,
            actor=actor,
            verb="admin_appointed",
            after={"admin": member.slack_user_id},
            dedup_key=f"admin:{current.id}",
        )


async def remove_admin(desk: Desk, actor: Member, *, subscription: Subscription, member: Member) -> None:
    """The owner ends somebody's being admin; the owner's own stays (R28). The record is ended, not deleted. Raises NotOwner."""
    await check_owner(actor, subscription, "admins")
    if member.id == subscription.owner_id:
        return
    scope = await Scope.get(id=subscription.scope_id)
    async with in_transaction():
        current = await Admin.get_or_none(scope_id=scope.id, member_id=member.id, until=None)
        if current is None:
            return
        await Admin.filter(id=current.id).update(until=clock.now())
        await audit.record(
            desk,
            scope=scope,
            actor=actor,
            verb="admin_removed",
            before={"admin": member.slack_user_id},
            dedup_key=f"admin_removed:{current.id}",
        )
