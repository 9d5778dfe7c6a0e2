"""What is for sale, read from a TOML file an operator can replace, and checked whole: every error listed at once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.rules.money import Money, least_step

SHIPPED = Path(__file__).with_name("catalogue.toml")
_LANGUAGES = ("en", "sv")
_TOP = {
    "default_currency", "annual_months", "invoice_from_seats", "invoice_due_days", "quote_minutes", "grace_days",
    "count_guests", "sizes", "links", "plans",
}  # fmt: skip
_LINKS = ("pricing", "scopes", "cancellation", "support")
_PLAN = {"key", "name", "features", "price", "trial_days"}
_KEY_LENGTH = 32  # the records' column


class CatalogueError(Exception):
    """The catalogue can't be used: `problems` lists everything that is wrong with it, one sentence each."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{source}: " + "; ".join(problems))


@dataclass(frozen=True)
class Plan:
    """A level for sale. `price` is minor units a seat and month by currency; empty means no listed price (R16)."""

    key: str
    name: str
    rank: int  # 0 is the free plan
    features: Mapping[str, tuple[str, ...]]  # by language
    price: Mapping[str, int]
    trial_days: int = 0

    @property
    def is_free(self) -> bool:
        """The plan everybody has who pays nothing (Basic)."""
        return self.rank == 0


@dataclass(frozen=True)
class Catalogue:
    """Plans in rising order, the sizes they come in, and the numbers of the rules."""

    plans: tuple[Plan, ...]
    sizes: tuple[int, ...]
    default_currency: str
    annual_months: int
    invoice_from_seats: int
    invoice_due_days: int  # an invoice paid by hand is due so many days after it was sent
    quote_minutes: int
    grace_days: int  # full access for so long after a renewal that wasn't paid (M5)
    count_guests: bool  # whether guests need a seat (R5)
    links: Mapping[str, str]

    @property
    def free(self) -> Plan:
        """The plan without prices that everybody starts on."""
        return self.plans[0]

    @property
    def for_sale(self) -> tuple[Plan, ...]:
        """Every plan above the free one, rising; those without a listed price included."""
        return self.plans[1:]

    def plan(self, key: str) -> Plan | None:
        """The plan of that key, or None."""
        return next((plan for plan in self.plans if plan.key == key), None)

    def seat_price(self, plan: Plan, interval: str, currency: str) -> Money:
        """What one seat costs for one interval ("month", "year"): a year is `annual_months` months (R4).

        Raises KeyError when the plan has no price in the currency.
        """
        months = {"month": 1, "year": self.annual_months}[interval]
        return Money(plan.price[currency] * months, currency)

    def size_for(self, seats: int) -> int | None:
        """The smallest listed size of at least `seats` (R7); None when there is none."""
        return next((size for size in self.sizes if size >= seats), None)


def lookup_key(plan: str, interval: str, currency: str, amount: int) -> str:
    """The Stripe price's lookup key. The amount is part of it: a changed amount is another price, never an edit."""
    return f"kassor_{plan}_{interval}_{currency}_{amount}"


