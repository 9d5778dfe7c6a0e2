"""Every command's help shows how it is typed, and what it shows can be typed."""

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer

from cli.main import app
from tests.acceptance.conftest import ROOT


def commands(group: Any, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command there is, by the words that lead to it."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, each in group.commands.items():
        found += commands(each, (*before, name)) if hasattr(each, "commands") else [((*before, name), each)]
    return found


ALL = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_its_help_ends_with_examples_that_can_be_typed(words: tuple[str, ...], command: Any) -> None:
    epilog = command.epilog or ""
    assert epilog.startswith("Examples:"), words
    for line in epilog.removeprefix("Examples:").split("·"):
        typed = shlex.split(line.partition(" > ")[0])
        assert tuple(typed[: len(words) + 1]) == ("kassor", *words)
        command.make_context(words[-1], typed[len(words) + 1 :])  # raises what a wrong line would


@pytest.mark.parametrize(
    ("typed", "offered"), [("kassor cust", "customer"), ("kassor events list --state b", "buried")]
)
def test_the_shell_completes_commands_and_values(typed: str, offered: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['kassor']; from cli.main import app; app(prog_name='kassor')"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "_KASSOR_COMPLETE": "complete_bash",
            "_TYPER_COMPLETE_ARGS": typed,
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split()) - 1),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.split() == [offered]
