"""Subscriptions that are paid by invoice (R24): made, adjusted, and their invoices sent, as agreed with sales."""

from datetime import datetime
from typing import Any

from domain.payments import facts
from domain.payments.errors import as_refusals
from domain.payments.facts import PriceFacts, SubscriptionFacts
from domain.payments.looking import Looking
from domain.records.mirror import Interval
from domain.rules.catalogue import Plan, lookup_key


class Invoicing(Looking):
    """What sales agrees to, at Stripe. Every verb can be repeated: a key, or a look first, keeps it to one effect."""

    async def agreed_price(self, plan: Plan, currency: str, unit_amount: int) -> PriceFacts:
        """A yearly price of `unit_amount` minor units a seat: the listed one if it is that, else one made for the agreement.

        The same amount agreed twice is one price: it is found by its lookup key.
        """
        listed = currency in plan.price and self._catalogue.seat_price(plan, "year", currency).amount == unit_amount
        if listed:
            return await self.price(plan, Interval.YEAR, currency)
        key = f"agreed_{lookup_key(plan.key, 'year', currency, unit_amount)}"
        with as_refusals("prices.list"):
            found = await self._client.v1.prices.list_async({"lookup_keys": [key], "active": True, "limit": 1})
        if found.data:
            return self._remember(found.data[0].to_dict())
        product = f"kassor_{plan.key}"
        if not await self._has_product(product):  # a plan without a listed price is never pushed
            named: Any = {"id": product, "name": plan.name, "metadata": {"kassor_plan": plan.key}}
            with as_refusals("products.create"):
                await self._client.v1.products.create_async(named, {"idempotency_key": f"product:{product}"})
        params: Any = {
            "product": product,
            "currency": currency,
            "unit_amount": unit_amount,
            "recurring": {"interval": "year"},
            "lookup_key": key,
            "nickname": "Agreed with sales",
            "metadata": {"kassor_plan": plan.key},
        }
        with as_refusals("prices.create"):
            made = await self._client.v1.prices.create_async(params, {"idempotency_key": f"price:{key}"})
        return self._remember(made.to_dict())

    async def invoiced_subscription(
        self,
        *,
        key: str,
        customer_id: str,
        price_id: str,
        seats: int,
        days_until_due: int,
        metadata: dict[str, str],
    ) -> str:
        """A new subscription paid by invoice; the one there is, when `metadata` names a quote that has led to one. Its id.

        The look comes first because Stripe forgets keys after a day, and what was cut off may be carried on later than that.
        """
        with as_refusals("subscriptions.list"):
            known = await self._client.v1.subscriptions.list_async(
                {"customer": customer_id, "status": "all", "limit": 100}
            )
            async for each in known.auto_paging_iter():
                if (each.to_dict().get("metadata") or {}).get("kassor_quote") == metadata["kassor_quote"]:
                    return str(each.id)
        params: Any = {
            "customer": customer_id,
            "items": [{"price": price_id, "quantity": seats}],
            "collection_method": "send_invoice",
            "days_until_due": days_until_due,
            "metadata": metadata,
        }
        with as_refusals("subscriptions.create"):
            made = await self._client.v1.subscriptions.create_async(params, {"idempotency_key": key})
        return str(made.id)

    async def adjust_invoiced(
        self, found: SubscriptionFacts, price: PriceFacts, seats: int, *, proration_date: datetime, key: str
    ) -> None:
        """Other seats or another price, prorated from `proration_date`, as it was previewed, and invoiced at once."""
        params: Any = {
            "items": [{"id": found.item_id, "price": price.id, "quantity": seats}],
            "proration_behavior": "always_invoice",
            "proration_date": int(proration_date.timestamp()),
        }
        with as_refusals("subscriptions.update"):
            await self._client.v1.subscriptions.update_async(found.id, params, {"idempotency_key": key})

    async def send_draft(self, invoice_id: str) -> None:
        """Send an invoice that Stripe would keep as a draft for an hour; one that has left the draft stays as it is."""
        with as_refusals("invoices.send"):
            raw = (await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict()
            if raw["status"] == "draft":
                await self._client.v1.invoices.send_invoice_async(
                    invoice_id, {}, {"idempotency_key": f"send:{invoice_id}"}
                )

    async def void_unpaid(self, subscription_id: str) -> None:
        """Take back the invoice of a subscription that should not have been: nobody is to pay it."""
        found = await self.subscription(subscription_id)
        if found is None or found.latest_invoice_id is None:
            return
        with as_refusals("invoices.void"):
            raw = (await self._client.v1.invoices.retrieve_async(found.latest_invoice_id)).to_dict()
            if raw["status"] == "draft":
                await self._client.v1.invoices.finalize_invoice_async(raw["id"], {"auto_advance": False})
            if raw["status"] in {"draft", "open"}:
                await self._client.v1.invoices.void_invoice_async(facts.id_of(raw["id"]) or "")
