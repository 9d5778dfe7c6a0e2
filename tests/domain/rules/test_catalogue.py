"""What is for sale: the shipped catalogue loads, and everything wrong with another is said at once, in words."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.rules.catalogue import Catalogue, CatalogueError, load, lookup_key
from domain.rules.money import Money
from tests.domain.rules.worlds import good, problems, read


def changed(**settings: Any) -> dict[str, Any]:
    return good() | settings


def with_plan(number: int = 1, **settings: Any) -> dict[str, Any]:
    raw = good()
    raw["plans"][number] |= settings
    return raw


def test_R7_R16_R24_the_shipped_one_loads_and_is_as_the_rules_say() -> None:
    shipped = load()
    assert [plan.name for plan in shipped.plans] == ["Basic", "Premium", "Business", "Enterprise"]
    assert [plan.rank for plan in shipped.plans] == [0, 1, 2, 3]
    assert shipped.sizes[:6] == (2, 3, 4, 5, 10, 15)
    assert shipped.sizes[-1] == 5000
    assert not shipped.plans[3].price  # asks sales for a quote
    assert (shipped.invoice_from_seats, shipped.grace_days, shipped.count_guests) == (20, 14, False)


def test_R7_the_shipped_sizes_are_the_listed_ones() -> None:
    small = [2, 3, 4, 5, 10, 15, 20, 25, 30]
    steps = [*range(40, 100, 10), *range(100, 200, 25), *range(200, 500, 50), *range(500, 5001, 100)]
    assert list(load().sizes) == small + steps


def test_R4_a_year_costs_ten_months_in_every_currency() -> None:
    shipped = load()
    for plan in shipped.for_sale:
        for currency in plan.price:
            month, year = (shipped.seat_price(plan, interval, currency) for interval in ("month", "year"))
            assert year == month * 10
            assert month == Money(plan.price[currency], currency)


def test_the_good_one_of_these_tests_is_good(tmp_path: Path) -> None:
    assert isinstance(read(good(), tmp_path), Catalogue)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (changed(discount=3), "`discount` is not a setting"),
        (changed(default_currency="SEK"), "`default_currency` must be a currency"),
        (changed(default_currency="kronor"), "`default_currency` must be a currency"),
        (changed(default_currency="åäö"), "`default_currency` must be a currency"),
        (changed(default_currency="usd"), "plan `premium` has no price in the default currency usd"),
        (changed(annual_months=0), "`annual_months` must be a whole number from 1 to 12"),
        (changed(annual_months=13), "`annual_months` must be a whole number from 1 to 12"),
        (changed(annual_months=True), "`annual_months` must be a whole number"),
        (changed(annual_months=10.0), "`annual_months` must be a whole number"),
        (changed(invoice_from_seats=1), "`invoice_from_seats`"),
        (changed(invoice_due_days=0), "`invoice_due_days`"),
        (changed(quote_minutes=1441), "`quote_minutes`"),
        (changed(grace_days=-1), "`grace_days`"),
        (changed(grace_days=91), "`grace_days`"),
        (changed(count_guests=1), "`count_guests` must be true or false"),
        (changed(count_guests="no"), "`count_guests` must be true or false"),
        (changed(sizes=[]), "`sizes` must be a list of whole numbers"),
        (changed(sizes=5), "`sizes` must be a list of whole numbers"),
        (changed(sizes=[2, True]), "`sizes` must be a list of whole numbers"),
        (changed(sizes=[3, 2]), "`sizes` must rise"),
        (changed(sizes=[2, 2]), "`sizes` must rise"),
        (changed(sizes=[1, 2]), "never a plan for one (R7)"),
        (changed(sizes=[2, 1_000_001]), "`sizes` must end at"),
        (changed(links=[]), "`links` must be a table"),
        (changed(links={"prices": "https://a.example"}), "`links.prices` is not a link"),
        (changed(links={"pricing": "http://a.example"}), "`links.pricing` must be an https://"),
        (changed(links={"pricing": 7}), "`links.pricing` must be an https://"),
        (changed(plans=7), "`plans` must list the free plan"),
        (changed(plans=[]), "`plans` must list the free plan"),
        (changed(plans=good()["plans"][:1]), "`plans` must list the free plan and at least one more"),
        (changed(plans=[1, 2]), "plan 1 must be a table"),
        (changed(plans=[good()["plans"][0], good()["plans"][3]]), "no plan has a price"),
        (with_plan(key="basic"), "plan `basic` is listed twice"),
        (with_plan(key=""), "`key` must be a word"),
        (with_plan(key="två ord"), "`key` must be a word"),
        (with_plan(key="x" * 33), "`key` must be a word of at most 32"),
        (with_plan(key=7), "plan 2: `key` must be a word"),
        (with_plan(name=" "), "`name` must be 1 to 40 characters"),
        (with_plan(name="x" * 41), "`name` must be 1 to 40 characters"),
        (with_plan(name="a\nb"), "`name` must be 1 to 40 characters"),
        (with_plan(rank=3), "`rank` is not a setting of a plan"),
        (with_plan(trial_days=-1), "`trial_days` must be a whole number from 0 to 730"),
        (with_plan(trial_days=731), "`trial_days` must be a whole number from 0 to 730"),
        (with_plan(price=7), "`price` must be a table"),
        (with_plan(price={"SEK": 100}), "plan `premium`: price` must be a currency"),
        (with_plan(price={"sek": 0}), "price in sek must be minor units from 1"),
        (with_plan(price={"sek": 12.5}), "price in sek must be minor units"),
        (with_plan(price={"sek": 100_000_000}), "price in sek must be minor units from 1 to 99,999,999"),
        (with_plan(price={"sek": 100, "kwd": 1005}), "price in kwd must end in 0"),
        (with_plan(price={"sek": 100, "isk": 150}), "price in isk must end in 00"),
        (with_plan(0, price={"sek": 100}), "the first plan is the free one"),
        (with_plan(0, trial_days=5), "the first plan is the free one"),
        (with_plan(features=7), "`features` must be a table by language"),
        (with_plan(features={"en": "A", "sv": ["B"]}), "`features.en` must be a list of sentences"),
        (with_plan(features={"en": [""], "sv": ["B"]}), "`features.en` must be a list of sentences"),
        (with_plan(features={"en": ["A"]}), "`features.sv` is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, raw: dict[str, Any], said: str) -> None:
    found = problems(raw, tmp_path)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("name", sorted(set(good()) - {"links"}))
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    raw = good()
    del raw[name]
    assert any(f"`{name}`" in problem for problem in problems(raw, tmp_path))


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    raw = changed(default_currency="x", annual_months=99, sizes=[1], count_guests=3, links={"a": "b"}, odd=1, plans=7)
    names = ("default_currency", "annual_months", "sizes", "count_guests", "links.a", "odd", "plans")
    said = "\n".join(problems(raw, tmp_path))
    assert [name for name in names if f"`{name}`" not in said] == []


def test_a_file_that_is_not_there_or_not_toml_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(CatalogueError, match="cannot be read"):
        load(tmp_path)
    odd = tmp_path / "odd.toml"
    for body in (
        b"plans = [",
        b"\xff\xfe\x00",
        b"a = 1\na = 2\n",
        b"[" * 3000 + b"a" + b"]" * 3000,
        b"a = " + b"[" * 5000,
    ):
        odd.write_bytes(body)
        with pytest.raises(CatalogueError, match="is not TOML"):
            load(odd)


def test_a_changed_amount_is_another_price() -> None:
    assert lookup_key("premium", "year", "sek", 1) != lookup_key("premium", "year", "sek", 2)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(), TEXT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*good(), "surprise"])
PLAN = st.dictionaries(st.sampled_from(["key", "name", "features", "price", "trial_days", "x"]), VALUES, max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.dictionaries(NAMES, VALUES | st.lists(PLAN, max_size=4), max_size=6))
def test_any_toml_loads_or_is_a_catalogue_error(tmp_path: Path, garbage: dict[str, Any]) -> None:
    try:
        found = read(good() | garbage, tmp_path)
    except CatalogueError:
        return
    assert min(found.sizes) >= 2
    assert found.free.is_free
    assert any(found.default_currency in plan.price for plan in found.for_sale)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | TEXT.map(str.encode))
def test_any_file_is_a_catalogue_error(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(body)
    with pytest.raises(CatalogueError):
        load(path)
