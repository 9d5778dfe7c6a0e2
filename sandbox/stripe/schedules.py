"""Subscription schedules: phases that a subscription walks through by itself, such as a downgrade at the period's end."""

import copy
from typing import Any

from sandbox.stripe import changes, consequences, ids
from sandbox.stripe.catalogue import merge_metadata, redeem
from sandbox.stripe.changes import current_period
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.lists import created_within
from sandbox.stripe.phases import as_item_params, phase_at, phase_item, phase_of, phases_of, replace_items
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_updates import execute
from sandbox.stripe.subscriptions import create as create_subscription

Object = dict[str, Any]


def create(store: Store, params: Object) -> Object:
    """POST /v1/subscription_schedules, from a subscription or for a customer."""
    if "from_subscription" in params:
        wrong = sorted(params.keys() & {"customer", "phases", "start_date", "end_behavior", "default_settings"})
        if wrong:
            raise invalid(f"You cannot set `{wrong[0]}` if `from_subscription` is set.", param=wrong[0])
        return _from_subscription(store, params)
    for name in ("customer", "phases", "start_date"):
        if name not in params:
            raise missing_parameter(name)
    now = store.now()
    start = now if params["start_date"] == "now" else params["start_date"]
    customer = store.get("customer", params["customer"], param="customer")
    schedule = _blank(store, customer["id"], params)
    schedule["phases"] = phases_of(store, params["phases"], start)
    schedule["end_behavior"] = params.get("end_behavior", "release")
    store.add(schedule, "subscription_schedule.created")
    if start <= now:
        advance(store, schedule)
    return schedule


def _blank(store: Store, customer_id: str, params: Object) -> Object:
    return {
        "id": ids.new("subscription_schedule"),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "canceled_at": None,
        "completed_at": None,
        "created": store.now(),
        "current_phase": None,
        "customer": customer_id,
        "customer_account": None,
        "default_settings": {
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "description": None,
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "days_until_due": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "on_behalf_of": None,
            "transfer_data": None,
        },
        "end_behavior": "release",
        "livemode": False,
        "metadata": merge_metadata({}, params.get("metadata")),
        "pause_schedules": [],
        "phases": [],
        "released_at": None,
        "released_subscription": None,
        "status": "not_started",
        "subscription": None,
        "test_clock": None,
    }


def _from_subscription(store: Store, params: Object) -> Object:
    sub = store.get("subscription", params["from_subscription"], param="from_subscription")
    if sub["schedule"]:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"`{sub['id']}` is attached to `{sub['schedule']}`.",
            param="from_subscription",
        )
    if sub["status"] in {"canceled", "incomplete_expired", "incomplete"}:
        raise invalid(
            f"You cannot create a subscription schedule from a subscription that is `{sub['status']}`.",
            param="from_subscription",
        )
    schedule = _blank(store, sub["customer"], params)
    start, end = current_period(sub)
    settings = schedule["default_settings"]
    settings["collection_method"] = sub["collection_method"]
    settings["invoice_settings"]["days_until_due"] = sub["days_until_due"]
    settings["default_payment_method"] = sub["default_payment_method"]
    items = [
        phase_item(each["price"]["id"], each["quantity"], each["metadata"], each["tax_rates"])
        for each in sub["items"]["data"]
    ]
    phase = phase_of(items, start, end, sub["currency"], {"metadata": sub["metadata"]})
    phase["default_tax_rates"] = copy.deepcopy(sub["default_tax_rates"])
    phase["discounts"] = [{"coupon": None, "discount": each, "promotion_code": None} for each in sub["discounts"]]
    phase["trial_end"] = sub["trial_end"] if sub["status"] == "trialing" else None
    schedule["phases"] = [phase]
    schedule["status"] = "active"
    schedule["current_phase"] = {"start_date": start, "end_date": end}
    schedule["subscription"] = sub["id"]
    if sub["cancel_at_period_end"]:
        schedule["end_behavior"] = "cancel"
    store.add(schedule, "subscription_schedule.created")
    with store.changing(sub, "customer.subscription.updated"):
        sub["schedule"] = schedule["id"]
        sub["cancel_at"], sub["cancel_at_period_end"] = None, False
    return schedule


def update(store: Store, params: Object, schedule_id: str) -> Object:
    """POST /v1/subscription_schedules/{id}: phases replace the old ones; the current one must stay first."""
    schedule = _live(store, schedule_id, "update")
    with store.changing(schedule, "subscription_schedule.updated"):
        schedule["metadata"] = merge_metadata(schedule["metadata"], params.get("metadata"))
        if "end_behavior" in params:
            schedule["end_behavior"] = params["end_behavior"]
        if "phases" in params:
            current = schedule["current_phase"]
            phases = phases_of(store, params["phases"], current["start_date"] if current else store.now())
            if current and phases[0]["start_date"] != current["start_date"]:
                raise invalid("You can not modify the start date of the current phase.", param="phases[0][start_date]")
            schedule["phases"] = phases
            if current:
                _settle_current(store, schedule)
    if "phases" in params and schedule["subscription"]:
        current_phase = phase_at(schedule, store.now())
        if current_phase is not None:
            behaviour = params.get("proration_behavior", "create_prorations")
            _apply(store, schedule, current_phase, proration_behavior=behaviour)
    return schedule


def _settle_current(store: Store, schedule: Object) -> None:
    phase = phase_at(schedule, store.now())
    if phase is None:
        raise invalid("The subscription schedule update would end its current phase in the past.", param="phases")
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def _live(store: Store, schedule_id: str, verb: str) -> Object:
    schedule = store.get("subscription_schedule", schedule_id)
    if schedule["status"] not in {"active", "not_started"}:
        raise invalid(
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status. It must be "
            "in the `not_started` or `active` status."
        )
    return schedule


