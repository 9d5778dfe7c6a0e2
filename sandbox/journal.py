"""What was said over HTTP between Slack, Stripe and Kassör, for the inspector and for tests (`GET /control/requests`)."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

KEPT = 2_000
_SECRET_HEADERS = {"authorization", "cookie", "set-cookie"}


@dataclass(slots=True)
class Exchange:
    """One HTTP call: who called whom, what was asked and what was answered. Bodies are text, cut at 20,000 characters."""

    caller: str  # "kassor", "slack", "stripe" or "browser"
    callee: str
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: str
    status: int  # 0 when no answer came
    response_body: str
    seconds: float
    at: float = field(default_factory=time.time)  # real time, seconds since 1970
    note: str = ""  # a fault injected, a retry's number, a signature's verdict
    number: int = 0
    world: str = ""  # the world's time, ISO 8601


class Journal:
    """The last 2,000 exchanges, oldest first. Authorization headers are blanked on the way in."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now  # the world's clock
        self._kept: deque[Exchange] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)

    def record(self, exchange: Exchange) -> None:
        """Keep one exchange."""
        exchange.number = next(self._numbers)
        exchange.world = self._now().isoformat() if self._now else ""
        exchange.request_headers = {
            name: "…" if name.lower() in _SECRET_HEADERS else value for name, value in exchange.request_headers.items()
        }
        exchange.request_body = exchange.request_body[:20_000]
        exchange.response_body = exchange.response_body[:20_000]
        self._kept.append(exchange)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._kept))

    def as_json(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Every kept exchange numbered higher than `after` as JSON-ready dicts, oldest first."""
        return [asdict(exchange) for exchange in self if exchange.number > after]
