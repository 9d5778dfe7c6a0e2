"""A page of what is due, planned in a few statements: the way nearly every copy goes, at the speed of the database.

Plain SQL, in the words both databases share; what differs stands side by side below. Nothing of a page is read into Python but
the ids of those that need more than their records to decide.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from domain import clock
from domain.records import Subscription
from domain.rules.hours import Hours

BATCH = 1_000
FINALISED_BY = timedelta(minutes=90)  # after a period began; sooner, only a webhook makes its copy due
ASK_AGAIN = timedelta(hours=1)

# Word for word as in the index `subscription_copy_due`: SQLite uses a partial index only for the condition it was made with.
DUE = "(copied_period IS NULL OR copied_period < current_period_start)"
_PAYS = (
    "j.subscription_id = s.id AND j.finalized_at IS NOT NULL AND j.status IN ('open', 'paid', 'uncollectible') "
    "AND j.period_start >= s.current_period_start AND j.period_start < s.current_period_end"
)
# The period's own invoice is its renewal's, or pays from its first moment; one for seats added pays from when they were.
_OWN = "(j.period_start = s.current_period_start OR j.billing_reason IN ('subscription_create', 'subscription_cycle'))"
# A renewal is billed an hour after it, and the period may be cut short meanwhile (monthly to annual): `missed.py` waits for it.
_CUT_SHORT = (
    "EXISTS (SELECT 1 FROM invoice e WHERE e.subscription_id = s.id AND e.billing_reason = 'subscription_cycle' "
    "AND e.status <> 'void' AND e.period_start > s.copied_period AND e.period_start < s.current_period_start)"
)
_NOTICE = (
    "INSERT INTO notice (id, kind, facts, dedup_key, workspace_id, owner_of_id, in_working_hours, state, available_at, "
    "created_at, attempts)"
)
_COPY = "INSERT INTO invoice_copy (subscription_id, period_start, invoice_id, notice_id, created_at)"


@dataclass(frozen=True)
class Page:
    """What became of a page: how many were due, how many have their copy now, and who needs more than the records say."""

    due: int
    planned: int
    ask: tuple[str, ...]


async def plan_page(hours: Hours, *, limit: int = BATCH) -> Page:
    """Plan what is due, at most `limit`, longest due first; all of it or nothing. Others may do the same at the same time."""
    now = clock.now()
    if (hours, _minute(now)) not in _known and not await _is_any_due(now):
        return Page(0, 0, ())  # before time zones are thought of: they take longer than the rest of an empty look
    opens = await _openings(hours, now)
    in_file = get_connection("default").capabilities.dialect != "postgres"
    planned, rest = await (_plan_in_file if in_file else _plan)(now, opens, hours, limit)
    ask = await _look_again_later(rest, now) if rest else []
    return Page(planned + len(rest), planned, tuple(ask))


async def _is_any_due(now: datetime) -> bool:
    database = get_connection("default")
    mark, moment = ("$1", now) if database.capabilities.dialect == "postgres" else ("?", str(now))
    query = f"SELECT 1 AS due FROM subscription WHERE {DUE} AND copy_ask_at <= {mark} ORDER BY copy_ask_at LIMIT 1"
    return bool(await database.execute_query_dict(query, [moment]))


# --- when it may be sent ---

_known: dict[tuple[Hours, datetime], list[tuple[str, datetime]]] = {}  # of the latest minute


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


async def _openings(hours: Hours, now: datetime) -> list[tuple[str, datetime]]:
    """For every time zone there is, when a message that is due now may go. Whoever sends it looks again."""
    minute = _minute(now)
    if (hours, minute) not in _known:
        # In a thread: reading some six hundred zones for the first time would keep everybody waiting.
        found = await asyncio.to_thread(
            lambda: [(tz, hours.moment(minute, tz)) for tz in sorted(available_timezones())]
        )
        _known.clear()
        _known[hours, minute] = found
    return [(tz, max(opens, now)) for tz, opens in _known[hours, minute]]


# --- PostgreSQL ---

# More than a period since the last copy (or since it began): `missed.py` looks those up.
_GAP = (
    "COALESCE(s.copied_period < s.current_period_start - CASE s.\"interval\" WHEN 'year' THEN INTERVAL '367 days' "
    "ELSE INTERVAL '32 days' END, s.started_at < s.current_period_start - INTERVAL '1 day')"
)
_PLAN = f"""
WITH s AS MATERIALIZED (
  SELECT id, scope_id, owner_id, collection_method, "interval", copied_period, started_at, current_period_start, current_period_end
  FROM subscription WHERE {DUE} AND copy_ask_at <= $1 ORDER BY copy_ask_at LIMIT $2 FOR UPDATE SKIP LOCKED
), told AS (
  {_NOTICE}
  SELECT gen_random_uuid(), 'invoice_copy',
    jsonb_build_object('invoice_id', i.ids ->> -1, 'invoice_ids', i.ids, 'subscription', s.id, 'scope', scope.name,
      'period_start', to_char(s.current_period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
      'period_end', to_char(s.current_period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')),
    'copy:' || s.id || ':' || EXTRACT(EPOCH FROM s.current_period_start)::bigint,
    scope.workspace_id, s.id, TRUE, 'queued', COALESCE(z.opens, $3), $1, 0
  FROM s JOIN scope ON scope.id = s.scope_id JOIN member ON member.id = s.owner_id
  CROSS JOIN LATERAL (
    SELECT jsonb_agg(j.id ORDER BY j.finalized_at, j.id) AS ids, bool_or({_OWN}) AS own FROM invoice j WHERE {_PAYS}
  ) i
  LEFT JOIN unnest($4::varchar[], $5::timestamptz[]) AS z (tz, opens) ON z.tz = member.tz
  WHERE i.own AND s.collection_method <> 'send_invoice' AND NOT {_GAP} AND NOT {_CUT_SHORT}
  ON CONFLICT (dedup_key) DO NOTHING RETURNING id, owner_of_id, facts ->> 'invoice_id' AS invoice_id
), copied AS (
  {_COPY} SELECT s.id, s.current_period_start, told.invoice_id, told.id, $1 FROM told JOIN s ON s.id = told.owner_of_id
), marked AS (
  UPDATE subscription SET copied_period = s.current_period_start FROM told JOIN s ON s.id = told.owner_of_id
  WHERE subscription.id = s.id
)
SELECT count(*) AS due, array_agg(s.id) FILTER (WHERE told.id IS NULL) AS rest FROM s LEFT JOIN told ON told.owner_of_id = s.id
"""


async def _plan(now: datetime, opens: list[tuple[str, datetime]], hours: Hours, limit: int) -> tuple[int, list[str]]:
    zones, moments = [tz for tz, _ in opens], [moment for _, moment in opens]
    given = [now, limit, hours.moment(now, "UTC"), zones, moments]
    [page] = await get_connection("default").execute_query_dict(_PLAN, given)
    rest = [str(each) for each in page["rest"] or ()]
    return page["due"] - len(rest), rest


# --- SQLite: the same, step by step in a transaction ---

_PAGE_IN_FILE = (
    "CREATE TEMP TABLE IF NOT EXISTS copy_page (id TEXT PRIMARY KEY, notice_id TEXT, dedup_key TEXT, began TEXT, ends TEXT, "
    "invoice_ids TEXT, scope_id TEXT, tz TEXT) WITHOUT ROWID"
)
_GAP_IN_FILE = (
    "COALESCE(s.copied_period < date(s.current_period_start, CASE s.\"interval\" WHEN 'year' THEN '-367 days' "
    "ELSE '-32 days' END), s.started_at < date(s.current_period_start, '-1 day'))"
)
_UUID_IN_FILE = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
# `invoice_ids` is null where the records don't say all.
_CLAIM_IN_FILE = f"""
INSERT INTO copy_page
SELECT s.id, {_UUID_IN_FILE}, 'copy:' || s.id || ':' || CAST(strftime('%s', s.current_period_start) AS INTEGER),
  s.current_period_start, s.current_period_end,
  CASE WHEN s.collection_method <> 'send_invoice' AND NOT {_GAP_IN_FILE} AND NOT {_CUT_SHORT}
    AND EXISTS (SELECT 1 FROM invoice j WHERE {_PAYS} AND {_OWN}) THEN (
      SELECT json_group_array(id) FROM (SELECT j.id FROM invoice j WHERE {_PAYS} ORDER BY j.finalized_at, j.id)
    ) END,
  s.scope_id, (SELECT tz FROM member WHERE member.id = s.owner_id)
FROM subscription s WHERE {DUE} AND copy_ask_at <= ?1 ORDER BY copy_ask_at LIMIT ?2
"""
_TELL_IN_FILE = f"""
{_NOTICE}
SELECT p.notice_id, 'invoice_copy',
  json_object('invoice_id', json_extract(p.invoice_ids, '$[#-1]'), 'invoice_ids', json(p.invoice_ids), 'subscription', p.id,
    'scope', scope.name, 'period_start', replace(p.began, ' ', 'T'), 'period_end', replace(p.ends, ' ', 'T')),
  p.dedup_key, scope.workspace_id, p.id, TRUE, 'queued', COALESCE(
    (SELECT json_extract(value, '$[1]') FROM json_each(?3) WHERE json_extract(value, '$[0]') = p.tz), ?2), ?1, 0
FROM copy_page p CROSS JOIN scope ON scope.id = p.scope_id WHERE p.invoice_ids IS NOT NULL ON CONFLICT (dedup_key) DO NOTHING
"""
_COPY_IN_FILE = f"""
{_COPY} SELECT p.id, p.began, json_extract(n.facts, '$.invoice_id'), n.id, ?1
FROM copy_page p CROSS JOIN notice n ON n.dedup_key = p.dedup_key WHERE TRUE ON CONFLICT (subscription_id, period_start) DO NOTHING
"""
_MARK_IN_FILE = (
    "UPDATE subscription SET copied_period = current_period_start "
    "WHERE id IN (SELECT id FROM copy_page WHERE invoice_ids IS NOT NULL)"
)


async def _plan_in_file(
    now: datetime, opens: list[tuple[str, datetime]], hours: Hours, limit: int
) -> tuple[int, list[str]]:
    async with in_transaction() as file:
        await file.execute_query(_PAGE_IN_FILE)
        await file.execute_query("DELETE FROM copy_page")
        await file.execute_query(_CLAIM_IN_FILE, [str(now), limit])
        # Only the page's own zones: SQLite reads them through for each row.
        here = {str(row["tz"]) for row in await file.execute_query_dict("SELECT DISTINCT tz FROM copy_page")}
        zones = json.dumps([(tz, str(moment)) for tz, moment in opens if tz in here])
        await file.execute_query(_TELL_IN_FILE, [str(now), str(hours.moment(now, "UTC")), zones])
        await file.execute_query(_COPY_IN_FILE, [str(now)])
        planned, _ = await file.execute_query(_MARK_IN_FILE)
        rest = await file.execute_query_dict("SELECT id FROM copy_page WHERE invoice_ids IS NULL")
    return planned, [str(row["id"]) for row in rest]


# --- those whose records don't say all ---


async def _look_again_later(ids: list[str], now: datetime) -> list[str]:
    """Put them off; returns those about which somebody has to be asked now.

    A period that has just begun is left to its webhook, unless more was missed or the invoice is one to be paid by hand.
    """
    found = await Subscription.filter(id__in=ids).values_list(
        "id", "current_period_start", "collection_method", "copied_period", "started_at", "interval"
    )
    ask = [
        str(key)
        for key, began, method, copied, started, interval in found
        if began <= now - FINALISED_BY
        or method == "send_invoice"
        or is_behind(began, copied, started, str(interval.value))
    ]
    young = set(ids) - set(ask)
    await put_off(sorted(young), now + FINALISED_BY)
    await put_off(ask, now + ASK_AGAIN)
    return ask


def is_behind(began: datetime, copied: datetime | None, started: datetime, interval: str) -> bool:
    """Whether more than one period may lack its copy."""
    if copied is None:
        return started < began - timedelta(days=1)
    return copied < began - timedelta(days=367 if interval == "year" else 32)


async def put_off(ids: Sequence[str], until: datetime) -> None:
    """These are not looked at again before `until`, unless an invoice of theirs arrives."""
    if ids:
        await Subscription.filter(id__in=list(ids)).update(copy_ask_at=until)
