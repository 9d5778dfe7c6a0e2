"""Whether an object is what the official client's classes say it is: no field unknown to them, none they require missing, every
value of the type and among the words they name."""

import builtins
import functools
import inspect
import sys
import types
import typing
from decimal import Decimal
from typing import Any

import stripe
from stripe._object_classes import get_object_class


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
        if inner is not None and not fits(inner, hint):
            found.append(f"{path}.{key}: {inner!r} is not {hint}")
        if inner is None:
            if key in value and not is_optional(hint):
                found.append(f"{path}.{key}: null, but never null at Stripe")
        elif isinstance(inner, dict) and inner.get("object") == "list":
            for index, each in enumerate(inner["data"]):
                found += problems_of(each, f"{path}.{key}[{index}]")
        elif isinstance(inner, dict) and (below := class_in(hint, cls)):
            found += problems(inner, below, f"{path}.{key}")
        elif isinstance(inner, list) and (below := element_in(hint, cls)):
            for index, each in enumerate(inner):
                if isinstance(each, dict):
                    found += problems(each, below, f"{path}.{key}[{index}]")
    return found


def problems_of(value: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong with an object, a page of them, or what is left of one that is deleted, as the class of its name."""
    path = path or value["object"]
    if value["object"] == "list":
        return [wrong for each in value["data"] for wrong in problems_of(each, f"{path}.{each['object']}")]
    if value.get("deleted"):
        return [f"{path}.{key}: a deleted object has none" for key in value.keys() - {"id", "object", "deleted"}]
    found = problems(value, get_object_class("V1", value["object"]), path)
    if value["object"] == "event":
        snapshot = value["data"]["object"]
        wrong = problems_of(snapshot, f"{value['type']}.{snapshot['object']}")
        # What is only coming has no id yet.
        found += [each for each in wrong if not each.startswith("invoice.upcoming.invoice.id:")]
    return found


def fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value can be a `hint`. Open unions of words (`Literal["a"] | str`) are closed lists at Stripe."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        words = [word for each in inner if typing.get_origin(each) is typing.Literal for word in typing.get_args(each)]
        return value in words if words and isinstance(value, str) else any(fits(value, each) for each in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is list:
        return isinstance(value, list) and all(fits(each, inner[0]) for each in value)
    if hint in _PLAIN:
        return type(value) in _PLAIN[hint]
    is_object = origin is dict or isinstance(hint, typing.ForwardRef) or inspect.isclass(hint)
    return isinstance(value, dict) if is_object else True


_PLAIN: dict[Any, tuple[type, ...]] = {
    int: (int,),
    bool: (bool,),
    str: (str,),
    float: (int, float),
    Decimal: (str,),
    type(None): (type(None),),
}
