"""Customers: who pays, with what, and Stripe's own pages where they change it."""

import json
from typing import Any
from uuid import UUID, uuid5

from domain.payments import facts
from domain.payments.door import Door
from domain.payments.errors import as_refusals
from domain.payments.facts import CustomerFacts


class Customers(Door):
    """One customer a scope, kept for ever."""

    async def ensure_customer(self, *, scope_id: str, name: str, email: str | None, locale: str) -> str:
        """A new customer for a scope; the same one when asked twice the same within a day. Returns its id.

        What is asked is part of the key: a colleague who goes on where somebody was cut off asks with another address, which
        Stripe would refuse under the same one for a day. What the first left behind has nothing to it.
        """
        params: Any = {
            "name": name[:255],
            "preferred_locales": [locale.partition("-")[0]],
            "metadata": {"kassor_scope": scope_id},
        }
        if email:
            params["email"] = email
        with as_refusals("customers.create"):
            asked = uuid5(UUID(scope_id), json.dumps(params, sort_keys=True))
            made = await self._client.v1.customers.create_async(params, {"idempotency_key": f"customer:{asked}"})
        return made.id

    async def set_customer_contact(self, customer_id: str, *, email: str | None, locale: str) -> None:
        """Whom Stripe writes to: the billing owner, in their language."""
        params: Any = {"preferred_locales": [locale.partition("-")[0]], **({"email": email} if email else {})}
        with as_refusals("customers.update"):
            await self._client.v1.customers.update_async(customer_id, params)

    async def customer(self, customer_id: str) -> CustomerFacts:
        """A customer, and the method they pay with: their own default, else their live subscription's."""
        with as_refusals("customers.retrieve"):
            found = await self._client.v1.customers.retrieve_async(
                customer_id, {"expand": ["invoice_settings.default_payment_method"]}
            )
            raw = found.to_dict()
            method = (raw.get("invoice_settings") or {}).get("default_payment_method")
            if not method:
                live = await self._client.v1.subscriptions.list_async(
                    {"customer": customer_id, "limit": 1, "expand": ["data.default_payment_method"]}
                )
                method = live.data[0].to_dict().get("default_payment_method") if live.data else None
        return facts.customer(raw, method)

    async def adjust_balance(self, customer_id: str, amount: int, currency: str, *, key: str) -> None:
        """Put `amount` minor units on a customer's balance (negative: credit, which pays the next invoice), once for its `key`.

        The key is left with the transaction too, so that it is found again when Stripe has forgotten the request.
        """
        with as_refusals("customers.balance_transactions.create"):
            found = await self._client.v1.customers.balance_transactions.list_async(customer_id, {"limit": 100})
            async for each in found.auto_paging_iter():
                if (each.to_dict().get("metadata") or {}).get("kassor_key") == key:
                    return
            params: Any = {"amount": amount, "currency": currency, "metadata": {"kassor_key": key}}
            await self._client.v1.customers.balance_transactions.create_async(
                customer_id, params, {"idempotency_key": key}
            )

    async def portal_link(
        self, customer_id: str, *, return_url: str, flow: str | None = None, locale: str = "auto"
    ) -> str:
        """An address of Stripe's customer portal; `flow` "payment_method_update" opens exactly that (R53)."""
        params: Any = {"customer": customer_id, "return_url": return_url, "locale": locale}
        if flow:
            after = {"type": "redirect", "redirect": {"return_url": return_url}}
            params["flow_data"] = {"type": flow, "after_completion": after}
        with as_refusals("billing_portal.sessions.create"):
            made = await self._client.v1.billing_portal.sessions.create_async(params)
        return made.url
