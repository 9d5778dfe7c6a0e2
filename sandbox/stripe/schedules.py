"""Subscription schedules: phases that a subscription walks through by itself, such as a downgrade at the period's end."""

import copy
from typing import Any

from sandbox.stripe import changes, consequences, ids, periods
from sandbox.stripe.catalogue import merge_metadata, redeem
from sandbox.stripe.changes import current_period
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.lists import created_within
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import new_item, plan_of, price_of, quantity_of, tax_rates
from sandbox.stripe.subscriptions import create as create_subscription
from sandbox.stripe.subscriptions import execute

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
    schedule["phases"] = _phases(store, params["phases"], start)
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
        _phase_item(each["price"]["id"], each["quantity"], each["metadata"], each["tax_rates"])
        for each in sub["items"]["data"]
    ]
    phase = _phase(items, start, end, sub["currency"], {"metadata": sub["metadata"]})
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


def _phase_item(price: str, quantity: int, metadata: Object, rates: list[Object]) -> Object:
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": dict(metadata),
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": copy.deepcopy(rates),
    }


def _phase(items: list[Object], start: int, end: int, currency: str, params: Object) -> Object:
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": params.get("billing_cycle_anchor"),
        "billing_thresholds": None,
        "collection_method": params.get("collection_method"),
        "currency": currency,
        "default_payment_method": params.get("default_payment_method"),
        "default_tax_rates": [],
        "description": params.get("description") or None,
        "discounts": [],
        "end_date": end,
        "invoice_settings": None,
        "items": items,
        "metadata": merge_metadata({}, params.get("metadata")),
        "on_behalf_of": None,
        "proration_behavior": params.get("proration_behavior", "create_prorations"),
        "start_date": start,
        "transfer_data": None,
        "trial_end": params.get("trial_end"),
    }


def _phases(store: Store, given: list[Object], first_start: int) -> list[Object]:
    phases: list[Object] = []
    for index, params in enumerate(given):
        at = f"phases[{index}]"
        start = params.get("start_date", phases[-1]["end_date"] if phases else first_start)
        start = store.now() if start == "now" else int(str(start))
        if phases and start != phases[-1]["end_date"]:
            if params.get("start_date") is None or start < phases[-1]["start_date"]:
                raise invalid("Phases must be contiguous.", param=f"{at}[start_date]")
            phases[-1]["end_date"] = start
        prices = [price_of(store, each, at=f"{at}[items][{n}]") for n, each in enumerate(params["items"])]
        if not prices:
            raise invalid("A phase must have at least one item.", param=f"{at}[items]")
        items = [
            _phase_item(
                price["id"],
                quantity_of(each, 1, at=f"{at}[items][{n}]"),
                each.get("metadata") or {},
                tax_rates(store, each.get("tax_rates")),
            )
            for n, (each, price) in enumerate(zip(params["items"], prices, strict=True))
        ]
        phase = _phase(items, start, _end_of(params, start, prices[0], store.now()), prices[0]["currency"], params)
        phase["default_tax_rates"] = tax_rates(store, params.get("default_tax_rates"))
        phase["discounts"] = [
            {"coupon": each.get("coupon"), "discount": each.get("discount"), "promotion_code": None}
            for each in params.get("discounts") or []
        ]
        if phase["end_date"] <= start:
            raise invalid("The end date of a phase must be after its start date.", param=f"{at}[end_date]")
        phases.append(phase)
    return phases


def _end_of(params: Object, start: int, price: Object, now: int) -> int:
    if "end_date" in params:
        return now if params["end_date"] == "now" else int(params["end_date"])
    if "duration" in params:
        return periods.after(start, params["duration"]["interval"], params["duration"].get("interval_count", 1))
    return periods.after(start, price["recurring"]["interval"], price["recurring"]["interval_count"])


def update(store: Store, params: Object, schedule_id: str) -> Object:
    """POST /v1/subscription_schedules/{id}: phases replace the old ones; the current one must stay first."""
    schedule = _live(store, schedule_id, "update")
    with store.changing(schedule, "subscription_schedule.updated"):
        schedule["metadata"] = merge_metadata(schedule["metadata"], params.get("metadata"))
        if "end_behavior" in params:
            schedule["end_behavior"] = params["end_behavior"]
        if "phases" in params:
            current = schedule["current_phase"]
            phases = _phases(store, params["phases"], current["start_date"] if current else store.now())
            if current and phases[0]["start_date"] != current["start_date"]:
                raise invalid("You can not modify the start date of the current phase.", param="phases[0][start_date]")
            schedule["phases"] = phases
            if current:
                _settle_current(store, schedule)
    if "phases" in params and schedule["subscription"]:
        current_phase = _phase_at(schedule, store.now())
        if current_phase is not None:
            behaviour = params.get("proration_behavior", "create_prorations")
            _apply(store, schedule, current_phase, proration_behavior=behaviour)
    return schedule


def _settle_current(store: Store, schedule: Object) -> None:
    phase = _phase_at(schedule, store.now())
    if phase is None:
        raise invalid("The subscription schedule update would end its current phase in the past.", param="phases")
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def _phase_at(schedule: Object, moment: int) -> Object | None:
    return next((each for each in schedule["phases"] if each["start_date"] <= moment < each["end_date"]), None)


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
    phase = _phase_at(schedule, now)
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
    given = _as_item_params(sub, phase)
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
            _replace_items(store, sub, phase)
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


def _as_item_params(sub: Object, phase: Object) -> list[Object]:
    """The phase's items as an update's `items[]`: same place, same item id; empty when nothing differs."""
    given: list[Object] = []
    existing = list(sub["items"]["data"])
    differs = len(existing) != len(phase["items"])
    for index, each in enumerate(phase["items"]):
        params: Object = {"price": each["price"], "quantity": each["quantity"]}
        if index < len(existing):
            params["id"] = existing[index]["id"]
            differs |= (existing[index]["price"]["id"], existing[index]["quantity"]) != (
                each["price"],
                each["quantity"],
            )
        given.append(params)
    given += [{"id": each["id"], "deleted": True} for each in existing[len(phase["items"]) :]]
    return given if differs else []


def _replace_items(store: Store, sub: Object, phase: Object) -> None:
    start, end = current_period(sub)
    items = sub["items"]["data"]
    for index, each in enumerate(phase["items"]):
        if index >= len(items):
            item = new_item(store, sub["id"], {"price": each["price"], "quantity": each["quantity"]}, at="items")
            item["current_period_start"], item["current_period_end"] = start, end
            items.append(item)
            continue
        price = store.get("price", each["price"])
        items[index]["price"], items[index]["plan"] = copy.deepcopy(price), plan_of(price)
        items[index]["quantity"] = each["quantity"]
        if each["tax_rates"]:
            items[index]["tax_rates"] = copy.deepcopy(each["tax_rates"])
    del items[len(phase["items"]) :]


def at_period_end(store: Store, sub: Object, end: int, *, phases: list[Object] | None = None) -> Object:
    """The subscription as its schedule will have made it when the period ends. A copy; without a schedule, as it is."""
    after = copy.deepcopy(sub)
    if not sub["schedule"]:
        return after
    schedule = store.get("subscription_schedule", sub["schedule"])
    given = _phases(store, phases, schedule["current_phase"]["start_date"]) if phases else schedule["phases"]
    phase = next((each for each in given if each["start_date"] <= end < each["end_date"]), None)
    if phase is not None and phase["start_date"] >= end:
        _replace_items(store, after, phase)
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
