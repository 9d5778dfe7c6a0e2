"""What time it is. Every moment in Kassör comes from here, so that the sandbox can move a month ahead.

Two times exist. `now()` is the time people date things by: periods, invoices, working hours. `wire_now()` is the machine's
own, for what two machines must agree on while they talk: signature ages and the like. They differ only in the sandbox.
"""

import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_OFFSET = struct.Struct("<d")


class _Source:
    """Where the offset is read from: nowhere (0), or the sandbox's file of one little-endian double, in seconds."""

    def __init__(self) -> None:
        self.memory: mmap.mmap | None = None

    def offset(self) -> float:
        if self.memory is None:
            return 0.0
        return float(_OFFSET.unpack(self.memory[: _OFFSET.size])[0])


_source = _Source()


def follow(path: Path | None) -> None:
    """Read the offset from the sandbox's clock file from now on; None returns to real time. Raises OSError if it can't be read."""
    if path is None:
        _source.memory = None
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        _source.memory = mmap.mmap(fd, _OFFSET.size, prot=mmap.PROT_READ)
    finally:
        os.close(fd)


def now() -> datetime:
    """The time to date things by, UTC."""
    return datetime.fromtimestamp(time.time() + _source.offset(), UTC)


def wire_now() -> float:
    """The machine's own time, seconds since 1970, for checking the age of a signature."""
    return time.time()


def from_timestamp(seconds: int | float) -> datetime:
    """Stripe's and Slack's whole seconds since 1970, as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
