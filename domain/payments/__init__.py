"""The one door to Stripe: every API call is in here, and every StripeError leaves as one of our refusals."""

from domain.payments.client import Payments
from domain.payments.facts import (
    CustomerFacts,
    InvoiceFacts,
    Preview,
    PreviewLine,
    SessionFacts,
    SubscriptionFacts,
)

__all__ = [
    "CustomerFacts",
    "InvoiceFacts",
    "Payments",
    "Preview",
    "PreviewLine",
    "SessionFacts",
    "SubscriptionFacts",
]
