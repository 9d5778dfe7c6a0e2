"""Working hours (I3): 09:00–17:00 where the person is, or as an operator sets them, daylight saving time and all."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


def zone(name: str) -> ZoneInfo:
    """A time zone by the name Slack gives; UTC for one nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class Hours:
    """When people are told what can wait: minutes after midnight, `closes` not included, and days of the week (Monday is 0)."""

    opens: int = 9 * 60
    closes: int = 17 * 60
    days: frozenset[int] = frozenset(range(7))

    def moment(self, now: datetime, tz: str) -> datetime:
        """`now` (UTC) itself within the hours in `tz`, else the next opening, in UTC."""
        here = now.astimezone(zone(tz))
        minutes = here.hour * 60 + here.minute
        if here.weekday() in self.days and self.opens <= minutes < self.closes:
            return now
        day = here.date() if minutes < self.opens else here.date() + timedelta(days=1)
        while day.weekday() not in self.days:
            day += timedelta(days=1)
        return datetime.combine(day, time(*divmod(self.opens, 60)), here.tzinfo).astimezone(UTC)


WORKING = Hours()


def read_hours(text: str) -> tuple[int, int]:
    """`09:00-17:00` as minutes after midnight. Raises ValueError."""
    found = _HOURS.fullmatch(text.replace(" ", "").replace("–", "-"))
    if found is None:
        raise ValueError(text)
    first, second, third, fourth = map(int, found.groups())
    opens, closes = first * 60 + second, third * 60 + fourth
    if not opens < closes <= 24 * 60:
        raise ValueError(text)
    return opens, closes


def read_days(text: str) -> frozenset[int]:
    """`mon-fri`, `mon,wed,fri`, `sun-thu` as days of the week, Monday 0. Raises ValueError."""
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError(text)
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(days)
