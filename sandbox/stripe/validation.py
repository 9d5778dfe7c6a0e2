"""Which parameters an operation takes, of which type: read from the official client's own TypedDicts (`stripe.params`).

What the TypedDict does not name is refused as Stripe refuses it (`parameter_unknown`); strings become integers, booleans
and numbers as it says.
"""

import functools
import types
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Union, get_args, get_origin

import stripe.params
import stripe.params.billing_portal
import stripe.params.checkout
from stripe import RequestOptions

from sandbox.stripe.errors import ApiError, invalid, missing_parameter, unknown_parameter
from sandbox.stripe.money import CURRENCIES

_NOT_PARAMETERS = frozenset(RequestOptions.__annotations__)


@functools.cache
def _fields(spec: type) -> dict[str, Any]:
    # What RequestOptions hands down is written with names of its own module, one only there for type checkers.
    hints = typing.get_type_hints(spec, localns={"StripeContext": object, "Mapping": Mapping})
    return {name: hint for name, hint in hints.items() if name not in _NOT_PARAMETERS}


def spec_named(name: str) -> type:
    """The TypedDict `name` of `stripe.params`; "checkout.SessionCreateParams" reaches into a package below."""
    module: Any = stripe.params
    for part in name.split("."):
        module = getattr(module, part)
    return typing.cast(type, module)


def check(given: dict[str, Any], spec: type, at: str = "") -> dict[str, Any]:
    """`given` with every value in its own type. Raises ApiError for what is unknown, missing or malformed."""
    fields = _fields(spec)
    for name in given:
        if name not in fields:
            raise unknown_parameter(f"{at}[{name}]" if at else name)
    for name in sorted(getattr(spec, "__required_keys__", frozenset()) - _NOT_PARAMETERS):
        if name not in given:
            raise missing_parameter(f"{at}[{name}]" if at else name)
    return {name: _value(name, value, fields[name], f"{at}[{name}]" if at else name) for name, value in given.items()}


def _value(name: str, value: Any, hint: Any, at: str) -> Any:
    if name == "currency" and isinstance(value, str) and value.lower() not in CURRENCIES:
        raise invalid(f"Invalid currency: {value}.", param=at)
    return _coerce(value, hint, at)


def _coerce(value: Any, hint: Any, at: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _any_of(value, get_args(hint), at)
    if origin is Literal:
        return _one_of(value, [option for option in get_args(hint) if option != ""], at)
    if origin is list:
        return _list(value, get_args(hint)[0], at)
    if origin is dict or "UntypedStripeObject" in str(hint):
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=at)
        return value
    if hasattr(hint, "__required_keys__"):
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=at)
        return check(value, hint, at)
    return _scalar(value, hint, at)


def _list(value: Any, inner: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid("Invalid array", param=at)
    return [_coerce(element, inner, f"{at}[{index}]") for index, element in enumerate(value)]


def _one_of(value: Any, options: list[Any], at: str) -> Any:
    if value not in options:
        shown = ", ".join(map(str, options[:-1])) + (" or " if options[:-1] else "") + str(options[-1])
        raise invalid(f"Invalid {at}: must be one of {shown}", param=at)
    return value


def _any_of(value: Any, hints: tuple[Any, ...], at: str) -> Any:
    """An open union in the client (`Literal["a", "b"] | str`) is a closed list at Stripe; `""` unsets."""
    literals = [option for hint in hints if get_origin(hint) is Literal for option in get_args(hint)]
    if value == "" and "" in literals:
        return ""
    words = [option for option in literals if option != ""]
    plain = [hint for hint in hints if get_origin(hint) is not Literal and not (hint is str and words)]
    if words and value in words:
        return value
    problem: ApiError | None = None
    # A list or a hash fits a structured member; a plain string fits a scalar one. Try the likely ones first.
    for hint in sorted(plain, key=lambda hint: _is_structured(hint) != isinstance(value, dict | list)):
        try:
            return _coerce(value, hint, at)
        except ApiError as refusal:
            if problem is None:
                problem = refusal
    if problem is None:
        _one_of(value, words, at)
    assert problem is not None
    raise problem


def _is_structured(hint: Any) -> bool:
    return get_origin(hint) in (list, dict) or hasattr(hint, "__required_keys__")


def _scalar(value: Any, hint: Any, at: str) -> Any:
    if not isinstance(value, str):
        raise invalid("Invalid string", param=at)
    if hint is int:
        try:
            return int(value)
        except ValueError:
            raise invalid(f"Invalid integer: {value}", param=at, code="parameter_invalid_integer") from None
    if hint is bool:
        if value not in {"true", "false"}:
            raise invalid(f"Invalid boolean: {value}", param=at)
        return value == "true"
    if hint in (float, Decimal):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise invalid(f"Invalid decimal: {value}", param=at) from None
    if value == "":
        raise invalid(
            f"You passed an empty string for '{at}'. We assume empty values are an attempt to unset a parameter; however "
            f"'{at}' cannot be unset. You should remove '{at}' from your request or supply a non-empty value.",
            param=at,
            code="parameter_invalid_empty",
        )
    return value
