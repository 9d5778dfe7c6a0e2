"""What is sold: products and prices, and what changes a sum: coupons and tax rates."""

from decimal import Decimal
from typing import Any

from sandbox.stripe import ids
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.lists import created_within
from sandbox.stripe.periods import boundary
from sandbox.stripe.store import Store

Object = dict[str, Any]


def merge_metadata(old: dict[str, str], given: Any) -> dict[str, str]:
    """Stripe's merge: keys given replace, an empty value deletes, an empty string for all deletes all."""
    if given is None:
        return dict(old)
    if given == "":
        return {}
    merged = {**old, **given}
    return {key: value for key, value in merged.items() if value != ""}


def create_product(store: Store, params: Object) -> Object:
    """POST /v1/products."""
    if params.get("id") in store.objects.get("product", {}):
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    product: Object = {
        "id": params.get("id") or ids.new("product"),
        "object": "product",
        "active": params.get("active", True),
        "created": store.now(),
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images", []),
        "livemode": False,
        "marketing_features": params.get("marketing_features", []),
        "metadata": merge_metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": params.get("tax_code"),
        "type": params.get("type", "service"),
        "unit_label": params.get("unit_label"),
        "updated": store.now(),
        "url": params.get("url"),
    }
    store.add(product, "product.created")
    if "default_price_data" in params:
        price = create_price(store, {**params["default_price_data"], "product": product["id"]})
        product["default_price"] = price["id"]
    return product


def update_product(store: Store, params: Object, product_id: str) -> Object:
    """POST /v1/products/{id}."""
    product = store.get("product", product_id)
    with store.changing(product, "product.updated"):
        for name in ("active", "default_price", "description", "images", "marketing_features", "name", "tax_code"):
            if name in params:
                product[name] = params[name] if params[name] != "" else None
        for name in ("unit_label", "url", "statement_descriptor"):
            if name in params:
                product[name] = params[name] or None
        product["metadata"] = merge_metadata(product["metadata"], params.get("metadata"))
        product["updated"] = store.now()
    return product


def list_products(store: Store, params: Object) -> list[Object]:
    """GET /v1/products."""
    wanted = params.get("ids")
    return [
        each
        for each in store.all("product")
        if params.get("active", each["active"]) == each["active"]
        and (wanted is None or each["id"] in wanted)
        and created_within(each, params.get("created"))
    ]


