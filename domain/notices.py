"""The outbox: what people are to be told. A typed message, a recipient, a dedup key; the words and the sending are the bot's.

Writing a notice is part of the transaction that made it true, and its dedup key is unique: however many ways the same thing is
learned (the call that did it, the webhook, a sweep), it is told once.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from domain import clock
from domain.queue import QueueState
from domain.records import Admin, Member, Notice, Subscription


class NoticeKind(StrEnum):
    """What can be told. Facts of each: see `docs/architecture.md`, "Notices"."""

    UPGRADED = "upgraded"  # to the one who upgraded: plan, interval, seats, scope, owner
    BECAME_OWNER = "became_owner"  # to the new owner: what they can and must do; by whom
    HANDED_OVER = "handed_over"  # to the former owner: to whom
    SEATS_CHANGED = "seats_changed"  # before, after, charged
    PLAN_CHANGED = "plan_changed"
    CHANGE_SCHEDULED = "change_scheduled"  # what, when; to the owner
    CHANGE_FAILED = "change_failed"  # a refusal as JSON
    CHECKOUT_READY = "checkout_ready"  # Stripe was away when it was asked for; here is the page now
    CHECKOUT_EXPIRED = "checkout_expired"  # to the one who began it
    OWNER_REPLACED = "owner_replaced"  # the appointed owner was no longer a member when paid (R26)
    CANCEL_SCHEDULED = "cancel_scheduled"  # until when
    RESUMED = "resumed"
    ENDED = "ended"
    TRIAL_ENDING = "trial_ending"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_NEEDS_ACTION = "payment_needs_action"
    PAYMENT_MENDED = "payment_mended"
    PAYMENT_METHOD_CHANGED = "payment_method_changed"
    INVOICE_COPY = "invoice_copy"  # I1: {invoice_id, invoice_ids: oldest first when several, period_start, period_end}
    INVOICE_AGAIN = "invoice_again"  # asked for (R32, I6)
    COPIES_BEGUN = "copies_begun"  # to a new recipient: owner, scope, recipient (the row's id) (I6)
    COPIES_OVER = "copies_over"  # to a former one: owner, scope (I6)
    RECIPIENT_GONE = "recipient_gone"  # a recipient stopped the copies, or left Slack: member, left; to the owner (I6)
    INVOICE_FILE = (
        "invoice_file"  # a copy's PDF that could not be had when its message went: {invoice_id, copy, owner_of}
    )
    OWNER_UNREACHABLE = "owner_unreachable"  # to admins: a copy waits for an owner who can't be reached (I5)
    OWNER_GONE = "owner_gone"  # to admins: the owner has left Slack, one of them can claim billing (P1)
    TEAM_GONE = "team_gone"  # a paying team's group or channel is no longer there: scope; to the owner (P2)
    ADMIN_APPOINTED = "admin_appointed"  # to the new admin: by whom, what an admin can do (R28)
    ADMIN_REMOVED = "admin_removed"  # to the former admin
    OUTGROWN = "outgrown"  # more members than seats: members, size that fits; to the owner (M6)
    DECREASE_STOPPED = "decrease_stopped"  # fewer seats at renewal than members: it stays as it is (M2)
    GRACE_OVER = "grace_over"  # unpaid for the whole grace: it has ended, everybody on Basic (M5)
    ABSORBED = "absorbed"  # a team's plan ended because the organisation has one: credit (M4)
    WELCOME = "welcome"  # to who installed Kassör, once a workspace: what to do first
    AUDIT = "audit"  # to the audit channel: {entry: id}
    DESK_REQUEST = "desk_request"  # to the sales or support channel: {request: id}
    REQUEST_DECIDED = "request_decided"  # to the one who asked: {request: id}
    SETTLED = "settled"  # no message: an earlier one that asked for a payment is drawn anew: {notice: id, how, at}


async def tell(
    kind: NoticeKind,
    *,
    workspace_id: str,
    facts: dict[str, Any],
    dedup_key: str,
    member: Member | None = None,
    owner_of: Subscription | None = None,
    channel: str | None = None,
    not_before: datetime | None = None,
    in_working_hours: bool = False,
) -> Notice | None:
    """Put one message in the outbox, once for its `dedup_key`. Returns None when it was there already.

    Exactly one recipient: a member, the owner of a subscription when it is sent, or a channel. `facts` is JSON: amounts in
    minor units, moments as ISO 8601 UTC, people as Slack user ids.
    """
    if sum(recipient is not None for recipient in (member, owner_of, channel)) != 1:
        raise ValueError("a notice has exactly one recipient")
    now = clock.now()
    notice = Notice(
        id=uuid4(),
        kind=kind.value,
        facts=facts,
        dedup_key=dedup_key,
        workspace_id=workspace_id,
        member=member,
        owner_of=owner_of,
        channel=channel,
        in_working_hours=in_working_hours,
        available_at=max(not_before, now) if not_before else now,
        created_at=now,
    )
    await Notice.bulk_create([notice], ignore_conflicts=True)
    kept = await Notice.get(dedup_key=dedup_key)
    return kept if kept.id == notice.id else None


async def addressee(notice: Notice) -> Member | None:
    """Whom a notice is for at this moment: its member, or whoever owns its subscription now (I1). None for a channel's."""
    if notice.member_id is not None:
        return await Member.get(id=notice.member_id)
    if notice.owner_of_id is not None:
        return (await Subscription.get(id=notice.owner_of_id).prefetch_related("owner")).owner
    return None


async def tell_admins_owner_is_unreachable(notice: Notice, owner: Member) -> None:
    """An owner who can't be reached is not silence: the admins hear of it, once an owner and message (I5).

    Where there is no other active admin, Slack's own workspace admins do.
    """
    if notice.owner_of_id is None:
        return
    live = await Subscription.get(id=notice.owner_of_id).prefetch_related("scope")
    admins = await Admin.filter(scope_id=live.scope_id, until=None).prefetch_related("member")
    readers = [admin.member for admin in admins if admin.member_id != owner.id and admin.member.is_active]
    if not readers:
        others = Member.filter(workspace_id=notice.workspace_id, is_workspace_admin=True).exclude(id=owner.id)
        readers = [member for member in await others if member.is_active]
    for member in readers:
        await tell(
            NoticeKind.OWNER_UNREACHABLE,
            workspace_id=notice.workspace_id,
            facts={
                "owner": owner.slack_user_id,
                "scope": live.scope.name,
                "subscription": live.id,
                "waiting": notice.kind,
                "owner_is_gone": not owner.is_active,
            },
            dedup_key=f"unreachable:{notice.id}:{owner.id}:{member.id}",
            member=member,
        )


async def wake(subscription: Subscription) -> None:
    """There is a new owner: what waited for one who couldn't be reached is due now."""
    await Notice.filter(owner_of_id=subscription.id, state=QueueState.QUEUED).update(available_at=clock.now())
