"""The outbox's claims: whose turn it is, who has to wait, and how much the whole fleet may send.

A notice's lane is where Slack's limits apply: the workspace, or the channel it is for. A lane is one process's at a time, a share
of it a claim, and a lane that Slack asked to leave alone waits in the database, so that no other process goes on knocking. What
waits for its hour (a copy for working hours) is not looked at: the walk is along what is due, oldest first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from domain import clock
from domain.queue import LEASE, columns
from domain.records import Notice, Pause

LANES, EACH = 256, 8  # taken at most in one claim, and of each
WINDOW = 2_000  # due notices looked at a claim: what one lane fills of it is passed over once the lane is taken
BUDGET = "*"
AHEAD = 1.0  # seconds of the budget that may be given out in advance
_ONE_AT_A_TIME = 0x6B617373  # PostgreSQL's advisory lock: claims take turns, so that a lane is never split between two
_LANE = "COALESCE(channel, workspace_id)"
_UNPAUSED = f"{_LANE} NOT IN (SELECT id FROM pause WHERE until > {{now}})"  # noqa: S608 - our own names
_DUE = "state = 'queued' AND available_at <= {now} AND (leased_until IS NULL OR leased_until <= {now})"
_OPEN = (
    f"{_LANE} NOT IN (SELECT {_LANE} FROM notice WHERE leased_until > {{now}} AND state = 'queued') "  # noqa: S608 - our own names
    f"AND {_UNPAUSED}"
)
_CLAIM = f"""
WITH waiting AS (
    SELECT id, {_LANE} AS lane, available_at, created_at FROM notice WHERE {_DUE} AND {_OPEN} ORDER BY available_at LIMIT {{window}}
), turn AS (
    SELECT id, lane, row_number() OVER (PARTITION BY lane ORDER BY available_at, created_at, id) AS place FROM waiting
), lanes AS (
    SELECT lane FROM waiting GROUP BY lane ORDER BY min(available_at) LIMIT {{lanes}}
)
UPDATE notice SET leased_until = {{lease}}, attempts = attempts + 1 WHERE id IN (
    SELECT id FROM turn WHERE place <= {{each}} AND lane IN (SELECT lane FROM lanes) ORDER BY place LIMIT {{most}}
) RETURNING {{columns}}
"""  # noqa: S608 - our own names


def lane_of(notice: Notice) -> str:
    """Where Slack's limits count it."""
    return notice.channel or notice.workspace_id


async def claim(*, lanes: int = LANES, each: int = EACH, most: int = LANES * EACH) -> dict[str, list[Notice]]:
    """Take a share of the lanes whose turn it is: lane → its notices, oldest first. Counts an attempt.

    Nobody else gets them, or the rest of those lanes, until the lease is over.
    """
    async with in_transaction() as connection:
        postgres = connection.capabilities.dialect == "postgres"
        if postgres:
            await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_ONE_AT_A_TIME])
        now = clock.now()
        moments: list[Any] = [now, now + LEASE] if postgres else [str(now), str(now + LEASE)]
        marks = ("$1", "$2") if postgres else ("?1", "?2")
        sql = _CLAIM.format(
            now=marks[0],
            lease=marks[1],
            window=WINDOW,
            lanes=int(lanes),
            each=int(each),
            most=int(most),
            columns=columns(Notice),
        )
        rows = await connection.execute_query_dict(sql, moments)
    found: dict[str, list[Notice]] = {}
    notices = (Notice._init_from_db(**row) for row in rows)  # noqa: SLF001 - what Tortoise's own queries do with a row
    for notice in sorted(notices, key=lambda each: (each.available_at, each.created_at)):
        found.setdefault(lane_of(notice), []).append(notice)
    return found


# --- who has to wait ---


async def pause(key: str, seconds: float) -> None:
    """Nothing more for this lane before then; of two pauses the longer holds."""
    await _later(key, clock.now() + timedelta(seconds=seconds))


async def resume(lane: str) -> None:
    """It may go on: there is a new installation."""
    await Pause.filter(id=lane).delete()


async def first_look(workspace_id: str, seconds: float) -> datetime | None:
    """None when the workspace's history may be read now, and not again for so long; else when it may."""
    key, now = f"look:{workspace_id}", clock.now()
    known = await Pause.get_or_none(id=key)
    if known is not None and known.until > now:
        return known.until
    if known is None:
        await Pause.bulk_create([Pause(id=key, until=now)], ignore_conflicts=True)
    ours = await Pause.filter(id=key, until=known.until if known else now).update(
        until=now + timedelta(seconds=seconds)
    )
    return None if ours else now + timedelta(seconds=seconds)


async def _later(key: str, until: datetime) -> None:
    await Pause.bulk_create([Pause(id=key, until=until)], ignore_conflicts=True)
    await Pause.filter(id=key, until__lt=until).update(until=until)


async def prune() -> None:
    """Forget the pauses that are long over."""
    await Pause.filter(until__lt=clock.now() - timedelta(hours=1)).delete()


# --- the fleet's budget ---


async def spend(messages: int, a_second: int) -> float:
    """Take so many of what all senders together may send a second; returns the seconds until the first of them may go."""
    async with in_transaction():
        now = clock.now()
        await Pause.bulk_create([Pause(id=BUDGET, until=now)], ignore_conflicts=True)
        given = await Pause.filter(id=BUDGET).select_for_update().get()  # on SQLite there is one process
        begins = max(given.until, now)
        await Pause.filter(id=BUDGET).update(until=begins + timedelta(seconds=messages / a_second))
    return (begins - now).total_seconds()


async def budget_free_in() -> float:
    """Seconds until the budget has room again; 0 when it has."""
    given = await Pause.get_or_none(id=BUDGET)
    return max(0.0, (given.until - clock.now()).total_seconds() - AHEAD) if given else 0.0


# --- looking ---


async def is_due() -> bool:
    """Whether anything could be sent now, or is being sent."""
    return await _first(f"state = 'queued' AND available_at <= {{now}} AND {_UNPAUSED}")


async def next_due() -> datetime | None:
    """When the earliest waiting notice is due, a lane's pause being over. None when nothing waits."""
    first = await Notice.filter(state="queued", available_at__gt=clock.now()).order_by("available_at").first()
    moments: Sequence[datetime] = [first.available_at] if first else []
    for each in await Pause.filter(until__gt=clock.now()).exclude(id__startswith="look:").exclude(id=BUDGET):
        if await _first(f"state = 'queued' AND {_LANE} = {{lane}}", each.id):
            moments = [*moments, each.until]
    return min(moments, default=None)


async def _first(where: str, lane: str | None = None) -> bool:
    connection = get_connection("default")
    postgres = connection.capabilities.dialect == "postgres"
    value: Any = lane if lane is not None else clock.now() if postgres else str(clock.now())
    mark = "$1" if postgres else "?1"
    sql = f"SELECT 1 FROM notice WHERE {where.format(now=mark, lane=mark)} LIMIT 1"  # noqa: S608 - our own names
    return bool(await connection.execute_query_dict(sql, [value]))
