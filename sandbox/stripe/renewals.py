"""What happens by itself when time passes: renewals, trials' ends, retries, expiries, phases. The billing engine's clock."""

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.stripe import checkout, collection, consequences, drafts, schedules
from sandbox.stripe.changes import current_period, cycle_lines, set_period
from sandbox.stripe.periods import DAY, HOUR, boundary, period_around
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import interval_of
from sandbox.stripe.subscriptions import INCOMPLETE_LIVES, bill_of, spend_once_discounts

Object = dict[str, Any]
Work = tuple[int, int, Callable[[], None]]  # due (seconds), rank among equals, what to do

MOST_STEPS = 5_000
UPCOMING_AHEAD = 7 * DAY
TRIAL_WARNING = 3 * DAY


def work(store: Store) -> Iterator[Work]:
    """Everything that is to happen some day, in no order."""
    for session in store.all("checkout.session"):
        if session["status"] == "open":
            yield session["expires_at"], 0, _call(checkout.expire, store, session)
    for schedule in store.all("subscription_schedule"):
        due = schedules.next_due(schedule)
        if due is not None:
            yield due, 1, _call(schedules.advance, store, schedule)
    for sub in store.all("subscription"):
        yield from _work_of(store, sub)
    for invoice in store.all("invoice"):
        yield from _work_of_invoice(store, invoice)


def _call(verb: Callable[..., Any], *args: Any) -> Callable[[], None]:
    def do() -> None:
        verb(*args)

    return do


def _work_of(store: Store, sub: Object) -> Iterator[Work]:
    status = sub["status"]
    if status in {"canceled", "incomplete_expired"}:
        return
    if status == "incomplete":
        yield sub["created"] + INCOMPLETE_LIVES, 3, _call(_expire_incomplete, store, sub)
        return
    start, end = current_period(sub)
    if sub["pending_update"]:
        yield sub["pending_update"]["expires_at"], 2, _call(_expire_pending_update, store, sub)
    if sub["cancel_at"] is not None:
        yield sub["cancel_at"], 2, _call(_end_as_asked, store, sub)
    if status == "trialing" and sub["id"] not in store.told_once:
        yield max(sub["trial_end"] - TRIAL_WARNING, start), 4, _call(_warn_of_trial_end, store, sub)
    told = f"{sub['id']}@{end}"
    if status in {"active", "trialing"} and sub["cancel_at"] is None and told not in store.told_once:
        yield max(end - UPCOMING_AHEAD, start + 1), 6, _call(_tell_upcoming, store, sub, told)
    if status != "paused":
        yield end, 5, _call(renew, store, sub)


def _work_of_invoice(store: Store, invoice: Object) -> Iterator[Work]:
    if invoice["status"] == "draft" and invoice["automatically_finalizes_at"] is not None:
        yield invoice["automatically_finalizes_at"], 7, _call(_finalize_and_collect, store, invoice)
    if invoice["status"] != "open":
        return
    if invoice["next_payment_attempt"] is not None:
        yield invoice["next_payment_attempt"], 8, _call(collection.collect, store, invoice)
    told = f"{invoice['id']}@due"
    if invoice["due_date"] is not None and told not in store.told_once:
        yield invoice["due_date"], 8, _call(_overdue, store, invoice, told)


def next_due(store: Store) -> int | None:
    """When something happens next by itself; None for never."""
    return min((due for due, _, _ in work(store)), default=None)


def process_due(store: Store) -> int:
    """Do all that is due, in order of time, each dated at its own moment. Returns how many pieces were done."""
    for done in range(MOST_STEPS):
        due, _, do = min(work(store), key=lambda piece: piece[:2], default=(None, 0, None))
        if due is None or do is None or due > store.clock.timestamp():
            return done
        with store.as_of(due):
            do()
    return MOST_STEPS


def renew(store: Store, sub: Object) -> None:
    """The period is over: the next begins, and its invoice is drafted; it is finalised and charged an hour later."""
    period = current_period(sub)
    start = period[1]
    was_trialing = sub["status"] == "trialing"
    items = sub["items"]["data"]
    if was_trialing and _ends_without_method(store, sub):
        return
    next_period = period_around(sub["billing_cycle_anchor"], *interval_of(items[0]), start)
    if next_period[0] != start:  # the schedule or a trial moved the grid
        sub["billing_cycle_anchor"] = start
        next_period = (start, boundary(start, *interval_of(items[0]), 1))
    lines = drafts.waiting_lines(store, sub["customer"], sub["id"])
    with store.changing(sub, "customer.subscription.updated"):
        set_period(items, *next_period)
        if was_trialing:
            sub["status"] = "active"
        lines += cycle_lines(store, sub, *next_period)
        invoice = drafts.keep(
            store, bill_of(store, sub, lines, "subscription_cycle", period=period), finalizes_at=start + HOUR
        )
        sub["latest_invoice"] = invoice["id"]
    if sub["status"] == "unpaid":
        invoice["automatically_finalizes_at"], invoice["auto_advance"] = None, False
        invoice["next_payment_attempt"] = None
    drafts.remember_debits(store, invoice)
    spend_once_discounts(store, sub)


def _ends_without_method(store: Store, sub: Object) -> bool:
    customer = store.get("customer", sub["customer"])
    if sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]:
        return False
    choice = sub["trial_settings"]["end_behavior"]["missing_payment_method"]
    if choice == "cancel":
        consequences.end(store, sub, reason=None)
        return True
    if choice == "pause":
        with store.changing(sub, "customer.subscription.updated", "customer.subscription.paused"):
            sub["status"] = "paused"
        return True
    return False


def _end_as_asked(store: Store, sub: Object) -> None:
    consequences.end(store, sub, reason="cancellation_requested")


def _expire_incomplete(store: Store, sub: Object) -> None:
    with store.changing(sub, "customer.subscription.updated"):
        sub["status"], sub["ended_at"] = "incomplete_expired", store.now()
    latest = store.find(sub["latest_invoice"] or "")
    if latest is not None and latest["status"] == "open":
        collection.void(store, latest)


def _expire_pending_update(store: Store, sub: Object) -> None:
    invoice_id = consequences.drop_pending_update(store, sub, expired=True)
    if invoice_id is not None:
        invoice = store.get("invoice", invoice_id)
        if invoice["status"] == "open":
            collection.void(store, invoice)


def _warn_of_trial_end(store: Store, sub: Object) -> None:
    store.told_once.add(sub["id"])
    store.emit("customer.subscription.trial_will_end", sub)


def _tell_upcoming(store: Store, sub: Object, told: str) -> None:
    store.told_once.add(told)
    _, end = current_period(sub)
    following = (end, period_around(sub["billing_cycle_anchor"], *interval_of(sub["items"]["data"][0]), end)[1])
    lines = drafts.waiting_lines(store, sub["customer"], sub["id"]) + cycle_lines(store, sub, *following)
    invoice = drafts.compose(store, bill_of(store, sub, lines, "upcoming", preview=True, period=current_period(sub)))
    store.emit("invoice.upcoming", invoice)


def _finalize_and_collect(store: Store, invoice: Object) -> None:
    collection.finalize(store, invoice)
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        store.emit("invoice.sent", invoice)
    else:
        collection.collect(store, invoice)


def _overdue(store: Store, invoice: Object, told: str) -> None:
    store.told_once.add(told)
    store.emit("invoice.overdue", invoice)
    sub = collection.subscription_of(store, invoice)
    if sub is not None and sub["status"] == "active":
        with store.changing(sub, "customer.subscription.updated"):
            sub["status"] = "past_due"
