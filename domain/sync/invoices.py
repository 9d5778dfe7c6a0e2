"""Invoices: what was billed, for which period, and whether it is paid."""

from dataclasses import asdict

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import asks, clock, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import InvoiceFacts
from domain.records import Customer, Invoice, Subscription
from domain.rules.refusals import PaymentsAway
from domain.sync.customers import TRIES


async def invoice(desk: Desk, invoice_id: str) -> Invoice | None:
    """Read an invoice again. None when its customer isn't one of ours. Raises PaymentsAway, PaymentsRefused."""
    for _ in range(TRIES):
        known = await Invoice.get_or_none(id=invoice_id)
        found = await desk.payments.invoice(invoice_id)
        customer = await Customer.get_or_none(id=found.customer_id)
        if customer is None:
            return None
        if await _write(known, found, str(customer.scope_id)):
            return await Invoice.get(id=invoice_id)
    raise PaymentsAway(retry_after=1)


async def _write(known: Invoice | None, found: InvoiceFacts, scope_id: str) -> bool:
    fields = asdict(found)
    del fields["id"], fields["customer_id"]
    if known is None:
        try:
            async with in_transaction():
                await Invoice.create(id=found.id, scope_id=scope_id, **fields)
                await _tell(found, was=None)
                await asks.invoice_written(found.id, found.status, was=None)
                await _can_be_copied(found)
        except IntegrityError:
            return False
        return True
    if all(getattr(known, name) == value for name, value in fields.items()):
        return True
    async with in_transaction():
        if not await Invoice.filter(id=known.id, version=known.version).update(**fields, version=known.version + 1):
            return False
        await _tell(found, was=known.status)
        await asks.invoice_written(found.id, found.status, was=known.status)
        await _can_be_copied(found)
    return True


async def _can_be_copied(found: InvoiceFacts) -> None:
    """A finalised invoice makes its period's copy due at once, if it has none (I1)."""
    if found.finalized_at is not None and found.subscription_id:
        await Subscription.filter(id=found.subscription_id, copy_ask_at__gt=clock.now()).update(copy_ask_at=clock.now())


async def _tell(found: InvoiceFacts, *, was: str | None) -> None:
    """An open invoice that must be paid by hand is news at once; the rest is told by the subscription or by the periodic copy."""
    if (
        found.collection_method != "send_invoice"
        or found.status != "open"
        or was == "open"
        or not found.subscription_id
    ):
        return
    live = await Subscription.get_or_none(id=found.subscription_id).prefetch_related("scope")
    if live is not None:
        await notices.tell(
            NoticeKind.INVOICE_AGAIN,
            workspace_id=live.scope.workspace_id,
            facts={"invoice_id": found.id},
            dedup_key=f"open:{found.id}",
            owner_of=live,
            in_working_hours=True,
        )
