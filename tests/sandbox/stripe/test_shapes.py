"""Every object has the shape the official client's classes say: no field unknown to them, none missing that they require."""

import builtins
import functools
import inspect
import sys
import typing
from typing import Any

import stripe
from stripe._object_classes import get_object_class

from sandbox.stripe.expansion import answer
from tests.sandbox.stripe.shop import Shop


class _Names(dict[str, Any]):
    """What the client imports only for type checkers is found in the package; what is not there may be anything."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, None) or getattr(stripe, name, Any)


@functools.cache
def hints(cls: type) -> dict[str, Any]:
    """A class's annotated fields."""
    names = _Names(vars(sys.modules[cls.__module__]))
    for base in (*_around(cls), cls):
        names.update({key: value for key, value in vars(base).items() if inspect.isclass(value)})
    own = inspect.get_annotations(cls)
    found = {}
    for key, hint in own.items():
        if key.startswith("_") or "ClassVar" in str(hint):
            continue
        found[key] = hint if not isinstance(hint, str) else eval(hint, {}, names)  # noqa: S307 (the client's own annotations)
    return found


def _around(cls: type) -> list[type]:
    """The classes that `cls` is written inside of."""
    module, parts = sys.modules[cls.__module__], cls.__qualname__.split(".")[:-1]
    return [functools.reduce(getattr, parts[: index + 1], typing.cast(Any, module)) for index in range(len(parts))]


def is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def class_in(hint: Any, cls: type) -> type | None:
    """The client's class inside Optional[…], where there is exactly one and it is nested or named directly."""
    if isinstance(hint, typing.ForwardRef):
        hint = getattr(stripe, hint.__forward_arg__, None)
    if inspect.isclass(hint) and issubclass(hint, stripe.StripeObject) and hint.__name__ != "UntypedStripeObject":
        return hint if hint is not stripe.ListObject else None
    if typing.get_origin(hint) is typing.Union:
        inner = [found for each in typing.get_args(hint) if (found := class_in(each, cls))]
        return inner[0] if len(inner) == 1 else None
    return None


def element_in(hint: Any, cls: type) -> type | None:
    if typing.get_origin(hint) is typing.Union:
        hint = next((each for each in typing.get_args(hint) if typing.get_origin(each) is list), None)
    if typing.get_origin(hint) is list:
        return class_in(typing.get_args(hint)[0], cls)
    return None


def problems(value: dict[str, Any], cls: type, path: str) -> list[str]:
    """What is wrong with `value` as a `cls`."""
    fields = hints(cls)
    found = [f"{path}.{key}: unknown to the client" for key in value if key not in fields]
    found += [f"{path}.{key}: missing" for key, hint in fields.items() if key not in value and not is_optional(hint)]
    for key, hint in fields.items():
        inner = value.get(key)
        if inner is None:
            if key in value and not is_optional(hint):
                found.append(f"{path}.{key}: null, but never null at Stripe")
        elif isinstance(inner, dict) and inner.get("object") == "list":
            for index, each in enumerate(inner["data"]):
                found += _by_object(each, f"{path}.{key}[{index}]")
        elif isinstance(inner, dict) and (below := class_in(hint, cls)):
            found += problems(inner, below, f"{path}.{key}")
        elif isinstance(inner, list) and (below := element_in(hint, cls)):
            for index, each in enumerate(inner):
                if isinstance(each, dict):
                    found += problems(each, below, f"{path}.{key}[{index}]")
    return found


def _by_object(value: dict[str, Any], path: str) -> list[str]:
    cls = get_object_class("V1", value["object"])
    return problems(value, cls, path)


async def test_every_kind_of_object_is_as_the_clients_classes_say(shop: Shop) -> None:
    price = await shop.price()
    vat = await shop.v1.tax_rates.create_async({"display_name": "Moms", "percentage": 25, "inclusive": False})
    coupon = await shop.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    sub = await shop.subscribe(
        price, 5, subscription_data={"default_tax_rates": [vat.id]}, discounts=[{"coupon": coupon.id}]
    )
    await shop.v1.customers.tax_ids.create_async(sub.customer, {"type": "eu_vat", "value": "SE556677889901"})
    item = sub["items"]["data"][0]
    await shop.v1.subscriptions.update_async(sub.id, {"items": [{"id": item.id, "quantity": 9}]})
    await shop.give_card(sub.customer, "4000000000000341")
    await shop.v1.subscriptions.update_async(
        sub.id,
        {
            "items": [{"id": item.id, "quantity": 12}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    await shop.v1.subscription_schedules.create_async({"from_subscription": sub.id})
    await shop.v1.invoice_items.create_async({"customer": sub.customer, "amount": 100, "currency": "sek"})
    await shop.v1.credit_notes.create_async({"invoice": sub.latest_invoice, "amount": 100})
    intent = await shop.v1.invoice_payments.list_async({"invoice": sub.latest_invoice})
    await shop.v1.refunds.create_async({"payment_intent": intent.data[0].payment.payment_intent, "amount": 50})
    preview = await shop.v1.invoices.create_preview_async({"subscription": sub.id})
    account = shop.server.account
    assert {"subscription", "invoice", "charge", "event", "checkout.session", "subscription_schedule"} <= set(
        account.objects
    )
    wrong = problems(preview.to_dict(), stripe.Invoice, "preview")
    for kind, kept in account.objects.items():
        for raw in kept.values():
            wrong += _by_object(answer(raw, [], account.find), kind)
    assert sorted(set(wrong)) == []
