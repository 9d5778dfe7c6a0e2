"""The billing desk: what every action needs besides the records. Wired once, by the console, and passed on by hand."""

from dataclasses import dataclass

from domain.config import Settings
from domain.payments import Payments
from domain.rules.catalogue import Catalogue


@dataclass(frozen=True)
class Desk:
    """The settings, what is for sale, and the one door to Stripe."""

    settings: Settings
    catalogue: Catalogue
    payments: Payments
