"""What people type, understood generously, in English and in Swedish."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing import parse_person, parse_plan, parse_seats_text, parse_upgrade, parse_verb
from domain.rules.catalogue import Catalogue, load
from domain.rules.refusals import Refusal, SeatsNotANumber, UnknownWord
from domain.rules.sizes import SeatsAsked

SHIPPED = load()


@pytest.mark.parametrize(
    ("text", "verb", "rest"),
    [
        ("", "menu", ""),
        ("  ", "menu", ""),
        ("upgrade business yearly", "upgrade", "business yearly"),
        ("Uppgradera  business årsvis", "upgrade", "business årsvis"),
        ("platser +5", "seats", "+5"),
        ("betalningsansvarig <@U1>", "owner", "<@U1>"),
        ("FAKTUROR", "invoices", ""),
        ("avsluta", "cancel", ""),
        ("hjälp", "help", ""),
    ],
)
def test_a_word_in_either_language_is_a_verb(text: str, verb: str, rest: str) -> None:
    assert parse_verb(text, "en") == (verb, rest)


@pytest.mark.parametrize(("typed", "nearest"), [("upgarde", "upgrade"), ("seets", "seats"), ("fakutror", "fakturor")])
def test_an_unknown_word_gets_the_nearest_known_one(typed: str, nearest: str) -> None:
    with pytest.raises(UnknownWord) as refused:
        parse_verb(typed, "en")
    assert refused.value.nearest == nearest


@pytest.mark.parametrize("language", ["en", "sv"])
def test_what_is_known_is_told_in_the_readers_language(language: str) -> None:
    with pytest.raises(UnknownWord) as refused:
        parse_verb("qqqq", language)
    assert ("platser" in refused.value.known) is (language == "sv")


@pytest.mark.parametrize(
    "text",
    [
        "business yearly 25",
        "25 BUSINESS annual",
        "yearly business 25 seats",
        "uppgradera till business årsvis med 25 platser".removeprefix("uppgradera "),
        "Business årligen 25 platser",
    ],
)
def test_an_upgrade_is_understood_in_any_order_and_either_language(text: str, catalogue: Catalogue) -> None:
    wish = parse_upgrade(text, catalogue, "sv")
    assert (wish.plan, wish.interval, wish.seats, wish.is_complete) == ("business", "year", SeatsAsked(25), True)


def test_people_and_teams_are_named_by_mention(catalogue: Catalogue) -> None:
    wish = parse_upgrade("premium <@U012AB|ada> monthly <!subteam^S1|design>", catalogue, "sv")
    assert (wish.owner, wish.team, wish.plan, wish.interval, wish.is_complete) == (
        "U012AB",
        "S1",
        "premium",
        "month",
        False,
    )
    assert parse_upgrade("<#C9|crew> premium", catalogue, "sv").team == "C9"


def test_a_misspelt_plan_is_met_with_the_plans_own_name(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownWord) as refused:
        parse_upgrade("premum", catalogue, "sv")
    assert refused.value.nearest == "Premium"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ("monthly", "yearly")), ("sv", ("månadsvis", "årsvis")), ("pl", ("monthly", "yearly"))],
)
def test_a_word_like_no_other_is_met_with_the_readers_own_words(
    language: str, said: tuple[str, str], catalogue: Catalogue
) -> None:
    for parse in (parse_upgrade, parse_plan):
        with pytest.raises(UnknownWord) as refused:
            parse("gold", catalogue, language)
        assert (refused.value.nearest, refused.value.known[-2:]) == (None, said)
        assert all(parse_upgrade(word, catalogue, language).interval for word in said)  # what is offered is understood


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("25", SeatsAsked(25)),
        ("+5", SeatsAsked(5, relative=True)),
        ("-3", SeatsAsked(-3, relative=True)),
        ("−3", SeatsAsked(-3, relative=True)),
        ("1 000", SeatsAsked(1000)),
        ("25 platser", SeatsAsked(25)),
        ("to 30 seats", SeatsAsked(30)),
        ("", None),
        ("seats", None),
    ],
)
def test_seats_are_understood(text: str, asked: SeatsAsked | None) -> None:
    assert parse_seats_text(text) == asked


@pytest.mark.parametrize("text", ["many", "2x", "1.5", "--3", "٣", "1e3", "9" * 41, "25 26"])
def test_what_is_no_number_of_seats_is_refused(text: str) -> None:
    with pytest.raises(SeatsNotANumber):
        parse_seats_text(text)


@pytest.mark.parametrize("text", ["@ada", "ada", "<@U1> <@U2>", "<@X1>", "<@U1", ""])
def test_a_bare_name_is_nobody(text: str) -> None:
    assert parse_person(text) is None


def test_a_mention_is_somebody() -> None:
    assert parse_person(" <@U012AB3CD|ada> ") == "U012AB3CD"


def test_seats_typed_with_a_plan_are_not_lost(catalogue: Catalogue) -> None:
    assert parse_plan("business 25", catalogue, "en").seats == SeatsAsked(25)
    assert parse_plan("+5 yearly", catalogue, "en").seats == SeatsAsked(5, relative=True)


def test_a_plan_alone_or_an_interval_alone(catalogue: Catalogue) -> None:
    assert parse_plan("business", catalogue, "sv").interval is None
    assert parse_plan("årsvis", catalogue, "sv").plan is None


@given(st.text(max_size=200))
def test_whatever_is_typed_is_understood_or_refused_never_an_error(text: str) -> None:
    for parse in (
        lambda: parse_verb(text, "sv"),
        lambda: parse_upgrade(text, SHIPPED, "sv"),
        lambda: parse_seats_text(text),
    ):
        with suppress(Refusal):
            parse()
