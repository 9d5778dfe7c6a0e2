"""`kassor notices`: what became of a message is a command away, trying it again another, and what it told only when asked for."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from domain import clock
from domain.database import opened
from domain.queue import QueueState
from domain.records import Notice, Workspace
from tests.cli.test_console import GOOD

SECRET = "in_secret"
SENT, WAITS, BAD, TAKEN, OTHER = (str(UUID(int=number)) for number in range(1, 6))


@pytest.fixture
def filled(database_url: str) -> str:
    """Five messages a day apart: sent, waiting, given up, in a process's hand, and another workspace's, given up."""

    async def fill() -> None:
        async with opened(database_url):
            for team in ("T1", "T2"):
                await Workspace.create(id=team, name=f"Workspace {team}", domain=team.lower(), created_at=clock.now())
            for days, (key, kind, state, team) in enumerate(
                [
                    (SENT, "invoice_copy", QueueState.DONE, "T1"),
                    (WAITS, "invoice_copy", QueueState.QUEUED, "T1"),
                    (BAD, "invoice_copy", QueueState.BURIED, "T1"),
                    (TAKEN, "upgraded", QueueState.QUEUED, "T1"),
                    (OTHER, "upgraded", QueueState.BURIED, "T2"),
                ]
            ):
                then = clock.now() - timedelta(days=days, minutes=1)
                await Notice.create(
                    id=key,
                    kind=kind,
                    facts={"invoice_id": SECRET},
                    dedup_key=key,
                    workspace_id=team,
                    channel="C1",
                    created_at=then,
                    available_at=clock.now() + timedelta(days=1),
                    state=state,
                    attempts=12 if state == QueueState.BURIED else 1,
                    leased_until=clock.now() + timedelta(minutes=1) if key == TAKEN else None,
                    sent_to="U1" if key == BAD else None,
                    last_error="Slack: invalid_blocks" if state == QueueState.BURIED else None,
                )

    asyncio.run(fill())
    return database_url


def notices(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["notices", *arguments], env={**GOOD, "DATABASE_URL": url})


def listed(url: str, *arguments: str) -> list[str]:
    done = notices(url, "list", "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return [each["id"] for each in json.loads(done.stdout)["notices"]]


def rows(url: str) -> dict[str, Notice]:
    async def look() -> dict[str, Notice]:
        async with opened(url):
            return {str(notice.id): notice for notice in await Notice.all()}

    return asyncio.run(look())


def test_messages_are_listed_by_state_kind_workspace_and_age_newest_first(filled: str) -> None:
    assert listed(filled) == [SENT, WAITS, BAD, TAKEN, OTHER]
    assert listed(filled, "--state", "buried") == [BAD, OTHER]
    assert listed(filled, "--kind", "invoice_copy", "--limit", "2") == [SENT, WAITS]
    assert listed(filled, "--workspace", "T2") == listed(filled, "--workspace", "t2") == [OTHER]
    assert listed(filled, "--older-than", "60h", "--workspace", "Workspace T1") == [TAKEN]
    plain = notices(filled, "list").stdout
    assert "2 queued, 1 done, 2 buried in all." in plain
    assert SECRET not in plain


def test_one_message_shows_what_went_wrong_and_what_it_told_only_when_asked(filled: str) -> None:
    shown = notices(filled, "show", BAD)
    assert "Slack: invalid_blocks" in shown.stdout
    assert SECRET not in shown.stdout
    assert SECRET in notices(filled, "show", BAD, "--facts").stdout
    assert json.loads(notices(filled, "show", BAD, "--json").stdout)["attempts"] == 12


@pytest.mark.parametrize(
    ("which", "tried"),
    [
        ([BAD], {BAD}),
        (["--buried"], {BAD, OTHER}),
        (["--kind", "invoice_copy"], {WAITS, BAD}),
        (["--workspace", "T2"], {OTHER}),
        (["--buried", "--kind", "upgraded"], {OTHER}),
        (["--buried", "--dry-run"], set()),
        ([SENT, TAKEN], set()),  # sent already, and about to be
    ],
)
def test_messages_are_tried_again_and_what_was_sent_never_is(filled: str, which: list[str], tried: set[str]) -> None:
    done = notices(filled, "retry", *which)
    assert done.exit_code == 0, done.stderr
    found = rows(filled)
    due = {key for key, notice in found.items() if notice.state == QueueState.QUEUED and notice.attempts == 0}
    assert due == tried
    assert found[SENT].state == QueueState.DONE
    assert found[BAD].sent_to == "U1"  # it may have arrived: that is looked at first


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "nobody"], "There is no message nobody"),
        (["show", str(UUID(int=99))], "There is no message"),
        (["retry"], "Say which"),
        (["retry", BAD, str(UUID(int=99))], "There is no message"),
        (["list", "--kind", "love_letter"], "love_letter"),
        (["list", "--workspace", "T9"], "T9"),
        (["list", "--older-than", "5 min"], "--older-than 5 min"),
        (["list", "--state", "lost"], "lost"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr_and_exits_2(filled: str, arguments: list[str], says: str) -> None:
    done = notices(filled, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert rows(filled)[BAD].state == QueueState.BURIED
