"""What people read is what somebody has read before, in both languages."""

import re

import pytest

from tests.bot.snapshots import HERE, READERS, page


@pytest.mark.parametrize("language", sorted(READERS))
def test_everything_said_has_been_read(language: str) -> None:
    """Another word, or a builder that is new: run `python -m tests.bot.snapshots` and read what changed."""
    assert page(language) == (HERE / f"{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", sorted(READERS))
def test_nothing_is_left_unsaid_or_said_with_two_spaces(language: str) -> None:
    said = page(language)
    assert not re.search(r"\{[a-z_]+\}|\bNone\b", said)
    lines = [line.strip() for line in said.splitlines()]
    assert [line for line in lines if "  " in line] == []


def test_both_languages_show_the_same_things() -> None:
    heads = {language: re.findall(r"^=== .* ===$", page(language), re.MULTILINE) for language in READERS}
    assert heads["en"] == heads["sv"]


def test_money_never_breaks_across_lines() -> None:
    """`10 999,50 kr` with spaces that hold together (shown as `·` on the page)."""
    said = page("sv")
    assert "10·999,50·kr" in said
    assert re.findall(r"\d kr\b", said) == []
