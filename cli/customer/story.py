"""A scope's whole story as facts, JSON-ready: amounts in minor units, moments ISO 8601 in UTC. Read from our records alone."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from domain import clock, directory
from domain.config import Settings
from domain.queue import QueueState
from domain.records import (
    Admin,
    AuditEntry,
    Customer,
    DeskRequest,
    Event,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Quote,
    Scope,
    Subscription,
)
from domain.records.requests import RequestState
from domain.rules import catalogue

Json = dict[str, Any]
INVOICES, EVENTS, ENTRIES, NOTICES = 12, 10, 15, 20
_COPIES = ("invoice_copy", "invoice_again")


async def story(settings: Settings, scope_id: Any) -> Json:
    """Everything an operator asks about one scope."""
    scope = await Scope.get(id=scope_id).prefetch_related("workspace")
    customer = await Customer.get_or_none(scope_id=scope.id)
    subscriptions = (
        await Subscription.filter(scope_id=scope.id).order_by("-is_live", "-started_at").prefetch_related("owner")
    )
    admins = await Admin.filter(scope_id=scope.id, until=None).order_by("since").prefetch_related("member")
    invoices = await Invoice.filter(scope_id=scope.id).order_by("-created_at", "-id").limit(INVOICES)
    members = await directory.members_in(scope, catalogue.load(settings.catalogue))
    return {
        "scope": {
            "id": str(scope.id),
            "kind": scope.kind.value,
            "name": scope.name,
            "slack_ref": scope.slack_ref or None,
            "members": members,
            "workspace": scope.workspace_id,
            "workspace_name": scope.workspace.name,
            "workspace_domain": scope.workspace.domain,
            "installed": scope.workspace.installed,
        },
        "customer": _customer(settings, customer),
        "subscriptions": [_subscription(settings, each) for each in subscriptions],
        "admins": [_person(each.member) | {"since": _at(each.since)} for each in admins],
        "invoices": [await _invoice(settings, each) for each in invoices],
        "copy_of_this_period": await _this_period(subscriptions),
        "notices": await _notices(scope, subscriptions, admins),
        "events": await _events(customer, subscriptions, invoices),
        "open_offers": await _offers(scope),
        "requests": await _requests(scope),
        "audit": await _audit(scope),
    }


def _at(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _link(settings: Settings, path: str) -> str:
    mode = "test/" if "_test_" in settings.stripe_api_key else ""
    return f"https://dashboard.stripe.com/{mode}{path}"


def _person(member: Member) -> Json:
    return {
        "slack_user_id": member.slack_user_id,
        "name": member.name,
        "email": member.email,
        "can_act": member.is_active,
    }


def _customer(settings: Settings, found: Customer | None) -> Json | None:
    if found is None:
        return None
    return {
        "id": found.id,
        "name": found.name,
        "email": found.email,
        "currency": found.currency,
        "payment_method": found.payment_method_label,
        "stripe": _link(settings, f"customers/{found.id}"),
    }


def _subscription(settings: Settings, each: Subscription) -> Json:
    return {
        "id": each.id,
        "status": each.status,
        "is_live": each.is_live,
        "plan": each.plan,
        "interval": each.interval.value,
        "seats": each.seats,
        "unit_amount": each.unit_amount,
        "currency": each.currency,
        "collection_method": each.collection_method,
        "owner": _person(each.owner),
        "period": [_at(each.current_period_start), _at(each.current_period_end)],
        "trial_end": _at(each.trial_end),
        "cancel_at": _at(each.cancel_at),
        "past_due_since": _at(each.past_due_since),
        "started_at": _at(each.started_at),
        "ended_at": _at(each.ended_at),
        "next": {
            "plan": each.next_plan,
            "interval": each.next_interval.value if each.next_interval else None,
            "seats": each.next_seats,
            "at": _at(each.next_at),
        }
        if each.next_at
        else None,
        "stripe": _link(settings, f"subscriptions/{each.id}"),
    }


async def _invoice(settings: Settings, each: Invoice) -> Json:
    return {
        "id": each.id,
        "number": each.number,
        "status": each.status,
        "reason": each.billing_reason,
        "currency": each.currency,
        "total": each.total,
        "paid": each.amount_paid,
        "remaining": each.amount_remaining,
        "period": [_at(each.period_start), _at(each.period_end)],
        "created_at": _at(each.created_at),
        "finalized_at": _at(each.finalized_at),
        "due_at": _at(each.due_at),
        "copies": await _copies_of(each),
        "stripe": _link(settings, f"invoices/{each.id}"),
    }


async def _copies_of(invoice: Invoice) -> list[Json]:
    """Every message that carries this invoice: the period's copy (I1), and those asked for again (I6)."""
    planned = await InvoiceCopy.filter(invoice_id=invoice.id).prefetch_related("notice")
    notices: dict[UUID, Notice] = {each.notice.id: each.notice for each in planned}
    # An invoice to be paid by hand, and a copy asked for again, name it in their keys.
    keyed = Notice.filter(Q(dedup_key=f"open:{invoice.id}") | Q(dedup_key__startswith=f"again:{invoice.id}:"))
    notices |= {each.id: each for each in await keyed}
    told = sorted(notices.values(), key=lambda notice: notice.created_at)
    return [_notice(each) | {"to": await _reader(each)} for each in told]


