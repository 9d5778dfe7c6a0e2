"""Ending a subscription, giving money back, and trying an unpaid invoice again."""

from typing import Any

import stripe

from domain.payments import facts
from domain.payments.door import Json
from domain.payments.errors import as_refusals
from domain.payments.facts import EndedWhy, UnpaidFacts
from domain.payments.looking import Looking


class Endings(Looking):
    """Money that is owed, by them or by us."""

    async def cancel_now(
        self, subscription_id: str, *, credit: bool, why: EndedWhy = "", by: int | None = None
    ) -> None:
        """End it at once; `credit` gives the unused time back as credit on the customer's account.

        `why` (and the member `by` whom) stays with the subscription at Stripe, so that whoever reads of its end can tell it right.
        """
        params: Any = {"prorate": credit, "invoice_now": credit}
        if why:
            params["cancellation_details"] = {"comment": facts.ended_comment(why, by)}
        with as_refusals("subscriptions.cancel"):
            try:
                await self._client.v1.subscriptions.cancel_async(subscription_id, params)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":  # it has ended already
                    raise

    async def refund_latest(self, subscription_id: str) -> int:
        """Give back what the first invoice of a subscription took: two checkouts raced and one is too many.

        Returns what it did to the customer's balance, minor units: negative for credit it used, which is to be put back.
        """
        found = await self.subscription(subscription_id)
        if found is None or found.latest_invoice_id is None:
            return 0
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
                    key: Any = {"idempotency_key": f"refund:{subscription_id}"}
                    try:
                        await self._client.v1.refunds.create_async(params, key)
                    except stripe.InvalidRequestError as error:
                        if error.code != "charge_already_refunded":  # by somebody in the dashboard, or by us long ago
                            raise
        if invoice.get("ending_balance") is None:
            return 0
        return int(invoice["starting_balance"] - invoice["ending_balance"])

    async def pay_invoice(self, invoice_id: str, *, method_id: str | None = None) -> None:
        """Try an open invoice again, with the method on file or the one given: once a method, however often it is asked.

        One that is paid, or no longer owed, is left alone. Raises PaymentDeclined, PaymentNeedsAction.
        """
        params: Any = {"payment_method": method_id} if method_id else {}
        options: Any = {"idempotency_key": f"pay:{invoice_id}:{method_id}"} if method_id else {}
        with as_refusals("invoices.pay"):
            try:
                await self._client.v1.invoices.pay_async(invoice_id, params, options)
            except stripe.InvalidRequestError:
                if (await self._client.v1.invoices.retrieve_async(invoice_id)).status == "open":
                    raise  # somebody else was not first: it is refused for another reason

    async def use_method(self, subscription_id: str, method_id: str) -> str:
        """Let a subscription be charged to the customer's new default: Checkout gave it one of its own, which goes first.

        Returns the subscription's status.
        """
        with as_refusals("subscriptions.update"):
            found = (await self._client.v1.subscriptions.retrieve_async(subscription_id)).to_dict()
            if facts.id_of(found.get("default_payment_method")) not in {None, method_id}:
                await self._client.v1.subscriptions.update_async(subscription_id, {"default_payment_method": method_id})
        return str(found["status"])

    async def unpaid(self, subscription_id: str) -> list[UnpaidFacts]:
        """What a subscription's customer has been billed, or is about to be, and has not paid: newest first."""
        found: list[UnpaidFacts] = []
        with as_refusals("invoices.list"):
            for status in ("open", "draft"):
                params: Any = {"subscription": subscription_id, "status": status, "limit": 100}
                page = await self._client.v1.invoices.list_async(params)
                for each in page.data:  # one by one: a list may not be expanded so deep
                    invoice = await self._client.v1.invoices.retrieve_async(
                        each.id, {"expand": ["payments.data.payment.payment_intent"]}
                    )
                    found.append(facts.unpaid(invoice.to_dict()))
        return found

    async def give_up_invoice(self, invoice_id: str) -> bool:
        """Nobody owes an invoice any more: void; a draft is finalised first, uncharged. False when it has been paid after all."""
        with as_refusals("invoices.void"):
            found = (await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict()
            if found["status"] == "draft":
                await self._client.v1.invoices.finalize_invoice_async(invoice_id, {"auto_advance": False})
                found = (await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict()
            if found["status"] in {"open", "uncollectible"}:
                try:
                    await self._client.v1.invoices.void_invoice_async(invoice_id)
                except stripe.InvalidRequestError:  # paid, or voided by somebody else, at this very moment
                    found = (await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict()
                    if found["status"] == "open":
                        raise
            return bool(found["status"] != "paid")

    async def credited_at_end(self, subscription_id: str) -> tuple[int, str]:
        """What the end of a subscription put on its customer's balance, and in which currency. Minor units, at least 0.

        For a plan paid by hand Stripe keeps the closing invoice as a draft for an hour: it is finalised here, or nothing is there.
        """
        with as_refusals("invoices.list"):
            ended = (await self._client.v1.subscriptions.retrieve_async(subscription_id)).to_dict()
            page = await self._client.v1.invoices.list_async({"subscription": subscription_id, "limit": 20})
        since = (ended["ended_at"] or 0) - 60  # Stripe makes the invoice, then ends it: not always in the same second
        for each in (found.to_dict() for found in page.data):
            if each["created"] >= since and each["total"] < 0 and each["status"] != "void":
                if each["status"] == "draft":
                    each = await self._finalised(each["id"])  # noqa: PLW2901 - the same invoice, as it is now
                return max(0, (each["starting_balance"] or 0) - (each["ending_balance"] or 0)), each["currency"]
        return 0, ended["currency"]

    async def _finalised(self, invoice_id: str) -> Json:
        with as_refusals("invoices.finalize"):
            done = await self._client.v1.invoices.finalize_invoice_async(
                invoice_id, {"auto_advance": False}, {"idempotency_key": f"finalize:{invoice_id}"}
            )
        return done.to_dict()
