"""Working hours (I3): 09:00–17:00 where the person is, daylight saving time and all."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OPENS, CLOSES = time(9), time(17)


def zone(name: str) -> ZoneInfo:
    """A time zone by the name Slack gives; UTC for one nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def working_moment(moment: datetime, tz: str) -> datetime:
    """`moment` (UTC) itself within working hours in `tz`, else the next opening, in UTC."""
    here = moment.astimezone(zone(tz))
    if OPENS <= here.time() < CLOSES:
        return moment
    day = here.date() if here.time() < OPENS else here.date() + timedelta(days=1)
    return datetime.combine(day, OPENS, here.tzinfo).astimezone(UTC)
