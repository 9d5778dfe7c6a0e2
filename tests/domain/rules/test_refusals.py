"""Refusals are values: stored on a quote as JSON and read back, they are the same refusal, whichever it is."""

import json
import typing
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules import refusals as no

_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(10**9), 10**9),
    bool: st.booleans(),
    type(None): st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Anything a field of that type can hold."""
    if typing.get_origin(kind) is tuple:
        return st.lists(values_of(typing.get_args(kind)[0]), max_size=3).map(tuple)
    if kind in _VALUES:
        return _VALUES[kind]
    return st.one_of(*(values_of(each) for each in typing.get_args(kind)))


def refusals_of(cls: type[no.Refusal]) -> st.SearchStrategy[no.Refusal]:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in fields(cls)})  # type: ignore[arg-type]  # every one is a dataclass


@pytest.mark.parametrize("kind", sorted(no.Refusal.kinds))
@given(data=st.data())
def test_stored_and_read_back_it_is_the_same_refusal(kind: str, data: st.DataObject) -> None:
    refusal = data.draw(refusals_of(no.Refusal.kinds[kind]))
    stored = json.loads(json.dumps(refusal.as_json()))
    again = no.Refusal.from_json(stored)
    assert again == refusal
    assert hash(again) == hash(refusal)
    assert str(again) == str(refusal)


def test_one_that_no_longer_exists_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        no.Refusal.from_json({"refusal": "Nonesuch", "facts": {}})


@pytest.mark.parametrize("kind", sorted(no.Refusal.kinds))
def test_each_says_in_its_docstring_what_it_means(kind: str) -> None:
    assert (no.Refusal.kinds[kind].__doc__ or "").strip().endswith(".")


def test_in_a_log_it_names_itself_and_its_facts() -> None:
    assert str(no.SeatsTooFew(asked=1, smallest=2)) == "SeatsTooFew(asked=1, smallest=2)"
