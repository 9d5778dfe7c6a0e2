"""What the console's questions to the database share: running one, times as people write them, saying what is wrong.

What is named and not there, or said and not understood, is an error on stderr and exit 2.
"""

import asyncio
import os
import re
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import typer

from domain import clock
from domain.config import SettingsError, load
from domain.database import opened

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGES = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


class Wrong(Exception):  # noqa: N818 - it says what it is
    """What was asked for can't be: the message says what, why and what next."""


def run(work: Coroutine[Any, Any, None]) -> None:
    """Do it with the database open. What goes wrong is said on stderr, and ends the process with 2."""

    async def with_database() -> None:
        try:
            settings = load(os.environ)
            clock.follow(settings.clock_file)
            async with opened(settings.database_url):
                await work
        finally:
            work.close()

    try:
        asyncio.run(with_database())
    except SettingsError as error:
        _fail("The settings are not right:", *error.problems)
    except Wrong as wrong:
        _fail(str(wrong))
    except Exception as error:  # noqa: BLE001 - an operator needs the reason, not a traceback
        _fail(
            f"The database can't be asked ({type(error).__name__}): {error}",
            "is DATABASE_URL right, and `kassor migrate` done?",
        )


def span(text: str, option: str) -> timedelta:
    """90s, 15m, 6h or 2d. Raises Wrong."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise Wrong(f"{option} {text}: write a number and s, m, h or d, such as 15m.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str, option: str) -> datetime:
    """An ISO 8601 moment (UTC unless it says otherwise), or a span ago. Raises Wrong."""
    if re.fullmatch(r"[0-9]{1,6}[smhd]", text):
        return clock.now() - span(text, option)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(
            f"{option} {text}: write a time such as 2026-11-25T14:00 (UTC), or how long ago, such as 6h."
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def old(since: datetime) -> str:
    """How long ago, in its largest unit: "3 d", "now"."""
    age = clock.now() - since
    return next((f"{int(age / unit)} {name}" for name, unit in _AGES if age >= unit), "now")


def when(found: datetime | None) -> str | None:
    """A moment for people and programs."""
    return found.isoformat(timespec="seconds") if found else None


def _fail(headline: str, *problems: str) -> NoReturn:
    typer.echo(headline, err=True)
    for problem in problems:
        typer.echo(f"  - {problem}", err=True)
    raise typer.Exit(2)
