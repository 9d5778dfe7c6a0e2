"""The phases of a schedule: read from a request, found by a moment, and turned into a subscription's items."""

import copy
from typing import Any

from sandbox.stripe import periods
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.changes import current_period
from sandbox.stripe.errors import invalid
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import new_item, plan_of, price_of, quantity_of, tax_rates

Object = dict[str, Any]


def phase_item(price: str, quantity: int, metadata: Object, rates: list[Object]) -> Object:
    """An item of a phase."""
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": dict(metadata),
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": copy.deepcopy(rates),
    }


def phase_of(items: list[Object], start: int, end: int, currency: str, params: Object) -> Object:
    """A phase of these items over [start, end)."""
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


def phases_of(store: Store, given: list[Object], first_start: int) -> list[Object]:
    """A request's phases, each beginning where the one before ends. Raises ApiError."""
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
            phase_item(
                price["id"],
                quantity_of(each, 1, at=f"{at}[items][{n}]"),
                each.get("metadata") or {},
                tax_rates(store, each.get("tax_rates")),
            )
            for n, (each, price) in enumerate(zip(params["items"], prices, strict=True))
        ]
        phase = phase_of(items, start, _end_of(params, start, prices[0], store.now()), prices[0]["currency"], params)
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


def phase_at(schedule: Object, moment: int) -> Object | None:
    """The phase that a moment is in."""
    return next((each for each in schedule["phases"] if each["start_date"] <= moment < each["end_date"]), None)


def as_item_params(sub: Object, phase: Object) -> list[Object]:
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


def replace_items(store: Store, sub: Object, phase: Object) -> None:
    """Let the subscription have the phase's items, with nothing billed."""
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
