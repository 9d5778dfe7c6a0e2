"""Changes to a subscription: what is written at once, what is billed, and what waits until it is paid."""

import copy
from typing import Any

from sandbox.stripe import changes, collection, consequences, drafts
from sandbox.stripe.catalogue import merge_metadata, redeem
from sandbox.stripe.changes import Plan
from sandbox.stripe.errors import declined, invalid
from sandbox.stripe.lines import Line
from sandbox.stripe.periods import HOUR
from sandbox.stripe.store import Debit, Store
from sandbox.stripe.subscription_items import tax_rates
from sandbox.stripe.subscriptions import bill_of, own_method, set_cancellation

Object = dict[str, Any]

PENDING_UPDATE_LIVES = 23 * HOUR
_WITH_PENDING = {
    "items",
    "proration_behavior",
    "proration_date",
    "billing_cycle_anchor",
    "payment_behavior",
    "trial_end",
    "trial_from_plan",
    "expand",
    "off_session",
    "add_invoice_items",
    "discounts",
}


def update(store: Store, params: Object, sub_id: str) -> Object:
    """POST /v1/subscriptions/{id}."""
    sub = store.get("subscription", sub_id)
    if sub["status"] in {"canceled", "incomplete_expired"}:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    pending = params.get("payment_behavior") == "pending_if_incomplete"
    if pending:
        _check_pending(sub, params)
    plan = None
    if {"items", "billing_cycle_anchor", "trial_end"} & params.keys():
        plan = changes.plan(store, sub, params)
    with store.changing(sub, "customer.subscription.updated"):
        _set_plain(store, sub, params)
        if plan is not None and not (_paid_first(params) and plan.invoice_now):
            consequences.carry_out(sub, plan.after)
    if plan is not None:
        execute(store, sub, plan, params)
        _keep_schedule_in_step(store, sub)
    return sub


def _paid_first(params: Object) -> bool:
    return params.get("payment_behavior") in {"pending_if_incomplete", "error_if_incomplete"}


def _check_pending(sub: Object, params: Object) -> None:
    if sub["collection_method"] == "send_invoice":
        raise invalid(
            "`pending_if_incomplete` is only supported for `collection_method=charge_automatically`.",
            param="payment_behavior",
        )
    wrong = sorted(params.keys() - _WITH_PENDING)
    if wrong:
        raise invalid(
            f"When `payment_behavior` is set to `pending_if_incomplete` you can only pass supported params: {wrong[0]} is "
            "not supported. Please see https://stripe.com/docs/billing/subscriptions/pending-updates for a full list.",
            param=wrong[0],
        )


def execute(store: Store, sub: Object, plan: Plan, params: Object) -> None:
    """Bill what a plan costs: at once, at the next renewal, or, when it must be paid first, keep it pending."""
    old_invoice = consequences.drop_pending_update(store, sub, expired=False) if sub["pending_update"] else None
    if old_invoice is not None:
        collection.void(store, store.get("invoice", old_invoice))
    if not plan.lines:
        return
    pending = _paid_first(params)
    named = drafts.as_invoice_items(store, plan.prorations, sub["customer"])
    if not plan.invoice_now:
        _remember_planned(store, named)
        return
    waiting = (
        []
        if pending
        else [
            line
            for line in drafts.waiting_lines(store, sub["customer"], sub["id"], prorations_only=True)
            if line not in named
        ]
    )
    if pending:
        store.plans[sub["id"]] = (plan, "")
    invoice = drafts.keep(store, bill_of(store, sub, waiting + named + plan.cycle, "subscription_update", at=plan.at))
    if pending:
        store.plans[sub["id"]] = (plan, invoice["id"])
    with store.changing(sub, "customer.subscription.updated"):
        sub["latest_invoice"] = invoice["id"]
    _finalize_and_charge(store, sub, invoice, plan, params)


def _finalize_and_charge(store: Store, sub: Object, invoice: Object, plan: Plan, params: Object) -> None:
    pending = sub["id"] in store.plans
    collection.finalize(store, invoice, debits=not pending)
    if invoice["status"] != "open":
        return
    if sub["collection_method"] == "send_invoice":
        store.emit("invoice.sent", invoice)
        return
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "default_incomplete":
        return
    attempt = collection.collect(store, invoice, retried=not pending and behaviour == "allow_incomplete")
    if attempt.state == "paid":
        return
    if behaviour == "error_if_incomplete":
        del store.plans[sub["id"]]
        collection.void(store, invoice)
        raise declined(attempt.decline_code or "authentication_required")
    if pending:
        with store.changing(sub, "customer.subscription.updated"):
            sub["pending_update"] = _pending_update(store, sub, plan)


def _pending_update(store: Store, sub: Object, plan: Plan) -> Object:
    after = plan.after
    return {
        "billing_cycle_anchor": plan.at if after["billing_cycle_anchor"] != sub["billing_cycle_anchor"] else None,
        "discount": None,
        "discounts": [],
        "expires_at": store.now() + PENDING_UPDATE_LIVES,
        "metadata": None,
        "subscription_items": copy.deepcopy(after["items"]["data"]),
        "trial_end": after["trial_end"] if after["trial_end"] != sub["trial_end"] else None,
        "trial_from_plan": None,
    }


def _remember_planned(store: Store, lines: list[Line]) -> None:
    for line in lines:
        if line.subscription_item and not line.description.startswith("Unused"):
            store.debits[line.subscription_item] = Debit(line.amount, line.start, line.end)


def _set_plain(store: Store, sub: Object, params: Object) -> None:
    sub["metadata"] = merge_metadata(sub["metadata"], params.get("metadata"))
    if params.get("default_payment_method"):
        own_method(store, params["default_payment_method"], sub["customer"])
        sub["default_payment_method"] = params["default_payment_method"]
    elif "default_payment_method" in params:  # emptied: the customer's own default is charged
        sub["default_payment_method"] = None
    if "default_tax_rates" in params:
        sub["default_tax_rates"] = tax_rates(store, params["default_tax_rates"])
    if "description" in params:
        sub["description"] = params["description"] or None
    if "days_until_due" in params:
        sub["days_until_due"] = params["days_until_due"]
    if "collection_method" in params:
        sub["collection_method"] = params["collection_method"]
        if params["collection_method"] == "charge_automatically":
            sub["days_until_due"] = None
    if "discounts" in params:
        sub["discounts"] = [each["id"] for each in redeem(store, params["discounts"] or [], sub)]
    for name in ("payment_settings", "trial_settings"):
        if name in params:
            sub[name] = {**sub[name], **params[name]}
    if {"cancel_at_period_end", "cancel_at"} & params.keys():
        set_cancellation(store, sub, params)
    for name, value in params.get("cancellation_details", {}).items():
        sub["cancellation_details"][name] = value or None


def _keep_schedule_in_step(store: Store, sub: Object) -> None:
    """A direct change to a scheduled subscription changes the schedule's current phase too."""
    if not sub["schedule"] or sub["pending_update"]:
        return
    schedule = store.get("subscription_schedule", sub["schedule"])
    with store.changing(schedule, "subscription_schedule.updated"):
        for phase in schedule["phases"]:
            current = schedule["current_phase"] or {}
            if phase["start_date"] == current.get("start_date"):
                phase["items"] = [
                    {**kept, "price": item["price"]["id"], "plan": item["price"]["id"], "quantity": item["quantity"]}
                    for kept, item in zip(
                        phase["items"] + [phase["items"][0]] * len(sub["items"]["data"]),
                        sub["items"]["data"],
                        strict=False,
                    )
                ]
