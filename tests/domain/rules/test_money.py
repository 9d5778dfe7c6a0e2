"""Money: whole minor units that never mix."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.money import Money, exponent, least_step

AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("sek", 2), ("eur", 2), ("usd", 2), ("jpy", 0), ("krw", 0), ("clp", 0), ("kwd", 3), ("bhd", 3), ("tnd", 3)],
)
def test_a_minor_unit_stands_for_so_many_decimals(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize(("currency", "step"), [("sek", 1), ("jpy", 1), ("kwd", 10), ("isk", 100), ("ugx", 100)])
def test_stripe_charges_some_currencies_in_larger_steps(currency: str, step: int) -> None:
    assert least_step(currency) == step


@given(a=AMOUNTS, b=AMOUNTS, times=st.integers(-1000, 1000))
def test_sums_differences_and_multiples_are_exact(a: int, b: int, times: int) -> None:
    one, other = Money(a, "sek"), Money(b, "sek")
    assert (one + other).amount == a + b
    assert one - other == one + -other
    assert (one + other) * times == one * times + other * times
    back = -one
    assert -back == one


@pytest.mark.parametrize("mix", [operator.add, operator.sub])
def test_currencies_do_not_mix(mix: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ValueError, match="cannot mix sek and eur"):
        mix(Money(1, "sek"), Money(1, "eur"))


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_which_of_two_currencies_is_more_cannot_be_asked(compare: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(TypeError):
        compare(Money(1, "sek"), Money(2, "eur"))


def test_the_same_number_of_another_currency_is_another_amount() -> None:
    assert Money(100, "sek") != Money(100, "eur")
