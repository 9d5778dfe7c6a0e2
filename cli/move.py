"""`kassor move`: a SQLite installation becomes a PostgreSQL one, while it runs but for a short stop at the end.

First, while Kassör runs: a snapshot is copied, for as long as that takes. Then Kassör is stopped and `--finish` copies what
happened since, compares every row, and writes down that the move is over: from then on the new database is the true one, and
moving into it again is refused. Where the move stands is kept in the target alone, in a table of its own; the source is only read.
"""

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from cli.progress import shown
from domain import moving
from domain.config import Settings
from domain.database import connected, migrate_database
from domain.moving import Outcome

_LOCK = 0x6B6173736F72  # one move into a database at a time
_TABLE = """CREATE TABLE IF NOT EXISTS kassor_move (
    source TEXT PRIMARY KEY, begun_at TIMESTAMPTZ NOT NULL DEFAULT now(), finished_at TIMESTAMPTZ)"""

_DONE = """
The move is finished. Set DATABASE_URL to the new database and start Kassör. Stripe tries its webhooks again for three days, so
nothing of the stop is lost; `kassor reconcile` asks at once. Keep the old file as a backup; never start on it again."""
_NEXT = """
A copy of this moment is in the new database, and Kassör still works on the old one. When it suits you:
  1. stop every Kassör process;
  2. run this command once more with --finish: it copies only what happened since;
  3. set DATABASE_URL to the new database and start Kassör.
Stripe tries its webhooks again for three days. What people press in Slack during the stop, Slack answers with an error; nothing is
done."""


class CannotMove(Exception):  # noqa: N818 - the operator's, and said in words
    """What stands in the way, and what to do."""

    def __init__(self, headline: str, *problems: str) -> None:
        self.headline = headline
        self.problems = list(problems)
        super().__init__(headline)


async def move(settings: Settings, to: str, say: Callable[[str], None], *, finish: bool, as_json: bool) -> None:
    """Copy, or with `finish` copy the rest and be done. Raises CannotMove; whatever it is, running it again goes on from there."""
    source, target = _source(settings.database_url), _target(to)
    with (
        _still(source) if finish else _reading(source) as held,
        tempfile.TemporaryDirectory(dir=source.parent) as folder,
    ):
        snapshot = Path(folder) / "snapshot.db"
        with closing(sqlite3.connect(snapshot)) as copy:
            held.backup(copy)  # one moment of the source, also while it is written to
        async with _claimed(target, _identity(snapshot)) as told:
            await migrate_database(
                f"sqlite://{snapshot}"
            )  # the snapshot, not the source: both have the same columns then
            async with moving.both(snapshot, target) as pair:
                with _bar(pair.total() * 2) as progress:
                    mended = await pair.mend(progress)
                    proof = await pair.compare(progress)
            if not proof.is_equal:
                wrong = ", ".join(name for name, count in proof.mended.items() if count)
                raise CannotMove(
                    "The copies are not equal.", f"tables that differ: {wrong}; run the same command again"
                )
            if finish:
                await told.execute("UPDATE kassor_move SET finished_at = now()")
    _report(say, mended, proof, finish=finish, as_json=as_json)


def _source(url: str) -> Path:
    file = Path(url.removeprefix("sqlite://").partition("?")[0])
    if not url.startswith("sqlite://"):
        raise CannotMove("This installation is not on SQLite.", "DATABASE_URL must still be the old one: sqlite://…")
    if not file.is_file():
        raise CannotMove(f"There is no database at {file}.", "see that DATABASE_URL is right")
    return file


def _target(url: str) -> str:
    if url.startswith("postgresql://"):
        url = "postgres" + url.removeprefix("postgresql")
    if not url.startswith("postgres://"):
        raise CannotMove("The new database must be a PostgreSQL.", "--to postgres://user:password@host/name")
    return url


@contextmanager
def _reading(source: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(source, timeout=10)) as held:
        yield held


