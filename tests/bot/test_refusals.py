"""Every "no" says what, why, what next and who can, in both languages, and neither speaks a word of the other.

`refusals.toml` holds the answers as a person has read and approved them, and which part of each says what next; a refusal that
is new has to be read too.
"""

import re
import tomllib
from typing import Any

import pytest

from bot.views.refusals import refusal_text
from bot.words import Words, catalogue, mention, written
from domain.rules import refusals as no
from tests.acceptance.conftest import ROOT
from tests.bot.test_views import DESK

REVIEWED: list[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "bot" / "refusals.toml").read_text(encoding="utf-8"))[
    "refusal"
]
READERS = {"en": Words("en-US"), "sv": Words("sv-SE", "Europe/Stockholm")}
ENGLISH = frozenset(
    [
        "the",
        "is",
        "and",
        "to",
        "you",
        "of",
        "it",
        "can",
        "are",
        "that",
        "your",
        "was",
        "with",
        "there",
        "this",
        "have",
        "what",
    ]
)
SWEDISH = frozenset(
    [
        "och",
        "att",
        "är",
        "det",
        "som",
        "inte",
        "på",
        "för",
        "av",
        "med",
        "har",
        "du",
        "ni",
        "till",
        "från",
        "ett",
        "eller",
        "kan",
    ]
)
# What a refusal knows and doesn't say, because the reader knows it, or because it is a code for words.
UNSAID = {
    "DeskClosed": {"desk"},
    "NotStaff": {"desk"},
    "RequestOpen": {"topic", "scope", "at", "state"},
    "RequestDecided": {"state", "at"},
    "EndsAnyway": {"until"},
    "AdminNotEligible": {"reason", "name"},
    "RecipientNotEligible": {"reason", "name"},
    "SeveralSubscriptions": {"subscriptions"},
    "NotOwner": {"owner_name", "asked"},  # the mention shows the name; what was asked chooses the words
    "ActorNotEligible": {"reason"},
    "OwnerNotEligible": {"reason", "name"},
    "UnknownPlan": {"known"},  # or `nearest`, in which case they need not all be read
    "UnknownWord": {"known"},
    "SeatsTooFew": {"asked"},
    "SeatsTooMany": {"asked"},
    "NothingToChange": {"plan", "interval"},  # by name, and in words
    "AlreadySubscribed": {"plan", "owner_name"},
    "NotSubscribed": {"scope"},
    "LiveElsewhere": {"elsewhere_subscription"},
    "CannotMove": {"scope"},
    "ScopeUnknown": {"asked"},
    "ManuallyInvoiced": {"asked"},
    "PastDue": {"invoice"},
    "NoInvoiceYet": {"scope"},
    "QuoteChanged": {"fresh"},
    "QuoteOver": {"state"},
    "PaymentDeclined": {"code"},
    "PaymentsAway": {"retry_after"},
}


def refusal_of(entry: dict[str, Any]) -> no.Refusal:
    """The refusal an entry is about; facts not given are None."""
    cls = no.Refusal.kinds[entry["is"]]
    facts = {name: entry["facts"].get(name) for name in cls.__dataclass_fields__}  # type: ignore[attr-defined]  # every one is a dataclass
    return no.Refusal.from_json({"refusal": entry["is"], "facts": facts})


def said(entry: dict[str, Any], language: str) -> str:
    """What its reader reads, with plain spaces and dates spelled out."""
    return written(refusal_text(refusal_of(entry), READERS[language], DESK)).replace("\u00a0", " ")


def words_of(text: str) -> set[str]:
    """The words of a language in a text: no names, mentions, commands or links."""
    bare = re.sub(r"<[^>|]*(\|[^>]*)?>|`[^`]*`|[“”][^“”]*[“”]|\{\w+\}", r"\1", text)
    return set(re.findall(r"[a-zåäö']+", bare.casefold()))


def entry_id(entry: dict[str, Any]) -> str:
    return "-".join([entry["is"], *(str(value) for value in entry["facts"].values() if isinstance(value, str | int))])


ENTRIES = pytest.mark.parametrize("entry", REVIEWED, ids=entry_id)
LANGUAGES = pytest.mark.parametrize("language", ["en", "sv"])


def test_every_refusal_has_been_read_by_a_person() -> None:
    missing = set(no.Refusal.kinds) - {entry["is"] for entry in REVIEWED}
    assert not missing, f"add an example of each to tests/bot/refusals.toml, in both languages: {sorted(missing)}"


@pytest.mark.parametrize("kind", sorted(no.Refusal.kinds))
def test_every_fact_is_in_some_example(kind: str) -> None:
    """A fact that only sometimes is there is said when it is."""
    cls: Any = no.Refusal.kinds[kind]
    given = {name for entry in REVIEWED if entry["is"] == kind for name in entry["facts"]}
    assert set(cls.__dataclass_fields__) == given


@LANGUAGES
@ENTRIES
def test_it_is_said_as_it_was_read(entry: dict[str, Any], language: str) -> None:
    assert said(entry, language) == entry[language]


@LANGUAGES
@ENTRIES
def test_it_says_what_and_why_and_then_what_to_do_next(entry: dict[str, Any], language: str) -> None:
    text, then = entry[language], entry[f"{language}_next"]
    assert then in text
    what = text.replace(then, "").strip(" ;:")
    assert len(what.split()) >= 3, "what and why come besides what next"
    assert len(then.split()) >= 2
    assert text[0] == text[0].upper()
    assert text[-1] in ".?>"


@LANGUAGES
@ENTRIES
def test_it_names_its_facts(entry: dict[str, Any], language: str) -> None:
    text = said(entry, language)
    for name, value in entry["facts"].items():
        if name in UNSAID.get(entry["is"], set()) or name in entry.get("hides", ()):
            continue
        for each in value if isinstance(value, list) else [value]:
            shown = READERS[language].number(each).replace("\u00a0", " ") if isinstance(each, int) else str(each)
            ways = {shown, shown.upper(), str(mention(shown))}
            assert any(way in text for way in ways), f"{name} {shown!r} is not in {text!r}"


@ENTRIES
def test_a_fact_is_left_unsaid_only_for_a_reason_that_still_holds(entry: dict[str, Any]) -> None:
    cls: Any = no.Refusal.kinds[entry["is"]]
    assert UNSAID.get(entry["is"], set()) <= set(cls.__dataclass_fields__)


@ENTRIES
def test_the_two_languages_differ_and_neither_speaks_a_word_of_the_other(entry: dict[str, Any]) -> None:
    english, swedish = said(entry, "en"), said(entry, "sv")
    assert english != swedish
    assert not words_of(english) & SWEDISH
    assert not words_of(swedish) & ENGLISH
    assert "/billing" not in swedish
    assert "/upgrade" not in swedish


def test_no_message_at_all_has_a_word_of_the_other_language() -> None:
    mixed = []
    for english, swedish in catalogue("sv").items():
        forms = swedish if isinstance(swedish, tuple) else (swedish,)
        mixed += [english] if words_of(english) & SWEDISH else []
        mixed += [form for form in forms if words_of(form) & ENGLISH]
    assert mixed == []


@LANGUAGES
def test_an_unknown_kind_of_refusal_still_says_what_next(language: str) -> None:
    text = refusal_text(no.Refusal(), READERS[language], DESK)
    assert ("support can help" if language == "en" else "supporten kan hjälpa") in text
