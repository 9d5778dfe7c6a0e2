"""The admins of a paying scope (R28): the owner appoints and removes them, and is always one.

An admin sees who the owner is, is told when the owner can't be reached, is gone or doesn't pay (I5, P1, M5), and can take billing
over from an owner who has left. Money, seats and invoices stay the owner's alone (R33).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices
from domain.actions.common import check_owner
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Admin, Member, Scope, Subscription
from domain.rules import policy
from domain.rules.refusals import AdminNotEligible
from domain.sync.consequences import make_admin


@dataclass(frozen=True)
class AdminsChanged:
    """Whom `set_admins` appointed and removed."""

    appointed: tuple[Member, ...]
    removed: tuple[Member, ...]


async def listing(actor: Member, *, subscription: Subscription) -> list[Member]:
    """The admins besides the owner, longest first, active or not. Raises NotOwner, NotSubscribed, ActorNotEligible."""
    await check_owner(actor, subscription, "admins")
    current = await Admin.filter(scope_id=subscription.scope_id, until=None).order_by("id").prefetch_related("member")
    return [admin.member for admin in current if admin.member_id != subscription.owner_id]


async def set_admins(
    desk: Desk, actor: Member, *, subscription: Subscription, members: Sequence[Member]
) -> AdminsChanged:
    """Let exactly these, and the owner, be admins; all of it or none. Those who are new, and those who no longer are, are told.

    An admin who isn't active is left alone: no menu of Slack's shows them, so leaving them out says nothing. Raises NotOwner,
    NotSubscribed, ActorNotEligible, AdminNotEligible (of the new ones; who is admin already may stay).
    """
    present = await listing(actor, subscription=subscription)
    wanted = {member.id: member for member in members if member.id != subscription.owner_id}
    known = {member.id for member in present}
    appointed = tuple(member for member in wanted.values() if member.id not in known)
    removed = tuple(member for member in present if member.id not in wanted and member.is_active)
    scope = await Scope.get(id=subscription.scope_id)
    for member in appointed:
        await check_can_be_admin(scope, member)
    async with in_transaction():
        for member in appointed:
            await _appoint(desk, actor, subscription, scope, member)
        for member in removed:
            await _remove(desk, actor, subscription, scope, member)
    return AdminsChanged(appointed, removed)


async def check_can_be_admin(scope: Scope, member: Member) -> None:
    """Whether somebody can become admin of it: an active human member of it, no guest. Raises AdminNotEligible."""
    reason = policy.ineligible(is_bot=member.is_bot, is_guest=member.is_guest, is_deactivated=member.is_deactivated)
    if reason is None and not await directory.is_in(scope, member):
        reason = "not_a_member"
    if reason:
        raise AdminNotEligible(member=member.slack_user_id, name=member.name, reason=reason)


async def _appoint(desk: Desk, actor: Member, subscription: Subscription, scope: Scope, member: Member) -> None:
    await make_admin(scope.id, member)
    row = await Admin.get(scope_id=scope.id, member_id=member.id, until=None)
    await _tell(NoticeKind.ADMIN_APPOINTED, actor, subscription, scope, row, member)
    await audit.record(
        desk,
        scope=scope,
        actor=actor,
        verb="admin_appointed",
        after={"admin": member.slack_user_id},
        reference=subscription.id,
        dedup_key=f"admin:{row.id}",
    )


async def _remove(desk: Desk, actor: Member, subscription: Subscription, scope: Scope, member: Member) -> None:
    """The record is ended, not deleted (R48)."""
    row = await Admin.get_or_none(scope_id=scope.id, member_id=member.id, until=None)
    if row is None or not await Admin.filter(id=row.id, until=None).update(until=clock.now()):
        return  # somebody else did at this moment
    await _tell(NoticeKind.ADMIN_REMOVED, actor, subscription, scope, row, member)
    await audit.record(
        desk,
        scope=scope,
        actor=actor,
        verb="admin_removed",
        before={"admin": member.slack_user_id},
        reference=subscription.id,
        dedup_key=f"admin_removed:{row.id}",
    )


async def _tell(
    kind: NoticeKind, actor: Member, subscription: Subscription, scope: Scope, row: Admin, member: Member
) -> None:
    await notices.tell(
        kind,
        workspace_id=scope.workspace_id,
        facts={"scope": scope.name, "subscription": subscription.id, "owner": actor.slack_user_id},
        dedup_key=f"{kind.value}:{row.id}",
        member=member,
    )
