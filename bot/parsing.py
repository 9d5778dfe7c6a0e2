"""What people type after a command, understood generously. Pure; words in English and in Swedish."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from domain.rules.catalogue import Catalogue
from domain.rules.refusals import UnknownWord
from domain.rules.sizes import SeatsAsked, parse_seats

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>")
_INTERVALS = {
    "month": "month", "monthly": "month", "months": "month", "mo": "month",
    "månad": "month", "månadsvis": "month", "månatlig": "month", "månatligt": "month", "manadsvis": "month",
    "year": "year", "yearly": "year", "annual": "year", "annually": "year", "yr": "year",
    "år": "year", "årsvis": "year", "årlig": "year", "årligen": "year", "årligt": "year", "arsvis": "year",
}  # fmt: skip
_SAID = {"en": ("monthly", "yearly"), "sv": ("månadsvis", "årsvis")}  # what of them is offered to whoever typed another
_FILLERS = frozenset(
    ["seats", "seat", "platser", "plats", "members", "medlemmar", "to", "till", "with", "med", "for", "för"]
)
VERBS = {
    "upgrade": "upgrade", "uppgradera": "upgrade",
    "seats": "seats", "seat": "seats", "platser": "seats", "plats": "seats",
    "usage": "usage", "användning": "usage", "anvandning": "usage", "platsanvändning": "usage",
    "plan": "plan", "abonnemang": "plan", "downgrade": "plan", "nedgradera": "plan", "change": "plan", "ändra": "plan",
    "owner": "owner", "ansvarig": "owner", "betalningsansvarig": "owner", "ägare": "owner",
    "admins": "admins", "admin": "admins", "administratörer": "admins", "administratör": "admins",
    "copies": "copies", "copy": "copies", "kopior": "copies", "kopia": "copies",
    "claim": "claim", "ta-över": "claim", "överta": "claim",
    "invoice": "invoice", "faktura": "invoice",
    "invoices": "invoices", "fakturor": "invoices",
    "payment": "payment", "card": "payment", "betalning": "payment", "betalsätt": "payment", "kort": "payment",
    "information": "information", "address": "information", "uppgifter": "information", "adress": "information",
    "cancel": "cancel", "avsluta": "cancel", "säg-upp": "cancel",
    "resume": "resume", "keep": "resume", "ångra": "resume", "behåll": "resume",
    "move": "move", "flytta": "move",
    "sales": "sales", "sälj": "sales", "säljare": "sales",
    "support": "support", "kundtjänst": "support",
    "links": "links", "länkar": "links",
    "status": "menu", "menu": "menu", "meny": "menu",
    "help": "help", "hjälp": "help",
}  # fmt: skip
_ENGLISH = (
    "upgrade", "seats", "usage", "plan", "owner", "admins", "claim", "invoice", "invoices", "copies", "payment",
    "information", "cancel", "resume", "sales", "support", "links", "help",
)  # fmt: skip
_SWEDISH = (
    "uppgradera", "platser", "användning", "abonnemang", "ansvarig", "administratörer", "överta", "faktura", "fakturor",
    "kopior", "betalsätt", "uppgifter", "avsluta", "ångra", "sälj", "support", "länkar", "hjälp",
)  # fmt: skip
_TEAM = re.compile(r"<!subteam\^(S[A-Z0-9]{1,30})(?:\|[^>]*)?>|<#(C[A-Z0-9]{1,30})(?:\|[^>]*)?>")


@dataclass(frozen=True)
class UpgradeWish:
    """What was said of an upgrade; what wasn't is None. `team` is a user group's or channel's id."""

    plan: str | None = None
    interval: str | None = None
    seats: SeatsAsked | None = None
    owner: str | None = None
    team: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it can be priced without asking more."""
        return None not in {self.plan, self.interval, self.seats}


@dataclass(frozen=True)
class PlanWish:
    """Another plan or interval; None is as it is. `seats` is told them too, and can't be changed in the same step."""

    plan: str | None = None
    interval: str | None = None
    seats: SeatsAsked | None = None


