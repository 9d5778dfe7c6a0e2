"""Every command the documents show is run, beside a customer who has bought; what a page made up is put right."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox_client import SandboxClient
from domain.database import opened
from domain.records import Event, Invoice, Notice
from tests.acceptance.conftest import ROOT
from tests.acceptance.hands import named, upgrade
from tests.acceptance.test_restore import installed
from tests.docs.pages import console
from tests.docs.test_commands import FOUND
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(180)

WITHOUT_WHAT_IT_NEEDS = {"kassor customer", "kassor forget", "kassor settings --into"}  # named in a sentence
LONG = {  # what goes on until it is stopped → where it is run
    "kassor serve": "tests/acceptance/test_restore.py",
    "kassor serve web": "tests/acceptance/test_procfile.py",
    "kassor serve worker": "tests/acceptance/test_procfile.py",
    "kassor serve scheduler": "tests/acceptance/test_procfile.py",
    "kassor sandbox": "tests/acceptance/conftest.py",
    "kassor sandbox --port N": "tests/acceptance/conftest.py",
    "kassor tour": "tests/acceptance/test_journey.py",
    "kassor tour --watch": "tests/browser/test_watch.py",
}
ONCE = sorted({command for _, command in FOUND if command.startswith("kassor ")} - set(LONG))
CODES = {
    "kassor forget WORKSPACE": 1,  # nobody is here to say yes
    "kassor audit --verb payment_failed --since 7d": 2,  # no payment has failed here; it says what the ledger has
} | dict.fromkeys(WITHOUT_WHAT_IT_NEEDS, 2)
RUN_ALL = """
import contextlib, io, json, logging, sys
from cli.main import app
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            app(words, prog_name="kassor")
    except SystemExit as end:
        code = end.code
    logging.disable(logging.NOTSET)
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


@pytest.fixture
def target(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL to move to."""
    with postgres.database(migrated=False) as url:
        yield url


@pytest.fixture
async def answers(tmp_path: Path, target: str) -> AsyncIterator[dict[str, Any]]:
    """Command → its exit code, and what it said on stdout and on stderr."""
    url = f"sqlite://{tmp_path}/kassor.db"
    async with installed(tmp_path, url, console(tmp_path / "bin")) as (world, kassor):
        async with SandboxClient(world.slack.base_url) as sandbox:
            await upgrade(sandbox, await named(sandbox, "Björn"), "premium monthly 20")
            await sandbox.settled()
        put_right = await known(url) | {
            '"Example Ltd"': "Fjällvind",
            "WHO": "Fjällvind",
            "FILE": f"{tmp_path}/copy.db",
            "kassor.backup.db": f"{tmp_path}/backup.db",
            "WORKSPACE": "T0FJALL01",
            "move --to URL": f"move --to '{target}'",
            "URL": "https://billing.example.com",
        }
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", RUN_ALL, json.dumps([words(command, put_right) for command in ONCE])],
            cwd=ROOT,
            env=kassor.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield dict(zip(ONCE, map(json.loads, done.stdout.splitlines()), strict=True))


async def known(url: str) -> dict[str, str]:
    """What there is here for the ids the pages made up."""
    async with opened(url):
        [event, invoice, notice] = [await model.all().first() for model in (Event, Invoice, Notice)]
        assert event is not None
        assert invoice is not None
        assert notice is not None
        return {
            "evt_123": event.id,
            "ABCD1234-0007": str(invoice.number),
            "00000000-0000-4000-8000-000000000000": str(notice.id),
        }


def words(command: str, put_right: dict[str, str]) -> list[str]:
    """What follows `kassor`."""
    for theirs, ours in put_right.items():
        command = command.replace(theirs, ours)
    return shlex.split(command)[1:]


async def test_every_command_the_documents_show_does_what_it_says(answers: dict[str, Any]) -> None:
    wrong = {
        command: answer
        for command, answer in answers.items()
        if answer[0] != CODES.get(command, 0) or "Traceback" in answer[2]
    }
    assert not wrong, json.dumps(wrong, indent=1)
    for command, says in {
        "kassor customer WHO": "premium",
        "kassor customer ABCD1234-0007": "premium",
        "kassor events show evt_123": "evt_",
        "kassor audit": "upgraded",
        "kassor backup FILE": "and whole",
        "kassor move --to URL": "rows compared one by one",
        "kassor reconcile --restored": "looked for in Slack",
        "kassor forget WORKSPACE --dry-run": "let them end first",
    }.items():
        assert says in answers[command][1], (command, answers[command])


def test_what_goes_on_until_it_is_stopped_is_run_elsewhere() -> None:
    shown = {command for _, command in FOUND if command.startswith("kassor ")}
    assert set(LONG) <= shown
    for command, file in LONG.items():
        assert shlex.split(command)[1] in (ROOT / file).read_text(), file
