"""Checkout Sessions: Stripe's page for paying a new subscription."""

from datetime import datetime
from typing import Any

import stripe

from domain.payments import facts
from domain.payments.door import Door
from domain.payments.errors import as_refusals
from domain.payments.facts import SessionFacts


class Checkouts(Door):
    """Opened, read again, closed."""

    async def open_checkout(
        self,
        *,
        key: str,
        customer_id: str,
        price_id: str,
        seats: int,
        quote_id: str,
        metadata: dict[str, str],
        trial_days: int,
        locale: str,
        return_url: str,
        expires_at: datetime,
    ) -> SessionFacts:
        """Stripe's page for paying a new subscription: card or PayPal and a billing address (R22)."""
        subscription: Any = {"metadata": metadata}
        if trial_days:
            subscription["trial_period_days"] = trial_days
        params: Any = {
            "mode": "subscription",
            "customer": customer_id,
            "customer_update": {"address": "auto", "name": "auto"},
            "billing_address_collection": "required",
            "allowed_payment_method_types": ["card", "paypal"],
            "line_items": [{"price": price_id, "quantity": seats}],
            "subscription_data": subscription,
            "client_reference_id": quote_id,
            "locale": locale.partition("-")[0],
            "success_url": f"{return_url}?done=1&lang={locale.partition('-')[0]}",
            "cancel_url": f"{return_url}?done=0&lang={locale.partition('-')[0]}",
            "expires_at": int(expires_at.timestamp()),
        }
        with as_refusals("checkout.sessions.create"):
            made = await self._client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        return facts.session(made.to_dict())

    async def session(self, session_id: str) -> SessionFacts:
        """A Checkout Session as it is now."""
        with as_refusals("checkout.sessions.retrieve"):
            return facts.session((await self._client.v1.checkout.sessions.retrieve_async(session_id)).to_dict())

    async def expire_checkout(self, session_id: str) -> SessionFacts:
        """Close a Checkout Session so that nobody can pay it any more; one that is over already stays as it is."""
        found = await self.session(session_id)
        if found.status != "open":
            return found
        with as_refusals("checkout.sessions.expire"):
            try:
                return facts.session((await self._client.v1.checkout.sessions.expire_async(session_id)).to_dict())
            except stripe.InvalidRequestError:  # paid, or closed by somebody else, at this very moment
                found = await self.session(session_id)
                if found.status == "open":
                    raise
                return found
