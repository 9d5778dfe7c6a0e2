"""What time and people bring about by themselves: one file a matter, worked out from rows, safe to look at any number of times.

`MATTERS` is what the scheduler's upkeep tick looks at. A matter says when it will next have something to do, so that the sandbox's
clock can stop there on its way.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from domain.desk import Desk


@dataclass(frozen=True)
class Matter:
    """One thing to look after. `look` does what is due and returns how much that was; `next_due` is None when nothing waits."""

    look: Callable[[Desk], Awaitable[int]]
    next_due: Callable[[Desk], Awaitable[datetime | None]]


MATTERS: dict[str, Matter] = {}


async def look(desk: Desk) -> int:
    """Look at every matter; returns how much was done. Raises PaymentsAway."""
    done = 0
    for matter in MATTERS.values():
        done += await matter.look(desk)
    return done


async def next_due(desk: Desk) -> datetime | None:
    """When some matter has something to do next, UTC."""
    moments = [await matter.next_due(desk) for matter in MATTERS.values()]
    return min((moment for moment in moments if moment is not None), default=None)


from domain.upkeep import requests  # noqa: E402  # a matter is made of what is above

MATTERS["requests"] = Matter(requests.look, requests.next_due)