@contextmanager
def _still(source: Path) -> Iterator[sqlite3.Connection]:
    """The source while nobody else has it open, and nobody can write to it. Raises CannotMove."""
    with closing(sqlite3.connect(source, timeout=1, isolation_level=None)) as held:
        try:
            # Leaving the write-ahead log needs every other connection gone: an idle Kassör is noticed too.
            gone = held.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete"
            # The lock outlives the transaction that takes it: a backup can't be made inside one.
            held.execute("PRAGMA locking_mode=EXCLUSIVE")
            held.execute("BEGIN EXCLUSIVE")
            held.execute("COMMIT")
        except sqlite3.OperationalError:
            gone = False
        if not gone:
            raise CannotMove(
                f"{source} is still in use.", "stop every Kassör first, then run this again: the stop is short"
            )
        yield held


def _identity(snapshot: Path) -> str:
    """Which installation this is: the moment it was first set up, to the microsecond, hashed."""
    with closing(sqlite3.connect(snapshot)) as copy:
        try:
            first = copy.execute("SELECT name, applied_at FROM tortoise_migrations ORDER BY id LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            first = None
    if first is None:
        raise CannotMove("That is no database of Kassör's.", "see that DATABASE_URL is right")
    return hashlib.sha256(f"{first[0]} {first[1]}".encode()).hexdigest()


@asynccontextmanager
async def _claimed(target: str, source: str) -> AsyncIterator[Any]:
    """The target, empty or half moved from this very source, and nobody else moving into it. Raises CannotMove."""
    try:
        told = await connected(target)
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise CannotMove(
            f"The new database can't be reached ({type(error).__name__}).", "see that --to is right and it runs"
        ) from None
    try:
        if not await told.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise CannotMove("Somebody is moving into that database right now.", "wait until they are done")
        await _check_is_ours(told, source)
        await migrate_database(target)
        await told.execute(_TABLE)
        await told.execute("INSERT INTO kassor_move (source) VALUES ($1) ON CONFLICT DO NOTHING", source)
        yield told
    finally:
        await told.close()


async def _check_is_ours(told: Any, source: str) -> None:
    if await told.fetchval("SELECT to_regclass('kassor_move')") is not None:
        row = await told.fetchrow("SELECT source, finished_at FROM kassor_move")
        if row is not None and row["source"] != source:
            raise CannotMove("Another installation has been moved into that database.", "give --to an empty one")
        if row is not None and row["finished_at"] is not None:
            raise CannotMove(
                f"The move was finished on {row['finished_at']:%Y-%m-%d %H:%M} UTC: that database is the true one now.",
                "set DATABASE_URL to it, and leave the old one alone",
            )
        if row is not None:
            return
    tables = await told.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
        "AND table_name NOT IN ('tortoise_migrations', 'kassor_move')"
    )
    for each in tables:
        name = each["table_name"].replace('"', '""')
        if await told.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{name}")'):  # noqa: S608 - quoted, from the catalogue
            raise CannotMove(f"That database is not empty: there are rows in {name}.", "give --to an empty one")


@contextmanager
def _bar(total: int) -> Iterator[moving.Progress]:
    with shown() as progress:
        task = progress.add_task("", total=total)
        yield lambda table, rows: progress.update(task, advance=rows, description=table)


def _report(say: Callable[[str], None], mended: Outcome, proof: Outcome, *, finish: bool, as_json: bool) -> None:
    total, written = sum(proof.rows.values()), sum(mended.mended.values())
    if as_json:
        said = {"finished": finish, "rows": proof.rows, "written": mended.mended, "equal": proof.is_equal}
        say(json.dumps(said, indent=2))
        return
    for name, count in proof.rows.items():
        say(f"  {name:<16} {count:>9} rows, {mended.mended[name]} written, all equal")
    say(f"{total} rows compared one by one, {written} of them written now.")
    say(_DONE if finish else _NEXT)
