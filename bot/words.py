"""Words, money and dates in the reader's language. Messages are gettext's: English in the code, Swedish in `locales/`."""

import gettext
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from domain.rules.hours import zone
from domain.rules.money import exponent

LOCALES = Path(__file__).with_name("locales")
_DATE = re.compile(r"<!date\^-?\d+\^[^|>]*\|([^>]*)>")
_CODE_BY_NUMBER = re.compile(r"(?<=[A-Z]{3})(?=\d)")  # CLDR puts a space between "SEK" and its number; Babel doesn't


class Raw(str):
    """Text that is Slack's markup already, and is not escaped again: a mention, a link, a date."""

    __slots__ = ()


def escape(text: str) -> str:
    """Text as Slack's mrkdwn takes it literally: nobody's name can become a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user_id: str) -> Raw:
    """A person, as Slack shows them to the reader."""
    return Raw(f"<@{escape(user_id)}>")


def link(url: str, text: str) -> Raw:
    """A link with words of its own."""
    return Raw(f"<{escape(url).replace('|', '%7C')}|{escape(text).replace('|', '/')}>")


def written(text: str) -> str:
    """mrkdwn for where Slack draws no dates (a notification, plain text, a question before a press): they are spelled out."""
    return _DATE.sub(r"\1", text)


@cache
def languages() -> frozenset[str]:
    """What Kassör speaks: English, and every language with a file in `locales/`."""
    return frozenset({"en", *(path.parts[-3] for path in LOCALES.glob("*/LC_MESSAGES/kassor.po"))})


@cache
def plural_form(language: str) -> Callable[[int], int]:
    """Which of its forms a language uses for a number, as its file's `Plural-Forms` says; English's are "one" and "more"."""
    path = LOCALES / language / "LC_MESSAGES" / "kassor.po"
    if not path.is_file():
        return lambda count: int(count != 1)
    with path.open("rb") as file:
        return gettext.c2py(read_po(file, locale=language).plural_expr)


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """The translations of a language by English text; a plural's is a tuple. Empty for English."""
    path = LOCALES / language / "LC_MESSAGES" / "kassor.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    translations: dict[str, Any] = {}
    for message in found:
        key = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if key and message.string:
            translations[key] = message.string
    return translations


class Words:
    """One reader's language, currency format and time zone."""

    def __init__(self, locale: str, tz: str = "UTC") -> None:
        wanted = locale.replace("-", "_")
        spoken = wanted.partition("_")[0]
        self.language = spoken if spoken in languages() else "en"
        self.zone = zone(tz)
        try:
            self.locale = Locale.parse(wanted if spoken == self.language else "en_US")
        except (UnknownLocaleError, ValueError):
            self.locale = Locale.parse(self.language)

    def __call__(self, text: str, /, **facts: object) -> str:
        """A message for Slack's mrkdwn: facts are escaped unless they are Raw."""
        return self._filled(catalogue(self.language).get(text, text), facts, escape)

    def plain(self, text: str, /, **facts: object) -> str:
        """A message for plain text (titles, buttons, fallbacks): facts stay as they are."""
        return written(self._filled(catalogue(self.language).get(text, text), facts, str))

    def n(self, one: str, many: str, count: int, /, **facts: object) -> str:
        """A message about a number of things, `{count}` in it."""
        forms = catalogue(self.language).get(one, (one, many))
        form = forms[plural_form(self.language)(count)]
        return self._filled(form, facts | {"count": self.number(count)}, escape)

    @staticmethod
    def _filled(text: str, facts: Mapping[str, object], quote: Any) -> str:
        if not facts:
            return text
        shown = {
            name: value if isinstance(value, Raw) or not isinstance(value, str) else quote(value)
            for name, value in facts.items()
        }
        return text.format_map(shown)

    def number(self, value: int) -> str:
        """5000 as the reader writes it."""
        return str(format_decimal(value, locale=self.locale))

    def money(self, amount: int, currency: str) -> str:
        """Minor units as the reader writes money: 124500 sek → "1 245,00 kr"."""
        return _money(amount, currency, self.locale)

    def day(self, moment: datetime) -> Raw:
        """A day where the reader is, which Slack draws itself: "24 november 2027"."""
        return _drawn(moment, "{date}", _long_day(moment.astimezone(self.zone).date(), self.locale))

    def time(self, moment: datetime) -> Raw:
        """A moment where the reader is, to the minute, which Slack draws itself; a channel's many readers fall back on UTC."""
        here = moment.astimezone(self.zone)
        shown = f"{_long_day(here.date(), self.locale)}, {format_time(here, format='short', locale=self.locale)}"
        return _drawn(moment, "{date}, {time}", f"{shown} UTC" if self.zone.key == "UTC" else shown)

    def iso_day(self, moment: str | None) -> Raw:
        """`day` of an ISO 8601 moment, as notices carry them."""
        return self.day(datetime.fromisoformat(moment)) if moment else Raw()


def _drawn(moment: datetime, pattern: str, fallback: str) -> Raw:
    """Slack's markup for a date: `pattern` in the reader's own language and time zone, or else `fallback`."""
    return Raw(f"<!date^{int(moment.timestamp())}^{pattern}|{fallback}>")


# Kept: a renewal day's thousands of invoices are of the same few days and amounts.
@lru_cache(maxsize=4_096)
def _money(amount: int, currency: str, locale: Locale) -> str:
    decimals = exponent(currency)
    value = Decimal(amount).scaleb(-decimals)
    shown = str(format_currency(value, currency.upper(), locale=locale, currency_digits=True))
    return _CODE_BY_NUMBER.sub("\u00a0", shown)


@lru_cache(maxsize=4_096)
def _long_day(day: date, locale: Locale) -> str:
    return str(format_date(day, format="long", locale=locale))
