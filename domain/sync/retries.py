"""A new payment method tries what is overdue at once, and a bank that says no again is told, not raised (M5)."""

import logging

from domain import notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Customer, Subscription
from domain.rules.refusals import PaymentDeclined, PaymentNeedsAction, PaymentsRefused
from domain.sync.consequences import failed_facts, terms

log = logging.getLogger("kassor.sync")


async def try_again(desk: Desk, customer: Customer, method_id: str) -> None:
    """Let the scope's subscription be paid with the new method from now on, and pay with it what is open.

    Once an invoice and method, however often it is called. Raises PaymentsAway.
    """
    live = await Subscription.get_or_none(scope_id=customer.scope_id, is_live=True).prefetch_related("scope")
    if live is None or live.customer_id != customer.id:
        return
    if live.is_manually_invoiced:
        return  # paid by hand: nothing is ever charged by itself
    if await desk.payments.use_method(live.id, method_id) not in {"past_due", "unpaid"}:
        return
    for invoice in await desk.payments.unpaid(live.id):
        if invoice.status != "open":
            continue
        try:
            await desk.payments.pay_invoice(invoice.id, method_id=method_id)
        except (PaymentDeclined, PaymentNeedsAction) as refusal:
            asks = isinstance(refusal, PaymentNeedsAction)
            facts = failed_facts(desk, live, [invoice]) | {"needs_action": asks, "again": True}
            facts["code"] = None if isinstance(refusal, PaymentNeedsAction) else refusal.code
            await notices.tell(
                NoticeKind.PAYMENT_FAILED,
                workspace_id=live.scope.workspace_id,
                facts=terms(live) | {"scope": live.scope.name, "subscription": live.id} | facts,
                dedup_key=f"failed_again:{invoice.id}:{method_id}",
                owner_of=live,
            )
            return  # asking the same card for the next one would only annoy the bank
        except PaymentsRefused as refusal:  # ours to mend; the new method itself is known all the same
            log.warning("%s could not be tried with the new method: %s", invoice.id, refusal)
