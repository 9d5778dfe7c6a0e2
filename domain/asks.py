"""Messages that ask somebody to pay, and what becomes of their buttons: they give way to what happened and when.

A message is written down as one that asks (`Notice.asks`) before it goes, under the lock of what it asks for. Whoever writes that
this is paid, or nothing is owed for it, puts a notice in the outbox for each such message, in the same transaction. So neither can
miss the other: a message that comes too late to ask doesn't, and one that has asked is drawn anew, once.
"""

from enum import StrEnum
from uuid import UUID

from tortoise.transactions import in_transaction

from domain import clock, notices
from domain.notices import NoticeKind
from domain.records import Invoice, Notice, Quote
from domain.records.quotes import QuoteState

_WHERE = {  # in its facts: the invoice or the quote
    NoticeKind.PAYMENT_FAILED.value: "invoice",
    NoticeKind.PAYMENT_NEEDS_ACTION.value: "invoice_id",
    NoticeKind.CHECKOUT_READY.value: "quote",
}


class How(StrEnum):
    """How it ended."""

    PAID = "paid"
    VOID = "void"  # nobody owes the invoice any more
    EXPIRED = "expired"  # nobody paid on the page while it was open
    SUPERSEDED = "superseded"  # a newer upgrade took its place


_INVOICES = {"paid": How.PAID, "void": How.VOID}  # Stripe's words


async def may_go(notice: Notice) -> bool:
    """Whether what a message asks for is still to be paid: it is then written down as asking, else it has nothing left to say."""
    wanted = notice.facts.get(_WHERE.get(notice.kind, ""))
    return await written_down(notice, str(wanted)) if wanted else True


async def written_down(notice: Notice, wanted: str) -> bool:
    """Keep that a message about to go asks for an invoice or a quote. False when that is over by now."""
    async with in_transaction():
        if await _is_over(notice, wanted):
            return False
        await Notice.filter(id=notice.id).update(asks=wanted)
    return True


async def _is_over(notice: Notice, wanted: str) -> bool:
    """Locked, so that nobody settles it while the message is written down."""
    if notice.kind == NoticeKind.CHECKOUT_READY:
        quote = await Quote.filter(id=UUID(wanted)).select_for_update().first()
        return quote is None or quote.state != QuoteState.ACCEPTED
    invoice = await Invoice.filter(id=wanted).select_for_update().first()
    return invoice is not None and invoice.status in _INVOICES


async def invoice_written(invoice_id: str, status: str, *, was: str | None) -> None:
    """An invoice's state was just written: one that is paid or void now has the messages that ask for it drawn anew."""
    if status in _INVOICES and status != was:
        await settle(invoice_id, _INVOICES[status])


async def settle(wanted: str, how: How) -> None:
    """It is over: every message that asks for it is to be drawn anew. In the transaction that made it so."""
    for earlier in await Notice.filter(asks=wanted).prefetch_related("member", "owner_of"):
        await notices.tell(
            NoticeKind.SETTLED,
            workspace_id=earlier.workspace_id,
            facts={"notice": str(earlier.id), "how": how.value, "at": clock.now().isoformat()},
            dedup_key=f"settled:{earlier.id}",
            member=earlier.member,
            owner_of=earlier.owner_of,
        )
