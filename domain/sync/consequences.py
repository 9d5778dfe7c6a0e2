"""What a change of a subscription means to people: roles, notices, audit. Always inside the transaction that wrote it."""

from datetime import timedelta
from typing import Any

from domain import audit, clock, directory, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import SubscriptionFacts, UnpaidFacts
from domain.records import Admin, Member, Quote, Scope, Subscription
from domain.records.quotes import QuoteState
from domain.sync.endings import being_ended


async def owner_for(quote: Quote) -> Member:
    """Who becomes billing owner: the one appointed if still eligible (R26), else the one who paid, else the appointed after all."""
    appointed: Member = quote.owner or quote.requester
    for candidate in (appointed, quote.requester):
        if candidate.is_active and await _belongs(quote, candidate):
            return candidate
    return appointed


async def _belongs(quote: Quote, candidate: Member) -> bool:
    """In what the quote is for; of several teams bought together (R14), in any of them."""
    if await directory.is_in(quote.scope, candidate):
        return True
    together = await Scope.filter(id__in=(quote.before or {}).get("teams") or [])
    return any([await directory.is_in(team, candidate) for team in together])


async def make_admin(scope_id: Any, member: Member) -> None:
    """An owner is an admin (R28); somebody who is one already stays so."""
    if not await Admin.filter(scope_id=scope_id, member_id=member.id, until=None).exists():
        await Admin.bulk_create(
            [Admin(scope_id=scope_id, member_id=member.id, since=clock.now())], ignore_conflicts=True
        )


def terms(record: Subscription) -> dict[str, Any]:
    """What is subscribed to, as JSON."""
    return {"plan": record.plan, "interval": record.interval.value, "seats": record.seats}


async def upgraded(desk: Desk, made: Subscription, quote: Quote, owner: Member) -> None:
    """A scope has a paid plan: the payer and the owner are told, the owner is admin, and it is on the record.

    One that had ended before it was heard of (an outage, a backup) is on the record, and no news.
    """
    await make_admin(made.scope_id, owner)
    if made.is_live:
        await _tell_of_upgrade(made, quote, owner)
    await audit.record(
        desk,
        scope=quote.scope,
        actor=quote.requester,
        verb="upgraded",
        after=terms(made) | {"owner": owner.slack_user_id},
        reference=made.id,
        dedup_key=f"upgraded:{made.id}",
    )


async def _tell_of_upgrade(made: Subscription, quote: Quote, owner: Member) -> None:
    scope = quote.scope
    facts = terms(made) | {
        "scope": scope.name,
        "subscription": made.id,
        "owner": owner.slack_user_id,
        "requester": quote.requester.slack_user_id,
        "trial_end": made.trial_end.isoformat() if made.trial_end else None,
        "invoice": made.latest_invoice_id,
    }
    key = f"upgraded:{made.id}"
    await notices.tell(
        NoticeKind.UPGRADED,
        workspace_id=scope.workspace_id,
        facts=facts,
        dedup_key=f"{key}:payer",
        member=quote.requester,
    )
    if owner.id != quote.requester_id:
        await notices.tell(
            NoticeKind.BECAME_OWNER,
            workspace_id=scope.workspace_id,
            facts=facts,
            dedup_key=f"{key}:owner",
            member=owner,
        )
    if quote.owner is not None and owner.id != quote.owner_id:
        facts |= {"appointed": quote.owner.slack_user_id}
        for member in (quote.requester, quote.owner):
            await notices.tell(
                NoticeKind.OWNER_REPLACED,
                workspace_id=scope.workspace_id,
                facts=facts,
                dedup_key=f"{key}:replaced:{member.id}",
                member=member,
            )


async def second_undone(desk: Desk, quote: Quote, found: SubscriptionFacts, why: dict[str, Any]) -> None:
    """Two payment pages raced and one is too many: the payer hears that the money comes back (`why` is a CHANGE_FAILED's facts)."""
    await notices.tell(
        NoticeKind.CHANGE_FAILED,
        workspace_id=quote.scope.workspace_id,
        facts=why,
        dedup_key=f"second:{found.id}",
        member=quote.requester,
    )
    await audit.record(
        desk,
        scope=quote.scope,
        actor=quote.requester,
        source="stripe",
        verb="second_subscription_undone",
        reference=found.id,
        dedup_key=f"second:{found.id}",
    )


