"""Where a payment leads on its way: the bank's 3-D Secure, and PayPal's log-in. Both end where they began, or paid."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from html import escape

from aiohttp import web

from sandbox.stripe import page_html as html
from sandbox.stripe.page_html import Form
from sandbox.stripe.page_words import WORDS
from sandbox.stripe.payment import Outcome, Payment

Pay = Callable[[Payment], Awaitable[Outcome]]
DECLINED_PAYER = "declined@example.com"  # this account's payments are declined


@dataclass(frozen=True)
class Detour:
    """A payment under way: how it goes on, where it ends, and what the payer is shown. `amount` may be empty."""

    payment: Payment
    verb: Pay
    done: str
    back: str
    amount: str
    language: str


class Detours:
    """The detours under way, by a token nobody guesses."""

    def __init__(self, seller: str) -> None:
        self._seller = seller
        self._under_way: dict[str, Detour] = {}

    def routes(self) -> list[web.RouteDef]:
        """Their pages."""
        return [
            web.post("/secure/{token}", self._secure),
            web.get("/paypal/{token}", self._paypal),
            web.post("/paypal/{token}", self._paypal_answer),
        ]

    def at_bank(self, detour: Detour) -> web.Response:
        """The bank's page, at once."""
        token = secrets.token_urlsafe(16)
        self._under_way[token] = detour
        return bank(token, detour, self._seller)

    def to_paypal(self, detour: Detour) -> str:
        """The address of PayPal's log-in."""
        token = secrets.token_urlsafe(16)
        self._under_way[token] = detour
        return f"/paypal/{token}"

    async def _secure(self, request: web.Request) -> web.StreamResponse:
        found = self._under_way.pop(request.match_info["token"], None)
        if found is None:
            return html.unknown(request)
        if (await request.post()).get("answer") != "yes":
            raise web.HTTPSeeOther(f"{found.back}?refused=not_approved")
        raise _end(await found.verb(replace(found.payment, authenticated=True)), found, "not_approved")

    async def _paypal(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        found = self._under_way.get(token)
        return paypal(token, found, self._seller, Form()) if found else html.unknown(request)

    async def _paypal_answer(self, request: web.Request) -> web.StreamResponse:
        token, posted = request.match_info["token"], await request.post()
        found = self._under_way.get(token)
        if found is None:
            return html.unknown(request)
        email = str(posted.get("paypal_email", "")).strip()[:400]
        agreed = posted.get("answer") == "yes"
        if agreed and not html.EMAIL.fullmatch(email):
            wrong = {"paypal_email": WORDS[found.language]["bad_email"]}
            return paypal(token, found, self._seller, Form(values={"paypal_email": email}, errors=wrong))
        del self._under_way[token]
        if not agreed:
            raise web.HTTPSeeOther(f"{found.back}?refused=paypal_left")
        payment = replace(found.payment, payer_email=email)
        if email == DECLINED_PAYER:
            payment = replace(payment, number="4000000000000002")
        raise _end(await found.verb(payment), found, "paypal_declined")


def _end(outcome: Outcome, detour: Detour, refused: str) -> web.HTTPSeeOther:
    """On when it is paid, else back to the form, which says why."""
    paid = outcome.state == "paid"
    return web.HTTPSeeOther((outcome.redirect_url or detour.done) if paid else f"{detour.back}?refused={refused}")


def bank(token: str, detour: Detour, seller: str) -> web.Response:
    """The card's bank asks whether it really is the cardholder."""
    t = WORDS[detour.language]
    card = f"<dt>{escape(t['card'])}</dt><dd>•••• {escape(detour.payment.number[-4:])}</dd>"
    facts = f"<dl><dt>{escape(t['to'])}</dt><dd>{escape(seller)}</dd>{_amount(detour)}{card}</dl>"
    body = (
        '<main class="detour bank"><div class="card"><p class="logo" aria-hidden="true">Sandbox<b>Bank</b></p><h1>3-D Secure</h1>'
        f"<p>{escape(t['secure_title'])}</p>{facts}"
        f'<form method="post" action="/secure/{token}" class="stack"><button name="answer" value="yes">{escape(t["approve"])}'
        f'</button><button class="plain" name="answer" value="no">{escape(t["fail"])}</button></form></div></main>'
    )
    return html.page("3-D Secure", body, detour.language)


def paypal(token: str, detour: Detour, seller: str, form: Form) -> web.Response:
    """PayPal's log-in; any password will do."""
    t = WORDS[detour.language]
    email = html.text_field(
        form, "paypal_email", t["email"], value="payer@example.com", more='type="email" autocomplete="username"'
    )
    password = (
        f'<div><label for="password">{escape(t["password"])}</label><input id="password" name="password" type="password" '
        f'value="sandbox" autocomplete="current-password"></div>'
    )
    body = (
        f'<main class="detour paypal"><div class="card"><p class="logo" aria-hidden="true"><b>Pay</b>Pal</p>'
        f"<h1>{escape(t['paypal_title'])}</h1><dl><dt>{escape(t['to'])}</dt><dd>{escape(seller)}</dd>{_amount(detour)}</dl>"
        f'<form method="post" action="/paypal/{token}" class="stack" novalidate>{email}{password}'
        f'<button name="answer" value="yes">{escape(t["paypal_login"] if detour.amount else t["paypal_agree"])}</button>'
        f'<button class="plain" name="answer" value="no">{escape(t["paypal_cancel"])}</button></form>'
        f'<p class="soft small"><code>{DECLINED_PAYER}</code> {escape(t["declined_card"])}.'
        f" {escape(t['sandbox'])}.</p></div></main>"
    )
    return html.page("PayPal", body, detour.language, 400 if form.errors else 200)


def _amount(detour: Detour) -> str:
    label = escape(WORDS[detour.language]["amount"])
    return f"<dt>{label}</dt><dd><b>{escape(detour.amount)}</b></dd>" if detour.amount else ""
