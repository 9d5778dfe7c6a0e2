"""Prices and products: found by lookup key, made from the catalogue, never edited."""

import stripe

from domain.payments.door import Door, Json
from domain.payments.errors import as_refusals
from domain.payments.facts import PriceFacts
from domain.records.mirror import Interval
from domain.rules.catalogue import Plan, lookup_key
from domain.rules.refusals import PaymentsRefused, UnknownCurrency


class Prices(Door):
    """What a seat costs, as Stripe has it."""

    async def price(self, plan: Plan, interval: Interval, currency: str) -> PriceFacts:
        """The price of a plan, found by its lookup key. Raises UnknownCurrency, PaymentsRefused when it isn't in Stripe."""
        if currency not in plan.price:
            raise UnknownCurrency(asked=currency, known=tuple(plan.price))
        amount = self._catalogue.seat_price(plan, interval, currency).amount
        for known in self._prices.values():
            if (known.plan, known.interval, known.currency, known.unit_amount) == (
                plan.key,
                interval,
                currency,
                amount,
            ):
                return known
        key = lookup_key(plan.key, interval, currency, amount)
        with as_refusals("prices.list"):
            found = await self._client.v1.prices.list_async({"lookup_keys": [key], "active": True, "limit": 1})
        if not found.data:
            raise PaymentsRefused(reference=f"no price {key}: kassor catalogue push")
        return self._remember(found.data[0].to_dict())

    async def _price_by_id(self, price_id: str) -> PriceFacts:
        if price_id not in self._prices:
            with as_refusals("prices.retrieve"):
                found = await self._client.v1.prices.retrieve_async(price_id)
            self._remember(found.to_dict())
        return self._prices[price_id]

    def _remember(self, raw: Json) -> PriceFacts:
        plan = (raw.get("metadata") or {}).get("kassor_plan")
        every = (raw.get("recurring") or {}).get("interval")
        if not plan or every not in set(Interval) or raw.get("unit_amount") is None:  # such as weekly, or in tiers
            raise PaymentsRefused(reference=f"{raw['id']} is no price of ours")
        price = PriceFacts(raw["id"], plan, Interval(every), raw["currency"], raw["unit_amount"])
        self._prices[price.id] = price
        return price

    async def push_catalogue(self, *, dry_run: bool = False) -> list[str]:
        """Make every product and price of the catalogue that isn't in Stripe; returns a line for each. Never edits an amount."""
        lines: list[str] = []
        for plan in self._catalogue.for_sale:
            if plan.price:
                lines += await self._push_plan(plan, dry_run)
        return lines

    async def _push_plan(self, plan: Plan, dry_run: bool) -> list[str]:
        lines = []
        product = f"kassor_{plan.key}"
        if not await self._has_product(product):
            lines.append(f"product {product}: {plan.name}")
            if not dry_run:
                with as_refusals("products.create"):
                    await self._client.v1.products.create_async(
                        {"id": product, "name": plan.name, "metadata": {"kassor_plan": plan.key}}
                    )
        for currency in plan.price:
            for interval in Interval:
                amount = self._catalogue.seat_price(plan, interval, currency).amount
                key = lookup_key(plan.key, interval, currency, amount)
                with as_refusals("prices.list"):
                    found = await self._client.v1.prices.list_async({"lookup_keys": [key], "limit": 1})
                if found.data:
                    continue
                lines.append(f"price {key}: {amount} {currency} a seat and {interval}")
                if not dry_run:
                    with as_refusals("prices.create"):
                        await self._client.v1.prices.create_async(
                            {
                                "product": product,
                                "currency": currency,
                                "unit_amount": amount,
                                "recurring": {"interval": interval.value},
                                "lookup_key": key,
                                "metadata": {"kassor_plan": plan.key},
                            }
                        )
        return lines

    async def _has_product(self, product: str) -> bool:
        with as_refusals("products.retrieve"):
            try:
                await self._client.v1.products.retrieve_async(product)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                return False
        return True
