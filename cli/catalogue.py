"""`kassor catalogue show`: what is for sale, as people see it, in each language."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.words import Words
from domain.rules import catalogue
from domain.rules.catalogue import Catalogue, Plan

_WORDS = {
    "en": {
        "free": "free",
        "ask": "on request",
        "a": "a seat and {}",
        "month": "month",
        "year": "year",
        "sizes": "Sizes",
    },
    "sv": {
        "free": "gratis",
        "ask": "på begäran",
        "a": "per plats och {}",
        "month": "månad",
        "year": "år",
        "sizes": "Storlekar",
    },
}
_LOCALES = {"en": "en-US", "sv": "sv-SE"}


def show(path: str | None, say: Callable[[str], None], *, as_json: bool) -> None:
    """Print it. Raises CatalogueError."""
    for_sale = catalogue.load(Path(path) if path else None)
    if as_json:
        say(json.dumps(_facts(for_sale), indent=2, ensure_ascii=False))
        return
    for language, words in _WORDS.items():
        say({"en": "English", "sv": "Svenska"}[language])
        for plan in for_sale.plans:
            say(f"\n  {plan.name}")
            for line in _prices(for_sale, plan, language, words):
                say(f"    {line}")
            for feature in plan.features.get(language, ()):
                say(f"    · {feature}")
        say(f"\n  {words['sizes']}: {', '.join(str(size) for size in for_sale.sizes)}\n")


def _prices(for_sale: Catalogue, plan: Plan, language: str, words: dict[str, str]) -> list[str]:
    if plan.is_free:
        return [words["free"]]
    if not plan.price:
        return [words["ask"]]
    t = Words(_LOCALES[language])
    return [
        f"{t.money(for_sale.seat_price(plan, interval, currency).amount, currency)} {words['a'].format(words[interval])}"
        for currency in plan.price
        for interval in ("month", "year")
    ]


def _facts(for_sale: Catalogue) -> dict[str, Any]:
    return {
        "default_currency": for_sale.default_currency,
        "annual_months": for_sale.annual_months,
        "sizes": list(for_sale.sizes),
        "grace_days": for_sale.grace_days,
        "invoice_from_seats": for_sale.invoice_from_seats,
        "plans": [
            {
                "key": plan.key,
                "name": plan.name,
                "trial_days": plan.trial_days,
                "features": {language: list(lines) for language, lines in plan.features.items()},
                "prices": [
                    {
                        "currency": currency,
                        "interval": interval,
                        "unit_amount": amount.amount,
                        "lookup_key": catalogue.lookup_key(plan.key, interval, currency, amount.amount),
                    }
                    for currency in plan.price
                    for interval in ("month", "year")
                    for amount in (for_sale.seat_price(plan, interval, currency),)
                ],
            }
            for plan in for_sale.plans
        ],
    }
