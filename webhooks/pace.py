"""How many readings of Stripe may run at once: fewer as soon as Stripe says so, more again as it answers."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from domain import clock

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds, when Stripe does not say how long


class Pace:
    """A gate whose width halves when Stripe is away or limits us, and grows slowly with its answers, up to `most`.

    Slowly: at the limit's edge, every step too far costs everybody a pause.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = float(most)
        self._inside = 0
        self._room = asyncio.Condition()
        self._pauses = 0
        self._quiet_until: datetime | None = None

    @property
    def width(self) -> int:
        """How many may be inside now."""
        return max(1, int(self._width))

    def quiet_for(self) -> float:
        """Seconds until Stripe should be asked again; 0 when it may be asked now."""
        if self._quiet_until is None:
            return 0.0
        return max(0.0, (self._quiet_until - clock.now()).total_seconds())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for room; inside, ask Stripe."""
        async with self._room:
            await self._room.wait_for(lambda: self._inside < self.width)
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            async with self._room:
                self._room.notify_all()

    def answered(self) -> None:
        """Stripe answered, be it with a refusal."""
        self._pauses = 0
        self._width = min(float(self._most), self._width + 1 / (4 * self._width))

    def away(self, retry_after: float | None) -> float:
        """Stripe did not, or asked to wait; returns the seconds to leave it alone. Many at once are one pause."""
        if self.quiet_for() == 0:
            self._width = max(1.0, self._width / 2)
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._pauses) * random.uniform(0.6, 1.0)  # noqa: S311 - jitter
            self._pauses += 1
            self._quiet_until = clock.now() + timedelta(seconds=pause if retry_after is None else retry_after)
        elif retry_after is not None:
            assert self._quiet_until is not None
            self._quiet_until = max(self._quiet_until, clock.now() + timedelta(seconds=retry_after))
        return max(self.quiet_for(), 0.1)
