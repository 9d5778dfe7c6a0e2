"""A lapse of memory: the records were restored from a backup, and what was done between the backup and now they don't know.

What may have been sent in that time is looked for in Slack before it is sent (I2). A message is known again by its stamp, made of
what it tells and not of the row it came from: that row is lost, and the one written anew has another id.

A lapse is noted by whoever restores (`kassor reconcile --restored`), or because Stripe says that events were delivered which the
records have never seen.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain import clock
from domain.notices import NoticeKind
from domain.records import Invoice, Notice, Watermark

FROM, UNTIL = "lapse.from", "lapse.until"
EVER = datetime(2000, 1, 1, tzinfo=UTC)
CATCHING_UP = timedelta(hours=1)  # after a restore: what is learned again in that time may have been told before
TOGETHER = timedelta(days=30)  # lapses so near are one
_COPIES = frozenset({NoticeKind.INVOICE_COPY.value, NoticeKind.INVOICE_AGAIN.value})
_CHANGES = frozenset({NoticeKind.SEATS_CHANGED.value, NoticeKind.PLAN_CHANGED.value})
_OF_A_PERIOD = ("copy:", "open:")  # the keys of what is sent once a period; a copy somebody asked for is another matter


@dataclass(frozen=True)
class Lapse:
    """From when to when the records don't know what was sent."""

    since: datetime
    until: datetime

    def may_have_seen(self, notice: Notice, invoices: Sequence[Invoice]) -> bool:
        """Whether the notice may have been sent in that time: it was waiting then, or tells of what was known then."""
        if notice.created_at <= self.until + CATCHING_UP:
            return True
        return _is_a_periods(notice) and self.may_have_copied(invoices)

    def may_have_copied(self, invoices: Sequence[Invoice]) -> bool:
        """Whether a copy of these, oldest first, may have gone in that time."""
        newest = invoices[-1].finalized_at if invoices else None
        return newest is not None and bool(newest <= self.until)


async def note(since: datetime, until: datetime | None = None) -> None:
    """From `since` (UTC) until now the records don't know what was sent. Lapses near each other become one."""
    until = until or clock.now()
    known = await noted()
    if known is not None and known.until > until - TOGETHER:
        since = min(since, known.since)
    for mark, at in ((FROM, since), (UNTIL, until)):
        await Watermark.update_or_create(id=mark, defaults={"at": at})


async def noted() -> Lapse | None:
    """The latest. None when nothing was ever restored."""
    marks = {each.id: each.at for each in await Watermark.filter(id__in=[FROM, UNTIL])}
    return Lapse(marks[FROM], marks[UNTIL]) if len(marks) == 2 else None


def was_delivered(event: str) -> bool:
    """Whether Stripe says of an event (its JSON) that everybody who asked for it has answered 200: if we had, it was stored."""
    return bool(json.loads(event).get("pending_webhooks") == 0)


def stamp(notice: Notice) -> str:
    """What a message is known again by, whatever row it comes from: the period of a copy; the facts of everything else.

    A change from this to that, and what names an invoice, happen once. Other news may be told again, and their key counts
    versions: after a restore the same version may be other news, so both count.
    """
    if _is_a_periods(notice):
        told = notice.dedup_key
    else:
        facts = dict(notice.facts)
        key = notice.kind if facts.get("invoice") or facts.get("before") else notice.dedup_key
        if notice.kind in _CHANGES:
            facts.pop("invoice", None)  # the newest there was: it may be another's when the change is learned again
        told = f"{key}\n{json.dumps(facts, sort_keys=True)}"
    return "kassor:" + hashlib.sha256(told.encode()).hexdigest()[:32]


def _is_a_periods(notice: Notice) -> bool:
    return notice.kind in _COPIES and notice.dedup_key.startswith(_OF_A_PERIOD)
