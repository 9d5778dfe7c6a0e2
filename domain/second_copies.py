"""The same invoice for those the owner has chosen (I6): each period's copy also goes to every recipient of then, once.

Worked out from rows, like the owner's own: a copy made since somebody became a recipient, without a notice for them. Nothing
rests on when it is looked at: a notice's key is unique (I2), and a watermark, kept some way behind, only saves looking at old
copies again.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tortoise.connection import get_connection

from domain import clock, queue
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import CopyRecipient, Notice, Watermark

BATCH = 500
LOOKED = "second_copies"
BEHIND = timedelta(minutes=10)  # a copy is dated before it is committed: one that came late is still seen
_KEYS = {
    "postgres": "CAST(EXTRACT(EPOCH FROM c.period_start) AS BIGINT)",
    "sqlite": "CAST(strftime('%s', c.period_start) AS INTEGER)",
}


async def plan_due() -> int:
    """Put in the outbox what recipients lack of the copies there are; returns how many. Call it after `copies.plan_due`."""
    began = clock.now()
    mark = await Watermark.get_or_none(id=LOOKED)
    since = mark.at - BEHIND if mark else datetime(2000, 1, 1, tzinfo=UTC)
    planned, after = 0, (since, 0)
    while rows := await _missing(*after):
        planned += await _plan(rows)
        after = (rows[-1]["created_at"], rows[-1]["copy"])
    if mark is None or began > mark.at:
        await Watermark.update_or_create(id=LOOKED, defaults={"at": began})
    if planned:
        queue.nudge(Notice)
    return planned


async def _missing(since: datetime | str, first: int) -> list[dict[str, Any]]:
    """Some of what is missing, oldest first, from that moment and copy on: one index probe when no copy is new."""
    connection = get_connection("default")
    postgres = connection.capabilities.dialect == "postgres"
    marks = ("$1", "$2", "$3") if postgres else ("?", "?", "?")
    period = _KEYS["postgres" if postgres else "sqlite"]
    newest = "o.facts ->> 'invoice_id'" if postgres else "json_extract(o.facts, '$.invoice_id')"
    key = f"'copy:' || c.subscription_id || ':' || {period} || ':' || r.member_id"
    sql = (
        f"SELECT {key} AS dedup_key, c.invoice_id, c.subscription_id, c.notice_id, r.id AS recipient, r.member_id, "  # noqa: S608 - our own names
        "o.facts, c.created_at, c.id AS copy, w.workspace_id, w.name AS scope, a.slack_user_id AS added_by "
        "FROM invoice_copy c JOIN copy_recipient r ON r.subscription_id = c.subscription_id "
        f"JOIN notice o ON o.id = c.notice_id AND {newest} = c.invoice_id "  # several missed periods are one message
        "JOIN subscription s ON s.id = c.subscription_id "
        "JOIN scope w ON w.id = s.scope_id "
        "JOIN member a ON a.id = r.added_by_id "
        f"WHERE (c.created_at, c.id) >= ({marks[0]}, {marks[1]}) "
        "AND r.until IS NULL AND c.created_at >= r.since AND r.member_id <> s.owner_id "
        f"AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.dedup_key = {key}) "
        f"ORDER BY c.created_at, c.id, r.id LIMIT {marks[2]}"
    )
    return list(await connection.execute_query_dict(sql, [since if postgres else str(since), first, BATCH]))


async def _plan(rows: list[dict[str, Any]]) -> int:
    now = clock.now()
    made = [
        Notice(
            id=uuid4(),
            kind=NoticeKind.INVOICE_COPY.value,
            facts={
                "invoice_id": row["invoice_id"],
                "invoice_ids": _facts(row).get("invoice_ids") or [row["invoice_id"]],
                "subscription": row["subscription_id"],
                "scope": row["scope"],
                "recipient": row["recipient"],
                "owners": str(row["notice_id"]),
                "recipient_of": row["added_by"],
            },
            dedup_key=row["dedup_key"],
            workspace_id=row["workspace_id"],
            member_id=row["member_id"],
            in_working_hours=True,
            available_at=now,
            created_at=now,
        )
        for row in rows
    ]
    await Notice.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["facts"]) if isinstance(row["facts"], str) else row["facts"]
    return found


async def is_wanted(notice: Notice) -> bool:
    """Whether a notice is still to be sent. A recipient's copy isn't when they were removed, have left, or get the owner's.

    Who became owner after the former one had theirs gets this one: nothing else brings them the period's invoice.
    """
    if "recipient_of" not in notice.facts:
        return True
    row = await CopyRecipient.get_or_none(id=notice.facts["recipient"]).prefetch_related("subscription", "member")
    if row is None or row.until is not None or row.member_id != notice.member_id or not row.member.is_active:
        return False
    owners = await Notice.get_or_none(id=notice.facts["owners"])
    is_over = owners is not None and owners.state == QueueState.DONE
    if is_over and owners is not None and owners.sent_to == row.member.slack_user_id:
        return False
    return is_over or row.subscription.owner_id != row.member_id
