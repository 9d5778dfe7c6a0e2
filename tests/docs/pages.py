"""The documents as somebody follows them: the commands under a heading, in order, typed into a shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.conftest import ROOT

Environment = dict[str, str]


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next of the same or a higher rank."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[2]


def typed(text: str) -> list[str]:
    """The indented lines: what is to be typed, without the remark behind it."""
    lines = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    return [re.split(r"\s{2,}#", line)[0] for line in lines]


def document(name: str) -> str:
    """A page of `docs/`."""
    return (ROOT / "docs" / name).read_text()


def console(folder: Path) -> str:
    """A PATH on which `kassor` is this tree's."""
    folder.mkdir(exist_ok=True)
    program = folder / "kassor"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cli "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def type_in(line: str, folder: Path, environment: Environment) -> subprocess.CompletedProcess[str]:
    """What a shell in that folder makes of a line."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
