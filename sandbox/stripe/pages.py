"""The pages a person opens at Stripe: paying, 3-D Secure, the customer portal, an invoice; and what the account holds."""

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

from aiohttp import web

from sandbox.stripe import page_html as html
from sandbox.stripe.account import Account
from sandbox.stripe.dashboard import dashboard
from sandbox.stripe.invoice_pdf import render
from sandbox.stripe.page_detours import Detour, Detours
from sandbox.stripe.page_html import Form
from sandbox.stripe.page_words import WORDS, day, described, language_of, money, refusal
from sandbox.stripe.payment import Outcome, Payment
from sandbox.stripe.sums import sums_of

Json = dict[str, Any]
_TOTAL = ' class="total"'


def routes(account: Account) -> list[web.RouteDef]:
    """The hosted pages."""
    pages = Pages(account)
    return [
        web.get("/", pages.home),
        web.get("/favicon.ico", html.icon),
        web.get("/pay/{id}", pages.checkout),
        web.post("/pay/{id}", pages.pay),
        *pages.detours.routes(),
        web.get("/portal/{id}", pages.portal),
        web.post("/portal/{id}", pages.portal_save),
        web.get("/invoice/{id}", pages.invoice),
        web.post("/invoice/{id}", pages.invoice_pay),
        web.get("/invoice/{id}/pdf", pages.invoice_pdf),
    ]


