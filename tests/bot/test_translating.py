"""A language is one file: an invented one, made here, is spoken everywhere, and shows what would stay English.

The invented language is Polish by its numbers (three forms) and puts every sentence in brackets, so a sentence without them is one
that no file can translate.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from bot import words
from bot.words import Words
from tests.bot.block_kit import problems, walk
from tests.bot.builders import BUILDERS, as_view
from tests.bot.specimens import ORDINARY
from tests.bot.test_views import DESK
from tests.bot.test_words import messages

# What is nobody's language: names, people's own words, money, addresses; and what plans offer, which the vendor's catalogue says.
NAMES = (
    r"Fjällvind|Ada( Lindqvist)?|Kassör|Stripe|Premium|Business|Enterprise|Basic|Visa|PayPal|kr|x|[A-Z]{3}|ABCD1234-\d+"
)
OFFERED = "|".join(re.escape(each) for plan in DESK.catalogue.plans for said in plan.features.values() for each in said)
NOT_WORDS = re.compile(
    rf"<[^>|]*\||<[@#!][^>]*>|:[a-z_]+:|`[^`]*`|{re.escape(ORDINARY.words)}|{OFFERED}|\b({NAMES}|(sub|cus|in)_\w+|U\d\w*)\b"
)


@pytest.fixture
def invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Words]:
    """A reader of a language whose file has just been written."""
    catalog = Catalog(locale="pl", domain="kassor")
    for message in messages():
        if isinstance(message, str):
            catalog.add(message, f"⟦{message}⟧")
        else:
            catalog.add(message[:2], tuple(f"⟦{form}: {message[1]}⟧" for form in ("one", "few", "many")))
    path = tmp_path / "pl" / "LC_MESSAGES" / "kassor.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, catalog)
    kept = (words.languages, words.catalogue, words.plural_form)
    monkeypatch.setattr(words, "LOCALES", tmp_path)
    for each in kept:
        each.cache_clear()
    yield Words("pl-PL", "Europe/Warsaw")
    monkeypatch.undo()
    for each in kept:
        each.cache_clear()


def test_a_file_is_all_a_language_takes(invented: Words) -> None:
    assert invented.language == "pl"
    assert invented("Nothing is added by itself: you decide.").startswith("⟦")
    assert invented.money(1_099_950, "sek").replace("\u00a0", " ") == "10 999,50 SEK"


@pytest.mark.parametrize(
    ("count", "form"), [(1, "one"), (2, "few"), (4, "few"), (5, "many"), (22, "few"), (112, "many")]
)
def test_every_form_of_a_plural_is_used(invented: Words, count: int, form: str) -> None:
    assert invented.n("{count} seat", "{count} seats", count) == f"⟦{form}: {count} seats⟧"


@pytest.mark.parametrize("builder", sorted(BUILDERS))
def test_no_sentence_is_hard_coded(invented: Words, builder: str) -> None:
    english = []
    for what, shown in BUILDERS[builder](invented, ORDINARY):
        assert problems(shown) == [], what
        for each in walk(as_view(invented, shown)["blocks"]):
            said = each.get("text")
            if not isinstance(said, str) or "⟦" in said:
                continue
            bare = NOT_WORDS.sub("", said)
            if re.search(r"[^\W\d_]{2,}", bare):
                english.append(f"{what}: {said}")
    assert english == []
