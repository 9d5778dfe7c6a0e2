"""What is installed, here and in production, is what was locked: every file by its digest, from nowhere but the registry."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PLACES = [ROOT / "Makefile", ROOT / "deploy" / "Containerfile", *sorted((ROOT / "docs").glob("*.md"))]


def wrong_in(lock: str) -> list[str]:
    """What in a lock is no pinned version with digests."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE))
    return [line.strip() for line in text.splitlines() if line.strip() and not _pins(line.strip())]


def _pins(line: str) -> bool:
    what, *digests = re.split(r"\s+--hash=", line)
    is_exact = re.fullmatch(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^\s;]+(\s*;.*)?", what)
    return bool(is_exact and digests and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in digests))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_everything_installed_is_locked_by_its_hash(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert text.count("==") > 20
    assert wrong_in(text) == []
    assert "://" not in text


@pytest.mark.parametrize(
    "line",
    [
        "aiohttp==3.14.5",
        "aiohttp>=3.14 --hash=sha256:" + "0" * 64,
        "aiohttp @ git+ssh:x --hash=sha256:" + "0" * 64,
        "--extra-index-url x",
        "aiohttp==3.14.5 --hash=md5:" + "0" * 32,
    ],
)
def test_a_line_that_pins_nothing_is_noticed(line: str) -> None:
    assert wrong_in(line + "\n") == [line]


def test_every_installation_asks_for_the_digests_or_fetches_nothing() -> None:
    """All but that of the extra `tracing`, which docs/threats.md says."""
    asked = [
        (place.name, line.strip())
        for place in PLACES
        for line in place.read_text(encoding="utf-8").splitlines()
        for _ in re.findall(r"pip install", line)
        if "--require-hashes" not in line and "--no-deps" not in line and "kassor[tracing]" not in line
    ]
    assert asked == []
    assert sum("--require-hashes" in place.read_text(encoding="utf-8") for place in PLACES) >= 3
