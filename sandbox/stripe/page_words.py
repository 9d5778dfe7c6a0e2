"""The hosted pages' and invoices' words, Swedish and English, and money and days as each language writes them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency

_ZERO = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
_THREE = {"bhd", "jod", "kwd", "omr", "tnd"}
_LOCALES = {"sv": "sv_SE", "en": "en_GB"}

WORDS: dict[str, dict[str, str]] = {
    "sv": {
        "pay": "Betala",
        "subscribe": "Starta abonnemang",
        "start_trial": "Börja prova gratis",
        "card": "Kort",
        "card_details": "Kortuppgifter",
        "card_number": "Kortnummer",
        "expiry": "Giltigt till (MM/ÅÅ)",
        "cvc": "Säkerhetskod",
        "name": "Namn",
        "address": "Faktureringsadress",
        "country": "Land",
        "line1": "Gatuadress",
        "postal_code": "Postnummer",
        "city": "Ort",
        "email": "E-post",
        "paypal_login": "Logga in på PayPal och betala",
        "back": "Tillbaka",
        "today": "Att betala i dag",
        "then": "Därefter",
        "seats": "platser",
        "subtotal": "Delsumma",
        "tax": "Moms",
        "total": "Totalt",
        "month": "per månad",
        "year": "per år",
        "free_until": "Gratis till",
        "try_cards": "Testkort",
        "paid_card": "godkänns",
        "declined_card": "nekas",
        "poor_card": "har inte täckning",
        "discount": "Rabatt",
        "from_balance": "Tidigare tillgodo",
        "credited": "Krediterat",
        "secure_card": "3-D Secure varje gång",
        "secure_title": "Din bank vill att du godkänner betalningen",
        "approve": "Godkänn",
        "fail": "Neka",
        "over_complete": "Den här sidan är betald. Tack!",
        "over_expired": "Den här betalsidan har stängts. Börja om från Slack.",
        "unknown": "Sidan finns inte.",
        "unknown_text": "Adressen är fel eller hör till en annan sandlåda.",
        "must": "Fyll i det här fältet.",
        "bad_number": "Kortnumret stämmer inte.",
        "bad_expiry": "Skriv månad och år, som 12/34.",
        "bad_cvc": "Tre eller fyra siffror.",
        "bad_email": "Det ser inte ut som en e-postadress.",
        "method": "Betalsätt",
        "current_method": "Används nu",
        "no_method": "Inget betalsätt sparat",
        "save_method": "Spara betalsättet",
        "details": "Faktureringsuppgifter",
        "vat": "Momsregistreringsnummer",
        "save": "Spara",
        "saved": "Sparat.",
        "invoices": "Fakturor",
        "no_invoices": "Inga fakturor än.",
        "return": "Tillbaka till Kassör",
        "invoice": "Faktura",
        "number": "Fakturanummer",
        "date": "Fakturadatum",
        "due": "Förfallodag",
        "period": "Period",
        "bill_to": "Faktureras",
        "from": "Från",
        "description": "Beskrivning",
        "quantity": "Antal",
        "unit_price": "À-pris",
        "amount": "Belopp",
        "amount_paid": "Betalt",
        "amount_due": "Att betala",
        "download": "Ladda ner PDF",
        "pay_saved": "Betala med",
        "or_with": "Eller på ett annat sätt",
        "paid": "Betald",
        "open": "Att betala",
        "void": "Makulerad",
        "uncollectible": "Obetald",
        "draft": "Utkast",
        "page": "Sida",
        "sandbox": "Sandlåda: inga riktiga pengar",
        "secure_by": "Kortuppgifterna stannar hos Stripe.",
        "incomplete": "Betalningen gick inte igenom",
        "to": "Till",
        "password": "Lösenord",
        "paypal_title": "Logga in på PayPal",
        "paypal_agree": "Logga in och godkänn",
        "paypal_cancel": "Avbryt och gå tillbaka",
        "paypal_next": "Du loggar in på PayPal i nästa steg.",
        "paypal_left": "Du avbröt hos PayPal. Inget har betalats.",
        "paypal_declined": "PayPal sa nej till betalningen. Välj ett annat betalsätt.",
        "secure_once": "3-D Secure första gången",
        "subscriptions": "Abonnemang",
        "customer": "Kund",
        "plan": "Plan",
        "status": "Status",
        "renews": "Förnyas",
        "events": "Senaste händelserna",
        "event": "Händelse",
        "object": "Objekt",
        "waiting": "Väntar",
        "no_rows": "Inget än.",
        "volume": "Betalt hittills",
        "live": "Aktiva abonnemang",
        "waiting_webhooks": "Webhookar på väg",
        "active": "Aktivt",
        "trialing": "Provas",
        "past_due": "Obetalt",
        "canceled": "Avslutat",
        "incomplete_expired": "Löpte ut",
        "change_to": "Byt till",
        "not_approved": "Betalningen godkändes inte hos banken. Försök igen eller välj ett annat betalsätt.",
    },
    "en": {
        "pay": "Pay",
        "subscribe": "Subscribe",
        "start_trial": "Start the free trial",
        "card": "Card",
        "card_details": "Card details",
        "card_number": "Card number",
        "expiry": "Expiry (MM/YY)",
        "cvc": "Security code",
        "name": "Name",
        "address": "Billing address",
        "country": "Country",
        "line1": "Street address",
        "postal_code": "Postal code",
        "city": "City",
        "email": "Email",
        "paypal_login": "Log in to PayPal and pay",
        "back": "Back",
        "today": "To pay today",
        "then": "Then",
        "seats": "seats",
        "subtotal": "Subtotal",
        "tax": "Tax",
        "total": "Total",
        "month": "a month",
        "year": "a year",
        "free_until": "Free until",
        "try_cards": "Test cards",
        "paid_card": "is accepted",
        "declined_card": "is declined",
        "poor_card": "has insufficient funds",
        "discount": "Discount",
        "from_balance": "Earlier credit",
        "credited": "Credited",
        "secure_card": "3-D Secure every time",
        "secure_title": "Your bank wants you to approve the payment",
        "approve": "Approve",
        "fail": "Refuse",
        "over_complete": "This page has been paid. Thank you!",
        "over_expired": "This payment page has closed. Start again from Slack.",
        "unknown": "There is no such page.",
        "unknown_text": "The address is wrong, or belongs to another sandbox.",
        "must": "Fill in this field.",
        "bad_number": "The card number is not right.",
        "bad_expiry": "Write month and year, such as 12/34.",
        "bad_cvc": "Three or four digits.",
        "bad_email": "That does not look like an email address.",
        "method": "Payment method",
        "current_method": "Used now",
        "no_method": "No payment method saved",
        "save_method": "Save payment method",
        "details": "Billing information",
        "vat": "VAT number",
        "save": "Save",
        "saved": "Saved.",
        "invoices": "Invoices",
        "no_invoices": "No invoices yet.",
        "return": "Back to Kassör",
        "invoice": "Invoice",
        "number": "Invoice number",
        "date": "Invoice date",
        "due": "Due date",
        "period": "Period",
        "bill_to": "Bill to",
        "from": "From",
        "description": "Description",
        "quantity": "Qty",
        "unit_price": "Unit price",
        "amount": "Amount",
        "amount_paid": "Paid",
        "amount_due": "Amount due",
        "download": "Download PDF",
        "pay_saved": "Pay with",
        "or_with": "Or another way",
        "paid": "Paid",
        "open": "To pay",
        "void": "Void",
        "uncollectible": "Unpaid",
        "draft": "Draft",
        "page": "Page",
        "sandbox": "Sandbox: no real money",
        "secure_by": "Card details stay with Stripe.",
        "incomplete": "The payment did not go through",
        "to": "To",
        "password": "Password",
        "paypal_title": "Log in to PayPal",
        "paypal_agree": "Log in and agree",
        "paypal_cancel": "Cancel and go back",
        "paypal_next": "You log in to PayPal in the next step.",
        "paypal_left": "You turned back at PayPal. Nothing has been paid.",
        "paypal_declined": "PayPal declined the payment. Choose another way to pay.",
        "secure_once": "3-D Secure the first time",
        "subscriptions": "Subscriptions",
        "customer": "Customer",
        "plan": "Plan",
        "status": "Status",
        "renews": "Renews",
        "events": "Latest events",
        "event": "Event",
        "object": "Object",
        "waiting": "Waiting",
        "no_rows": "Nothing yet.",
        "volume": "Paid so far",
        "live": "Live subscriptions",
        "waiting_webhooks": "Webhooks on their way",
        "active": "Active",
        "trialing": "Trial",
        "past_due": "Past due",
        "canceled": "Canceled",
        "incomplete_expired": "Expired",
        "change_to": "Change to",
        "not_approved": "The payment was not approved at your bank. Try again, or choose another way to pay.",
    },
}


_DECLINES_SV = {
    "generic_decline": "Kortet nekades.",
    "insufficient_funds": "Kortet har inte täckning.",
    "expired_card": "Kortet har gått ut.",
    "incorrect_cvc": "Säkerhetskoden är fel.",
    "processing_error": "Något gick fel hos banken. Försök igen om en stund.",
    "incorrect_number": "Kortnumret är fel.",
    "authentication_required": "Kortet nekades. Banken vill att du godkänner köpet.",
    "payment_method_provider_decline": "PayPal nekade betalningen. Välj ett annat betalsätt.",
}


def refusal(language: str, decline_code: str | None, message: str | None) -> str:
    """Why a payment did not go through, in the reader's language; `message` is Stripe's English for it."""
    if language == "sv" and decline_code is not None:
        return _DECLINES_SV.get(decline_code, _DECLINES_SV["generic_decline"])
    return message or ""


def language_of(*wishes: str | None) -> str:
    """The first wish that is Swedish or English; English otherwise."""
    for wish in wishes:
        short = (wish or "").strip().lower()[:2]
        if short in WORDS:
            return short
    return "en"


def money(amount: int, currency: str, language: str) -> str:
    """Minor units as the language writes them."""
    decimals = 0 if currency in _ZERO else 3 if currency in _THREE else 2
    shown = format_currency(
        Decimal(amount).scaleb(-decimals), currency.upper(), locale=_LOCALES[language], currency_digits=True
    )
    return re.sub(r"(?<=[A-Z]{3})(?=\d)", "\u00a0", str(shown))


def day(seconds: int, language: str) -> str:
    """A day, UTC."""
    return str(format_date(datetime.fromtimestamp(seconds, UTC).date(), format="long", locale=_LOCALES[language]))


_PERIOD = re.compile(r"(?P<what>.+ × .+) \(at .+ / (?P<every>month|year)\)")
_PART = re.compile(r"(?P<which>Unused|Remaining) time on (?P<what>.+) after .+")


def described(line: dict[str, Any], language: str) -> str:
    """What a line is for, as the page and the PDF say it: Stripe's own English, put into Swedish for a Swede."""
    said = str(line["description"] or "")
    if language != "sv":
        return said
    if found := _PERIOD.fullmatch(said):
        each = Decimal((line["pricing"] or {}).get("unit_amount_decimal") or 0)
        price = money(int(each), line["currency"], language) if each == int(each) else ""
        return f"{found['what']} ({price} {WORDS['sv'][found['every']]})" if price else found["what"]
    if found := _PART.fullmatch(said):
        which = "Outnyttjad tid" if found["which"] == "Unused" else "Återstående tid"
        return f"{which}: {found['what']}, från {day(line['period']['start'], language)}"
    return f"Provperiod: {said.removeprefix('Trial period for ')}" if said.startswith("Trial period for ") else said


def latin(text: Any) -> str:
    """Text for a PDF's built-in fonts: what they lack becomes the nearest they have, or a question mark."""
    plain = (
        str(text).replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-").replace("–", "-").replace("—", "-")
    )
    plain = (
        plain.replace("’", "'")
        .replace("“", '"')
        .replace("”", '"')
        .replace("€", "EUR ")
        .replace("×", "x")
        .replace("…", "...")
    )
    return plain.encode("latin-1", "replace").decode("latin-1")
