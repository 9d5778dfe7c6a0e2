"""`kassor events`: what became of an event is a command away, doing it again another, and personal data only when asked for."""

import asyncio
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from domain import clock
from domain.database import opened
from domain.queue import QueueState
from domain.records import Event
from tests.cli.test_console import GOOD, kassor

SECRET = "ada@example.com"


@pytest.fixture
def filled(database_url: str) -> str:
    """Four events: one done, one waiting, two buried, a day apart."""

    async def fill() -> None:
        async with opened(database_url):
            for days, (name, kind, state) in enumerate(
                [
                    ("done", "invoice.paid", QueueState.DONE),
                    ("waits", "customer.updated", QueueState.QUEUED),
                    ("bad_1", "invoice.paid", QueueState.BURIED),
                    ("bad_2", "customer.updated", QueueState.BURIED),
                ]
            ):
                then = clock.now() - timedelta(days=days, minutes=1)
                await Event.create(
                    id=f"evt_{name}",
                    type=kind,
                    created_at=then,
                    received_at=then,
                    available_at=then,
                    payload=json.dumps({"email": SECRET}),
                    state=state,
                    attempts=12 if state == QueueState.BURIED else 1,
                    last_error="PaymentsRefused: no such invoice" if state == QueueState.BURIED else None,
                )

    asyncio.run(fill())
    return database_url


def events(url: str, *arguments: str) -> Result:
    """The console in this process: it is asked for dozens of times."""
    return CliRunner().invoke(app, ["events", *arguments], env={**GOOD, "DATABASE_URL": url})


def listed(url: str, *arguments: str) -> list[str]:
    done = events(url, "list", "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return [each["id"] for each in json.loads(done.stdout)["events"]]


def states(url: str) -> dict[str, str]:
    async def look() -> dict[str, str]:
        async with opened(url):
            return {event.id: event.state.value for event in await Event.all()}

    return asyncio.run(look())


def test_events_are_listed_by_state_type_and_age_newest_first(filled: str) -> None:
    assert listed(filled) == ["evt_done", "evt_waits", "evt_bad_1", "evt_bad_2"]
    assert listed(filled, "--state", "buried") == ["evt_bad_1", "evt_bad_2"]
    assert listed(filled, "--type", "invoice.*") == ["evt_done", "evt_bad_1"]
    assert listed(filled, "--older-than", "36h", "--type", "customer.updated") == ["evt_bad_2"]
    assert listed(filled, "--since", "36h", "--limit", "1") == ["evt_done"]
    plain = events(filled, "list").stdout
    assert "1 queued, 1 done, 2 buried in all." in plain
    assert SECRET not in plain


def test_one_event_shows_its_error_and_its_payload_only_when_asked(filled: str) -> None:
    shown = events(filled, "show", "evt_bad_1")
    assert "PaymentsRefused: no such invoice" in shown.stdout
    assert SECRET not in shown.stdout
    assert SECRET in events(filled, "show", "evt_bad_1", "--payload").stdout
    assert json.loads(events(filled, "show", "evt_bad_1", "--json").stdout)["attempts"] == 12


@pytest.mark.parametrize(
    ("which", "queued"),
    [
        (["evt_bad_1"], {"evt_bad_1"}),
        (["--buried"], {"evt_bad_1", "evt_bad_2"}),
        (["--type", "invoice.paid"], {"evt_done", "evt_bad_1"}),
        (["--since", "60h", "--until", "36h"], {"evt_bad_1"}),
        (["--buried", "--type", "customer.*"], {"evt_bad_2"}),
        (["--buried", "--dry-run"], set()),
    ],
)
def test_events_are_done_again_by_id_type_state_or_time(filled: str, which: list[str], queued: set[str]) -> None:
    before = states(filled)
    done = events(filled, "replay", *which)
    assert done.exit_code == 0, done.stderr
    changed = {event for event, state in states(filled).items() if state != before[event]}
    assert changed == queued
    assert all(states(filled)[event] == "queued" for event in queued)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "evt_nobody"], "There is no event evt_nobody"),
        (["replay"], "Say which"),
        (["replay", "evt_done", "evt_nobody"], "Nothing was queued"),
        (["list", "--since", "yesterday"], "--since yesterday"),
        (["list", "--older-than", "5 min"], "--older-than 5 min"),
        (["list", "--state", "lost"], "lost"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr_and_exits_2(filled: str, arguments: list[str], says: str) -> None:
    done = events(filled, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert states(filled)["evt_done"] == "done"


def test_a_pruned_event_is_said_to_be_past_doing_again(filled: str) -> None:
    async def prune() -> None:
        async with opened(filled):
            await Event.filter(id="evt_done").update(payload="")

    asyncio.run(prune())
    done = events(filled, "replay", "evt_done")
    assert "0 are queued again" in done.stdout
    assert "pruned" in done.stdout
    assert states(filled)["evt_done"] == "done"


def test_a_database_that_is_not_there_is_said_without_a_traceback() -> None:
    done = kassor("events", "list", **GOOD, DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    assert done.returncode == 2
    assert "database" in done.stderr
    assert "Traceback" not in done.stderr
