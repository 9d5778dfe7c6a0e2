"""POST /v1/invoices/create_preview: the next invoice of a subscription, of a change to it, or of one that does not exist."""

import dataclasses
from typing import Any

from sandbox.stripe import changes, drafts, schedules
from sandbox.stripe.changes import current_period, cycle_lines
from sandbox.stripe.customers import full_address
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.lines import Line
from sandbox.stripe.periods import period_around
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import interval_of
from sandbox.stripe.subscriptions import bill_of, draft_of, first_lines
from sandbox.stripe.totals import Discount

Object = dict[str, Any]


def create_preview(store: Store, params: Object) -> Object:
    """What the invoice would be. Nothing is kept. Raises ApiError where there will be none (`invoice_upcoming_none`)."""
    details = params.get("subscription_details", {})
    sub_id = params.get("subscription")
    if "schedule" in params or "schedule_details" in params:
        if sub_id:
            raise invalid("You can only specify one of `subscription` and `schedule`.", param="schedule")
        return _of_schedule(store, params)
    customer = store.get("customer", params["customer"], param="customer") if "customer" in params else None
    if sub_id is None and not details.get("items") and customer is not None:
        live = [
            each
            for each in store.all("subscription")
            if each["customer"] == customer["id"] and each["status"] in {"active", "trialing", "past_due"}
        ]
        sub_id = min(live, key=lambda each: current_period(each)[1])["id"] if live else None
        if sub_id is None:
            raise _none(customer["id"])
    if sub_id is None:
        return _of_new(store, params, details, customer)
    sub = store.get("subscription", sub_id, param="subscription")
    if customer is not None and sub["customer"] != customer["id"]:
        raise invalid("The subscription does not belong to the customer.", param="subscription")
    return of_change(store, sub, details, params)


def _none(customer_id: str) -> Exception:
    return invalid(f"No upcoming invoices for customer: {customer_id}", code="invoice_upcoming_none", status=404)


def _of_new(store: Store, params: Object, details: Object, customer: Object | None) -> Object:
    if not details.get("items"):
        raise missing_parameter("subscription_details[items]")
    wanted = {**details, "currency": params.get("currency") or None}
    if wanted["currency"] is None:
        del wanted["currency"]
    sub = draft_of(store, wanted, customer or _somebody(params))
    bill = drafts.Bill(
        lines=first_lines(store, sub),
        currency=sub["currency"],
        reason="upcoming",
        customer=customer or _somebody(params),
        sub=None,
        discounts=_discounts(store, params),
        preview=True,
    )
    return drafts.compose(store, bill)


def _somebody(params: Object) -> Object:
    details = params.get("customer_details", {})
    return {
        "id": None,
        "address": full_address(details.get("address")),
        "balance": 0,
        "currency": None,
        "email": None,
        "name": None,
        "phone": None,
        "tax_exempt": details.get("tax_exempt") or "none",
        "tax_ids": {"data": []},
    }


def _discounts(store: Store, params: Object) -> list[Discount]:
    return [
        Discount(each["coupon"], store.get("coupon", each["coupon"], param="discounts"))
        for each in params.get("discounts") or []
        if "coupon" in each
    ]


def of_change(store: Store, sub: Object, details: Object, params: Object) -> Object:
    """The invoice that a change to `sub` would cause: at once where it bills at once, else the next renewal's."""
    if sub["status"] in {"canceled", "incomplete_expired"}:
        raise invalid(
            "You cannot preview the upcoming invoice for a canceled subscription.", code="invoice_upcoming_none"
        )
    plan = changes.plan(store, sub, _as_update(details))
    if plan.invoice_now:
        waiting = drafts.waiting_lines(store, sub["customer"], sub["id"], prorations_only=True)
        at = plan.at
        return _composed(store, sub, waiting + plan.lines, at, params, period=(at, at))
    after = plan.after
    start, end = current_period(after)
    ending = (
        details.get("cancel_at_period_end", sub["cancel_at_period_end"])
        or (details.get("cancel_at") or sub["cancel_at"] or end + 1) <= end
    )
    waiting = drafts.waiting_lines(store, sub["customer"], sub["id"]) + plan.prorations
    if ending and not waiting:
        raise _none(sub["customer"])
    following: list[Line] = []
    if not ending:
        scheduled = schedules.at_period_end(store, after, end)
        anchor = scheduled["billing_cycle_anchor"]
        interval = interval_of(scheduled["items"]["data"][0])
        if interval != interval_of(after["items"]["data"][0]):
            anchor = end
        following = cycle_lines(store, scheduled, end, period_around(anchor, *interval, end)[1])
    return _composed(
        store, after, waiting + following, plan.at if plan.prorations else None, params, period=(start, end)
    )


def _as_update(details: Object) -> Object:
    return {
        name: details[name]
        for name in ("items", "proration_date", "proration_behavior", "billing_cycle_anchor", "trial_end")
        if name in details
    }


def _composed(
    store: Store, sub: Object, lines: list[Line], at: int | None, params: Object, *, period: tuple[int, int]
) -> Object:
    bill = bill_of(store, sub, lines, "upcoming", at=at, preview=True, period=period)
    if "discounts" in params:
        bill = dataclasses.replace(bill, discounts=_discounts(store, params))
    return drafts.compose(store, bill)


def _of_schedule(store: Store, params: Object) -> Object:
    """The next invoice of a schedule's subscription, with the phases given instead of its own."""
    if "schedule" not in params:
        phases = params["schedule_details"].get("phases") or []
        if not phases:
            raise missing_parameter("schedule_details[phases]")
        return _of_new(store, params, {"items": phases[0]["items"]}, None)
    schedule = store.get("subscription_schedule", params["schedule"], param="schedule")
    sub = store.get("subscription", schedule["subscription"] or "", param="schedule")
    _, end = current_period(sub)
    phases = params.get("schedule_details", {}).get("phases")
    after = schedules.at_period_end(store, sub, end, phases=phases)
    interval = interval_of(after["items"]["data"][0])
    same = interval == interval_of(sub["items"]["data"][0])
    lines = drafts.waiting_lines(store, sub["customer"], sub["id"])
    lines += cycle_lines(
        store, after, end, period_around(sub["billing_cycle_anchor"] if same else end, *interval, end)[1]
    )
    return _composed(store, after, lines, None, params, period=current_period(sub))
