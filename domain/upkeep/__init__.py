"""What time and people bring about by themselves: one file a matter, worked out from rows, safe to look at any number of times.

`MATTERS` is what the scheduler's upkeep tick looks at. A matter says when it will next have something to do, so that the sandbox's
clock can stop there on its way.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from domain.desk import Desk
from domain.rules.refusals import PaymentsAway
from domain.upkeep import decreases, departures, growth, letters, overdue, recipients, requests

log = logging.getLogger("kassor.upkeep")


@dataclass(frozen=True)
class Matter:
    """One thing to look after. `look` does what is due and returns how much that was; `next_due` is None when nothing waits."""

    look: Callable[[Desk], Awaitable[int]]
    next_due: Callable[[Desk], Awaitable[datetime | None]]


MATTERS: dict[str, Matter] = {
    "overdue": Matter(overdue.look, overdue.next_due),
    "departures": Matter(departures.look, departures.next_due),
    "growth": Matter(growth.look, growth.next_due),
    "decreases": Matter(decreases.look, decreases.next_due),
    "recipients": Matter(recipients.look, recipients.next_due),
    "requests": Matter(requests.look, requests.next_due),
    "letters": Matter(letters.look, letters.next_due),
}
PEOPLE = (
    departures.look,
    growth.look,
    decreases.look,
    recipients.look,
)  # what somebody's coming, changing or going may bring about


async def look(desk: Desk) -> int:
    """Look at every matter; returns how much was done. What goes wrong with one is logged, and keeps nobody from the others."""
    done = 0
    for name, matter in MATTERS.items():
        try:
            done += await matter.look(desk)
        except PaymentsAway:
            log.info("stripe is away; %s are looked at again by the next tick", name)
        except Exception:
            log.exception("%s could not be looked after; the next tick looks again", name)
    return done


async def people_changed(desk: Desk, workspace_id: str) -> int:
    """Somebody came, changed or went in a workspace: what the tick would notice is noticed right away. Raises PaymentsAway."""
    return sum([await each(desk, workspace_id) for each in PEOPLE])


async def next_due(desk: Desk) -> datetime | None:
    """When some matter has something to do next, UTC."""
    moments = [await matter.next_due(desk) for matter in MATTERS.values()]
    return min((moment for moment in moments if moment is not None), default=None)