def release(store: Store, schedule_id: str) -> Object:
    """POST …/release: the subscription goes on as it is, the schedule is gone."""
    return _release(store, _live(store, schedule_id, "release"))


def _release(store: Store, schedule: Object) -> Object:
    sub = store.find(schedule["subscription"] or "")
    with store.changing(schedule, "subscription_schedule.released"):
        schedule["status"], schedule["released_at"] = "released", store.now()
        schedule["released_subscription"], schedule["subscription"] = schedule["subscription"], None
        schedule["current_phase"] = None
    if sub is not None:
        with store.changing(sub, "customer.subscription.updated"):
            sub["schedule"] = None
    return schedule


def cancel(store: Store, schedule_id: str) -> Object:
    """POST …/cancel: the schedule and its subscription end now."""
    schedule = _live(store, schedule_id, "cancel")
    sub = store.find(schedule["subscription"] or "")
    with store.changing(schedule, "subscription_schedule.canceled"):
        schedule["status"], schedule["canceled_at"] = "canceled", store.now()
        schedule["current_phase"] = None
    if sub is not None:
        consequences.end(store, sub, reason="cancellation_requested")
    return schedule


def next_due(schedule: Object) -> int | None:
    """When the schedule acts next: its first phase's start, or its current phase's end."""
    if schedule["status"] == "not_started":
        return int(schedule["phases"][0]["start_date"])
    if schedule["status"] == "active":
        return int(schedule["current_phase"]["end_date"])
    return None


def advance(store: Store, schedule: Object) -> None:
    """Enter the phase that starts now; after the last one, release or cancel."""
    now = store.now()
    phase = phase_at(schedule, now)
    if phase is None:
        _finish(store, schedule)
        return
    with store.changing(schedule, "subscription_schedule.updated"):
        schedule["status"] = "active"
        schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    if schedule["subscription"] is None:
        items = [{"price": each["price"], "quantity": each["quantity"]} for each in phase["items"]]
        made = create_subscription(
            store,
            {
                "customer": schedule["customer"],
                "items": items,
                "metadata": phase["metadata"],
                "payment_behavior": "default_incomplete",
            },
        )
        made["schedule"], schedule["subscription"] = schedule["id"], made["id"]
        return
    _apply(store, schedule, phase, proration_behavior=phase["proration_behavior"])


def _finish(store: Store, schedule: Object) -> None:
    if schedule["end_behavior"] != "cancel":
        _release(store, schedule)
        return
    sub = store.find(schedule["subscription"] or "")
    with store.changing(schedule, "subscription_schedule.completed"):
        schedule["status"], schedule["completed_at"] = "completed", store.now()
        schedule["current_phase"] = None
    if sub is not None:
        consequences.end(store, sub, reason="cancellation_requested")


def _apply(store: Store, schedule: Object, phase: Object, *, proration_behavior: str) -> None:
    sub = store.get("subscription", schedule["subscription"])
    if sub["status"] in {"canceled", "incomplete_expired"}:
        return
    given = as_item_params(sub, phase)
    now = store.now()
    start, end = current_period(sub)
    ends_trial = (
        sub["status"] == "trialing" and phase["trial_end"] is None and now < end
    )  # a phase says whether it is a trial
    metadata = merge_metadata(sub["metadata"], phase["metadata"])
    _take_over_terms(store, sub, phase)
    if not given and metadata == sub["metadata"] and not ends_trial:
        return
    if now >= end:
        # Exactly at the boundary nothing is left to prorate: the renewal that follows bills the new items.
        with store.changing(sub, "customer.subscription.updated"):
            sub["metadata"] = metadata
            replace_items(store, sub, phase)
        return
    wish: Object = {"items": given, "proration_behavior": proration_behavior, "proration_date": max(now, start)}
    plan = changes.plan(store, sub, wish | ({"trial_end": "now"} if ends_trial else {}))
    with store.changing(sub, "customer.subscription.updated"):
        sub["metadata"] = metadata
        consequences.carry_out(sub, plan.after)
    execute(store, sub, plan, {})


def _take_over_terms(store: Store, sub: Object, phase: Object) -> None:
    """A phase's own tax rates; and its discounts, which are all there are: none given are none left."""
    wanted = [{name: each[name] for name in ("discount", "coupon") if each[name]} for each in phase["discounts"]]
    discounts = [each["id"] for each in redeem(store, wanted, sub)]
    rates = copy.deepcopy(phase["default_tax_rates"]) or sub["default_tax_rates"]
    if (discounts, rates) != (sub["discounts"], sub["default_tax_rates"]):
        with store.changing(sub, "customer.subscription.updated"):
            sub["discounts"], sub["default_tax_rates"] = discounts, rates


def at_period_end(store: Store, sub: Object, end: int, *, phases: list[Object] | None = None) -> Object:
    """The subscription as its schedule will have made it when the period ends. A copy; without a schedule, as it is."""
    after = copy.deepcopy(sub)
    if not sub["schedule"]:
        return after
    schedule = store.get("subscription_schedule", sub["schedule"])
    given = phases_of(store, phases, schedule["current_phase"]["start_date"]) if phases else schedule["phases"]
    phase = next((each for each in given if each["start_date"] <= end < each["end_date"]), None)
    if phase is not None and phase["start_date"] >= end:
        replace_items(store, after, phase)
    return after


def list_schedules(store: Store, params: Object) -> list[Object]:
    """GET /v1/subscription_schedules."""
    return [
        each
        for each in store.all("subscription_schedule")
        if params.get("customer", each["customer"]) == each["customer"]
        and created_within(each, params.get("created"))
        and (not params.get("scheduled") or each["status"] == "not_started")
    ]
