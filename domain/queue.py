"""A queue in a table: claim, done, retry, bury. The inbox and the outbox are both one.

Claiming is a lease: a worker that dies gives its items back when the lease runs out; one that lives renews it. On PostgreSQL any
number of workers claim side by side (`FOR UPDATE SKIP LOCKED`); SQLite has one process, and the same code without the lock.

A claim counts an attempt, and the count is also the claim's ticket: a worker that was away so long that another has taken over
can't put the item off, bury it or give it back under the other's hands.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from tortoise import fields
from tortoise.connection import get_connection
from tortoise.expressions import F
from tortoise.models import Model
from tortoise.queryset import QuerySet

from domain import clock

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12  # with the delays below: given up after about a day and a half
FIRST_DELAY, LONGEST_DELAY = 2.0, 6 * 3600.0  # seconds


class QueueState(StrEnum):
    """Where an item is. A claimed item stays `queued` with a lease in the future."""

    QUEUED = "queued"
    DONE = "done"
    BURIED = "buried"  # gave up; an operator replays it


class QueueItem(Model):
    """The columns every queued thing has. Due: queued, `available_at` passed, and no lease running."""

    state = fields.CharEnumField(QueueState, max_length=8, default=QueueState.QUEUED)
    available_at = fields.DatetimeField()
    leased_until = fields.DatetimeField(null=True)
    attempts = fields.IntField(default=0)
    last_error = fields.TextField(null=True)
    done_at = fields.DatetimeField(null=True)

    class Meta:
        abstract = True


Item = TypeVar("Item", bound=QueueItem)


def columns(model: type[QueueItem]) -> str:
    """Its table's columns as this version knows them, for a claim to return.

    Never `*`: PostgreSQL refuses a statement it keeps prepared once its rows have got wider, and the next version's release adds
    columns while this one works.
    """
    table = model._meta.db_table  # noqa: SLF001 - Tortoise has no other name for it
    return ", ".join(f'{table}."{column}"' for column in model._meta.fields_db_projection.values())  # noqa: SLF001 - as above


async def claim(model: type[Item], *, limit: int, lease: timedelta = LEASE) -> list[Item]:
    """Take up to `limit` due items, oldest due first; nobody else gets them until the lease is over. Counts an attempt."""
    connection = get_connection("default")
    postgres = connection.capabilities.dialect == "postgres"
    table = model._meta.db_table  # noqa: SLF001 - Tortoise has no other name for it
    key = model._meta.db_pk_column  # noqa: SLF001 - as above
    now = clock.now()
    marks = [f"${number}" if postgres else "?" for number in (1, 2, 3, 4)]
    moments: list[Any] = [now + lease, now, now] if postgres else [str(now + lease), str(now), str(now)]
    # `state` first and alone in the index with available_at: an empty queue costs one index probe.
    sql = (
        f"UPDATE {table} SET leased_until = {marks[0]}, attempts = attempts + 1 WHERE {key} IN ("  # noqa: S608 - our own names
        f"SELECT {key} FROM {table} WHERE state = 'queued' AND available_at <= {marks[1]} "
        f"AND (leased_until IS NULL OR leased_until <= {marks[2]}) ORDER BY available_at LIMIT {marks[3]}"
        + (" FOR UPDATE SKIP LOCKED" if postgres else "")
        + f") RETURNING {key}"
    )
    rows = await connection.execute_query_dict(sql, [*moments, limit])
    if not rows:
        return []
    return await model.filter(pk__in=[row[key] for row in rows]).order_by("available_at")


async def done(items: Sequence[QueueItem]) -> None:
    """These are finished, for good."""
    for model, keys in _by_model(items).items():
        await model.filter(pk__in=keys).update(
            state=QueueState.DONE, leased_until=None, done_at=clock.now(), last_error=None
        )


async def retry(item: QueueItem, error: str) -> bool:
    """Try again later, by the item's attempts with jitter. The last attempt buries it; returns whether this was that."""
    if item.attempts >= MOST_ATTEMPTS:
        await bury(item, error)
        return True
    delay = timedelta(seconds=delay_after(item.attempts))
    await _held(item).update(available_at=clock.now() + delay, leased_until=None, last_error=_fitting(error))
    return False


