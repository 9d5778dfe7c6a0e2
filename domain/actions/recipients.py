"""Second recipients of the invoice copies (I6): the billing owner, who alone handles invoices (R33), chooses who else gets them.

A recipient need not belong to a paying team: finance rarely does. They get copies from then on, nothing earlier, and may stop them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from domain import audit, clock, notices
from domain.actions.common import check_actor, check_owner
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import CopyRecipient, Member, Scope, Subscription
from domain.rules import policy
from domain.rules.refusals import ChangeInProgress, NotRecipient, RecipientNotEligible, TooManyRecipients

MOST = 10


@dataclass(frozen=True)
class RecipientsChanged:
    """Whom `choose` added and removed."""

    added: tuple[Member, ...]
    removed: tuple[Member, ...]


async def listing(actor: Member, *, subscription: Subscription) -> list[Member]:
    """Who gets copies besides the owner, longest first. Raises NotOwner, NotSubscribed, ActorNotEligible."""
    await check_owner(actor, subscription, "copies")
    return [row.member for row in await current(subscription)]


async def current(subscription: Subscription) -> list[CopyRecipient]:
    """The rows of those who get copies besides the owner, longest first, their members with them. Whoever asks checks who may."""
    rows = CopyRecipient.filter(subscription_id=subscription.id, until=None).exclude(member_id=subscription.owner_id)
    return await rows.order_by("id").prefetch_related("member")


async def choose(
    desk: Desk, actor: Member, *, subscription: Subscription, members: Sequence[Member]
) -> RecipientsChanged:
    """Let exactly these get copies besides the owner; all of it or none. The new and the former ones are told.

    Raises NotOwner, NotSubscribed, ActorNotEligible, RecipientNotEligible (of the new ones), TooManyRecipients, ChangeInProgress
    (billing was handed over at this moment).
    """
    await check_owner(actor, subscription, "copies")
    wanted = {member.id: member for member in members}
    if len(wanted) > MOST:
        raise TooManyRecipients(most=MOST)
    scope = await Scope.get(id=subscription.scope_id)
    async with in_transaction():
        await _take_turns(actor, subscription, scope)
        present = {row.member_id: row for row in await current(subscription)}
        added = tuple(member for member in wanted.values() if member.id not in present)
        removed = tuple(row for row in present.values() if row.member_id not in wanted)
        for member in added:
            check_can_receive(subscription, scope, member)
        for member in added:
            await _add(desk, actor, subscription, scope, member)
        for row in removed:
            await _remove(desk, actor, subscription, scope, row)
    return RecipientsChanged(added, tuple(row.member for row in removed))


async def add(desk: Desk, actor: Member, *, subscription: Subscription, member: Member) -> bool:
    """Let one more get copies; False when they do already.

    Raises NotOwner, NotSubscribed, ActorNotEligible, RecipientNotEligible, TooManyRecipients, ChangeInProgress.
    """
    await check_owner(actor, subscription, "copies")
    scope = await Scope.get(id=subscription.scope_id)
    check_can_receive(subscription, scope, member)
    async with in_transaction():
        await _take_turns(actor, subscription, scope)
        present = {row.member_id for row in await current(subscription)}
        if member.id in present:
            return False
        if len(present) >= MOST:
            raise TooManyRecipients(most=MOST)
        await _add(desk, actor, subscription, scope, member)
    return True


async def remove(desk: Desk, actor: Member, *, subscription: Subscription, member: Member) -> bool:
    """Let somebody get no more copies; False when they get none. Raises as `add`, but for eligibility and number."""
    await check_owner(actor, subscription, "copies")
    scope = await Scope.get(id=subscription.scope_id)
    async with in_transaction():
        await _take_turns(actor, subscription, scope)
        row = next((row for row in await current(subscription) if row.member_id == member.id), None)
        return row is not None and await _remove(desk, actor, subscription, scope, row)


async def own(actor: Member) -> list[CopyRecipient]:
    """The copies somebody gets beside an owner, with what they are of. Raises ActorNotEligible."""
    check_actor(actor)
    rows = CopyRecipient.filter(member_id=actor.id, until=None, subscription__is_live=True)
    found = await rows.order_by("id").prefetch_related("subscription__scope", "subscription__owner")
    return [row for row in found if row.subscription.owner_id != actor.id]


async def stop(desk: Desk, actor: Member, *, recipient_id: str) -> Scope:
    """A recipient wants no more copies; the owner is told. Pressed again it is no error. Raises NotRecipient, ActorNotEligible."""
    check_actor(actor)
    key = int(recipient_id) if recipient_id.isascii() and recipient_id.isdigit() and len(recipient_id) < 19 else 0
    row = await CopyRecipient.get_or_none(id=key, member_id=actor.id).prefetch_related("member", "subscription__scope")
    if row is None:
        raise NotRecipient
    scope = row.subscription.scope
    async with in_transaction():
        await end(desk, row, actor=actor)
    return scope


async def end(desk: Desk, row: CopyRecipient, *, actor: Member | None) -> bool:
    """End a row that its recipient (`actor`), or their leaving Slack (nobody), ends; the owner hears of it. False when it was over.

    Call it in a transaction, the row's member and its subscription's scope fetched.
    """
    if not await CopyRecipient.filter(id=row.id, until=None).update(until=clock.now()):
        return False
    live = row.subscription
    await _record_end(desk, actor, live, live.scope, row, source="slack" if actor else "scheduler")
    if live.is_live:
        await notices.tell(
            NoticeKind.RECIPIENT_GONE,
            workspace_id=live.scope.workspace_id,
            facts={
                "scope": live.scope.name,
                "subscription": live.id,
                "member": row.member.slack_user_id,
                "left": actor is None,
            },
            dedup_key=f"recipient_gone:{row.id}",
            owner_of=live,
        )
    return True


def check_can_receive(subscription: Subscription, scope: Scope, member: Member) -> None:
    """Whether somebody can get copies: an active human of the workspace, no guest, not the owner. Raises RecipientNotEligible."""
    reason = policy.ineligible(is_bot=member.is_bot, is_guest=member.is_guest, is_deactivated=member.is_deactivated)
    if member.workspace_id != scope.workspace_id:
        raise RecipientNotEligible(member=member.slack_user_id, name="", reason="unknown")
    if reason is None and member.id == subscription.owner_id:
        reason = "owner"
    if reason:
        raise RecipientNotEligible(member=member.slack_user_id, name=member.name, reason=reason)


async def _take_turns(actor: Member, subscription: Subscription, scope: Scope) -> None:
    """Two who choose at once do it one after the other, by the subscription's row; and only its owner of this moment (R33)."""
    mine = Subscription.filter(id=subscription.id, owner_id=actor.id, is_live=True)
    if not await mine.update(owner_id=actor.id):
        raise ChangeInProgress(scope=scope.name)


