"""Who did what, before and after, when, from where. Append-only, and one line in the audit channel."""

from typing import Any
from uuid import uuid4

from domain import clock, notices
from domain.desk import Desk
from domain.records import AuditEntry, Member, Scope


async def record(
    desk: Desk,
    *,
    scope: Scope,
    actor: Member | None,
    verb: str,
    dedup_key: str,
    source: str = "slack",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reference: str | None = None,
) -> None:
    """Write an entry, once for its `dedup_key`. Call it in the transaction that made it true. Never card data.

    `source`: slack, stripe, scheduler or console; `actor` is None when nobody in particular did it.
    """
    entry = AuditEntry(
        id=uuid4(),
        at=clock.now(),
        workspace_id=scope.workspace_id,
        scope_id=scope.id,
        actor_id=actor.id if actor else None,
        source=source,
        verb=verb,
        before=before,
        after=after,
        reference=reference,
        dedup_key=dedup_key,
    )
    await AuditEntry.bulk_create([entry], ignore_conflicts=True)
    if desk.settings.audit_channel and await AuditEntry.filter(id=entry.id).exists():
        await notices.tell(
            notices.NoticeKind.AUDIT,
            workspace_id=scope.workspace_id,
            facts={"entry": str(entry.id)},
            dedup_key=f"audit:{dedup_key}",
            channel=desk.settings.audit_channel,
        )
