"""Looking at what is due: page by page from the records, then the few about which somebody has to be asked."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from tortoise.connection import get_connection

from domain import clock, queue
from domain.copies import missed
from domain.copies.pages import BATCH, DUE, FINALISED_BY, Page, plan_page, put_off
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Notice
from domain.rules.hours import Hours
from domain.rules.refusals import PaymentsAway, Refusal

log = logging.getLogger("kassor.copies")
MOST_ASKED = 1_000  # subscriptions Stripe is asked about in one look
AT_ONCE = 8
REST, LONGEST_REST = 9, 1.0  # times as long as the page before it took; seconds, for where something else made it slow
SOON = timedelta(minutes=1)


async def plan_due(desk: Desk) -> int:
    """Put a copy in the outbox for every period that has an invoice and no copy; returns how many. Harmless side by side."""
    planned = later = 0
    ask: list[str] = []
    async for page in pages(desk.settings.copy_hours):
        planned += page.planned
        room = MOST_ASKED - len(ask)
        ask += page.ask[:room]
        # So many a look: a hundred thousand that wait for Stripe are not claimed and put off again every minute.
        await put_off(page.ask[room:], clock.now() + SOON * (1 + later // MOST_ASKED))
        later += len(page.ask[room:])
        if page.planned:
            queue.nudge(Notice)
    planned += await _ask(desk, ask)
    return planned


async def pages(hours: Hours) -> AsyncIterator[Page]:
    """Page by page until nothing is due. Long rests between them leave the database to people and to Stripe; another scheduler
    may plan meanwhile, where that is too slow.
    """
    while True:
        began = time.monotonic()
        page = await plan_page(hours)
        yield page
        if page.due < BATCH:
            return
        await asyncio.sleep(min((time.monotonic() - began) * REST, LONGEST_REST))


async def _ask(desk: Desk, ids: list[str]) -> int:
    """Plan those one by one. When Stripe is away the rest waits for the next look."""
    gate = asyncio.Semaphore(AT_ONCE)
    away = asyncio.Event()

    async def one(subscription_id: str) -> int:
        async with gate:
            if not away.is_set():
                try:
                    return await missed.plan(desk, subscription_id)
                except PaymentsAway:
                    away.set()
                except Refusal as refusal:
                    log.warning("no invoice could be read for %s: %s", subscription_id, refusal)
                    return 0
                except Exception:
                    log.exception("the copy of %s could not be planned; in an hour again", subscription_id)
                    return 0  # the others' go on
            await put_off([subscription_id], clock.now() + SOON)
            return 0

    planned = sum(await asyncio.gather(*(one(each) for each in ids)))
    if planned:
        queue.nudge(Notice)
    return planned


async def age_of_oldest() -> float:
    """How long the oldest copy has been due and is not sent, in seconds; 0 when none is.

    Due is a copy that is in the outbox and may go now, and one whose period began so long ago that its invoice should be there.
    """
    now = clock.now()
    database = get_connection("default")
    [row] = await database.execute_query_dict(
        f"SELECT MIN(current_period_start) AS began FROM subscription WHERE {DUE}"
    )
    waiting = Notice.filter(state=QueueState.QUEUED, kind=NoticeKind.INVOICE_COPY.value, available_at__lte=now)
    oldest = await waiting.order_by("available_at").first()
    ages = [0.0]
    if row["began"] is not None:
        began = row["began"] if isinstance(row["began"], datetime) else datetime.fromisoformat(row["began"])
        ages.append((now - began - FINALISED_BY).total_seconds())
    if oldest is not None:
        ages.append((now - oldest.available_at).total_seconds())
    return max(ages)


async def number_due() -> int:
    """How many subscriptions have begun a period whose copy is not in the outbox yet, their invoices there or not."""
    query = f"SELECT COUNT(*) AS due FROM subscription WHERE {DUE}"
    [row] = await get_connection("default").execute_query_dict(query)
    return int(row["due"])
