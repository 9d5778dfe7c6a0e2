"""`kassor audit`: who did what to billing, when, from where, before and after. Read a page at a time, however long it is."""

import csv
import json
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from asyncpg import PostgresError
from tortoise.exceptions import BaseORMException
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain import clock
from domain.database import opened
from domain.records import AuditEntry, Member, Scope, Workspace

PAGE = 500
FEW = 50  # entries of the table, when nobody says how many
NOBODY = "nobody"  # --actor: what Stripe or the passing of time did
_AGO = re.compile(r"([0-9]{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_COLUMNS = (
    "at", "workspace", "workspace_name", "scope", "scope_name", "actor", "actor_name", "verb", "before", "after", "source",
    "reference",
)  # fmt: skip


class Form(StrEnum):
    """How entries are printed."""

    TABLE = "table"
    JSON = "json"  # one object a line
    CSV = "csv"


class WrongWish(Exception):  # noqa: N818 - the operator's, and said in words
    """What was asked for can't be: `problems` lists every reason, with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Wish:
    """What to show. Texts are as typed; an empty one means all."""

    workspace: str = ""
    scope: str = ""
    actor: str = ""
    verb: str = ""
    since: str = ""
    until: str = ""
    limit: int | None = None
    form: Form = Form.TABLE


Say = Callable[[str], None]


async def run(database_url: str, wish: Wish, say: Say) -> int:
    """Open the database and `show`. Raises WrongWish, also when there is nothing to read from."""
    _check_file(database_url)
    try:
        async with opened(database_url):
            return await show(wish, say)
    except (OSError, sqlite3.Error, BaseORMException, PostgresError) as error:
        if isinstance(error, BrokenPipeError):  # `| head` has read enough
            raise
        said = str(error) or type(error).__name__
        raise WrongWish(
            [f"The ledger can't be read ({said}). Is DATABASE_URL right, and `kassor migrate` done?"]
        ) from None


def _check_file(database_url: str) -> None:
    """SQLite makes a file that isn't there; looking must not."""
    file = Path(database_url.removeprefix("sqlite://").partition("?")[0])
    if database_url.startswith("sqlite:") and not file.is_file():
        raise WrongWish([f"There is no database at {file}. Is DATABASE_URL right, and `kassor migrate` done?"])


async def show(wish: Wish, say: Say) -> int:
    """Print the entries wished for, newest last; returns how many. Raises WrongWish for bad input."""
    found = await _chosen(wish)
    limit = wish.limit or (FEW if wish.form is Form.TABLE else None)
    printed = 0
    printer = _PRINTERS[wish.form](say)
    async for entry in _newest(found, limit):
        printer(_row(entry))
        printed += 1
    return printed


# --- which entries ---


async def _chosen(wish: Wish) -> QuerySet[AuditEntry]:
    problems: list[str] = []
    found = AuditEntry.all()
    since, until = _moment(wish.since, "--since", problems), _moment(wish.until, "--until", problems, ends=True)
    if since and until and since >= until:
        problems.append(f"--since {wish.since} is not before --until {wish.until}: nothing can be in between.")
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    workspaces = await _workspaces(wish.workspace, problems) if wish.workspace else None
    if workspaces is not None:
        found = found.filter(workspace_id__in=workspaces)
    if wish.scope:
        found = found.filter(scope_id__in=await _scopes(wish.scope, workspaces, problems))
    if wish.actor == NOBODY:
        found = found.filter(actor_id__isnull=True)
    elif wish.actor:
        found = found.filter(actor_id__in=await _actors(wish.actor, workspaces, problems))
    if wish.verb:
        await _check_verb(wish.verb, problems)
        found = found.filter(verb=wish.verb)
    if problems:
        raise WrongWish(problems)
    return found


def _moment(text: str, option: str, problems: list[str], *, ends: bool = False) -> datetime | None:
    """A day, a moment (UTC unless it says otherwise), or so long ago. A day as an end is that whole day."""
    if not text:
        return None
    try:
        if ago := _AGO.fullmatch(text):
            return clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if len(text) == 10:
            day = datetime.combine(datetime.fromisoformat(text).date(), time(), UTC)
            return day + timedelta(days=1) if ends else day
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        problems.append(f"{option} {text!r} is no day, moment or age. Say 2026-11-25, 2026-11-25T14:00, 36h, 7d or 2w.")
        return None


async def _workspaces(asked: str, problems: list[str]) -> list[str]:
    ids = await Workspace.filter(Q(id=asked) | Q(domain=asked) | Q(name__iexact=asked)).values_list("id", flat=True)
    if not ids:
        there = await Workspace.all().order_by("name").limit(10)
        names = ", ".join(f"{_printable(each.name)} ({each.id})" for each in there) or "none yet"
        problems.append(f"--workspace {asked!r} is nowhere Kassör is. It is in: {names}.")
    return [str(each) for each in ids]