def load(path: Path | None = None) -> Catalogue:
    """Read and check a catalogue; the shipped one when `path` is None. Raises CatalogueError with every problem."""
    source = path or SHIPPED
    try:
        raw = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(str(source), [f"cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogueError(str(source), [f"is not TOML: {error}"]) from None
    problems: list[str] = []
    catalogue = _parse(raw, problems)
    if problems:
        raise CatalogueError(str(source), problems)
    return catalogue


def _parse(raw: dict[str, Any], problems: list[str]) -> Catalogue:
    problems += [f"`{name}` is not a setting of the catalogue" for name in sorted(set(raw) - _TOP)]
    currency = _currency(raw.get("default_currency"), "default_currency", problems)
    plans = _plans(raw.get("plans"), problems)
    problems += [
        f"plan `{plan.key}` has no price in the default currency {currency}"
        for plan in plans
        if plan.price and currency and currency not in plan.price
    ]
    if plans and not any(plan.price for plan in plans):
        problems.append("no plan has a price: one at least must be for sale without asking")
    return Catalogue(
        plans=plans,
        sizes=_sizes(raw.get("sizes"), problems),
        default_currency=currency,
        annual_months=_whole(raw, "annual_months", 1, 12, problems),
        invoice_from_seats=_whole(raw, "invoice_from_seats", 2, 1_000_000, problems),
        invoice_due_days=_whole(raw, "invoice_due_days", 1, 365, problems),
        quote_minutes=_whole(raw, "quote_minutes", 1, 24 * 60, problems),
        grace_days=_whole(raw, "grace_days", 0, 90, problems),
        count_guests=_yes_or_no(raw, "count_guests", problems),
        links=_links(raw.get("links", {}), problems),
    )


def _whole(raw: dict[str, Any], name: str, least: int, most: int, problems: list[str]) -> int:
    value = raw.get(name)
    if type(value) is not int or not least <= value <= most:
        problems.append(f"`{name}` must be a whole number from {least} to {most}, not {value!r}")
        return least
    return value


def _yes_or_no(raw: dict[str, Any], name: str, problems: list[str]) -> bool:
    value = raw.get(name)
    if type(value) is not bool:
        problems.append(f"`{name}` must be true or false, not {value!r}")
    return value is True


def _currency(value: Any, where: str, problems: list[str]) -> str:
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.islower()):
        problems.append(f"`{where}` must be a currency such as sek, in lower case, not {value!r}")
        return ""
    return value


def _sizes(value: Any, problems: list[str]) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or any(type(size) is not int for size in value):
        problems.append("`sizes` must be a list of whole numbers")
        return ()
    if value != sorted(set(value)):
        problems.append("`sizes` must rise, each size once")
    if min(value) < 2:
        problems.append("`sizes` must start at 2 or more: there is never a plan for one (R7)")
    if max(value) > 1_000_000:
        problems.append("`sizes` must end at 1,000,000 or less")
    return tuple(value)


def _links(value: Any, problems: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        problems.append("`links` must be a table of addresses")
        return {}
    links = {}
    for name, address in value.items():
        if name not in _LINKS:
            problems.append(f"`links.{name}` is not a link Kassör shows; it knows {', '.join(_LINKS)}")
        elif not isinstance(address, str) or (address and not address.startswith("https://")):
            problems.append(f"`links.{name}` must be an https:// address or empty")
        elif address:
            links[name] = address
    return links


def _plans(value: Any, problems: list[str]) -> tuple[Plan, ...]:
    if not isinstance(value, list) or len(value) < 2:
        problems.append("`plans` must list the free plan and at least one more")
        return ()
    plans = [_plan(rank, table, problems) for rank, table in enumerate(value)]
    keys = [plan.key for plan in plans]
    problems += [f"plan `{key}` is listed twice" for key in sorted({key for key in keys if keys.count(key) > 1})]
    return tuple(plans)


def _plan(rank: int, table: Any, problems: list[str]) -> Plan:
    if not isinstance(table, dict):
        problems.append(f"plan {rank + 1} must be a table")
        return Plan("", "", rank, {}, {})
    key = table.get("key")
    where = f"plan `{key}`" if isinstance(key, str) and key else f"plan {rank + 1}"
    problems += [f"{where}: `{name}` is not a setting of a plan" for name in sorted(set(table) - _PLAN)]
    if not isinstance(key, str) or not key.isascii() or not key.isidentifier() or len(key) > _KEY_LENGTH:
        problems.append(f"{where}: `key` must be a word of at most {_KEY_LENGTH} letters, digits and _")
    name = table.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 40 or not name.isprintable():
        problems.append(f"{where}: `name` must be 1 to 40 characters")
    trial_days = table.get("trial_days", 0)
    if type(trial_days) is not int or not 0 <= trial_days <= 730:
        problems.append(f"{where}: `trial_days` must be a whole number from 0 to 730")
        trial_days = 0
    price = _price(table.get("price", {}), where, problems)
    if rank == 0 and (price or trial_days):
        problems.append(f"{where}: the first plan is the free one; it has neither price nor trial")
    return Plan(str(key), str(name), rank, _features(table.get("features", {}), where, problems), price, trial_days)


def _price(value: Any, where: str, problems: list[str]) -> dict[str, int]:
    if not isinstance(value, dict):
        problems.append(f"{where}: `price` must be a table such as {{ sek = 12_500 }}")
        return {}
    price = {}
    for currency, amount in value.items():
        _currency(currency, f"{where}: price", problems)
        if type(amount) is not int or not 1 <= amount <= 99_999_999:  # Stripe's largest unit amount
            problems.append(f"{where}: price in {currency} must be minor units from 1 to 99,999,999, not {amount!r}")
        elif amount % (step := least_step(currency)):
            problems.append(f"{where}: price in {currency} must end in {str(step)[1:]}: Stripe charges no less")
        else:
            price[currency] = amount
    return price


def _features(value: Any, where: str, problems: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        problems.append(f"{where}: `features` must be a table by language")
        return {}
    features = {}
    for language, lines in value.items():
        if not isinstance(lines, list) or any(not isinstance(line, str) or not line for line in lines):
            problems.append(f"{where}: `features.{language}` must be a list of sentences")
        else:
            features[language] = tuple(lines)
    problems += [
        f"{where}: `features.{language}` is missing" for language in _LANGUAGES if value and language not in value
    ]
    return features