async def changed(
    desk: Desk, before: Subscription, after: Subscription, actor: Member | None, owed: list[UnpaidFacts]
) -> None:
    """Everything that may be different now, each told once: only the writer of this version gets here.

    `owed` is what is unpaid, read when it has just become overdue.
    """
    actor = actor or await _who_asked(after)
    if terms(before) != terms(after):
        await _terms_changed(desk, before, after, actor)
    pending = (after.next_plan, after.next_interval, after.next_seats, after.next_at)
    if after.next_at is not None and pending != (
        before.next_plan,
        before.next_interval,
        before.next_seats,
        before.next_at,
    ):
        facts = {
            "next": {"plan": after.next_plan, "interval": after.next_interval, "seats": after.next_seats},
            "at": _iso(after.next_at),
        }
        await _tell(desk, after, actor, NoticeKind.CHANGE_SCHEDULED, "change_scheduled", facts)
    if before.cancel_at is None and after.cancel_at is not None:
        await _tell(
            desk, after, actor, NoticeKind.CANCEL_SCHEDULED, "cancel_scheduled", {"until": _iso(after.cancel_at)}
        )
    elif before.cancel_at is not None and after.cancel_at is None:
        await _tell(desk, after, actor, NoticeKind.RESUMED, "resumed", {})
    overdue = {"past_due", "unpaid"}
    if before.status not in overdue and after.status in overdue:
        await _tell(desk, after, actor, NoticeKind.PAYMENT_FAILED, "payment_failed", failed_facts(desk, after, owed))
    elif before.status in overdue and after.status == "active" and not await being_ended(after.id):
        await _tell(
            desk, after, actor, NoticeKind.PAYMENT_MENDED, "payment_mended", {"invoice": after.latest_invoice_id}
        )


def failed_facts(desk: Desk, record: Subscription, owed: list[UnpaidFacts]) -> dict[str, Any]:
    """What a PAYMENT_FAILED says: until when everything keeps working, and what there is to pay where (M5)."""
    since = record.past_due_since
    invoice = next((each for each in owed if each.status == "open"), None)
    return {
        "invoice": invoice.id if invoice else record.latest_invoice_id,
        "since": _iso(since),
        "until": _iso(since + timedelta(days=desk.catalogue.grace_days)) if since else None,
        "by_hand": record.is_manually_invoiced,
        "url": invoice.url if invoice else None,
        "needs_action": bool(invoice and invoice.needs_action),
        "amount": invoice.amount if invoice else None,
        "currency": invoice.currency if invoice else record.currency,
    }


async def _who_asked(record: Subscription) -> Member | None:
    """Whose accepted quote a change fits: the webhook may be here before the call that caused it came back."""
    quote = await Quote.get_or_none(subscription_id=record.id, state=QuoteState.ACCEPTED).prefetch_related("requester")
    return quote.requester if quote else None


async def _terms_changed(desk: Desk, before: Subscription, after: Subscription, actor: Member | None) -> None:
    only_seats = (before.plan, before.interval) == (after.plan, after.interval)
    kind = NoticeKind.SEATS_CHANGED if only_seats else NoticeKind.PLAN_CHANGED
    facts = {"invoice": after.latest_invoice_id if after.latest_invoice_id != before.latest_invoice_id else None}
    await _tell(desk, after, actor, kind, kind.value, facts, before=terms(before))


async def _tell(
    desk: Desk,
    record: Subscription,
    actor: Member | None,
    kind: NoticeKind,
    verb: str,
    facts: dict[str, Any],
    *,
    before: dict[str, Any] | None = None,
) -> None:
    key = f"{verb}:{record.id}:{record.version}"
    about = terms(record) | {"scope": record.scope.name, "subscription": record.id, "before": before}
    await notices.tell(
        kind, workspace_id=record.scope.workspace_id, facts=about | facts, dedup_key=key, owner_of=record
    )
    await audit.record(
        desk,
        scope=record.scope,
        actor=actor,
        source="slack" if actor else "stripe",
        verb=verb,
        before=before,
        after=terms(record),
        reference=record.id,
        dedup_key=key,
    )


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
