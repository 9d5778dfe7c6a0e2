"""When billing periods start and end: calendar months and years counted from an anchor, in UTC.

A subscription anchored on 31 January renews on 28 February, 31 March, 30 April …: each boundary is counted from the
anchor, never from the boundary before, so a short month does not move the following ones.
"""

import calendar
from datetime import UTC, datetime, timedelta

DAY = 86_400
HOUR = 3_600
_FIXED = {"day": DAY, "week": 7 * DAY}


def boundary(anchor: int, interval: str, interval_count: int, number: int) -> int:
    """The `number`-th boundary after `anchor` (0 is the anchor itself, −1 the one before). Seconds since 1970."""
    if interval in _FIXED:
        return anchor + number * interval_count * _FIXED[interval]
    months = number * interval_count * (12 if interval == "year" else 1)
    start = datetime.fromtimestamp(anchor, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_around(anchor: int, interval: str, interval_count: int, moment: int) -> tuple[int, int]:
    """The period [start, end) that holds `moment`, on the grid of `anchor`."""
    length = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "year": 365 * DAY}[interval] * interval_count
    number = (moment - anchor) // length
    # The guess drifts by the difference between real and nominal months; walk the last steps.
    while boundary(anchor, interval, interval_count, number) > moment:
        number -= 1
    while boundary(anchor, interval, interval_count, number + 1) <= moment:
        number += 1
    return (
        boundary(anchor, interval, interval_count, number),
        boundary(anchor, interval, interval_count, number + 1),
    )


def after(moment: int, interval: str, interval_count: int) -> int:
    """`moment` plus an interval."""
    return boundary(moment, interval, interval_count, 1)


def day_month_year(moment: int) -> str:
    """As Stripe writes a date in a line's description: `3 Mar 2027`."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%b %Y}"


def as_datetime(moment: int) -> datetime:
    """Seconds since 1970 as a UTC datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)
