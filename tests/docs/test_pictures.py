"""The pictures of the docs: each is there, is shown, has words for those who can't see it, and is no burden to download."""

import re

from tests.docs.test_commands import PAGES, ROOT

PICTURES = ROOT / "docs" / "pictures"
MOST = 2_000_000  # bytes, together
_SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)]+\.png)\)")
_NAMED = re.compile(r"\]\(([^)]+\.png)\)")


def test_every_picture_that_is_named_is_there_and_every_one_there_is_named() -> None:
    named = {(page.parent / path).resolve() for page in PAGES for path in _NAMED.findall(page.read_text("utf-8"))}
    assert named == {path.resolve() for path in PICTURES.glob("*.png")}


def test_every_picture_says_in_words_what_it_shows() -> None:
    words = [alt for page in PAGES for alt, _ in _SHOWN.findall(page.read_text("utf-8"))]
    assert len(words) >= 12
    assert [alt for alt in words if len(alt.split()) < 6] == []


def test_the_pictures_together_are_quickly_fetched() -> None:
    assert sum(path.stat().st_size for path in PICTURES.glob("*.png")) < MOST
