"""What the end of a subscription means to people: it was let go, never paid, or taken up in the organisation's (R46, M4, M5)."""

from typing import Any

from domain import audit, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import SubscriptionFacts
from domain.records import Admin, Member, Scope, Subscription, Watermark

_BEING_ENDED = "end:"  # + subscription:why[:member]; see `being_ended`


async def ended(
    desk: Desk, before: Subscription, after: Subscription, actor: Member | None, found: SubscriptionFacts
) -> None:
    """It has ended: its owner is told why; the admins too when it was never paid. In the transaction that wrote the end.

    One that its organisation's took up is told by `absorbing`, which knows the credit.
    """
    if found.ended_why == "absorbed":
        return
    if actor is None and found.ended_by is not None:
        actor = await Member.get_or_none(id=found.ended_by)
    never_paid = found.ended_why == "grace_over"
    kind, verb = (NoticeKind.GRACE_OVER, "grace_over") if never_paid else (NoticeKind.ENDED, "ended")
    terms = {"plan": before.plan, "interval": before.interval.value, "seats": before.seats}
    facts: dict[str, Any] = terms | {
        "scope": after.scope.name,
        "subscription": after.id,
        "before": terms,
        "until": after.ended_at.isoformat() if after.ended_at else None,
        "overdue": before.past_due_since is not None,
    }
    key = f"{verb}:{after.id}"
    await notices.tell(kind, workspace_id=after.scope.workspace_id, facts=facts, dedup_key=key, owner_of=after)
    if never_paid:
        for admin in await other_admins(after):
            await notices.tell(
                kind,
                workspace_id=after.scope.workspace_id,
                facts=facts,
                dedup_key=f"{key}:{admin.id}",
                member=admin,
            )
    await audit.record(
        desk,
        scope=await Scope.get(id=after.scope_id),
        actor=actor,
        source="slack" if actor else "scheduler" if never_paid else "stripe",
        verb=verb,
        before=terms,
        after=terms,
        reference=after.id,
        dedup_key=key,
    )


async def other_admins(subscription: Subscription) -> list[Member]:
    """The scope's admins who are here, besides the owner."""
    found = await Admin.filter(scope_id=subscription.scope_id, until=None).prefetch_related("member")
    return [each.member for each in found if each.member.is_active and each.member_id != subscription.owner_id]


async def being_ended(subscription_id: str) -> bool:
    """Whether somebody has begun to end an overdue one: its invoice is given up first, which is not a payment."""
    return await Watermark.filter(id__startswith=f"{_BEING_ENDED}{subscription_id}:").exists()


def ending_mark(subscription_id: str, why: str, by: int | None) -> str:
    """The mark of an end that has begun; it is an intent, carried on by upkeep when it was cut off."""
    return f"{_BEING_ENDED}{subscription_id}:{why}" + (f":{by}" if by is not None else "")


async def ends_begun() -> list[tuple[str, str, str, int | None]]:
    """(mark, subscription, why, member) of every end that has begun and isn't finished."""
    begun = []
    for mark in await Watermark.filter(id__startswith=_BEING_ENDED).order_by("at"):
        subscription_id, why, by = [*mark.id.removeprefix(_BEING_ENDED).split(":"), ""][:3]
        begun.append((mark.id, subscription_id, why, int(by) if by.isdigit() else None))
    return begun
