"""The shapes of the hosted pages: a shell, fields, and the form a card or PayPal is given in. Everything is escaped here."""

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web
from babel import Locale

from sandbox.stripe.page_words import WORDS, language_of
from sandbox.stripe.payment import Payment

Json = dict[str, Any]
_STYLE = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
_ICON = Path(__file__).resolve().parent.parent / "web" / "icon.svg"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
COUNTRIES = ("SE", "NO", "DK", "FI", "DE", "GB", "NL", "FR", "US")
EMAIL = re.compile(r"[^@\s]{1,200}@[^@\s]{1,200}\.[^@\s]{2,}")


@dataclass
class Form:
    """What was typed, and what is wrong with it by field. Card numbers and codes are never put back into a page."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    alert: str | None = None


def page(title: str, body: str, language: str, status: int = 200) -> web.Response:
    """A whole page."""
    text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def message(
    title: str, text: str, language: str, *, status: int = 200, link: tuple[str, str] | None = None
) -> web.Response:
    """A page that says one thing."""
    button = f'<p><a class="button plain" href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    return page(
        title, f'<main class="center"><h1>{escape(title)}</h1><p>{escape(text)}</p>{button}</main>', language, status
    )


async def icon(_: web.Request) -> web.StreamResponse:
    """What a browser shows on the tab."""
    return web.FileResponse(_ICON)


def unknown(request: web.Request) -> web.Response:
    """There is no such page."""
    language = language_of(request.headers.get("Accept-Language"))
    return message(WORDS[language]["unknown"], WORDS[language]["unknown_text"], language, status=404)


def brand(seller: str, language: str) -> str:
    """Whose page it is."""
    return (
        f'<div class="brand"><i aria-hidden="true">{escape(seller[:1])}</i><span>{escape(seller)}</span>'
        f'<span class="badge">{escape(WORDS[language]["sandbox"])}</span></div>'
    )


def text_field(form: Form, name: str, label: str, *, value: str = "", more: str = "", secret: bool = False) -> str:
    """A labelled field with its error beneath. What was typed into a `secret` one is never put back."""
    shown = value if secret and not form.values else "" if secret else form.values.get(name, value)
    error = form.errors.get(name)
    marks = f' aria-invalid="true" aria-describedby="{name}-error"' if error else ""
    if error and name == next(iter(form.errors)):
        marks += " autofocus"  # the first of them
    below = f'<p class="error" id="{name}-error">{escape(error)}</p>' if error else ""
    entry = f'<input id="{name}" name="{name}" value="{escape(shown)}" {more}{marks}>'
    return f'<div><label for="{name}">{escape(label)}</label>{entry}{below}</div>'


def country_field(form: Form, language: str, value: str) -> str:
    """The country of the address."""
    chosen = form.values.get("country", value)
    names = Locale(language).territories
    options = "".join(
        f'<option value="{code}"{" selected" if code == chosen else ""}>{escape(names.get(code, code))}</option>'
        for code in sorted(COUNTRIES, key=lambda code: names.get(code, code))
    )
    label = escape(WORDS[language]["country"])
    menu = f'<select id="country" name="country" autocomplete="country">{options}</select>'
    return f'<div><label for="country">{label}</label>{menu}</div>'


def method_fields(form: Form, language: str, methods: list[str], legend: str = "method") -> str:
    """Card or PayPal, and what each asks for; a sandbox's fields begin with what works. `legend`: a key of WORDS."""
    t = WORDS[language]
    picked = form.values.get("method", methods[0])
    choice = "".join(
        f'<label><input type="radio" name="method" id="{each}" value="{each}"{" checked" if each == picked else ""}>'
        f"{'PayPal' if each == 'paypal' else escape(t['card'])}</label>"
        for each in methods
    )
    digits = 'inputmode="numeric" autocomplete="cc-number" placeholder="4242 4242 4242 4242"'
    number = text_field(form, "number", t["card_number"], secret=True, more=digits, value="4242 4242 4242 4242")
    expiry = text_field(
        form,
        "expiry",
        t["expiry"],
        secret=True,
        value="12/34",
        more='inputmode="numeric" autocomplete="cc-exp" placeholder="12/34"',
    )
    cvc = text_field(
        form,
        "cvc",
        t["cvc"],
        secret=True,
        value="123",
        more='inputmode="numeric" autocomplete="cc-csc" placeholder="123"',
    )
    hints = "".join(
        f"<li><code>{number_}</code> {escape(t[what])}</li>"
        for number_, what in (
            ("4242 4242 4242 4242", "paid_card"),
            ("4000 0000 0000 0002", "declined_card"),
            ("4000 0000 0000 9995", "poor_card"),
            ("4000 0025 0000 3155", "secure_once"),
            ("4000 0000 0000 3220", "secure_card"),
        )
    )
    return (
        f'<fieldset><legend>{escape(t[legend])}</legend><div class="choice">{choice}</div>'
        f'<div class="card">{number}<div class="row">{expiry}{cvc}</div>'
        f'<ul class="hints" aria-label="{escape(t["try_cards"])}">{hints}</ul></div>'
        f'<p class="paypal soft">{escape(t["paypal_next"])}</p></fieldset>'
    )


