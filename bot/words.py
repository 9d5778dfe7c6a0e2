"""Words, money and dates in the reader's language. Messages are gettext's: English in the code, Swedish in `locales/`."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from domain.rules.hours import zone
from domain.rules.money import exponent

LOCALES = Path(__file__).with_name("locales")
LANGUAGES = ("en", "sv")
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
        self.language = wanted[:2] if wanted[:2] in LANGUAGES else "en"
        self.zone = zone(tz)
        try:
            self.locale = Locale.parse(wanted if wanted[:2] == self.language else "en_US")
        except (UnknownLocaleError, ValueError):
            self.locale = Locale.parse(self.language)

    def __call__(self, text: str, /, **facts: object) -> str:
        """A message for Slack's mrkdwn: facts are escaped unless they are Raw."""
        return self._filled(catalogue(self.language).get(text, text), facts, escape)

    def plain(self, text: str, /, **facts: object) -> str:
        """A message for plain text (titles, buttons, fallbacks): facts stay as they are."""
        return self._filled(catalogue(self.language).get(text, text), facts, str)

    def n(self, one: str, many: str, count: int, /, **facts: object) -> str:
        """A message about a number of things, `{count}` in it."""
        forms = catalogue(self.language).get(one, (one, many))
        form = forms[0 if count == 1 else 1]
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
        decimals = exponent(currency)
        value = Decimal(amount).scaleb(-decimals)
        shown = str(format_currency(value, currency.upper(), locale=self.locale, currency_digits=True))
        return _CODE_BY_NUMBER.sub("\u00a0", shown)

    def day(self, moment: datetime) -> str:
        """A day where the reader is: "24 november 2027"."""
        here = moment.astimezone(self.zone)
        return str(format_date(here.date(), format="long", locale=self.locale))

    def time(self, moment: datetime) -> str:
        """A moment where the reader is, to the minute."""
        return str(format_datetime(moment, format="medium", tzinfo=self.zone, locale=self.locale))

    def iso_day(self, moment: str | None) -> str:
        """`day` of an ISO 8601 moment, as notices carry them."""
        return self.day(datetime.fromisoformat(moment)) if moment else ""
