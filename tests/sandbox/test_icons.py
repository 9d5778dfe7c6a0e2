"""Every :shortcode: the product writes is drawn by the page, so that nobody's screen shows an empty box."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_shortcode_that_the_product_writes_is_drawn() -> None:
    drawn = set(re.findall(r"^  (\w+): \[", (ROOT / "sandbox/web/icons.js").read_text(), flags=re.MULTILINE))
    written = {
        name
        for path in (ROOT / "bot").rglob("*.py")
        for text in re.findall(r'"[^"\n]*"', path.read_text())
        for name in re.findall(r"(?<![\w:]):([a-z][a-z_]+):(?![\w:])", text)
    }
    assert {"white_check_mark", "warning", "calendar"} <= written
    assert written <= drawn, f"draw in sandbox/web/icons.js: {sorted(written - drawn)}"


def test_the_page_itself_uses_no_character_that_needs_an_emoji_font() -> None:
    found = {
        (path.name, character)
        for path in (ROOT / "sandbox/web").iterdir()
        if path.suffix in {".js", ".css", ".html"}
        for character in path.read_text()
        if ord(character) > 0x2BFF or 0x2600 <= ord(character) <= 0x27BF
    }
    assert found == set()
