"""docs/threats.md is true: every threat says what stops it, and every test it names is there."""

import re

import pytest

from tests.test_requirements import ROOT, names_in

PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (T[0-9]+) (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = {name: (threat, stopped, re.findall(r"`([^`]+)`", tests)) for name, threat, stopped, tests in ROW.findall(PAGE)}


@pytest.mark.parametrize("name", ROWS)
def test_a_threat_says_what_stops_it_and_names_tests_that_are_there(name: str) -> None:
    threat, stopped, tests = ROWS[name]
    assert len(threat.split()) >= 3
    assert len(stopped.split()) >= 5
    assert tests, "no test proves it"
    named = [each.partition("::") for each in tests]
    assert [f"{path}::{test}" for path, _, test in named if test not in names_in(path)] == []


def test_every_row_is_read_and_numbered_in_order() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
    assert [line.split()[1] for line in lines] == list(ROWS) == [f"T{number + 1}" for number in range(len(ROWS))]
    assert len(ROWS) > 15


def test_whoever_reports_a_hole_is_led_to_the_threats() -> None:
    assert "(docs/threats.md)" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
