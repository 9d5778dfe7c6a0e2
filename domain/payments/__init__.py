"""The one door to Stripe: every API call is in here, and every StripeError leaves as one of our refusals."""

from domain.payments.client import Payments
from domain.payments.facts import (
    CustomerFacts,
    InvoiceFacts,
    Preview,
    PreviewLine,
    PriceFacts,
    SessionFacts,
    SubscriptionFacts,
    UnpaidFacts,
)

__all__ = [
    "CustomerFacts",
    "InvoiceFacts",
    "Payments",
    "Preview",
    "PreviewLine",
    "PriceFacts",
    "SessionFacts",
    "SubscriptionFacts",
    "UnpaidFacts",
]