async def _add(desk: Desk, actor: Member, subscription: Subscription, scope: Scope, member: Member) -> None:
    row = await CopyRecipient.create(
        subscription_id=subscription.id, member_id=member.id, added_by_id=actor.id, since=clock.now()
    )
    await notices.tell(
        NoticeKind.COPIES_BEGUN,
        workspace_id=scope.workspace_id,
        facts={"scope": scope.name, "owner": actor.slack_user_id, "recipient": row.id},
        dedup_key=f"copies_begun:{row.id}",
        member=member,
    )
    await audit.record(
        desk,
        scope=scope,
        actor=actor,
        verb="recipient_added",
        after={"recipient": member.slack_user_id},
        reference=subscription.id,
        dedup_key=f"recipient:{row.id}",
    )


async def _remove(desk: Desk, actor: Member, subscription: Subscription, scope: Scope, row: CopyRecipient) -> bool:
    if not await CopyRecipient.filter(id=row.id, until=None).update(until=clock.now()):
        return False  # they stopped the copies themselves at this moment
    await notices.tell(
        NoticeKind.COPIES_OVER,
        workspace_id=scope.workspace_id,
        facts={"scope": scope.name, "owner": actor.slack_user_id},
        dedup_key=f"copies_over:{row.id}",
        member=row.member,
    )
    await _record_end(desk, actor, subscription, scope, row, source="slack")
    return True


async def _record_end(
    desk: Desk, actor: Member | None, subscription: Subscription, scope: Scope, row: CopyRecipient, *, source: str
) -> None:
    await audit.record(
        desk,
        scope=scope,
        actor=actor,
        source=source,
        verb="recipient_removed",
        before={"recipient": row.member.slack_user_id},
        reference=subscription.id,
        dedup_key=f"recipient_removed:{row.id}",
    )
