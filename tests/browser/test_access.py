"""The accessibility checker axe over every surface, light and dark: no fault that it calls serious or critical."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, expect

from cli.sandbox_client import SandboxClient
from tests.browser.kitchen import fields, message
from tests.browser.walk import act_as, open_home, open_messages, pay, say
from tests.sandbox.slack.town import ALICE, Town
from tests.sandbox.stripe.shop import Shop, open_shop

BAD = {"serious", "critical"}
SCHEMES = pytest.mark.parametrize(
    "context",
    [{"color_scheme": scheme, "reduced_motion": "reduce"} for scheme in ("light", "dark")],  # nothing half faded in
    indirect=True,
    ids=["light", "dark"],
)
_AXE = Axe()


async def faults(page: Page) -> list[str]:
    """What axe finds serious or critical on the page: the rule, and the first element that breaks it."""
    found: Any = await _AXE.run(page)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} – {each['nodes'][0]['failureSummary'][:300]}"
        for each in found.response["violations"]
        if each["impact"] in BAD
    ]


async def an_invoice_to_pay(shop: Shop, **customer: Any) -> tuple[str, str, str]:
    """A customer who pays by invoice; their id, the price's and the id of what is to be paid."""
    payer = await shop.v1.customers.create_async({"email": "a@b.example", **customer})
    price = await shop.price(10_000)
    subscription = await shop.v1.subscriptions.create_async(
        {
            "customer": payer.id,
            "items": [{"price": price.id, "quantity": 10}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
        }
    )
    await shop.move_by(hours=2)
    return payer.id, price.id, str(subscription.latest_invoice)


async def at_home(context: BrowserContext, address: str) -> Page:
    """A page where Alice is."""
    page = await context.new_page()
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    return page


@SCHEMES
async def test_the_workspace_has_no_serious_fault(context: BrowserContext, address: str) -> None:
    page = await at_home(context, address)
    await open_home(page)
    await expect(page.locator(".home")).to_contain_text("Fjällvind")
    assert await faults(page) == []
    await say(page, "/billing help")
    await expect(page.locator(".message").last).to_contain_text("What you can do")
    await page.locator("#composer").fill("/")
    assert await faults(page) == []
    await page.locator("#composer").fill("")
    await page.locator("#side button", has_text="allmänt").click()
    await page.locator("details.person summary").click()
    assert await faults(page) == []
    await page.locator("details.person summary").click()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog", name="Jump to…")).to_be_visible()
    assert ("the way to anywhere", await faults(page)) == ("the way to anywhere", [])


@SCHEMES
async def test_the_panel_has_no_serious_fault(context: BrowserContext, address: str) -> None:
    page = await at_home(context, address)
    await say(page, "/upgrade premium yearly 20")
    await expect(page.locator(".message").last).to_contain_text("To pay now")
    await page.get_by_role("button", name="World", exact=True).click()
    for name in ("Try this", "Controls", "Happenings", "Calls", "Inside"):
        await page.get_by_role("tab", name=name, exact=True).click()
        if name == "Calls":
            await page.locator(".call button").first.click()
        if name == "Inside":
            await page.get_by_role("button", name="Quotes").click()
            await page.locator(".rows summary").first.click()
        assert (name, await faults(page)) == (name, [])


@SCHEMES
async def test_a_modal_and_stripes_pages_have_no_serious_fault(context: BrowserContext, address: str) -> None:
    page = await at_home(context, address)
    await say(page, "/upgrade")
    await expect(page.locator("dialog.modal")).to_be_visible()
    assert await faults(page) == []
    stripe = await pay(page)
    checkout = stripe.url
    assert await faults(stripe) == []
    await stripe.get_by_label("Card number").fill("1")
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.locator(".error").first).to_be_visible()
    assert ("a refused form", await faults(stripe)) == ("a refused form", [])
    await stripe.goto(checkout)
    await stripe.get_by_label("Card number").fill("4000 0000 0000 3220")
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("heading", name="3-D Secure")).to_be_visible()
    assert ("the bank", await faults(stripe)) == ("the bank", [])
    await stripe.goto(checkout)
    await stripe.get_by_label("PayPal", exact=True).check()
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("heading", name="PayPal")).to_be_visible()
    assert ("PayPal", await faults(stripe)) == ("PayPal", [])
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.modal")).to_be_hidden()


