"""Money: whole minor units and a currency. Never a float, never a bare number that could be something else."""

import re
from dataclasses import dataclass

from domain.rules.refusals import PriceNotANumber

# Stripe's currencies without minor units, and with three decimals: docs.stripe.com/currencies
_ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
_THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_WHOLE_ONLY = frozenset(["isk", "ugx"])


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit stands for: sek 2, jpy 0, kwd 3."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def least_step(currency: str) -> int:
    """The minor units Stripe charges the currency in: kwd in tens, isk and ugx (two decimals by name alone) in hundreds."""
    if currency in _WHOLE_ONLY:
        return 100
    return 10 if currency in _THREE_DECIMAL else 1


@dataclass(frozen=True)
class Money:
    """An amount in minor units (öre, cents) of an ISO 4217 currency in lower case, as Stripe writes both."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.amount * times, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def parse_amount(text: str, currency: str) -> int:
    """What a person types for an amount, in minor units: `1250`, `1 250,00`, `1,250.5`. Raises PriceNotANumber.

    A comma or point before one or two last digits is the decimal one, before three it groups thousands. Where three decimals
    are possible (kwd) only spaces group, so that nothing can be read in two ways.
    """
    decimals = exponent(currency)
    groups = " '\u00a0\u202f" + (".," if decimals < 3 else "")
    whole = rf"[0-9]{{1,3}}(?P<group>[{groups}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*|[0-9]+"
    fraction = rf"(?:(?!(?P=group))[.,](?P<fraction>[0-9]{{1,{decimals}}}))?" if decimals else "(?P<fraction>)"
    found = re.fullmatch(f"(?P<whole>{whole}){fraction}", text.strip())
    if found is None or len(text) > 40:
        raise PriceNotANumber(asked=text.strip()[:40])
    units = int(re.sub(r"[^0-9]", "", found["whole"]))
    return int(units * 10**decimals + int((found["fraction"] or "").ljust(decimals, "0") or 0))
