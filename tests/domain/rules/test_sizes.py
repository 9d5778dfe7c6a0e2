"""How many seats (R5–R7, M2): for any wish and any number of members the size is right, or the refusal is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules import refusals as no
from domain.rules.catalogue import load
from domain.rules.sizes import SeatsAsked, parse_seats, size_for, sizes_on_offer
from tests.domain.rules.worlds import outcome

CATALOGUE = load()
SIZES = CATALOGUE.sizes
ASKED = st.integers(-10, 6000) | st.sampled_from(SIZES)
MEMBERS = st.integers(0, 5200)
NEAR = st.builds(lambda members, off: (members + off, members), MEMBERS, st.integers(-2, 2))  # where mistakes are made


@given(wish=NEAR | st.tuples(ASKED, MEMBERS))
def test_R7_the_size_is_the_smallest_listed_one_that_fits_wish_and_members_or_it_is_refused(
    wish: tuple[int, int],
) -> None:
    asked, members = wish
    match outcome(size_for, asked, members, CATALOGUE):
        case no.TooManyMembers(largest=largest):
            assert members > SIZES[-1] == largest
        case no.SeatsTooFew(smallest=smallest):
            assert asked < 2 <= smallest
            assert smallest >= members
        case no.SeatsTooMany(largest=largest):
            assert asked > SIZES[-1] == largest
        case no.SeatsBelowMembers(smallest=smallest):
            assert asked < members <= smallest
            assert smallest in SIZES
        case size:
            assert size in SIZES
            assert size >= asked >= members
            assert not [other for other in SIZES if asked <= other < size]


@given(asked=ASKED, members=MEMBERS)
def test_R7_there_is_never_a_plan_for_one(asked: int, members: int) -> None:
    found = outcome(size_for, asked, members, CATALOGUE)
    assert (getattr(found, "smallest", 2) if isinstance(found, no.Refusal) else found) >= 2


@given(size=st.sampled_from(SIZES))
def test_R7_a_listed_size_is_sold_as_it_is(size: int) -> None:
    assert size_for(size, size, CATALOGUE) == size
    assert size_for(size, 1, CATALOGUE) == size


@given(asked=st.integers(2, 5000), members=st.integers(1, 5000))
def test_R7_what_is_sold_for_a_wish_is_on_the_menu_and_asking_for_it_again_gives_the_same(
    asked: int, members: int
) -> None:
    asked = max(asked, members)
    size = size_for(asked, members, CATALOGUE)
    assert size in sizes_on_offer(members, CATALOGUE)
    assert size_for(size, members, CATALOGUE) == size


@given(members=MEMBERS)
def test_R7_the_menu_has_no_size_below_the_members_and_every_one_above(members: int) -> None:
    offered = sizes_on_offer(members, CATALOGUE)
    assert list(offered) == sorted(offered)
    assert set(SIZES) - set(offered) == {size for size in SIZES if size < members}


@given(seats=st.integers(2, 5000), more=st.integers(1, 500))
def test_a_sign_means_so_many_more_or_fewer(seats: int, more: int) -> None:
    assert parse_seats(f"+{more}").from_(seats) == seats + more
    assert parse_seats(f"-{more}").from_(seats) == seats - more
    assert parse_seats(f" − {more} ".replace("− ", "−")).from_(seats) == seats - more
    assert parse_seats(str(more)).from_(seats) == more


@pytest.mark.parametrize(
    ("text", "number"),
    [("1 000", 1000), ("1\u00a0000", 1000), ("1,000", 1000), ("1.000", 1000), ("1'000", 1000), ("0", 0), ("007", 7)],
)
def test_thousands_are_written_in_many_ways(text: str, number: int) -> None:
    assert parse_seats(text) == SeatsAsked(number)


@pytest.mark.parametrize(
    "text", ["", "+", "1.5", "1,5", "2.50", "1e3", "٣", "１２", "two", "5 5", "1 0000", "5-", "--5", "9" * 41]
)
def test_what_is_no_whole_number_is_refused_and_shown_short(text: str) -> None:
    with pytest.raises(no.SeatsNotANumber) as refused:
        parse_seats(text)
    assert len(refused.value.asked) <= 40


@given(text=st.text(max_size=60))
def test_whatever_is_written_is_a_number_or_refused(text: str) -> None:
    found = outcome(parse_seats, text)
    assert isinstance(found, SeatsAsked) or (isinstance(found, no.SeatsNotANumber) and len(found.asked) <= 40)
