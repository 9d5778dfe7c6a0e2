"""Catalogues made for a test, written as an operator would write them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain.rules.catalogue import Catalogue, CatalogueError, load
from domain.rules.refusals import Refusal


def toml(value: Any) -> str:
    """A value as TOML; tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else "nan" if value != value else "inf"  # noqa: PLR0124 - NaN
    return json.dumps(value).replace("\x7f", "\\u007f")


def good() -> dict[str, Any]:
    """A small catalogue with nothing wrong."""
    words = {"en": ["A"], "sv": ["B"]}
    return {
        "default_currency": "sek",
        "annual_months": 10,
        "invoice_from_seats": 20,
        "invoice_due_days": 30,
        "quote_minutes": 30,
        "grace_days": 14,
        "count_guests": False,
        "sizes": [2, 3, 5, 10],
        "links": {"pricing": "https://a.example"},
        "plans": [
            {"key": "basic", "name": "Basic", "features": words},
            {"key": "premium", "name": "Premium", "features": words, "price": {"sek": 100}},
            {"key": "business", "name": "Business", "price": {"sek": 200, "eur": 20}, "trial_days": 14},
            {"key": "enterprise", "name": "Enterprise"},
        ],
    }


def read(raw: dict[str, Any], folder: Path) -> Catalogue:
    """Load it from a file. Raises CatalogueError."""
    path = folder / "catalogue.toml"
    path.write_text("".join(f"{json.dumps(name)} = {toml(value)}\n" for name, value in raw.items()), encoding="utf-8")
    return load(path)


def problems(raw: dict[str, Any], folder: Path) -> list[str]:
    """What is wrong with it; nothing when it loads."""
    try:
        read(raw, folder)
    except CatalogueError as error:
        return error.problems
    return []


def outcome(work: Callable[..., Any], *given: Any) -> Any:
    """What comes of it, or the refusal."""
    try:
        return work(*given)
    except Refusal as refusal:
        return refusal
