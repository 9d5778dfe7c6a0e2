"""The copies that the records alone don't settle: periods that were missed, invoices paid by hand, and what Stripe must be asked.

One subscription at a time, in Python: few go this way.
"""

import logging
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import clock, lapse, notices, sync
from domain.copies.pages import FINALISED_BY, is_behind
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Invoice, InvoiceCopy, Notice, Subscription

log = logging.getLogger("kassor.copies")
MOST_FOLDED = 24  # invoices in one message
RENEWALS = frozenset({"subscription_create", "subscription_cycle"})
DRAFTED = timedelta(days=3)  # the longest that Stripe keeps a draft when its webhook isn't answered
LET_GO = timedelta(days=1)  # after its end, a subscription without an invoice for its last period gets no copy of it
_SENT = ("open", "paid", "uncollectible")
Periods = dict[datetime, list[Invoice]]  # each's start → its invoices, oldest first


async def plan(desk: Desk, subscription_id: str) -> int:
    """Plan every copy that one subscription lacks, and that there is an invoice for; returns how many periods that were.

    Stripe is asked when the records lack the current period's invoice, or may lack others'. Raises PaymentsAway, PaymentsRefused.
    """
    live = await Subscription.get(id=subscription_id).prefetch_related("scope")
    periods = await _periods(live)
    began = live.current_period_start
    is_young = began + FINALISED_BY > clock.now()
    if _may_lack_others(live) or await _is_drafted(live) or not (is_young or _has_own(periods, began)):
        await _ask(desk, live)
        if await _is_drafted(live):
            return 0  # it goes with what came after it
        periods = await _periods(live)
    if is_young and not _has_own(periods, began):
        periods.pop(
            began, None
        )  # seats added within its first hour: its own invoice is still to come, and goes with theirs
    if not periods:
        await _let_go(live)
        return 0
    return sum([await _write(live, each) for each in await _messages(periods)])


async def _messages(periods: Periods) -> list[Periods]:
    """What goes in one message each: all of it, but for periods whose copy may have been sent before a restore.

    Those are looked for one by one (`domain.lapse`): folded into another's, they would be told again.
    """
    forgotten = await lapse.noted()
    if forgotten is None:
        return [periods]
    apart = [start for start in sorted(periods) if forgotten.may_have_copied(periods[start])]
    rest = {start: found for start, found in periods.items() if start not in apart}
    return [{start: periods[start]} for start in apart] + ([rest] if rest else [])


def _has_own(periods: Periods, start: datetime) -> bool:
    """Whether the renewal's own invoice, or one from the first moment, is there, not only one for seats added later."""
    return any(each.period_start == start or each.billing_reason in RENEWALS for each in periods.get(start, []))


def _may_lack_others(live: Subscription) -> bool:
    return is_behind(live.current_period_start, live.copied_period, live.started_at, live.interval.value)


async def _is_drafted(live: Subscription) -> bool:
    """Whether a renewal of a period that was cut short since is still to be finalised, as Stripe does within three days."""
    drafts = Invoice.filter(subscription_id=live.id, status="draft", billing_reason="subscription_cycle")
    earlier = drafts.filter(period_start__gt=live.copied_period or live.started_at)
    return await earlier.filter(
        period_start__lt=live.current_period_start, created_at__gt=clock.now() - DRAFTED
    ).exists()


async def _periods(live: Subscription) -> Periods:
    """Every period without its copy that has finalised invoices: its start → those, oldest first."""
    since = live.copied_period or live.started_at - timedelta(days=1)
    found = await Invoice.filter(
        subscription_id=live.id,
        status__in=_SENT,
        finalized_at__not_isnull=True,
        period_start__gt=since,
        period_start__lt=live.current_period_end,
    ).order_by("period_start", "finalized_at", "id")
    renewals = {each.period_start for each in found if each.billing_reason in RENEWALS}
    starts = {start for start in renewals if start < live.current_period_start} | {live.current_period_start}
    periods: Periods = {}
    for invoice in found:
        start = max((start for start in starts if start <= invoice.period_start), default=None)
        if start is not None:  # else it belongs to the period that has its copy
            periods.setdefault(start, []).append(invoice)
    return periods


async def _ask(desk: Desk, live: Subscription) -> None:
    """What a missed webhook left out (I4)."""
    since = live.copied_period or live.started_at
    for found in await desk.payments.latest_invoices(live.id, limit=100):
        if found.period_end > since:
            await sync.invoice(desk, found.id)


async def _let_go(live: Subscription) -> None:
    """One that has ended, and whose last period Stripe has no invoice for, is not asked about for ever."""
    if live.ended_at is not None and live.ended_at + LET_GO < clock.now():
        log.info("%s ended without an invoice for its last period: no copy of that", live.id)
        await Subscription.filter(id=live.id).update(copied_period=live.current_period_start)


async def _write(live: Subscription, periods: Periods) -> int:
    """One notice for all of them, a row for each, and the mark; together or not at all. 0 when somebody else was first."""
    newest_period = max(periods)
    invoices = [invoice for start in sorted(periods) for invoice in periods[start]][-MOST_FOLDED:]
    newest = invoices[-1]
    try:
        async with in_transaction():
            # One to be paid by hand was news as soon as it was open (`sync.invoices`): that message is the period's copy.
            told = await Notice.get_or_none(dedup_key=f"open:{newest.id}") if len(periods) == 1 else None
            notice = told or await notices.tell(
                NoticeKind.INVOICE_COPY,
                workspace_id=live.scope.workspace_id,
                facts={
                    "invoice_id": newest.id,
                    "invoice_ids": [each.id for each in invoices],
                    "subscription": live.id,
                    "scope": live.scope.name,
                    "period_start": newest_period.isoformat(),
                    "period_end": newest.period_end.isoformat(),
                },
                dedup_key=f"copy:{live.id}:{int(newest_period.timestamp())}",
                owner_of=live,
                in_working_hours=True,
            )
            if notice is None:
                raise _SomebodyElse
            for start, of_it in periods.items():
                await InvoiceCopy.create(
                    subscription_id=live.id,
                    period_start=start,
                    invoice_id=of_it[-1].id,
                    notice_id=notice.id,
                    created_at=clock.now(),
                )
            await Subscription.filter(id=live.id).update(copied_period=newest_period)
    except (IntegrityError, _SomebodyElse):
        last = await InvoiceCopy.filter(subscription_id=live.id).order_by("-period_start").first()
        if last is not None:
            await Subscription.filter(id=live.id).update(copied_period=last.period_start)
        return 0
    return len(periods)


class _SomebodyElse(Exception):  # noqa: N818 - it says what it is
    """Has planned it at this moment."""
