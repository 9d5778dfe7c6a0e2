"""Periods and prorations against inputs nobody thought of."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.lines import Line
from sandbox.stripe.money import decimals, rounded, settled, shown
from sandbox.stripe.periods import boundary, period_around
from sandbox.stripe.prorations import share
from sandbox.stripe.totals import Discount, price, reductions

INTERVALS = st.sampled_from(["day", "week", "month", "year"])
MOMENTS = st.integers(1_577_836_800, 2_208_988_800)  # 2020 to 2040


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 10, 30, tzinfo=UTC).timestamp())


def test_a_subscription_from_the_31st_renews_on_the_last_day_of_short_months_and_on_the_31st_again() -> None:
    anchor = at(2027, 1, 31)
    assert [boundary(anchor, "month", 1, n) for n in (1, 2, 3)] == [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30)]


def test_leap_day_renews_on_the_28th_until_the_next_leap_year() -> None:
    anchor = at(2028, 2, 29)
    assert [boundary(anchor, "year", 1, n) for n in (1, 4)] == [at(2029, 2, 28), at(2032, 2, 29)]


@given(MOMENTS, INTERVALS, st.integers(1, 6), MOMENTS)
def test_every_moment_is_in_exactly_one_period_and_periods_touch(
    anchor: int, interval: str, count: int, moment: int
) -> None:
    start, end = period_around(anchor, interval, count, moment)
    assert start <= moment < end
    assert period_around(anchor, interval, count, end)[0] == end
    assert period_around(anchor, interval, count, start - 1)[1] == start


@given(st.integers(0, 10**9), MOMENTS, st.integers(1, 10**8), st.integers(0, 10**8))
def test_used_and_unused_time_add_up_to_what_was_billed(amount: int, start: int, length: int, used: int) -> None:
    end, moment = start + length, start + min(used, length)
    unused = share(amount, start, end, moment)
    assert 0 <= unused <= amount
    assert abs(unused + rounded(amount * (moment - start) / length if length else 0) - amount) <= 1 + amount / 10**9
    assert share(amount, start, end, start) == amount
    assert share(amount, start, end, end) == 0


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), max_size=6).map(sorted))
def test_a_chain_of_credits_never_gives_back_more_than_was_billed(amount: int, moments: list[int]) -> None:
    start, end, billed, given_back = 0, 10**6, amount, 0
    held = amount
    for moment in moments:
        credit = share(held, start, end, moment)
        given_back += credit
        # The same price again for the rest, as an unchanged seat would be.
        held = share(amount, 0, end, moment)
        billed += held
        start = moment
    assert given_back <= billed


def _coupon(percent: float | None = None, amount: int | None = None) -> Discount:
    return Discount("di_1", {"percent_off": percent, "amount_off": amount})


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.integers(0, 10**8))
def test_a_fixed_sum_is_shared_out_whole_and_never_below_zero(amounts: list[int], off: int) -> None:
    cuts = [sum(each) for each in reductions(amounts, [_coupon(amount=off)])]
    assert sum(cuts) == min(off, sum(amounts))
    assert all(0 <= cut <= amount for cut, amount in zip(cuts, amounts, strict=True))


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=8), st.floats(0, 100).map(lambda f: round(f, 2)))
def test_totals_are_the_sum_of_their_parts(amounts: list[int], percent: float) -> None:
    rate = {"id": "txr_1", "percentage": 25.0, "inclusive": False}
    lines = [Line(amount, "sek", "", 0, 1, 1, tax_rates=(rate,)) for amount in amounts]
    totals = price(lines, [_coupon(percent=percent)], tax_exempt="none")
    off = sum(each["amount"] for each in totals.total_discount_amounts)
    tax = sum(each["amount"] for each in totals.total_taxes)
    assert totals.total == totals.subtotal - off + tax
    assert totals.total_excluding_tax == totals.total - tax


@given(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7))
def test_what_is_due_and_what_stays_on_the_balance_add_up(total: int, balance: int) -> None:
    due, ending = settled(total, balance, "sek")
    assert due + ending == total + balance
    assert due >= 0


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(7_900, "sek", "kr79.00"), (500, "jpy", "¥500"), (1_250, "kwd", "KWD 1.250")]
)
def test_amounts_are_shown_with_their_currencys_decimals(amount: int, currency: str, text: str) -> None:
    assert shown(amount, currency) == text
    assert decimals(currency) in {0, 2, 3}


def test_halves_round_away_from_zero() -> None:
    assert (share(1, 0, 2, 1), rounded(-share(3, 0, 2, 1))) == (1, -2)
    assert -share(5, 0, 10, 5) == -3