async def _scopes(asked: str, workspaces: list[str] | None, problems: list[str]) -> list[Any]:
    found = Scope.filter(Q(name__iexact=asked) | Q(slack_ref=asked))
    if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", asked):
        found = Scope.filter(id=asked)
    if workspaces is not None:
        found = found.filter(workspace_id__in=workspaces)
    ids = await found.values_list("id", flat=True)
    if not ids:
        problems.append(
            f"--scope {asked!r} is no organisation, workspace or team here. Say its name, its Slack id or its id."
        )
    return list(ids)


async def _actors(asked: str, workspaces: list[str] | None, problems: list[str]) -> list[Any]:
    found = Member.filter(Q(slack_user_id=asked) | Q(name__iexact=asked))
    if workspaces is not None:
        found = found.filter(workspace_id__in=workspaces)
    ids = await found.values_list("id", flat=True)
    if not ids:
        problems.append(
            f"--actor {asked!r} is nobody here. Say a Slack user id (U…) or a whole name; "
            f"{NOBODY!r} for what Stripe and time did."
        )
    return list(ids)


async def _check_verb(asked: str, problems: list[str]) -> None:
    if not await AuditEntry.filter(verb=asked).exists():
        verbs = await AuditEntry.all().distinct().order_by("verb").limit(100).values_list("verb", flat=True)
        known = ", ".join(str(verb) for verb in verbs) or "nothing yet"
        problems.append(f"--verb {asked!r} is not in the ledger. What is: {known}.")


async def _newest(found: QuerySet[AuditEntry], limit: int | None) -> AsyncIterator[AuditEntry]:
    """The newest `limit` entries, oldest of them first, a page in memory at a time."""
    after = Q()
    if limit is not None:
        first = await found.order_by("-at", "-id").offset(limit - 1).first()
        if first is not None:
            after = Q(at__gt=first.at) | Q(at=first.at, id__gte=first.id)
    while True:
        page = (
            await found.filter(after).order_by("at", "id").limit(PAGE).prefetch_related("workspace", "scope", "actor")
        )
        for entry in page:
            yield entry
        if len(page) < PAGE:
            return
        after = Q(at__gt=page[-1].at) | Q(at=page[-1].at, id__gt=page[-1].id)


# --- how they are printed ---


def _row(entry: AuditEntry) -> dict[str, Any]:
    """An entry by the names of its columns, JSON-ready; moments ISO 8601 in UTC."""
    return {
        "at": entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        "workspace": entry.workspace_id,
        "workspace_name": entry.workspace.name,
        "scope": str(entry.scope_id) if entry.scope_id else None,
        "scope_name": entry.scope.name if entry.scope else None,
        "actor": entry.actor.slack_user_id if entry.actor else None,
        "actor_name": entry.actor.name if entry.actor else None,
        "verb": entry.verb,
        "before": entry.before,
        "after": entry.after,
        "source": entry.source,
        "reference": entry.reference,
    }


Printer = Callable[[dict[str, Any]], None]


def _table(say: Say) -> Printer:
    layout = "{:<20} {:<12} {:<22} {:<22} {:<26} {}"
    said_head = False

    def line(row: dict[str, Any]) -> None:
        nonlocal said_head
        if not said_head:
            said_head = True
            say(layout.format("when (UTC)", "from", "who", "for", "what", "before → after, reference"))
        who = f"{_printable(row['actor_name'])} {row['actor']}" if row["actor"] else "–"
        change = ", ".join(part for part in (change_of(row["before"], row["after"]), row["reference"] or "") if part)
        when = row["at"].replace("T", " ").replace("+00:00", "Z")
        place = _printable(row["scope_name"] or row["workspace_name"])
        say(layout.format(when, row["source"], who, place, row["verb"], _printable(change)).rstrip())

    return line


def _json(say: Say) -> Printer:
    return lambda row: say(json.dumps(row, ensure_ascii=False))


def _csv(_: Say) -> Printer:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)

    def line(row: dict[str, Any]) -> None:
        writer.writerow([_cell(row[name]) for name in _COLUMNS])

    return line


_PRINTERS: dict[Form, Callable[[Say], Printer]] = {Form.TABLE: _table, Form.JSON: _json, Form.CSV: _csv}


def change_of(before: Any, after: Any) -> str:
    """What differs, in words: `plan premium → business, seats 20 → 30`; all there is when there is only one side."""
    old, new = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
    parts = []
    for name in [*old, *(name for name in new if name not in old)]:
        was, now = _value(old.get(name)), _value(new.get(name))
        if not old or not new:
            parts.append(f"{name} {was or now}" if not old else f"{name} {was} → –")
        elif was != now:
            parts.append(f"{name} {was or '–'} → {now or '–'}")
    return ", ".join(parts)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)


def _printable(text: str | None) -> str:
    """Somebody's name can't move the cursor, colour the terminal or start a new line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text or "")


def _cell(value: Any) -> str:
    """A spreadsheet reads what begins with = + - @ as a formula: a name is not one."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
