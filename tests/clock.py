"""When a test begins: on the same Monday morning whenever it is run, so that no month is shorter and no office closed today.

`KASSOR_TESTS_BEGIN=2027-01-31T23:20` runs them at another time, in UTC.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from sandbox.clock import WorldClock

BEGINS = datetime.fromisoformat(os.environ.get("KASSOR_TESTS_BEGIN", "2026-11-16T10:00")).replace(tzinfo=UTC)


def a_clock(folder: Path) -> WorldClock:
    """A new world's clock, kept in `folder`."""
    return WorldClock(folder / "clock", begins=BEGINS)
