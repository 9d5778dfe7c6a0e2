"""Reading Stripe again and writing what it says: the only writer of the mirror.

Nothing here trusts what an event carried. Each verb reads the object from Stripe and writes it if nobody wrote since the record
was read (`version`); otherwise it goes again. What follows from a change (notices, audit, roles, a quote settled) is in the same
transaction as the change, so it happens exactly once. Any verb may be called any number of times, in any order.
"""

from domain.sync.checkout import checkout_session
from domain.sync.customers import customer, new_customer
from domain.sync.invoices import invoice
from domain.sync.reminders import payment_action_required, trial_ending
from domain.sync.subscriptions import subscription

__all__ = [
    "checkout_session",
    "customer",
    "invoice",
    "new_customer",
    "payment_action_required",
    "subscription",
    "trial_ending",
]
