"""Checkout Sessions: an upgrade that was paid, or a payment page that nobody finished."""

from tortoise.transactions import in_transaction

from domain import asks, clock, notices, trace
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Quote
from domain.records.quotes import QuoteState
from domain.sync.customers import customer
from domain.sync.invoices import invoice
from domain.sync.subscriptions import subscription


async def checkout_session(desk: Desk, session_id: str) -> None:
    """Read a session again: completed, its subscription is read; expired, its quote is over. Raises PaymentsAway."""
    found = await desk.payments.session(session_id)
    if found.status == "complete" and found.subscription_id:
        live = await subscription(desk, found.subscription_id)
        if live is not None:
            await customer(desk, live.customer_id)
            if live.latest_invoice_id:
                await invoice(desk, live.latest_invoice_id)
    elif found.status == "expired":
        await _expire(session_id)


async def _expire(session_id: str) -> None:
    async with in_transaction():
        quote = await Quote.get_or_none(checkout_session_id=session_id).prefetch_related("scope", "requester")
        if quote is None:
            return
        trace.go_on_as(quote.trace)
        ended = await Quote.filter(id=quote.id, state=QuoteState.ACCEPTED).update(
            state=QuoteState.EXPIRED, settled_at=clock.now()
        )
        if ended:
            await asks.settle(str(quote.id), asks.How.EXPIRED)
            await notices.tell(
                NoticeKind.CHECKOUT_EXPIRED,
                workspace_id=quote.scope.workspace_id,
                facts={"scope": quote.scope.name, "plan": quote.plan},
                dedup_key=f"checkout_expired:{quote.id}",
                member=quote.requester,
                in_working_hours=True,
            )
