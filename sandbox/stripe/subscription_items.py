"""Subscription items and the shape of a subscription: what `items[]` of a request makes of the items there are."""

import copy
from typing import Any

from sandbox.stripe import ids, lists
from sandbox.stripe.catalogue import create_price, merge_metadata
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.store import Store

Object = dict[str, Any]
MOST_SEATS = 999_999_999


def plan_of(price: Object) -> Object:
    """The legacy `plan` that still stands beside every recurring price."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": dict(price["metadata"]),
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def new_item(store: Store, sub_id: str, params: Object, *, at: str) -> Object:
    """An item with `price` (or `price_data`) and `quantity`; its period is set by whoever bills it."""
    price = price_of(store, params, at=at)
    return {
        "id": ids.new("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": store.now(),
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": merge_metadata({}, params.get("metadata")),
        "plan": plan_of(price),
        "price": copy.deepcopy(price),
        "quantity": quantity_of(params, 1, at=at),
        "subscription": sub_id,
        "tax_rates": tax_rates(store, params.get("tax_rates")),
    }


def price_of(store: Store, params: Object, *, at: str) -> Object:
    """The price an item names. Raises ApiError for none, an inactive one or a one-time one."""
    if "price_data" in params:
        price = create_price(store, params["price_data"])
    elif "price" in params or "plan" in params:
        price = store.get("price", params.get("price") or params["plan"], param=f"{at}[price]")
    else:
        raise missing_parameter(f"{at}[price]")
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{at}[price]",
        )
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param=f"{at}[price]")
    return price


def quantity_of(params: Object, otherwise: int, *, at: str) -> int:
    """A quantity of 0 or more. Raises ApiError for what cannot be one."""
    quantity: int = params.get("quantity", otherwise)
    if quantity < 0 or quantity > MOST_SEATS:
        raise invalid(
            f"Invalid integer: {quantity}" if quantity > 0 else "This value must be greater than or equal to 0.",
            param=f"{at}[quantity]",
            code="parameter_invalid_integer",
        )
    return quantity


def tax_rates(store: Store, given: Any) -> list[Object]:
    """The tax rates with these ids."""
    return [copy.deepcopy(store.get("tax_rate", each, param="tax_rates")) for each in given or []]


def with_items(store: Store, sub: Object, given: list[Object]) -> list[Object]:
    """The subscription's items after `items[]`: those named by id changed or deleted, the others added."""
    items: list[Object] = copy.deepcopy(sub["items"]["data"])
    for index, params in enumerate(given):
        at = f"items[{index}]"
        if "id" not in params:
            items.append(new_item(store, sub["id"], params, at=at))
            continue
        item = next((each for each in items if each["id"] == params["id"]), None)
        if item is None:
            raise invalid(
                f"Invalid subscription item: '{params['id']}' does not belong to subscription '{sub['id']}'.",
                param=f"{at}[id]",
                code="resource_missing",
            )
        if params.get("deleted"):
            items.remove(item)
            continue
        if {"price", "plan", "price_data"} & params.keys():
            price = price_of(store, params, at=at)
            item["price"], item["plan"] = copy.deepcopy(price), plan_of(price)
        item["quantity"] = quantity_of(params, item["quantity"], at=at)
        item["metadata"] = merge_metadata(item["metadata"], params.get("metadata"))
        if "tax_rates" in params:
            item["tax_rates"] = tax_rates(store, params["tax_rates"])
    check_together(items, sub["currency"])
    return items


def check_together(items: list[Object], currency: str) -> None:
    """Items of one subscription share currency and interval, and no price stands there twice. Raises ApiError."""
    if not items:
        raise invalid("A subscription must have at least one active plan. Use cancel to end it.", param="items")
    if len({each["price"]["id"] for each in items}) < len(items):
        raise invalid("Cannot add multiple subscription items with the same plan.", param="items")
    for each in items:
        if each["price"]["currency"] != currency:
            raise invalid(
                f"The price specified only supports `{each['price']['currency']}`. This doesn't match the expected "
                f"currency: `{currency}`.",
                param="items",
            )
    if len({interval_of(each) for each in items}) > 1:
        raise invalid("If you have multiple items, they must all have the same billing interval.", param="items")


def interval_of(item: Object) -> tuple[str, int]:
    """("month", 1)."""
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def listing(sub_id: str, items: list[Object]) -> Object:
    """`subscription.items`."""
    return lists.whole(items, url=f"/v1/subscription_items?subscription={sub_id}")
