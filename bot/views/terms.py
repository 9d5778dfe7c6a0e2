"""The few phrases that many messages share: intervals, prices, seats."""

from bot.views.refusals import plan_name
from bot.words import Words
from domain.desk import Desk

__all__ = ["interval_word", "per_interval", "plan_name", "seats_word", "terms_line"]


def interval_word(t: Words, interval: str) -> str:
    """ "monthly" or "yearly"."""
    return t("yearly") if interval == "year" else t("monthly")


def per_interval(t: Words, amount: int, currency: str, interval: str) -> str:
    """An amount each month or year. Minor units."""
    money = t.money(amount, currency)
    return t("{money} a year", money=money) if interval == "year" else t("{money} a month", money=money)


def seats_word(t: Words, seats: int) -> str:
    """ "25 seats"."""
    return t.n("{count} seat", "{count} seats", seats)


def terms_line(t: Words, desk: Desk, plan: str | None, interval: str | None, seats: int | None) -> str:
    """ "Premium · yearly · 25 seats"."""
    parts = [plan_name(desk, plan)]
    if interval:
        parts.append(interval_word(t, interval))
    if seats:
        parts.append(seats_word(t, seats))
    return " · ".join(parts)
