"""`kassor audit`: the ledger, readable, filtered and exported, as an operator asks for it."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli import audit
from cli.audit import Form, Wish, WrongWish, change_of, show
from domain import clock, directory
from domain.database import opened
from domain.records import AuditEntry, Member, Scope
from tests.acceptance.conftest import ROOT
from tests.cli.test_console import GOOD, kassor
from tests.domain.conftest import settle

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def entry(number: int, scope: Scope, actor: Member | None = None, **other: Any) -> AuditEntry:
    facts: dict[str, Any] = {
        "id": UUID(int=number),
        "at": NOON + timedelta(hours=number),
        "workspace_id": scope.workspace_id,
        "scope_id": scope.id,
        "actor_id": actor.id if actor else None,
        "source": "slack" if actor else "stripe",
        "verb": "seats_changed",
        "before": {"plan": "premium", "seats": 20},
        "after": {"plan": "premium", "seats": 20 + number},
        "reference": "sub_1",
        "dedup_key": f"k{number}",
    }
    return await AuditEntry.create(**facts | other)


async def printed(**wish: Any) -> list[str]:
    lines: list[str] = []
    await show(Wish(**wish), lines.append)
    return lines


async def numbers(**wish: Any) -> list[int]:
    """The entries a wish finds, by number, in the order they are printed."""
    return [json.loads(line)["after"]["seats"] - 20 for line in await printed(form=Form.JSON, **wish)]


async def test_the_table_says_who_what_before_after_when_and_from_where(database: str) -> None:
    scope, members = await settle("T1", 2)
    await entry(1, scope, members[0])
    await entry(2, scope)
    head, first, second = await printed()
    assert "when (UTC)" in head
    for part in (
        "2026-11-20 13:00:00Z",
        "slack",
        "Person 1 U001",
        "Workspace T1",
        "seats_changed",
        "seats 20 → 21",
        "sub_1",
    ):
        assert part in first, part
    assert "premium" not in first  # what is as before is no news
    assert "stripe" in second
    assert "–" in second


async def test_newest_last_and_a_limit_keeps_the_newest(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    scope, members = await settle("T1", 1)
    for number in (5, 2, 7, 1, 4, 3, 6):
        await entry(number, scope, members[0])
    assert await numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert await numbers(limit=4) == [4, 5, 6, 7]
    assert await numbers(limit=99) == [1, 2, 3, 4, 5, 6, 7]


async def test_entries_of_one_moment_are_each_printed_once(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    scope, _ = await settle("T1", 1)
    for number in range(1, 8):
        await entry(number, scope, at=NOON)
    assert await numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert await numbers(limit=3) == [5, 6, 7]


async def test_every_filter_finds_its_own(database: str) -> None:
    here, members = await settle("T1", 2)
    there, others = await settle("T2", 1, first=50)
    await entry(1, here, members[0])
    await entry(2, here, members[1], verb="handed_over")
    await entry(3, here)
    await entry(4, there, others[0])
    assert await numbers(workspace="T1") == [1, 2, 3]
    assert await numbers(workspace="workspace t2") == [4]
    assert await numbers(scope="Workspace T2") == [4]
    assert await numbers(scope=str(here.id)) == [1, 2, 3]
    assert await numbers(actor="U002") == [2]
    assert await numbers(actor="person 50") == [4]
    assert await numbers(actor="nobody") == [3]
    assert await numbers(verb="handed_over") == [2]
    assert await numbers(workspace="T1", actor="U001", verb="seats_changed") == [1]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-11-21", "", [12, 13, 36]),
        ("", "2026-11-20", [11]),
        ("2026-11-21", "2026-11-21", [12, 13]),  # a day as an end is all of it
        ("2026-11-21T01:00", "", [13, 36]),
        ("2026-11-21T02:00+01:00", "", [13, 36]),
    ],
)
async def test_since_and_until_are_days_or_moments(database: str, since: str, until: str, found: list[int]) -> None:
    scope, _ = await settle("T1", 1)
    for number in (11, 12, 13, 36):
        await entry(number, scope)
    assert await numbers(since=since, until=until) == found


async def test_since_can_be_an_age(database: str) -> None:
    scope, _ = await settle("T1", 1)
    await entry(1, scope, at=clock.now() - timedelta(days=8))
    await entry(2, scope, at=clock.now() - timedelta(days=6))
    assert await numbers(since="7d") == [2]
    assert await numbers(since="2w") == [1, 2]
    assert await numbers(until="169h") == [1]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"since": "yesterday"}, "--since 'yesterday' is no day"),
        ({"until": "2026-13-01"}, "--until '2026-13-01' is no day"),
        ({"since": "100000w"}, "--since '100000w' is no day"),
        ({"since": "2026-11-21", "until": "2026-11-19"}, "nothing can be in between"),
        ({"workspace": "T9"}, "It is in: Workspace T1 (T1)"),
        ({"scope": "Nowhere"}, "--scope 'Nowhere'"),
        ({"actor": "U9"}, "--actor 'U9' is nobody"),
        ({"verb": "stolen"}, "What is: seats_changed"),
    ],
)
async def test_what_cannot_be_asked_is_said_with_what_can(database: str, wish: dict[str, str], said: str) -> None:
    scope, _ = await settle("T1", 1)
    await entry(1, scope)
    with pytest.raises(WrongWish) as wrong:
        await printed(**wish)
    assert said in str(wrong.value)


async def test_everything_wrong_is_said_at_once(database: str) -> None:
    await settle("T1", 1)
    with pytest.raises(WrongWish) as wrong:
        await printed(since="x", until="y", workspace="z", verb="w")
    assert len(wrong.value.problems) == 4


async def test_a_name_can_neither_colour_a_terminal_nor_become_a_formula(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scope, members = await settle("T1", 1)
    await Member.filter(id=members[0].id).update(name="=HYPERLINK(1)\x1b[31m\n")
    await entry(1, scope, members[0])
    table = "\n".join(await printed())
    assert "\x1b" not in table
    assert table.count("\n") == 1
    await printed(form=Form.CSV)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0]["actor_name"].startswith("'=")
    assert json.loads(rows[0]["after"]) == {"plan": "premium", "seats": 21}


async def test_a_team_is_found_by_its_name_in_its_workspace(database: str) -> None:
    await settle("T1", 1)
    await settle("T2", 1, first=50)
    for number, workspace in enumerate(("T1", "T2"), start=1):
        team = await directory.ensure_scope(workspace, slack_ref="S1", name="Design", kind="team")  # type: ignore[arg-type]  # its value
        await entry(number, team)
    assert await numbers(scope="design") == [1, 2]
    assert await numbers(scope="Design", workspace="T2") == [2]
    assert await numbers(scope="S1", workspace="T1") == [1]


@pytest.mark.parametrize(
    ("before", "after", "reads"),
    [
        (None, {"plan": "premium", "seats": 20}, "plan premium, seats 20"),
        ({"admin": "U1"}, None, "admin U1 → –"),
        ({"owner": "U1"}, {"owner": "U2"}, "owner U1 → U2"),
        ({"seats": 5}, {"seats": 5}, ""),
        ({"seats": 0}, {"seats": 5}, "seats 0 → 5"),
        ({}, {"x": {"y": 1}}, 'x {"y": 1}'),
        (None, None, ""),
        ("odd", ["odd"], ""),
    ],
)
def test_a_change_reads_as_what_differs(before: Any, after: Any, reads: str) -> None:
    assert change_of(before, after) == reads


def own_database(folder: Path, template: Path) -> Path:
    """A migrated, empty database in a file."""
    path = folder / "k.db"
    path.write_bytes(template.read_bytes())
    return path


async def test_the_console_prints_exports_and_exits_as_it_should(tmp_path: Path, sqlite_template: Path) -> None:
    path = own_database(tmp_path, sqlite_template)
    async with opened(f"sqlite://{path}"):
        scope, members = await settle("T1", 1)
        await entry(1, scope, members[0])
    run = {**GOOD, "DATABASE_URL": f"sqlite://{path}"}
    assert "seats 20 → 21" in kassor("audit", **run).stdout
    assert json.loads(kassor("audit", "--json", **run).stdout)["actor"] == "U001"
    assert kassor("audit", "--csv", **run).stdout.startswith("at,workspace,")
    assert "kassor audit --since 7d" in kassor("audit", "--help", **run).stdout.replace("\n", " ")
    none = kassor("audit", "--since", "1h", **run)
    assert (none.returncode, none.stdout, none.stderr.strip()) == (0, "", "Nothing is on record for that.")


@pytest.mark.parametrize(
    "arguments", [("--since", "x"), ("--json", "--csv"), ("--limit", "0"), ("--workspace", "T9"), ("--colour",)]
)
def test_bad_input_exits_2_and_says_why(tmp_path: Path, sqlite_template: Path, arguments: tuple[str, ...]) -> None:
    path = own_database(tmp_path, sqlite_template)
    done = kassor("audit", *arguments, **GOOD, DATABASE_URL=f"sqlite://{path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["sqlite://{folder}/new.db", "sqlite://{folder}/no/such/folder/k.db", "postgres://ada:secret@127.0.0.1:1/k"]
)
def test_a_database_that_cannot_be_read_is_said_plainly(tmp_path: Path, url: str) -> None:
    done = kassor("audit", **GOOD, DATABASE_URL=url.format(folder=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Is DATABASE_URL right, and `kassor migrate` done?" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
    assert list(tmp_path.iterdir()) == []  # looking makes no database


def test_a_database_that_was_never_migrated_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    done = kassor("audit", **GOOD, DATABASE_URL=f"sqlite://{tmp_path}/empty.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "kassor migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_who_has_had_enough_is_no_error(tmp_path: Path, sqlite_template: Path) -> None:
    path = own_database(tmp_path, sqlite_template)

    async def fill() -> None:
        async with opened(f"sqlite://{path}"):
            scope, _ = await settle("T1", 1)
            for number in range(1, 400):
                await entry(number, scope)

    asyncio.run(fill())
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m cli audit --json | head -1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **GOOD, "DATABASE_URL": f"sqlite://{path}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