@SCHEMES
async def test_the_pages_of_an_installation_have_no_serious_fault_and_lead_on_or_back(
    context: BrowserContext, address: str
) -> None:
    async with SandboxClient(address) as client:
        kassor = (await client.state())["urls"]["kassor"]
    page = await context.new_page()
    for way, ends in (("Cancel", "Kassör was not installed"), ("Allow", "Kassör is in Pixelbryggan")):
        await page.goto(f"{kassor}/slack/install")
        assert ("before", await faults(page)) == ("before", [])
        await page.get_by_role("link", name="Add to Slack").click()
        await page.get_by_text("Signed in to").click()
        await page.get_by_role("link", name="Pixelbryggan").click()
        await expect(page.get_by_role("listitem").filter(has_text="chat:write").first).to_be_visible()
        assert ("Slack asks", await faults(page)) == ("Slack asks", [])
        await page.get_by_role("button", name=way).click()
        await expect(page.get_by_role("heading", name=ends)).to_be_visible()
        assert (ends, await faults(page)) == (ends, [])
    await page.close()


@SCHEMES
async def test_the_portal_an_invoice_and_the_account_have_no_serious_fault(
    context: BrowserContext, tmp_path: Path
) -> None:
    async with open_shop(tmp_path) as shop:
        customer, _, invoice = await an_invoice_to_pay(shop)
        portal = await shop.v1.billing_portal.sessions.create_async(
            {"customer": customer, "return_url": "http://127.0.0.1/"}
        )
        page = await context.new_page()
        for address in (portal.url, f"{shop.server.base_url}/invoice/{invoice}", shop.server.base_url):
            await page.goto(address)
            assert (address, await faults(page)) == (address, [])
        await page.close()


@pytest.mark.parametrize("context", [{"locale": "sv-SE", "reduced_motion": "reduce"}], indirect=True)
async def test_every_page_of_stripes_has_no_serious_fault_in_swedish_either(
    context: BrowserContext, tmp_path: Path
) -> None:
    async with open_shop(tmp_path) as shop:
        customer, price, invoice = await an_invoice_to_pay(shop, preferred_locales=["sv"])
        checkout = await shop.v1.checkout.sessions.create_async(
            {
                "mode": "subscription",
                "line_items": [{"price": price, "quantity": 5}],
                "locale": "sv",
                "customer_email": "kim@example.com",
                "success_url": f"{shop.server.base_url}/?done",
            }
        )
        portal = await shop.v1.billing_portal.sessions.create_async(
            {"customer": customer, "locale": "sv", "return_url": "http://127.0.0.1/"}
        )
        page = await context.new_page()

        async def sound(said: str) -> None:
            await expect(page.locator("body")).to_contain_text(said)
            await expect(page.locator("html")).to_have_attribute("lang", "sv")
            assert (said, await faults(page)) == (said, [])

        for address, said in (
            (portal.url, "Fakturor"),
            (f"{shop.server.base_url}/invoice/{invoice}", "Att betala"),
            (f"{shop.server.base_url}/pay/cs_none", "finns inte"),
            (checkout.url, "Starta abonnemang"),
        ):
            await page.goto(address)
            await sound(said)
        await page.get_by_label("Kortnummer").fill("1")
        await page.get_by_role("button", name="Starta abonnemang").click()
        await sound("Kortnumret")
        await page.goto(checkout.url)
        await page.locator("#name").fill("Kim")
        await page.get_by_label("Kortnummer").fill("4000 0000 0000 3220")
        await page.get_by_role("button", name="Starta abonnemang").click()
        await sound("Godkänn")
        await page.goto(checkout.url)
        await page.locator("#name").fill("Kim")
        await page.get_by_label("PayPal", exact=True).check()
        await page.get_by_role("button", name="Starta abonnemang").click()
        await sound("Logga in på PayPal")
        await page.close()


@SCHEMES
async def test_every_block_and_element_has_no_serious_fault(town: Town, context: BrowserContext) -> None:
    page = await at_home(context, town.world.slack.base_url)
    await open_messages(page)
    await town.client.chat_postMessage(channel=ALICE, text="Everything", blocks=message(town.world.slack.base_url))
    await expect(page.locator(".message table")).to_be_visible()
    assert ("a message", await faults(page)) == ("a message", [])
    await town.modal(ALICE, fields())
    await expect(page.locator("dialog.modal")).to_be_visible()
    assert ("a modal", await faults(page)) == ("a modal", [])
    await page.close()
