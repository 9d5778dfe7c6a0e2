"""The billing desk: what every action needs besides the records. Wired once, by the console, and passed on by hand."""

from dataclasses import dataclass

from domain.config import Settings
from domain.payments import Payments
from domain.rules.catalogue import Catalogue


@dataclass(frozen=True)
class Desk:
    """The settings, what is for sale, the one door to Stripe, and which of Stripe's events are ours to know."""

    settings: Settings
    catalogue: Catalogue
    payments: Payments
    event_types: tuple[str, ...] = ()