def address_fields(form: Form, language: str, known: Json) -> str:
    """Name and billing address."""
    t = WORDS[language]
    address = known.get("address") or {}
    parts = [
        text_field(form, "name", t["name"], value=known.get("name") or "", more='autocomplete="name"'),
        text_field(
            form, "line1", t["line1"], value=address.get("line1") or "Storgatan 1", more='autocomplete="address-line1"'
        ),
        '<div class="row">',
        text_field(
            form,
            "postal_code",
            t["postal_code"],
            value=address.get("postal_code") or "111 22",
            more='autocomplete="postal-code"',
        ),
        text_field(
            form, "city", t["city"], value=address.get("city") or "Stockholm", more='autocomplete="address-level2"'
        ),
        "</div>",
        country_field(form, language, address.get("country") or "SE"),
    ]
    return f"<fieldset><legend>{escape(t['address'])}</legend>{''.join(parts)}</fieldset>"


def alert(form: Form) -> str:
    """What went wrong with the whole form."""
    return f'<p class="alert" role="alert">{escape(form.alert)}</p>' if form.alert else ""


def read_payment(form: Form, language: str, methods: list[str]) -> Payment | None:
    """The method that was typed; None when something is wrong, which is then in `form.errors`."""
    t, given = WORDS[language], form.values
    if given.get("method") == "paypal" and "paypal" in methods:
        return Payment("paypal")  # PayPal asks who pays, on its own page
    number = re.sub(r"[\s-]", "", given.get("number", ""))
    expiry = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d\d)\s*", given.get("expiry", ""))
    cvc = given.get("cvc", "").strip()
    if not re.fullmatch(r"[0-9]{12,19}", number):
        form.errors["number"] = t["bad_number"] if number else t["must"]
    if expiry is None:
        form.errors["expiry"] = t["bad_expiry"]
    if not re.fullmatch(r"[0-9]{3,4}", cvc):
        form.errors["cvc"] = t["bad_cvc"]
    if form.errors or expiry is None:
        return None
    return Payment("card", number=number, exp_month=int(expiry[1]), exp_year=2000 + int(expiry[2]), cvc=cvc)


def read_address(form: Form, language: str) -> dict[str, str] | None:
    """The address that was typed; None when a part is missing, which is then in `form.errors`."""
    for name in ("name", "line1", "postal_code", "city"):
        if not form.values.get(name, "").strip():
            form.errors[name] = WORDS[language]["must"]
    country = form.values.get("country", "")
    if form.errors or country not in COUNTRIES:
        return None
    return {"country": country} | {name: form.values[name].strip()[:200] for name in ("line1", "postal_code", "city")}
