"""The fair claim: the inbox has a lane a customer, and every lane gets its turn, however long another is.

The lanes are walked along an index that holds only what is still to be done, from where the last claim stopped, so the cost is by
lanes and not by events: ten thousand events of one customer are one step.
"""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypeVar

from tortoise.connection import get_connection

from domain import clock
from domain.queue import LEASE, QueueItem, columns

Item = TypeVar("Item", bound=QueueItem)
_DUE = "state = 'queued' AND available_at <= {now} AND (leased_until IS NULL OR leased_until <= {now})"
_WALK = """
WITH RECURSIVE walk (lane) AS (
    SELECT (SELECT min(lane) FROM {table} {hint} WHERE state = 'queued' AND lane {start})
    UNION ALL
    SELECT (SELECT min(lane) FROM {table} {hint} WHERE state = 'queued' AND lane > walk.lane) FROM walk WHERE walk.lane IS NOT NULL
)
SELECT lane FROM walk WHERE lane IS NOT NULL AND NOT lane {busy}
AND (SELECT {key} FROM {table} AS waiting {hint} WHERE waiting.lane = walk.lane AND {due} LIMIT 1) IS NOT NULL LIMIT {limit}
"""  # not EXISTS: PostgreSQL would turn it into a join with everything that is due
_CLAIM = {
    # MATERIALIZED: a sub-select that locks may otherwise run more than once, and lock more than it returns.
    "postgres": """
WITH picked AS MATERIALIZED (
    SELECT each.{key} FROM unnest($3::varchar[]) AS turn (lane) CROSS JOIN LATERAL (
        SELECT {key} FROM {table} WHERE lane = turn.lane AND {due} ORDER BY available_at LIMIT $4 FOR UPDATE SKIP LOCKED
    ) AS each
)
UPDATE {table} SET leased_until = $1, attempts = attempts + 1 FROM picked WHERE {table}.{key} = picked.{key} RETURNING {columns}
""",
    "sqlite": """
UPDATE {table} SET leased_until = ?1, attempts = attempts + 1 WHERE {key} IN (
    SELECT item.{key} FROM json_each(?3) AS turn CROSS JOIN {table} AS item WHERE item.{key} IN (
        SELECT {key} FROM {table} INDEXED BY {table}_lane WHERE lane = turn.value AND {due} ORDER BY available_at LIMIT ?4
    )
) RETURNING {columns}
""",
}


class Turns:
    """Whose turn it is, for one worker. `model`'s table has a column `lane`, indexed where it is queued."""

    def __init__(self, model: type[Item]) -> None:
        self._model = model
        self._table = model._meta.db_table  # noqa: SLF001 - Tortoise has no other name for it
        self._key = model._meta.db_pk_column  # noqa: SLF001 - as above
        self._last: str | None = None

    async def claim(
        self, *, lanes: int, each: int, busy: Collection[str] = (), lease: timedelta = LEASE
    ) -> dict[str, list[Any]]:
        """Take up to `each` due items of each of up to `lanes` lanes that are not `busy`, oldest due first; lane → its items.

        Nobody else gets them until the lease is over. Counts an attempt.
        """
        connection = get_connection("default")
        postgres = connection.capabilities.dialect == "postgres"
        chosen = await self._next_lanes(lanes, busy, postgres=postgres)
        if not chosen:
            return {}
        self._last = chosen[-1]
        now = clock.now()
        sql = _CLAIM["postgres" if postgres else "sqlite"].format(
            table=self._table,
            key=self._key,
            due=_DUE.format(now="$2" if postgres else "?2"),
            columns=columns(self._model),
        )
        values = (
            [now + lease, now, chosen, each] if postgres else [str(now + lease), str(now), json.dumps(chosen), each]
        )
        rows = await connection.execute_query_dict(sql, values)
        items = [self._model._init_from_db(**row) for row in rows]  # noqa: SLF001 - what Tortoise's own queries do with a row
        found: dict[str, list[Any]] = {}
        for item in sorted(items, key=lambda item: item.available_at):
            found.setdefault(item.lane, []).append(item)  # type: ignore[attr-defined]  # the model has one, see above
        return found

    async def _next_lanes(self, lanes: int, busy: Collection[str], *, postgres: bool) -> list[str]:
        """The next lanes with something due, after the last one served and then from the beginning."""
        chosen: list[str] = []
        if self._last is not None:
            chosen = await self._walk("> {from_}", self._last, lanes, busy, postgres=postgres)
        if len(chosen) < lanes:
            more = await self._walk(">= {from_}", "", lanes - len(chosen), [*busy, *chosen], postgres=postgres)
            chosen += more
        return chosen

    async def _walk(self, start: str, from_: str, limit: int, busy: Collection[str], *, postgres: bool) -> list[str]:
        mark = "${}" if postgres else "?{}"
        sql = _WALK.format(
            table=self._table,
            key=self._key,
            start=start.format(from_=mark.format(1) + ("::varchar" if postgres else "")),
            busy="= ANY($2::varchar[])" if postgres else "IN (SELECT value FROM json_each(?2))",
            due=_DUE.format(now=mark.format(3)),
            limit=mark.format(4),
            hint=""
            if postgres
            else f"INDEXED BY {self._table}_lane",  # SQLite would rather sort everything that is due
        )
        now = clock.now()
        values = [from_, list(busy), now, limit] if postgres else [from_, json.dumps(list(busy)), str(now), limit]
        return [row["lane"] for row in await get_connection("default").execute_query_dict(sql, values)]
