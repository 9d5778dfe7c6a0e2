"""The world's clock: real time plus an offset that a person can push forward. A new world may begin on any day.

The offset lives in a file of eight bytes (a little-endian double, seconds), mapped into memory, so that Slack, Stripe and
Kassör, each in a process of its own, read the same time without asking each other. Kassör is told the file by
`KASSOR_CLOCK_FILE`. Only this class writes it.
"""

import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_OFFSET = struct.Struct("<d")


class WorldClock:
    """The sandbox's time. `now()` is UTC; `timestamp()` is whole seconds since 1970, as Stripe and Slack write it."""

    def __init__(self, path: Path, *, begins: datetime | None = None) -> None:
        """Open the clock kept in `path`, making it where there is none: a new one says `begins`, or the real time."""
        self.path = path
        if not path.exists():
            path.write_bytes(_OFFSET.pack(begins.timestamp() - time.time() if begins else 0.0))
        fd = os.open(path, os.O_RDWR)
        try:
            self._memory = mmap.mmap(fd, _OFFSET.size)
        finally:
            os.close(fd)

    @property
    def offset(self) -> float:
        """How far ahead of real time the world is, in seconds; less than 0 when it began on a day gone by."""
        return float(_OFFSET.unpack(self._memory[: _OFFSET.size])[0])

    def now(self) -> datetime:
        """The world's time, UTC, with microseconds."""
        return datetime.fromtimestamp(time.time() + self.offset, UTC)

    def timestamp(self) -> int:
        """The world's time in whole seconds since 1970."""
        return int(time.time() + self.offset)

    def move_to(self, moment: datetime) -> None:
        """Let it be `moment` now. Raises ValueError for a moment already past: the world has no way back."""
        ahead = moment.timestamp() - time.time()
        if ahead < self.offset:
            raise ValueError(
                f"the clock cannot go back to {moment.isoformat()}; it is {self.now().isoformat()} already"
            )
        self._memory[: _OFFSET.size] = _OFFSET.pack(ahead)

    def close(self) -> None:
        """Let go of the file; the offset stays in it."""
        self._memory.close()
