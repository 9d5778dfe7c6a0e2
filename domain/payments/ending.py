"""Ending a subscription, giving money back, and trying an unpaid invoice again."""

from typing import Any

import stripe

from domain.payments import facts
from domain.payments.errors import as_refusals
from domain.payments.looking import Looking


class Endings(Looking):
    """Money that is owed, by them or by us."""

    async def cancel_now(self, subscription_id: str, *, credit: bool) -> None:
        """End it at once; `credit` gives the unused time back as credit on the customer's account."""
        params: Any = {"prorate": credit, "invoice_now": credit}
        with as_refusals("subscriptions.cancel"):
            try:
                await self._client.v1.subscriptions.cancel_async(subscription_id, params)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":  # it has ended already
                    raise

    async def refund_latest(self, subscription_id: str) -> None:
        """Give back what the first invoice of a subscription took: two checkouts raced and one is too many."""
        found = await self.subscription(subscription_id)
        if found is None or found.latest_invoice_id is None:
            return
        with as_refusals("refunds.create"):
            invoice = (
                await self._client.v1.invoices.retrieve_async(
                    found.latest_invoice_id, {"expand": ["payments.data.payment.payment_intent"]}
                )
            ).to_dict()
            for payment in (invoice.get("payments") or {}).get("data") or []:
                intent = facts.id_of(payment["payment"].get("payment_intent"))
                if intent and payment["status"] == "paid":
                    params: Any = {"payment_intent": intent, "reason": "duplicate"}
                    await self._client.v1.refunds.create_async(params, {"idempotency_key": f"refund:{subscription_id}"})

    async def pay_invoice(self, invoice_id: str) -> None:
        """Try an open invoice again with the method on file. Raises PaymentDeclined."""
        with as_refusals("invoices.pay"):
            await self._client.v1.invoices.pay_async(invoice_id)