async def _reader(notice: Notice) -> str | None:
    """Whom it went to, by name; else whom it would go to now."""
    if notice.sent_to:
        member = await Member.get_or_none(workspace_id=notice.workspace_id, slack_user_id=notice.sent_to)
        return f"{member.name} ({notice.sent_to})" if member else notice.sent_to
    if notice.owner_of_id:
        owner = (await Subscription.get(id=notice.owner_of_id).prefetch_related("owner")).owner
    elif notice.member_id:
        owner = await Member.get(id=notice.member_id)
    else:
        return notice.channel
    return f"{owner.name} ({owner.slack_user_id})"


def _notice(each: Notice) -> Json:
    state = {QueueState.DONE: "sent", QueueState.QUEUED: "waiting", QueueState.BURIED: "buried"}[each.state]
    return {
        "id": str(each.id),
        "kind": each.kind,
        "state": state,
        "created_at": _at(each.created_at),
        "sent_at": _at(each.done_at),
        "not_before": _at(each.available_at) if state == "waiting" else None,
        "attempts": each.attempts,
        "why": None if state == "sent" else _why(each),
    }


def _why(each: Notice) -> str:
    if each.last_error:
        return each.last_error
    if each.available_at > clock.now():
        return "waits for working hours" if each.in_working_hours else "its time has not come"
    return "is due: the worker sends it next"


async def _this_period(subscriptions: list[Subscription]) -> Json | None:
    """Whether the live period has its copy, and if not, what is waited for."""
    live = next((each for each in subscriptions if each.is_live), None)
    if live is None:
        return None
    facts: Json = {"period_start": _at(live.current_period_start), "subscription": live.id}
    copy = await InvoiceCopy.get_or_none(
        subscription_id=live.id, period_start=live.current_period_start
    ).prefetch_related("notice")
    if copy is not None:
        return (
            facts | {"planned": True, "why": None} | {"copy": _notice(copy.notice) | {"to": await _reader(copy.notice)}}
        )
    in_period = Invoice.filter(subscription_id=live.id, period_start__gte=live.current_period_start)
    found = await in_period.order_by("-created_at").first()
    if found is None:
        why = "no invoice of this period is known yet; Kassör asks Stripe once an hour"
    elif found.finalized_at is None:
        why = f"{found.id} is a draft: Stripe finalises it about an hour after the period began"
    else:
        why = f"{found.number or found.id} is ready: the scheduler's next tick plans the copy"
    return facts | {"planned": False, "why": why, "copy": None}


async def _notices(scope: Scope, subscriptions: list[Subscription], admins: list[Admin]) -> list[Json]:
    """What has not been sent: to the owner, the admins, and about this scope's subscriptions."""
    people = {each.owner_id for each in subscriptions} | {each.member_id for each in admins}
    mine = Q(owner_of_id__in=[each.id for each in subscriptions]) | Q(member_id__in=list(people))
    stuck = Notice.filter(mine, workspace_id=scope.workspace_id).exclude(state=QueueState.DONE)
    found = await stuck.order_by("-created_at").limit(NOTICES)
    return [_notice(each) | {"to": await _reader(each)} for each in found]


async def _events(customer: Customer | None, subscriptions: list[Subscription], invoices: list[Invoice]) -> list[Json]:
    lanes = [*(each.id for each in subscriptions), *(each.id for each in invoices)]
    lanes += [customer.id] if customer else []
    mine = Event.filter(lane__in=lanes)
    stuck = await mine.exclude(state=QueueState.DONE).order_by("-received_at").limit(EVENTS)
    newest = await mine.order_by("-received_at").limit(EVENTS)
    found: dict[str, Event] = {}
    for each in [*newest, *stuck]:
        found[each.id] = each
    return [
        {
            "id": each.id,
            "type": each.type,
            "state": each.state.value,
            "received_at": _at(each.received_at),
            "done_at": _at(each.done_at),
            "attempts": each.attempts,
            "error": each.last_error,
        }
        for each in sorted(found.values(), key=lambda event: event.received_at, reverse=True)
    ]


async def _offers(scope: Scope) -> list[Json]:
    open_now = Quote.filter(Q(state="accepted") | Q(state="offered", expires_at__gt=clock.now()), scope_id=scope.id)
    return [
        {
            "id": str(each.id),
            "kind": each.kind.value,
            "state": each.state.value,
            "plan": each.plan,
            "interval": each.interval.value,
            "seats": each.seats,
            "due_now": each.due_now,
            "currency": each.currency,
            "by": each.requester.slack_user_id,
            "offered_at": _at(each.offered_at),
            "accepted_at": _at(each.accepted_at),
        }
        for each in await open_now.order_by("-offered_at").limit(NOTICES).prefetch_related("requester")
    ]


async def _requests(scope: Scope) -> list[Json]:
    asked = DeskRequest.filter(scope_id=scope.id).order_by("-asked_at").limit(NOTICES).prefetch_related("requester")
    return [
        {
            "id": str(each.id),
            "desk": each.desk.value,
            "topic": each.topic,
            "state": each.state.value,
            "by": each.requester.slack_user_id,
            "asked_at": _at(each.asked_at),
            "decided_at": _at(each.decided_at),
        }
        for each in await asked
        if each.is_pending or each.state != RequestState.ANSWERED
    ]


async def _audit(scope: Scope) -> list[Json]:
    tail = AuditEntry.filter(scope_id=scope.id).order_by("-at", "-id").limit(ENTRIES).prefetch_related("actor")
    return [
        {
            "at": _at(each.at),
            "verb": each.verb,
            "by": each.actor.name if each.actor else None,
            "source": each.source,
            "before": each.before,
            "after": each.after,
            "reference": each.reference,
        }
        for each in reversed(await tail)
    ]
