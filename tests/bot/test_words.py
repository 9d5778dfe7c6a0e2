"""Both languages, whole: every message has its Swedish, with the same facts in it, and money and dates are the reader's."""

import ast
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest
from babel.messages.extract import extract_from_dir

from bot.views.blocks import confirm, note
from bot.words import LOCALES, Raw, Words, catalogue, escape, link, mention
from tests.acceptance.conftest import ROOT

KEYWORDS = {"t": None, "words": None, "plain": None, "n": (1, 2)}


@cache
def messages() -> set[str | tuple[str, ...]]:
    """Every message the bot can say, as its code has them."""
    return {found[2] for found in extract_from_dir(str(ROOT / "bot"), keywords=KEYWORDS)}  # type: ignore[arg-type]  # Babel's


def holes(text: str) -> set[str]:
    """The facts a message has places for."""
    return set(re.findall(r"\{(\w+)\}", text))


def test_there_are_messages_to_look_at() -> None:
    assert len(messages()) > 200


def test_every_message_has_its_swedish_and_nothing_more_does() -> None:
    said = {found if isinstance(found, str) else found[0] for found in messages()}
    assert said - set(catalogue("sv")) == set()
    assert set(catalogue("sv")) - said == set()


def test_no_message_hides_inside_an_f_string_where_nobody_finds_it() -> None:
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in sorted((ROOT / "bot").rglob("*.py"))
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"t", "t.plain", "t.n", "visit.words", "self.words"}
    ]
    assert hidden == []


def test_nothing_is_said_in_two_ways() -> None:
    text = (LOCALES / "sv" / "LC_MESSAGES" / "kassor.po").read_text(encoding="utf-8")
    entries = Counter(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))
    assert [entry for entry, count in entries.items() if count > 1] == []


def test_the_swedish_has_places_for_the_same_facts() -> None:
    for english, swedish in catalogue("sv").items():
        for form in swedish if isinstance(swedish, tuple) else (swedish,):
            assert holes(form) - {"count"} == holes(english) - {"count"}, english


def test_the_swedish_is_swedish() -> None:
    same = {english for english, swedish in catalogue("sv").items() if english == swedish}
    assert same <= {"Period", "{start} – {end}", "{plan}: {seats} × {money}"}


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "shown"),
    [
        ("sv-SE", 124_500, "sek", "1 245,00 kr"),
        ("en-US", 124_500, "sek", "SEK 1,245.00"),
        ("en-GB", 124_500, "gbp", "£1,245.00"),
        ("sv-SE", 500, "jpy", "500 JPY"),
        ("sv-SE", -1_237, "eur", "-12,37 €"),
        ("de-DE", 124_500, "eur", "€1,245.00"),  # a language we don't speak is answered in English
    ],
)
def test_money_is_written_as_the_reader_writes_it(locale: str, amount: int, currency: str, shown: str) -> None:
    assert Words(locale).money(amount, currency).replace("\u00a0", " ") == shown


def test_I3_days_are_the_readers_own() -> None:
    """Slack draws them; what it falls back on, and what is read where it doesn't draw, is in the same language and time zone."""
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    swede, american, channel = (
        Words("sv-SE", "Europe/Stockholm"),
        Words("en-US", "America/New_York"),
        Words("en-GB", "UTC"),
    )
    assert swede.day(late) == "<!date^1798759800^{date}|1 januari 2027>"
    assert american.day(late) == "<!date^1798759800^{date}|December 31, 2026>"
    assert swede.time(late) == "<!date^1798759800^{date}, {time}|1 januari 2027, 00:30>"
    assert channel.time(late) == "<!date^1798759800^{date}, {time}|31 December 2026, 23:30 UTC>"
    assert swede("From {day}: {money}", day=swede.day(late), money="5 kr").startswith("Från <!date^")
    assert swede.plain("Change on {day}", day=swede.day(late)) == "Ändra 1 januari 2027"
    assert swede.iso_day(None) == ""


def test_a_notification_a_question_and_a_field_spell_dates_out() -> None:
    t = Words("sv-SE", "Europe/Stockholm")
    text = t("Free trial until {day}.", day=t.day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)))
    shown = note(text)
    assert shown.text == "Gratis till 1 januari 2027."
    assert shown.blocks[0]["text"]["text"] == text
    assert confirm("?", text, "Ja", "Nej")["text"]["text"] == shown.text
    long = note("x" * 2_980 + text)
    assert long.text.endswith("Gratis till 1 janua…")
    assert long.blocks[0]["text"]["text"].endswith("xGratis till …"), "never through a date"


def test_a_name_can_become_neither_a_mention_nor_a_link() -> None:
    evil = "<!channel> <https://evil.example|Pay here> & co"
    shown = Words("en-US")("{scope} has {terms}.", scope=evil, terms="x")
    assert "<" not in shown
    assert shown.startswith("&lt;!channel&gt;")
    assert Words("en-US")("{scope} has {terms}.", scope=Raw("<@U1>"), terms="x").startswith("<@U1>")
    assert link("https://a.example/?x=1|2", "a|b>") == "<https://a.example/?x=1%7C2|a/b&gt;>"
    assert mention("U1><!here") == "<@U1&gt;&lt;!here>"
    assert escape("&lt;") == "&amp;lt;"


def test_one_and_many() -> None:
    assert Words("sv-SE").n("{count} seat", "{count} seats", 1) == "1 plats"
    assert Words("sv-SE").n("{count} seat", "{count} seats", 5000).replace("\u00a0", " ") == "5 000 platser"


@pytest.mark.parametrize("locale", ["", "xx", "sv", "sv_SE", "en-XX", "zh-Hant-TW"])
def test_any_locale_is_answered(locale: str) -> None:
    assert Words(locale).language in {"en", "sv"}