def parse_verb(text: str, language: str) -> tuple[str, str]:
    """`/billing <word> <rest>`: the verb ("menu" for no word) and the rest. Raises UnknownWord with the nearest.

    A channel or user group alone is the verb "team", its id the rest (R37).
    """
    if (named := parse_team(text)) is not None:
        return "team", named
    first, _, rest = text.strip().partition(" ")
    if not first:
        return "menu", ""
    verb = VERBS.get(first.casefold())
    if verb is None:
        raise _unknown(_unescaped(first), list(VERBS), _SWEDISH if language == "sv" else _ENGLISH)
    return verb, rest.strip()


def parse_upgrade(text: str, catalogue: Catalogue, language: str) -> UpgradeWish:
    """`business yearly 25 @colleague`, in any order. Raises UnknownWord with words of that language, SeatsNotANumber."""
    found: dict[str, object] = {}
    text = _take(text, _MENTION, found, "owner")
    text = _take(text, re.compile(r"<!subteam\^(S[A-Z0-9]{1,30})(?:\|[^>]*)?>"), found, "team")
    text = _take(text, re.compile(r"<#(C[A-Z0-9]{1,30})(?:\|[^>]*)?>"), found, "team")
    plans = {name.casefold(): plan.key for plan in catalogue.for_sale for name in (plan.key, plan.name)}
    for word in _unescaped(text).split():
        low = word.casefold()
        if low in plans:
            found["plan"] = plans[low]
        elif low in _INTERVALS:
            found["interval"] = _INTERVALS[low]
        elif word[0] in "+-−" or word[0].isdigit():
            found["seats"] = parse_seats(word)
        elif low not in _FILLERS:
            known = (*(plan.name for plan in catalogue.for_sale), *(_SAID["sv" if language == "sv" else "en"]))
            raise _unknown(word, [*plans, *_INTERVALS], known, shown=dict(_names(catalogue)))
    return UpgradeWish(**found)  # type: ignore[arg-type]  # collected by field name above


def parse_plan(text: str, catalogue: Catalogue, language: str) -> PlanWish:
    """`premium yearly`. Raises UnknownWord, SeatsNotANumber."""
    wish = parse_upgrade(text, catalogue, language)
    return PlanWish(wish.plan, wish.interval, wish.seats)


def parse_seats_text(text: str) -> SeatsAsked | None:
    """`25`, `+5`, `25 seats`; None when nothing was said. Raises SeatsNotANumber."""
    words = [word for word in _unescaped(text).split() if word.casefold() not in _FILLERS]
    return parse_seats(" ".join(words)) if words else None


def parse_person(text: str) -> str | None:
    """The id in a mention; None for anything else: a bare name is never guessed at, a picker opens instead."""
    found = _MENTION.fullmatch(text.strip())
    return found[1] if found else None


def parse_people(text: str) -> tuple[str, ...]:
    """The ids in all mentions, each once, in their order; whatever else was typed is passed over."""
    return tuple(dict.fromkeys(_MENTION.findall(text)))


def parse_team(text: str) -> str | None:
    """The id of the one channel or user group named, and nothing else; None for anything else."""
    found = _TEAM.fullmatch(text.strip())
    return (found[1] or found[2]) if found else None


def _unescaped(text: str) -> str:
    """What the person typed: Slack escapes three characters of a command's text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _names(catalogue: Catalogue) -> list[tuple[str, str]]:
    return [(name.casefold(), plan.name) for plan in catalogue.for_sale for name in (plan.key, plan.name)]


def _take(text: str, pattern: re.Pattern[str], found: dict[str, object], name: str) -> str:
    match = pattern.search(text)
    if match is None:
        return text
    found[name] = match[1]
    return text[: match.start()] + " " + text[match.end() :]


def _unknown(
    word: str, candidates: list[str], known: tuple[str, ...], *, shown: dict[str, str] | None = None
) -> UnknownWord:
    close = get_close_matches(word.casefold(), candidates, n=1, cutoff=0.6)
    nearest = (shown or {}).get(close[0], close[0]) if close else None
    return UnknownWord(asked=word[:40], known=known, nearest=nearest)
