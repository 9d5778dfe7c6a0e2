"""What the documentation tells people to type exists, with the options it names; and what the alerts lead to is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml

from cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = {"python3", "/opt/kassor/bin/pip", "make"}  # not ours


def commands(page: Path) -> Iterator[str]:
    """Every indented line that begins like a command, and every `kassor …` in a sentence."""
    for line in page.read_text().splitlines():
        indented = re.fullmatch(r"\s{4,}((?:kassor|make|python3|/opt)\S* .*)", line)
        if indented:
            yield re.split(r"\s{2,}#", indented[1])[0]
        yield from (each for each in re.findall(r"`(kassor [a-z][^`]*)`", line) if "|" not in each and "…" not in each)


FOUND = sorted({(page.name, command) for page in PAGES for command in commands(page)})


@pytest.mark.parametrize(("page", "command"), FOUND, ids=[f"{page}: {command}" for page, command in FOUND])
def test_what_people_are_told_to_type_can_be_typed(page: str, command: str) -> None:
    program, *words = shlex.split(command)
    if program == "make":
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert words[0] in targets, page
        return
    if program != "kassor":
        assert program in SHELL, page
        return
    context = typer.main.get_command(app).make_context("kassor", list(words), resilient_parsing=True)
    here, left = context.command, list(words)
    while left and hasattr(here, "commands"):
        assert left[0] in here.commands, f"{page}: kassor has no {left[0]}"
        here = here.commands[left.pop(0)]
    known = {name for parameter in here.params for name in parameter.opts}
    assert {word.partition("=")[0] for word in left if word.startswith("--")} <= known | {"--help"}, (
        f"{page}: {command}"
    )


def test_there_are_commands_in_the_pages() -> None:
    assert len(FOUND) > 30


def test_every_alert_leads_to_a_symptom_in_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["runbook"].partition("#")[2] in anchors, rule["alert"]


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_console_s_page_has_every_command() -> None:
    page = (ROOT / "docs" / "console.md").read_text()
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `kassor"))
    group = typer.main.get_command(app)
    assert hasattr(group, "commands")
    for name, command in group.commands.items():
        assert f"`kassor {name}" in table, name
        for inner in getattr(command, "commands", {}):
            assert re.search(rf"`kassor {name} {inner}`|`kassor {name} .*`{inner}`", table), f"{name} {inner}"
