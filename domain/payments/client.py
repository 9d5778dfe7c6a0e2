"""Stripe's API, verb by verb, in one hand. Callers give idempotency keys; amounts are minor units; every error is a refusal."""

from domain.payments.changes import Changes
from domain.payments.checkout import Checkouts
from domain.payments.customers import Customers
from domain.payments.invoicing import Invoicing


class Payments(Customers, Checkouts, Changes, Invoicing):
    """The door, whole. Make it inside a running event loop; `close()` it at the end."""
