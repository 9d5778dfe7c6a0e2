"""Stripe's hosted pages in a real browser, by hand: paid, declined, no funds, 3-D Secure and PayPal, in both languages."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.sandbox.stripe.shop import Shop, open_shop

DONE = re.compile(r"/\?done$")
WORDS: dict[str, dict[str, str]] = {
    "sv": {"number": "Kortnummer", "pay": "Starta abonnemang", "approve": "Godkänn", "deny": "Neka", "country": "Sverige",
           "email": "E-post", "log_in": "Logga in på PayPal", "leave": "Avbryt"},
    "en": {"number": "Card number", "pay": "Subscribe", "approve": "Approve", "deny": "Refuse", "country": "Sweden",
           "email": "Email", "log_in": "Log in to PayPal", "leave": "Cancel"},
}  # fmt: skip


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["sv", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def checkout(browser: Browser, shop: Shop, language: str) -> tuple[Page, Any]:
    """A fresh payment page, open in a browser of that language."""
    price = await shop.price(10_000)
    session = await shop.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 5}],
            "locale": language,
            "customer_email": "kim@example.com",
            "success_url": f"{shop.server.base_url}/?done",
        }
    )
    context = await browser.new_context(locale={"sv": "sv-SE", "en": "en-GB"}[language])
    page = await context.new_page()
    page.set_default_timeout(8_000)
    await page.goto(session.url)
    await page.locator("#name").fill("Kim")
    return page, session


async def status_of(shop: Shop, session: Any) -> tuple[str, str]:
    now = await shop.v1.checkout.sessions.retrieve_async(session.id)
    return now.status, now.payment_status


async def test_a_card_pays(browser: Browser, shop: Shop, language: str) -> None:
    page, session = await checkout(browser, shop, language)
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect(page.locator("#country option:checked")).to_have_text(WORDS[language]["country"])
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await page.wait_for_url(DONE)
    assert await status_of(shop, session) == ("complete", "paid")


@pytest.mark.parametrize(
    ("number", "sv", "en"),
    [
        ("4000 0000 0000 0002", "Kortet nekades", "declined"),
        ("4000 0000 0000 9995", "täckning", "insufficient funds"),
    ],
)
async def test_a_refused_card_says_why_and_another_can_be_tried(
    browser: Browser, shop: Shop, language: str, number: str, sv: str, en: str
) -> None:
    page, session = await checkout(browser, shop, language)
    await page.get_by_label(WORDS[language]["number"]).fill(number)
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await expect(page.get_by_role("alert")).to_contain_text({"sv": sv, "en": en}[language])
    assert await status_of(shop, session) == ("open", "unpaid")
    await page.get_by_label(WORDS[language]["number"]).fill("4242 4242 4242 4242")
    await page.locator("#expiry").fill("12/34")
    await page.locator("#cvc").fill("123")
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await page.wait_for_url(DONE)
    assert await status_of(shop, session) == ("complete", "paid")


@pytest.mark.parametrize(
    ("number", "approved"),
    [("4000 0025 0000 3155", True), ("4000 0000 0000 3220", True), ("4000 0027 6000 3184", False)],
    ids=["once", "always", "refused"],
)
async def test_the_bank_asks_first_with_3d_secure(
    browser: Browser, shop: Shop, language: str, number: str, approved: bool
) -> None:
    page, session = await checkout(browser, shop, language)
    await page.get_by_label(WORDS[language]["number"]).fill(number)
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await page.get_by_role("button", name=WORDS[language]["approve" if approved else "deny"]).click()
    if approved:
        await page.wait_for_url(DONE)
    else:
        await expect(page.get_by_role("alert")).to_be_visible()
    assert await status_of(shop, session) == (("complete", "paid") if approved else ("open", "unpaid"))


async def test_paypal_pays_after_its_own_log_in(browser: Browser, shop: Shop, language: str) -> None:
    page, session = await checkout(browser, shop, language)
    await page.get_by_label("PayPal", exact=True).check()
    await expect(page.get_by_label(WORDS[language]["number"])).to_be_hidden()
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await expect(page.get_by_role("heading", name="PayPal")).to_be_visible()
    assert await status_of(shop, session) == ("open", "unpaid")
    await page.get_by_label(WORDS[language]["email"]).fill("kim@paypal.example")
    await page.get_by_role("button", name=WORDS[language]["log_in"]).click()
    await page.wait_for_url(DONE)
    assert await status_of(shop, session) == ("complete", "paid")
    sub = await shop.v1.subscriptions.retrieve_async(
        (await shop.v1.checkout.sessions.retrieve_async(session.id)).subscription,
        {"expand": ["default_payment_method"]},
    )
    assert sub.default_payment_method.type == "paypal"
    assert sub.default_payment_method.paypal.payer_email == "kim@paypal.example"


@pytest.mark.parametrize("turned_back", [True, False], ids=["turned back", "declined"])
async def test_whoever_does_not_pay_at_paypal_is_told_and_can_choose_again(
    browser: Browser, shop: Shop, language: str, turned_back: bool
) -> None:
    page, session = await checkout(browser, shop, language)
    await page.get_by_label("PayPal", exact=True).check()
    await page.get_by_role("button", name=WORDS[language]["pay"]).click()
    await page.get_by_label(WORDS[language]["email"]).fill("declined@example.com")
    await page.get_by_role("button", name=WORDS[language]["leave" if turned_back else "log_in"]).click()
    why = {"sv": "avbröt" if turned_back else "sa nej", "en": "turned back" if turned_back else "declined"}[language]
    await expect(page.get_by_role("alert")).to_contain_text(why)
    assert await status_of(shop, session) == ("open", "unpaid")


async def test_an_invoice_shows_its_discount_tax_and_credit_and_is_paid_on_its_page(
    browser: Browser, shop: Shop, language: str
) -> None:
    vat = await shop.v1.tax_rates.create_async({"display_name": "Moms", "percentage": 25, "inclusive": False})
    coupon = await shop.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    customer = await shop.v1.customers.create_async({"email": "a@b.example", "preferred_locales": [language]})
    await shop.v1.customers.balance_transactions.create_async(customer.id, {"amount": -5_000, "currency": "sek"})
    price = await shop.price(10_000)
    sub = await shop.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": 10}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "default_tax_rates": [vat.id],
            "discounts": [{"coupon": coupon.id}],
        }
    )
    await shop.move_by(hours=2)
    context = await browser.new_context(locale={"sv": "sv-SE", "en": "en-GB"}[language])
    page = await context.new_page()
    await page.goto(f"{shop.server.base_url}/invoice/{sub.latest_invoice}")
    rows = [" ".join((await row.inner_text()).split()) for row in await page.locator("table tr").all()]
    expected = {
        "sv": ["Delsumma 1 000,00 kr", "Rabatt -100,00 kr", "Moms 225,00 kr", "Totalt 1 125,00 kr",
               "Tidigare tillgodo -50,00 kr", "Att betala 1 075,00 kr"],
        "en": ["Subtotal SEK 1,000.00", "Discount -SEK 100.00", "Tax SEK 225.00", "Total SEK 1,125.00",
               "Earlier credit -SEK 50.00", "Amount due SEK 1,075.00"],
    }  # fmt: skip
    first = {
        "sv": "10 × Premium (100,00 kr per månad) 1 000,00 kr",
        "en": "10 × Premium (at kr100.00 / month) SEK 1,000.00",
    }
    assert rows == [first[language], *expected[language]]
    await page.locator("form button").last.click()
    await expect(page.locator(".badge.paid")).to_be_visible()
    assert (await shop.v1.invoices.retrieve_async(sub.latest_invoice)).status == "paid"
