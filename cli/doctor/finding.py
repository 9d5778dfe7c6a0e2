"""What a check finds, and what it has to look with."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

import aiohttp

from bot.examining import Examiner
from domain.config import Settings
from domain.payments.endpoints import Endpoints


class State(StrEnum):
    """`unknown` is for what can't be looked at from here: a person must."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and, unless it is ok, how to mend it."""

    subject: str
    state: State
    says: str
    mend: str = ""

    def as_json(self) -> dict[str, str]:
        """For a program."""
        return asdict(self)


@dataclass(frozen=True)
class Tools:
    """What the checks look with. `database_is_good`: it can be read, and its migrations are done."""

    settings: Settings
    slack: Examiner
    stripe: Endpoints
    session: aiohttp.ClientSession
    event_types: tuple[str, ...]
    database_is_good: bool


Check = Callable[[Tools], Awaitable[list[Finding]]]


def ok(subject: str, says: str) -> Finding:
    """All is well."""
    return Finding(subject, State.OK, says)


def wrong(subject: str, says: str, mend: str) -> Finding:
    """It must be mended."""
    return Finding(subject, State.WRONG, says, mend)


def unknown(subject: str, says: str, mend: str) -> Finding:
    """It could not be looked at."""
    return Finding(subject, State.UNKNOWN, says, mend)