class Pages:
    """Every page, over the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.detours = Detours(account.name)

    def _find(self, kind: str, key: str) -> Json | None:
        return self._account.objects.get(kind, {}).get(key)

    def _customer(self, key: str | None) -> Json:
        return self._find("customer", key or "") or {}

    def _language(self, request: web.Request, locale: str | None, customer: Json) -> str:
        preferred = (customer.get("preferred_locales") or [None])[0]
        return language_of(locale, preferred, request.headers.get("Accept-Language"))

    async def home(self, request: web.Request) -> web.Response:
        """What Stripe knows."""
        return dashboard(self._account, language_of(request.headers.get("Accept-Language")))

    # --- checkout ---

    async def checkout(self, request: web.Request) -> web.Response:
        """The payment page."""
        return self._checkout(request, _fresh(request))

    def _checkout(self, request: web.Request, form: Form) -> web.Response:
        session = self._find("checkout.session", request.match_info["id"])
        if session is None:
            return html.unknown(request)
        customer = self._customer(session["customer"])
        language = self._language(request, session["locale"], customer)
        t = WORDS[language]
        if session["status"] != "open" or session["expires_at"] <= self._account.now():
            over = t["over_complete"] if session["status"] == "complete" else t["over_expired"]
            return html.message(self._account.name, over, language, link=(session["cancel_url"] or "/", t["return"]))
        trial = (session.get("_subscription_data") or {}).get("trial_period_days")
        words = t["start_trial"] if trial else t["subscribe"] if session["mode"] == "subscription" else t["save_method"]
        action = (
            f"{html.alert(form)}{html.method_fields(form, language, session['payment_method_types'])}"
            f"{html.address_fields(form, language, customer)}<button>{escape(words)}</button>"
            f'<p class="soft small">{escape(t["secure_by"])}</p>'
        )
        body = (
            f'<div class="two"><section class="side"><div>{html.brand(self._account.name, language)}'
            f"{self._summary(session, language)}"
            f'<p><a href="{escape(session["cancel_url"] or "/")}">← {escape(t["back"])}</a></p></div></section>'
            f'<main class="main"><div><form method="post" novalidate>{action}</form></div></main></div>'
        )
        return html.page(
            f"{words} · {self._account.name}", body, language, 402 if form.alert else 400 if form.errors else 200
        )

    def _summary(self, session: Json, language: str) -> str:
        t = WORDS[language]
        lines = session["line_items"]["data"] if session.get("line_items") else []
        currency = session["currency"] or "sek"
        total = session["amount_total"] or 0
        rows, interval = "", ""
        for line in lines:
            price = line["price"]
            interval = (price.get("recurring") or {}).get("interval", "")
            each = money(price["unit_amount"] or 0, currency, language)
            what = f"{line['quantity']} {t['seats']} × {each}"
            rows += (
                f"<tr><td>{escape(described(line, language))}<br><span class='soft small'>{escape(what)}</span></td>"
                f"<td>{escape(money(line['amount_total'], currency, language))}</td></tr>"
            )
        tax = (session.get("total_details") or {}).get("amount_tax") or 0
        if tax:
            rows += f"<tr><td>{escape(t['tax'])}</td><td>{escape(money(tax, currency, language))}</td></tr>"
        shown = escape(money(total, currency, language))
        rows += f'<tr class="total"><td>{escape(t["today"])}</td><td>{shown}</td></tr>'
        every = f' <span class="soft small">{escape(t.get(interval, ""))}</span>' if interval else ""
        return f'<h1>{escape(t["today"])}</h1><p class="amount">{shown}{every}</p><table>{rows}</table>'

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """The button on the payment page."""
        session = self._find("checkout.session", request.match_info["id"])
        if session is None:
            return html.unknown(request)
        language = self._language(request, session["locale"], self._customer(session["customer"]))
        form = await _form(request)
        payment = html.read_payment(form, language, session["payment_method_types"])
        address = html.read_address(form, language)
        if payment is None or address is None:
            return self._checkout(request, form)
        session_id = session["id"]

        async def verb(with_: Payment) -> Outcome:
            return await self._account.pay_checkout(session_id, with_, address=address)

        amount = money(session["amount_total"], session["currency"], language) if session["amount_total"] else ""
        done = session["success_url"] or "/"
        return await self._pay(
            request, Detour(payment, verb, done, request.path, amount, language), form, self._checkout
        )

    async def _pay(
        self, request: web.Request, detour: Detour, form: Form, again: Callable[[web.Request, Form], web.Response]
    ) -> web.StreamResponse:
        """On to where it leads, to PayPal, to the bank, or back to the form with what went wrong."""
        if detour.payment.method == "paypal":
            raise web.HTTPSeeOther(self.detours.to_paypal(detour))
        outcome = await detour.verb(detour.payment)
        if outcome.state == "paid":
            raise web.HTTPSeeOther(outcome.redirect_url or detour.done)
        if outcome.state == "requires_action":
            return self.detours.at_bank(detour)
        why = refusal(detour.language, outcome.decline_code, outcome.message)
        form.alert = f"{WORDS[detour.language]['incomplete']}: {why}".removesuffix(": ")
        return again(request, form)

    # --- the portal ---

    async def portal(self, request: web.Request) -> web.Response:
        """Payment method, billing information, invoices; or only the first, when that is what was asked for (R53)."""
        return self._portal(request, _fresh(request))

    def _portal(self, request: web.Request, form: Form) -> web.Response:
        session = self._account.portal_session(request.match_info["id"])
        if session is None:
            return html.unknown(request)
        customer = self._customer(session["customer"])
        language = self._language(request, session["locale"], customer)
        t = WORDS[language]
        saved = f'<p class="note" role="status">{escape(t["saved"])}</p>' if request.query.get("saved") else ""
        method = (
            f"<h2>{escape(t['method'])}</h2><p class='soft'>{escape(t['current_method'])}: {escape(self._method(customer, t))}</p>"
            f'<form method="post" novalidate><input type="hidden" name="what" value="method">{html.alert(form)}'
            f"{html.method_fields(form, language, ['card', 'paypal'], 'change_to')}"
            f"<button>{escape(t['save_method'])}</button></form>"
        )
        parts = [html.brand(self._account.name, language), saved, method]
        if (session.get("flow") or {}).get("type") != "payment_method_update":
            parts += [self._details(form, customer, language), self._invoices(customer, language)]
        back = escape(session["return_url"] or "/")
        parts.append(f'<p><a class="button plain" href="{back}">← {escape(t["return"])}</a></p>')
        status = 402 if form.alert else 400 if form.errors else 200
        return html.page(self._account.name, f'<main class="one">{"".join(parts)}</main>', language, status)

    def _method(self, customer: Json, t: dict[str, str]) -> str:
        found = self._find(
            "payment_method", (customer.get("invoice_settings") or {}).get("default_payment_method") or ""
        )
        live = [
            each
            for each in self._account.objects.get("subscription", {}).values()
            if each["customer"] == customer.get("id") and each.get("default_payment_method")
        ]
        found = found or (self._find("payment_method", live[-1]["default_payment_method"]) if live else None)
        if found is None:
            return t["no_method"]
        if found["type"] == "card":
            return f"{found['card']['brand'].title()} •••• {found['card']['last4']}"
        return f"PayPal {(found.get('paypal') or {}).get('payer_email') or ''}".strip()

    def _details(self, form: Form, customer: Json, language: str) -> str:
        t = WORDS[language]
        email = html.text_field(
            form, "email", t["email"], value=customer.get("email") or "", more='type="email" autocomplete="email"'
        )
        vat = html.text_field(form, "vat", t["vat"], more='placeholder="SE556677889901"')
        return (
            f'<h2>{escape(t["details"])}</h2><form method="post" novalidate><input type="hidden" name="what" value="details">'
            f"{html.address_fields(form, language, customer)}{email}{vat}<p><button>{escape(t['save'])}</button></p></form>"
        )

    def _invoices(self, customer: Json, language: str) -> str:
        t = WORDS[language]
        mine = [
            each for each in self._account.all("invoice") if each["customer"] == customer.get("id") and each["number"]
        ]
        rows = "".join(
            f'<tr><td><a href="/invoice/{escape(each["id"])}">{escape(each["number"])}</a></td>'
            f"<td>{day(each['created'], language)}</td>"
            f'<td><span class="badge {escape(each["status"])}">{escape(str(t.get(each["status"], each["status"])))}</span></td>'
            f"<td>{escape(money(each['total'], each['currency'], language))}</td></tr>"
            for each in reversed(mine)
        )
        table = (
            f'<div class="scroll"><table>{rows}</table></div>'
            if rows
            else f'<p class="soft">{escape(t["no_invoices"])}</p>'
        )
        return f"<h2>{escape(t['invoices'])}</h2>{table}"

    async def portal_save(self, request: web.Request) -> web.StreamResponse:
        """A form on the portal."""
        session = self._account.portal_session(request.match_info["id"])
        if session is None:
            return html.unknown(request)
        customer = self._customer(session["customer"])
        language = self._language(request, session["locale"], customer)
        form = await _form(request)
        here = f"/portal/{session['id']}?saved=1"
        if form.values.get("what") == "details":
            address = html.read_address(form, language)
            if address is None:
                return self._portal(request, form)
            await self._account.update_portal_customer(
                session["id"],
                name=form.values["name"].strip()[:200],
                email=form.values.get("email", "").strip() or None,
                address=address,
                tax_id=form.values.get("vat", "").replace(" ", "") or None,
            )
            raise web.HTTPSeeOther(here)
        payment = html.read_payment(form, language, ["card", "paypal"])
        if payment is None:
            return self._portal(request, form)

        async def verb(with_: Payment) -> Outcome:
            outcome = await self._account.save_portal_payment_method(session["id"], with_)
            return replace(outcome, redirect_url=None)

        after = (session.get("flow") or {}).get("after_completion") or {}
        redirect = (after.get("redirect") or {}).get("return_url") if after.get("type") == "redirect" else None
        detour = Detour(payment, verb, redirect or here, request.path, "", language)
        return await self._pay(request, detour, form, self._portal)

    # --- invoices ---

    async def invoice(self, request: web.Request) -> web.Response:
        """The hosted invoice."""
        return self._invoice(request, _fresh(request))

    def _invoice(self, request: web.Request, form: Form) -> web.Response:
        found = self._find("invoice", request.match_info["id"])
        if found is None or found["status"] == "draft":
            return html.unknown(request)
        customer = self._customer(found["customer"])
        language = self._language(request, None, customer)
        t = WORDS[language]
        currency = found["currency"]
        rows = "".join(
            f"<tr><td>{escape(described(line, language))}</td><td>{escape(money(line['amount'], currency, language))}</td></tr>"
            for line in found["lines"]["data"]
        )
        rows += "".join(
            f"<tr{_TOTAL if counts else ''}><td>{escape(t[what])}</td><td>{escape(money(amount, currency, language))}</td></tr>"
            for what, amount, counts in sums_of(found)
        )
        pay = ""
        if found["status"] == "open":
            saved = self._method(customer, t)
            quick = ""
            if saved != t["no_method"]:
                words = f"{escape(t['pay_saved'])} {escape(saved)}"
                quick = f'<form method="post"><button name="what" value="saved">{words}</button></form>'
            pay = (
                f"{html.alert(form)}{quick}<form method='post' novalidate>"
                f"{html.method_fields(form, language, ['card', 'paypal'], 'or_with' if quick else 'method')}"
                f"<button>{escape(t['pay'])} {escape(money(found['amount_remaining'], currency, language))}</button></form>"
            )
        body = (
            f'<main class="one">{html.brand(self._account.name, language)}'
            f"<h1>{escape(t['invoice'])} {escape(found['number'] or '')} "
            f'<span class="badge {escape(found["status"])}">{escape(str(t.get(found["status"], found["status"])))}</span></h1>'
            f'<p class="amount">{escape(money(found["amount_due"], currency, language))}</p>'
            f'<p class="soft">{escape(found["customer_name"] or "")} · {day(found["created"], language)}</p><table>{rows}</table>'
            f'<p><a class="button plain" href="/invoice/{escape(found["id"])}/pdf">{escape(t["download"])}</a></p>{pay}</main>'
        )
        return html.page(
            f"{t['invoice']} {found['number']}", body, language, 402 if form.alert else 400 if form.errors else 200
        )

    async def invoice_pay(self, request: web.Request) -> web.StreamResponse:
        """Paying an open invoice."""
        found = self._find("invoice", request.match_info["id"])
        if found is None:
            return html.unknown(request)
        language = self._language(request, None, self._customer(found["customer"]))
        form = await _form(request)
        here = f"/invoice/{found['id']}"
        if form.values.get("what") == "saved":
            outcome = await self._account.pay_invoice(found["id"], None)
            if outcome.state == "paid":
                raise web.HTTPSeeOther(here)
            why = refusal(language, outcome.decline_code, outcome.message)
            form.alert = f"{WORDS[language]['incomplete']}: {why}".removesuffix(": ")
            return self._invoice(request, form)
        payment = html.read_payment(form, language, ["card", "paypal"])
        if payment is None:
            return self._invoice(request, form)

        async def verb(with_: Payment) -> Outcome:
            return await self._account.pay_invoice(found["id"], with_)

        amount = money(found["amount_remaining"], found["currency"], language)
        return await self._pay(request, Detour(payment, verb, here, here, amount, language), form, self._invoice)

    async def invoice_pdf(self, request: web.Request) -> web.Response:
        """The invoice as a PDF."""
        found = self._find("invoice", request.match_info["id"])
        if found is None or found["status"] == "draft":
            return html.unknown(request)
        language = self._language(request, None, self._customer(found["customer"]))
        name = f"{WORDS[language]['invoice']}-{found['number'] or found['id']}.pdf"
        return web.Response(
            body=render(found, self._account.name, language),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


async def _form(request: web.Request) -> Form:
    posted = await request.post()
    return Form(values={name: str(value)[:400] for name, value in posted.items() if isinstance(value, str)})


def _fresh(request: web.Request) -> Form:
    """A form that nobody has filled in; after a refusal at the bank it says so, in the browser's language."""
    language = language_of(request.headers.get("Accept-Language"))
    why = request.query.get("refused")
    return Form(alert=WORDS[language][why] if why in {"not_approved", "paypal_left", "paypal_declined"} else "")
