"""Plans by name, and which changes are made at once (M3)."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules import refusals as no
from domain.rules.catalogue import load
from domain.rules.plans import applies_now, find_plan
from tests.domain.rules.worlds import outcome

CATALOGUE = load()
TERMS = [(plan.key, interval) for plan in CATALOGUE.plans for interval in ("month", "year")]


@pytest.mark.parametrize(
    ("today", "wish", "now"),
    [
        (("premium", "month"), ("business", "month"), True),
        (("premium", "year"), ("business", "year"), True),
        (("premium", "month"), ("business", "year"), True),
        (("premium", "month"), ("premium", "year"), True),
        (("premium", "year"), ("premium", "month"), False),
        (("business", "month"), ("premium", "month"), False),
        (("business", "year"), ("premium", "month"), False),
        (("business", "month"), ("premium", "year"), False),  # lower plan: what is paid for is not lost
        (("premium", "year"), ("business", "month"), False),  # shorter interval: nor is the paid year
        (("premium", "month"), ("basic", "month"), False),
    ],
)
def test_M3_higher_or_longer_is_now_and_lower_or_shorter_waits(
    today: tuple[str, str], wish: tuple[str, str], *, now: bool
) -> None:
    found = applies_now(CATALOGUE, plan=today[0], interval=today[1], new_plan=wish[0], new_interval=wish[1])
    assert found is now


def test_M3_a_change_and_its_reverse_are_never_both_made_at_once() -> None:
    for today, wish in product(TERMS, TERMS):
        there = applies_now(CATALOGUE, plan=today[0], interval=today[1], new_plan=wish[0], new_interval=wish[1])
        back = applies_now(CATALOGUE, plan=wish[0], interval=wish[1], new_plan=today[0], new_interval=today[1])
        assert today == wish or not (there and back), (today, wish)


def test_M3_steps_that_are_each_made_at_once_are_so_together() -> None:
    def now(one: tuple[str, str], other: tuple[str, str]) -> bool:
        return applies_now(CATALOGUE, plan=one[0], interval=one[1], new_plan=other[0], new_interval=other[1])

    assert all(now(a, c) for a, b, c in product(TERMS, repeat=3) if now(a, b) and now(b, c))


@pytest.mark.parametrize("asked", ["premium", "Premium", " PREMIUM ", "pReMiUm"])
def test_R16_a_plan_is_found_by_key_or_name_in_any_case(asked: str) -> None:
    assert find_plan(CATALOGUE, asked).key == "premium"


@pytest.mark.parametrize(
    ("asked", "nearest"), [("premum", "Premium"), ("busines", "Business"), ("xyzzy", None), ("basic", None), ("", None)]
)
def test_an_unknown_plan_is_met_with_what_there_is_and_the_nearest(asked: str, nearest: str | None) -> None:
    with pytest.raises(no.UnknownPlan) as refused:
        find_plan(CATALOGUE, asked)
    assert refused.value.nearest == nearest
    assert refused.value.known == ("Premium", "Business", "Enterprise")


@given(asked=st.text(max_size=200))
def test_whatever_is_asked_for_is_a_plan_for_sale_or_refused(asked: str) -> None:
    found = outcome(find_plan, CATALOGUE, asked)
    assert len(found.asked) <= 40 if isinstance(found, no.UnknownPlan) else not found.is_free