def create_price(store: Store, params: Object) -> Object:
    """POST /v1/prices."""
    if "product" in params:
        product = store.get("product", params["product"], param="product")
    elif "product_data" in params:
        product = create_product(store, params["product_data"])
    else:
        raise missing_parameter("product")
    amount, exact = params.get("unit_amount"), params.get("unit_amount_decimal")
    if (amount is None) == (exact is None):
        raise invalid("You must specify one of `unit_amount` or `unit_amount_decimal`.", param="unit_amount")
    if (amount or 0) < 0:
        raise invalid("Invalid non-negative integer", param="unit_amount", code="parameter_invalid_integer")
    each = Decimal(str(amount if exact is None else exact))
    recurring = params.get("recurring")
    price: Object = {
        "id": ids.new("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": params.get("billing_scheme", "per_unit"),
        "created": store.now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": merge_metadata({}, params.get("metadata")),
        "nickname": params.get("nickname"),
        "product": product["id"],
        "recurring": None,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": int(each) if each == int(each) else None,
        "unit_amount_decimal": format(each.normalize() if each != int(each) else each.quantize(Decimal(1)), "f"),
    }
    if recurring:
        price["recurring"] = {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": recurring.get("trial_period_days"),
            "usage_type": recurring.get("usage_type", "licensed"),
        }
    _give_lookup_key(store, price, params)
    return store.add(price, "price.created")


def _give_lookup_key(store: Store, price: Object, params: Object) -> None:
    key = params.get("lookup_key")
    if not key:
        return
    for other in store.all("price"):
        if other["lookup_key"] == key and other is not price:
            if not params.get("transfer_lookup_key"):
                raise invalid(
                    f"A price (`{other['id']}`) already uses that lookup key. Please use a different value or set "
                    "`transfer_lookup_key` to `true`.",
                    param="lookup_key",
                )
            with store.changing(other, "price.updated"):
                other["lookup_key"] = None
    price["lookup_key"] = key


def update_price(store: Store, params: Object, price_id: str) -> Object:
    """POST /v1/prices/{id}. Amounts never change."""
    price = store.get("price", price_id)
    with store.changing(price, "price.updated"):
        _give_lookup_key(store, price, params)
        if params.get("lookup_key") == "":
            price["lookup_key"] = None
        for name in ("active", "nickname", "tax_behavior"):
            if name in params:
                price[name] = params[name] if params[name] != "" else None
        price["metadata"] = merge_metadata(price["metadata"], params.get("metadata"))
    return price


def list_prices(store: Store, params: Object) -> list[Object]:
    """GET /v1/prices."""
    keys, recurring = params.get("lookup_keys"), params.get("recurring") or {}
    return [
        each
        for each in store.all("price")
        if params.get("active", each["active"]) == each["active"]
        and (keys is None or each["lookup_key"] in keys)
        and str(params.get("currency", each["currency"])).lower() == each["currency"]
        and params.get("product", each["product"]) == each["product"]
        and params.get("type", each["type"]) == each["type"]
        and all((each["recurring"] or {}).get(name) == value for name, value in recurring.items())
        and created_within(each, params.get("created"))
    ]


def create_coupon(store: Store, params: Object) -> Object:
    """POST /v1/coupons."""
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("Must provide either `percent_off` or `amount_off`.")
    if "amount_off" in params and "currency" not in params:
        raise missing_parameter("currency")
    if params.get("duration") == "repeating" and "duration_in_months" not in params:
        raise missing_parameter("duration_in_months")
    coupon_id = params.get("id") or ids.random_word(8)
    if coupon_id in store.objects.get("coupon", {}):
        raise invalid("Coupon already exists.", param="id", code="resource_already_exists")
    percent = params.get("percent_off")
    return store.add(
        {
            "id": coupon_id,
            "object": "coupon",
            "amount_off": params.get("amount_off"),
            "created": store.now(),
            "currency": params.get("currency"),
            "duration": params.get("duration", "once"),
            "duration_in_months": params.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": merge_metadata({}, params.get("metadata")),
            "name": params.get("name"),
            "percent_off": float(percent) if percent is not None else None,
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        },
        "coupon.created",
    )


def delete_coupon(store: Store, coupon_id: str) -> Object:
    """DELETE /v1/coupons/{id}: nobody new can have it; those who have it keep it (`coupon.deleted`)."""
    coupon = store.get("coupon", coupon_id)
    coupon["valid"] = False
    store.emit("coupon.deleted", coupon)
    return {"id": coupon_id, "object": "coupon", "deleted": True}


def delete_discount(store: Store, sub_id: str) -> Object:
    """DELETE /v1/subscriptions/{id}/discount: the last discount ends (`customer.discount.deleted`)."""
    sub = store.get("subscription", sub_id)
    if not sub["discounts"]:
        raise invalid("The subscription has no discount.", code="resource_missing", param="id", status=404)
    with store.changing(sub, "customer.subscription.updated"):
        discount = store.get("discount", sub["discounts"].pop())
    store.emit("customer.discount.deleted", discount)
    return {"deleted": True, **discount}


def update_tax_rate(store: Store, params: Object, rate_id: str) -> Object:
    """POST /v1/tax_rates/{id}. The percentage never changes: another one is another rate."""
    rate = store.get("tax_rate", rate_id)
    with store.changing(rate, "tax_rate.updated"):
        rate["metadata"] = merge_metadata(rate["metadata"], params.get("metadata"))
        for name in ("active", "country", "description", "display_name", "jurisdiction", "state", "tax_type"):
            if name in params:
                rate[name] = params[name]
    return rate


def create_tax_rate(store: Store, params: Object) -> Object:
    """POST /v1/tax_rates."""
    return store.add(
        {
            "id": ids.new("tax_rate"),
            "object": "tax_rate",
            "active": params.get("active", True),
            "country": params.get("country"),
            "created": store.now(),
            "description": params.get("description"),
            "display_name": params["display_name"],
            "effective_percentage": None,
            "flat_amount": None,
            "inclusive": params["inclusive"],
            "jurisdiction": params.get("jurisdiction"),
            "jurisdiction_level": None,
            "livemode": False,
            "metadata": merge_metadata({}, params.get("metadata")),
            "percentage": float(params["percentage"]),
            "rate_type": "percentage",
            "state": params.get("state"),
            "tax_type": params.get("tax_type"),
        },
        "tax_rate.created",
    )


def redeem(store: Store, given: list[Object], owner: Object) -> list[Object]:
    """Make discounts of `discounts[]` ({coupon} or {discount}) for a customer or a subscription."""
    made = []
    for each in given:
        if "discount" in each:
            made.append(store.get("discount", each["discount"], param="discounts"))
            continue
        coupon = store.get("coupon", each.get("coupon", ""), param="coupon")
        if not coupon["valid"]:
            raise invalid(f"Coupon {coupon['id']} is not valid any more.", param="coupon", code="coupon_expired")
        made.append(store.add(discount_of(store, coupon, owner)))
        with store.changing(coupon, "coupon.updated"):
            coupon["times_redeemed"] += 1
    return made


def discount_of(store: Store, coupon: Object, owner: Object) -> Object:
    """A discount object for `coupon`, not kept yet."""

    now = store.now()
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    return {
        "id": ids.new("discount"),
        "object": "discount",
        "checkout_session": None,
        "customer": owner.get("customer"),
        "customer_account": None,
        "end": boundary(now, "month", months, 1) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now,
        "subscription": owner.get("id") if owner.get("object") == "subscription" else None,
        "subscription_item": None,
    }
