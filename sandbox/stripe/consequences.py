"""What a paid or a failed invoice does to the subscription it bills."""

from typing import Any

from sandbox.stripe.drafts import remember_debits
from sandbox.stripe.store import Store

Object = dict[str, Any]


def after_paid(store: Store, invoice: Object, sub: Object) -> None:
    """An incomplete subscription starts, an overdue one mends, a pending update is applied."""
    waiting = store.plans.get(sub["id"])
    if waiting is not None and waiting[1] == invoice["id"]:
        apply_pending_update(store, sub)
    with store.changing(sub, "customer.subscription.updated"):
        if sub["status"] == "incomplete" or (sub["status"] in {"past_due", "unpaid"} and not _others_open(store, sub)):
            sub["status"] = "active"


def _others_open(store: Store, sub: Object) -> bool:
    pending = store.plans.get(sub["id"])
    return any(
        each["status"] == "open"
        and each["attempted"]
        and (each["parent"] or {}).get("subscription_details", {}).get("subscription") == sub["id"]
        and (pending is None or pending[1] != each["id"])
        for each in store.all("invoice")
    )


def after_failure(store: Store, invoice: Object, sub: Object, *, last: bool) -> None:
    """Overdue; after the last attempt what the account's owner chose: canceled, unpaid, or left overdue."""
    if sub["status"] not in {"active", "past_due"}:
        return
    choice = store.settings.after_retries
    if last and choice == "cancel":
        end(store, sub, reason="payment_failed")
        return
    with store.changing(sub, "customer.subscription.updated"):
        sub["status"] = "unpaid" if last and choice == "unpaid" else "past_due"


def apply_pending_update(store: Store, sub: Object) -> None:
    """The pending update's invoice is paid: carry the plan out."""
    plan, invoice_id = store.plans.pop(sub["id"])
    was_pending = sub["pending_update"] is not None
    with store.changing(sub, "customer.subscription.updated"):
        carry_out(sub, plan.after)
        sub["pending_update"] = None
    remember_debits(store, store.get("invoice", invoice_id))
    if was_pending:
        store.emit("customer.subscription.pending_update_applied", sub)


def drop_pending_update(store: Store, sub: Object, *, expired: bool) -> str | None:
    """Forget the pending update; the invoice that it waited for, to be voided."""
    waiting = store.plans.pop(sub["id"], None)
    with store.changing(sub, "customer.subscription.updated"):
        sub["pending_update"] = None
    if expired:
        store.emit("customer.subscription.pending_update_expired", sub)
    return waiting[1] if waiting else None


_PLANNED = ("items", "billing_cycle_anchor", "trial_end", "trial_start")


def carry_out(sub: Object, after: Object) -> None:
    """Take over what a plan decides; what others changed since is left alone."""
    was_trialing = sub["status"] == "trialing"
    for name in _PLANNED:
        sub[name] = after[name]
    if was_trialing != (after["status"] == "trialing"):
        sub["status"] = after["status"]
    if sub["cancel_at_period_end"]:  # the period may have become another
        sub["cancel_at"] = sub["items"]["data"][0]["current_period_end"]


def end(store: Store, sub: Object, *, reason: str | None) -> None:
    """Canceled now: `customer.subscription.deleted`. A schedule on it ends too."""
    now = store.now()
    if sub["schedule"]:
        schedule = store.get("subscription_schedule", sub["schedule"])
        if schedule["status"] in {"active", "not_started"}:
            with store.changing(schedule, "subscription_schedule.canceled"):
                schedule["status"], schedule["canceled_at"] = "canceled", now
                schedule["current_phase"] = None
    store.plans.pop(sub["id"], None)
    sub["status"] = "canceled"
    sub["ended_at"] = now
    sub["canceled_at"] = sub["canceled_at"] or now
    sub["pending_update"] = None
    if reason is not None:
        details = sub["cancellation_details"]
        details["reason"] = details["reason"] or reason
    for item in sub["items"]["data"]:
        store.debits.pop(item["id"], None)
    store.emit("customer.subscription.deleted", sub)
