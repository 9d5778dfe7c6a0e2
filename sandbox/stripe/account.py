"""The account: every object Stripe keeps, and the verbs that hosted pages and control handles call."""

from typing import Any

from sandbox.clock import WorldClock
from sandbox.stripe.payment import Outcome, Payment

Object = dict[str, Any]


class Account:
    """Everything in the account. `objects[kind][id]` is the raw JSON as the API returns it, unexpanded.

    `kind` is Stripe's `object` name: "subscription", "checkout.session", "billing_portal.session", …
    """

    def __init__(self, *, clock: WorldClock, base_url: str, name: str = "Fjällvind Software") -> None:
        self.clock = clock
        self.base_url = base_url
        self.name = name
        self.objects: dict[str, dict[str, Object]] = {}

    async def pay_checkout(
        self, session_id: str, payment: Payment, *, address: dict[str, str] | None = None, email: str | None = None
    ) -> Outcome:
        """Complete a Checkout Session: subscription, first invoice and charge; or, in setup mode, a saved method."""
        raise NotImplementedError

    async def abandon_checkout(self, session_id: str) -> None:
        """Let a Checkout Session expire now (`checkout.session.expired`)."""
        raise NotImplementedError

    async def save_portal_payment_method(self, portal_session_id: str, payment: Payment) -> Outcome:
        """Attach a method, make it the default of the customer and its subscriptions, detach the one before."""
        raise NotImplementedError

    async def update_portal_customer(
        self,
        portal_session_id: str,
        *,
        name: str | None,
        email: str | None,
        address: dict[str, str] | None,
        tax_id: str | None = None,
    ) -> None:
        """Write what a person changed on the portal's billing details."""
        raise NotImplementedError

    async def pay_invoice(self, invoice_id: str, payment: Payment | None) -> Outcome:
        """Pay an open invoice on its hosted page; with None, with the method on file."""
        raise NotImplementedError

    def portal_session(self, portal_session_id: str) -> Object | None:
        """The raw `billing_portal.session` (customer, flow, return_url), or None."""
        return self.objects.get("billing_portal.session", {}).get(portal_session_id)
