"""docs/requirements.md is true: every rule has a row, every file and test it names is there, and the tests cite their rules."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RULES = [
    *(f"R{number}" for number in range(1, 55)),
    "S1",
    *(f"{letter}{number}" for letter, last in (("M", 6), ("I", 6), ("P", 3)) for number in range(1, last + 1)),
    "E1",
]
_ROW = re.compile(r"^\| ([A-Z][0-9]+) \| (.+?) \| (.+?) \| (.+?) \|$")
_CITED = re.compile(r"(?<=_)([RSMIPE][0-9]{1,2})(?=_)")


@dataclass(frozen=True)
class Row:
    """One rule's row."""

    rule: str
    short: str
    files: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]  # file, name


def rows() -> list[Row]:
    found = []
    for line in (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8").splitlines():
        if match := _ROW.match(line):
            rule, short, files, tests = match.groups()
            named = [each.partition("::") for each in re.findall(r"`([^`]+)`", tests)]
            found.append(Row(rule, short, tuple(re.findall(r"`([^`]+)`", files)), tuple((a, b) for a, _, b in named)))
    return found


BY_RULE = {row.rule: row for row in rows()}


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file; empty when there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_where_it_is_held_and_what_proves_it(rule: str) -> None:
    row = BY_RULE[rule]
    assert len(row.short.split()) >= 3
    assert row.files, "no file holds it"
    assert row.tests, "no test proves it"
    assert [path for path in row.files if not (ROOT / path).is_file()] == []
    assert [path for path in row.files if path.startswith("tests/")] == []
    assert [f"{path}::{name}" for path, name in row.tests if name not in names_in(path)] == []


@pytest.mark.parametrize("rule", sorted(BY_RULE))
def test_a_test_of_a_row_cites_its_rule_by_name(rule: str) -> None:
    cited = {found for _, name in BY_RULE[rule].tests for found in _CITED.findall(name)}
    assert rule in cited


def test_no_rule_has_two_rows_and_none_is_invented() -> None:
    counted = Counter(row.rule for row in rows())
    assert [rule for rule, count in counted.items() if count > 1] == []
    assert set(counted) <= set(RULES)


def test_no_test_cites_a_rule_that_is_not() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}::{name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name in names_in(str(path.relative_to(ROOT)))
        for rule in _CITED.findall(name)
        if rule not in RULES
    ]
    assert wrong == []


def test_a_line_that_looks_like_a_row_is_one() -> None:
    """A row with a column too few would otherwise be overlooked."""
    lines = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if re.match(r"\|\s*[A-Z]\d", line) and not _ROW.match(line)]
    assert odd == []