async def put_off(item: QueueItem, why: str, seconds: float | None = None) -> None:
    """Try again in `seconds` (about five without), no attempt counted: somebody else's outage is not the item's fault."""
    delay = timedelta(seconds=seconds if seconds is not None else random.uniform(3, 7))  # noqa: S311 - jitter
    await hold(item, until=clock.now() + delay, why=why)


async def hold(item: QueueItem, *, until: datetime, why: str) -> None:
    """Not before `until`, no attempt counted: its time has not come."""
    await _held(item).update(
        available_at=until, leased_until=None, last_error=_fitting(why), attempts=F("attempts") - 1
    )


def delay_after(attempts: int) -> float:
    """Seconds to wait after so many attempts: doubling, with jitter so that a crowd spreads out."""
    longest: float = min(FIRST_DELAY * 2 ** max(0, attempts - 1), LONGEST_DELAY)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


async def bury(item: QueueItem, error: str) -> None:
    """Give up on it: kept with its error until an operator replays it."""
    await _held(item).update(state=QueueState.BURIED, leased_until=None, last_error=_fitting(error))


def _held(item: QueueItem) -> QuerySet[QueueItem]:
    """The item's row, as long as it is still this claim's."""
    return type(item).filter(pk=item.pk, state=QueueState.QUEUED, attempts=item.attempts)


def _fitting(error: str) -> str:
    """As much of it as a row needs, without what PostgreSQL can't store: what failed must not also fail to be noted."""
    return error[:2000].replace("\x00", "").encode(errors="replace").decode()


async def renew(items: Sequence[QueueItem], lease: timedelta = LEASE) -> None:
    """These are still being worked on: nobody else gets them for another lease."""
    for claimed in _still_held(items):
        await claimed.update(leased_until=clock.now() + lease)


async def release(items: Sequence[QueueItem]) -> None:
    """Give claims back unworked: the process is stopping."""
    for claimed in _still_held(items):
        await claimed.update(leased_until=None, attempts=F("attempts") - 1)


def _still_held(items: Sequence[QueueItem]) -> Iterator[QuerySet[QueueItem]]:
    """The rows that are still these claims': one that died slowly must not give away, or hold on to, what another has by now."""
    claims: dict[tuple[type[QueueItem], int], list[Any]] = {}
    for item in items:
        claims.setdefault((type(item), item.attempts), []).append(item.pk)
    for (model, ticket), keys in claims.items():
        yield model.filter(pk__in=keys, state=QueueState.QUEUED, attempts=ticket, leased_until__not_isnull=True)


async def replay(model: type[QueueItem], keys: Sequence[Any]) -> int:
    """Queue buried (or finished) items again as if new; returns how many."""
    return await model.filter(pk__in=list(keys)).update(
        state=QueueState.QUEUED, available_at=clock.now(), leased_until=None, attempts=0
    )


async def next_due(model: type[QueueItem]) -> datetime | None:
    """When the earliest queued item is due; None when nothing waits."""
    first = await model.filter(state=QueueState.QUEUED).order_by("available_at").first()
    return first.available_at if first else None


def _by_model(items: Sequence[QueueItem]) -> dict[type[QueueItem], list[Any]]:
    found: dict[type[QueueItem], list[Any]] = {}
    for item in items:
        found.setdefault(type(item), []).append(item.pk)
    return found


# --- being woken ---

# A bell belongs to the event loop it rings in.
_bells: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[type[QueueItem], asyncio.Event]] = WeakKeyDictionary()


def _bell(model: type[QueueItem]) -> asyncio.Event:
    return _bells.setdefault(asyncio.get_running_loop(), {}).setdefault(model, asyncio.Event())


def nudge(model: type[QueueItem]) -> None:
    """There is work: wake whoever waits for it in this process. A nudge nobody waits for is kept for the next who does."""
    _bell(model).set()


async def wait_for_work(model: type[QueueItem], seconds: float) -> None:
    """Sleep until nudged, at most so long: other processes' work is found by looking."""
    bell = _bell(model)
    try:
        await asyncio.wait_for(bell.wait(), seconds)
    except TimeoutError:
        return
    finally:
        bell.clear()
