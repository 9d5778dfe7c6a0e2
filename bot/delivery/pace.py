"""How fast: a message a second into one channel, what the fleet may send in all, and ever longer pauses for who doesn't answer."""

import asyncio
import random
import time
from collections import OrderedDict

from domain import outbox

APART, BURST = (
    1.0,
    2,
)  # seconds between two messages in a channel, as Slack allows; of short bursts it lets pass, a modest one
MOST = 20_000  # channels remembered
FIRST_SILENCE, LONGEST_SILENCE = 2.0, 300.0  # seconds a workspace is left alone after calls that were not answered


class Pace:
    """One process's. `budget`: messages a second that all senders together may send; None for no such limit."""

    def __init__(self, budget: int | None) -> None:
        self.budget = budget
        self._full: OrderedDict[str, float] = OrderedDict()  # channel → until when its allowance is used up in advance
        self._silences: dict[str, int] = {}

    async def turn(self, channel: str) -> None:
        """Wait until the channel may have a message."""
        while (wait := self._full.get(channel, 0.0) - (BURST - 1) * APART - time.monotonic()) > 0:  # noqa: ASYNC110 - for time
            await asyncio.sleep(wait)
        self._full[channel] = max(self._full.get(channel, 0.0), time.monotonic()) + APART
        self._full.move_to_end(channel)
        if len(self._full) > MOST:
            self._full.popitem(last=False)

    async def spend(self, messages: int) -> None:
        """Wait until the fleet's budget has room for so many."""
        if self.budget is not None and messages:
            await asyncio.sleep(await outbox.spend(messages, self.budget))

    def answered(self, lane: str) -> None:
        """It answers again."""
        self._silences.pop(lane, None)

    def silent(self, lane: str) -> float:
        """It did not answer; returns for how many seconds to leave it alone: doubling, with jitter."""
        times = self._silences[lane] = self._silences.get(lane, 0) + 1
        longest: float = min(FIRST_SILENCE * 2 ** (times - 1), LONGEST_SILENCE)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
