"""The account: every object Stripe keeps, and the verbs that hosted pages and control handles call."""

from typing import Any

from sandbox.clock import WorldClock
from sandbox.stripe import checkout, paying, portal
from sandbox.stripe.errors import ApiError
from sandbox.stripe.payment import Outcome, Payment
from sandbox.stripe.store import Store

Object = dict[str, Any]


class Account(Store):
    """Everything in the account. `objects[kind][id]` is the raw JSON as the API returns it, unexpanded.

    `kind` is Stripe's `object` name: "subscription", "checkout.session", "billing_portal.session", …
    """

    def __init__(self, *, clock: WorldClock, base_url: str, name: str = "Fjällvind Software") -> None:
        super().__init__(clock=clock, base_url=base_url, name=name)

    async def pay_checkout(
        self, session_id: str, payment: Payment, *, address: dict[str, str] | None = None, email: str | None = None
    ) -> Outcome:
        """Complete a Checkout Session: subscription, first invoice and charge; or, in setup mode, a saved method."""
        return paying.pay(self, session_id, payment, address=address, email=email)

    async def abandon_checkout(self, session_id: str) -> None:
        """Let a Checkout Session expire now (`checkout.session.expired`). Raises ApiError unless it is open."""
        checkout.expire(self, self.get("checkout.session", session_id))

    async def save_portal_payment_method(self, portal_session_id: str, payment: Payment) -> Outcome:
        """Attach a method, make it the default of the customer and its subscriptions, detach the one before."""
        return portal.save_method(self, portal_session_id, payment)

    async def update_portal_customer(
        self,
        portal_session_id: str,
        *,
        name: str | None,
        email: str | None,
        address: dict[str, str] | None,
        tax_id: str | None = None,
    ) -> None:
        """Write what a person changed on the portal's billing details. Raises ApiError for what Stripe refuses."""
        portal.update_details(self, portal_session_id, name=name, email=email, address=address, tax_id=tax_id)

    async def pay_invoice(self, invoice_id: str, payment: Payment | None) -> Outcome:
        """Pay an open invoice on its hosted page; with None, with the method on file."""
        try:
            return portal.pay_invoice(self, invoice_id, payment)
        except ApiError as refusal:
            return paying.outcome_of(refusal)

    def portal_session(self, portal_session_id: str) -> Object | None:
        """The raw `billing_portal.session` (customer, flow, return_url), or None."""
        return self.objects.get("billing_portal.session", {}).get(portal_session_id)
