"""Slack's rate limits, as documented: a tier a method, counted for each workspace; a message a second in a channel. Off until asked
for.

A bucket holds what a minute allows and fills evenly, so that short bursts pass, as they do at Slack. Beyond it the answer is 429
with the whole seconds until there is room. Reading a history is another matter for apps that are distributed outside Slack's
Marketplace: once a minute, fifteen messages at a time.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from sandbox.slack.state import SlackError
from sandbox.wrong import ControlError

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}  # calls a minute, at least
_OTHERS = 3
_TIER_OF = {
    **dict.fromkeys(("users.list", "conversations.list", "usergroups.list", "usergroups.users.list"), 2),
    **dict.fromkeys(
        (
            *("users.info", "conversations.members", "chat.postEphemeral", "views.open", "views.push", "views.update"),
            *("views.publish", "files.getUploadURLExternal", "files.completeUploadExternal", "files.info"),
        ),
        4,
    ),
}
_SPECIAL = {"auth.test": 600, "chat.getPermalink": 600, "chat.postMessage": 300, "oauth.v2.access": 600}
_HISTORY = "conversations.history"
IN_A_CHANNEL, BURST = 1.0, 3  # messages a second into one channel, and how many at once pass
MOST_OUTSIDE = 15  # messages a look, outside the Marketplace


@dataclass
class _Bucket:
    room: float
    at: float


class Limits:
    """What an app has used up of its allowance. `history`: "marketplace" (and internal apps), or "distributed"."""

    def __init__(self) -> None:
        self.on = False
        self.history = "marketplace"
        self.refused = 0
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def set(self, request: dict[str, Any]) -> None:
        """Turn them on or off. Raises ControlError."""
        on, history = request.get("on"), request.get("history", self.history)
        if not isinstance(on, bool):
            raise ControlError("on must be true or false", '{"on": true}')
        if history not in {"marketplace", "distributed"}:
            raise ControlError(f"unknown kind of app {history!r}", "marketplace or distributed")
        self.on, self.history = on, str(history)
        self._buckets.clear()

    def wait(self, workspace: str, method: str, seconds: float) -> None:
        """Have used up a method's allowance so that the next call is asked to wait so long."""
        a_second = (_SPECIAL.get(method) or TIERS[_TIER_OF.get(method, _OTHERS)]) / 60
        self._buckets[workspace, method] = _Bucket(1 - seconds * a_second, time.monotonic())

    def check(self, workspace: str, method: str, arguments: dict[str, Any]) -> None:
        """Count a call. Raises SlackError ratelimited, with `retry_after` in whole seconds."""
        if not self.on:
            return
        a_minute = _SPECIAL.get(method) or TIERS[_TIER_OF.get(method, _OTHERS)]
        if method == _HISTORY and self.history == "distributed":
            a_minute = TIERS[1]
            arguments["limit"] = min(int(arguments.get("limit") or MOST_OUTSIDE), MOST_OUTSIDE)
        uses = [((workspace, method), a_minute / 60, a_minute)]
        if method == "chat.postMessage":
            uses.append(((workspace, f"#{arguments.get('channel')}"), IN_A_CHANNEL, BURST))
        waits = [self._wait(*use) for use in uses]
        if max(waits) > 0:
            self.refused += 1
            raise SlackError("ratelimited", retry_after=max(1, math.ceil(max(waits))))
        for key, _, _ in uses:
            self._buckets[key].room -= 1

    def _wait(self, key: tuple[str, str], a_second: float, most: float) -> float:
        """Seconds until there is room; 0 when there is."""
        now = time.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.room = min(most, bucket.room + (now - bucket.at) * a_second)
        bucket.at = now
        return 0.0 if bucket.room >= 1 else (1 - bucket.room) / a_second
