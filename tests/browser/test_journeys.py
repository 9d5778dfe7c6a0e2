"""The whole of it by hand, in a real browser: what goes wrong and is mended, a year that passes, and a keyboard alone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.browser.walk import act_as, open_home, open_messages, pay, say, upgrade

MOVED = 60_000  # ms: a year of renewals and copies, on a busy machine


async def test_R23_a_declined_card_says_why_and_nothing_is_upgraded_until_another_has_paid(
    page: Page, address: str
) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    await upgrade(page, "Björn Åkesson")
    stripe = await pay(page)
    await stripe.get_by_label("Card number").fill("4000 0000 0000 0002")
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("alert")).to_contain_text("declined")
    await expect(page.locator(".messages")).not_to_contain_text("Fjällvind has Premium now")
    for name, value in (("Card number", "4242424242424242"), ("Expiry (MM/YY)", "12/34"), ("Security code", "123")):
        await stripe.get_by_label(name).fill(value)
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("heading", name="Done")).to_be_visible()
    await page.locator("dialog.modal").get_by_role("button", name="Close").last.click()
    await expect(page.locator(".messages")).to_contain_text("Fjällvind has Premium now")


@pytest.mark.parametrize("context", [{"locale": "sv-SE"}], indirect=True, ids=["sv"])
async def test_R52_R54_the_owner_switches_from_card_to_paypal_in_swedish(context: BrowserContext, address: str) -> None:
    page = await context.new_page()
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await say(page, "/fakturering betalning")
    async with page.context.expect_page() as opened:
        await page.locator(".message.ephemeral").last.get_by_role("button").first.click()
    stripe = await opened.value
    await stripe.get_by_label("PayPal", exact=True).check()
    await stripe.get_by_role("button", name="Spara betalsättet").click()
    await stripe.get_by_label("E-post").fill("bjorn@paypal.example")
    await stripe.get_by_role("button", name="Logga in och godkänn").click()
    await expect(stripe.get_by_role("heading", name="Klart")).to_be_visible()
    await expect(page.locator(".message").last).to_contain_text("PayPal")


async def test_I1_a_year_passes_at_the_press_of_a_button_and_the_copy_comes_with_its_invoice_drawn(
    page: Page, address: str
) -> None:
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await open_messages(page)
    before = await page.locator(".clock time").get_attribute("datetime")
    await page.get_by_role("button", name="+1 år", exact=True).click()
    await expect(page.locator(".clock")).to_have_class("clock", timeout=MOVED)
    await page.get_by_role("button", name="+1 dag", exact=True).click()
    await expect(page.locator(".clock time")).not_to_have_attribute("datetime", before or "", timeout=MOVED)
    copy = page.locator(".message", has=page.locator(".file"))
    await expect(copy).to_have_count(1, timeout=MOVED)
    await expect(copy).to_contain_text("25 000,00 kr")
    await expect(copy.locator(".file .page svg text", has_text="Faktura").first).to_be_visible()


async def test_what_has_been_tried_is_ticked_off(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    await page.get_by_role("button", name="World", exact=True).click()
    done = page.locator(".tries li.done")
    await expect(done).to_have_count(4)
    await expect(page.locator(".tries li:not(.done)")).to_contain_text("Have the bank say no")
    await page.get_by_role("button", name="Write /upgrade").click()
    await expect(page.locator("#composer")).to_have_value("/upgrade")
    await expect(page.locator("#composer")).to_be_focused()


async def _tab_to(page: Page, wanted: Locator, most: int = 80) -> None:
    """Press Tab until that has the focus, as somebody without a mouse would."""
    for _ in range(most):
        if await wanted.evaluate("node => node === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never reaches {wanted}")


async def _until(check: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(100):
        if await check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def test_everything_from_the_other_workspace_to_the_paid_upgrade_can_be_done_with_the_keyboard_alone(
    page: Page, address: str
) -> None:
    await page.goto(address)
    keys = page.keyboard
    await _tab_to(page, page.get_by_role("button", name="Pixelbryggan"))
    await keys.press("Enter")
    await expect(page.locator("#side h1")).to_have_text("Pixelbryggan")
    messages = page.locator("#main .tabs button").nth(1)
    await _tab_to(page, messages)
    await keys.press("Enter")
    await expect(messages).to_have_attribute("aria-current", "page")
    await _tab_to(page, page.locator("#composer"))
    await keys.type("/up")
    await keys.press("ArrowDown")
    await keys.press("ArrowUp")
    await keys.press("Tab")
    await keys.press("Enter")
    modal = page.locator("dialog.modal")
    await expect(modal).to_be_visible()
    await _tab_to(page, modal.locator("footer .primary"))
    await keys.press("Enter")
    link = modal.locator(".body button.primary")
    await expect(link).to_be_visible()
    await _tab_to(page, link)
    async with page.context.expect_page() as opened:
        await keys.press("Enter")
    stripe = await opened.value
    await _tab_to(stripe, stripe.locator("form button"))
    await stripe.keyboard.press("Enter")
    await stripe.wait_for_url("**/slack/return**")
    await page.bring_to_front()
    await keys.press("Escape")
    await expect(modal).to_be_hidden()
    await expect(page.locator(".messages .message", has_text="Pixelbryggan").last).to_contain_text("Premium")


async def test_what_was_not_seen_is_marked_and_counted_until_it_is(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await page.locator("#side button", has_text="allmänt").click()
    app = page.locator("#side button", has_text="Kassör")
    await expect(app.locator(".badge")).to_be_visible()
    await open_messages(page)
    await expect(app.locator(".badge")).to_have_count(0)


@pytest.mark.parametrize("context", [{"viewport": {"width": 390, "height": 800}}], indirect=True, ids=["390 wide"])
async def test_on_a_telephone_every_surface_keeps_within_the_screen(context: BrowserContext, address: str) -> None:
    page = await context.new_page()
    await page.goto(address)
    await act_as(page, "Björn Åkesson")

    async def fits() -> None:
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    async def reach(go: Callable[[Page], Awaitable[None]]) -> None:
        await page.locator(".burger").click()
        await go(page)
        await fits()

    await reach(open_home)
    await reach(open_messages)
    await page.locator("#composer").fill("/betalningsansvarig")
    await page.locator("#composer").press("Enter")
    await expect(page.locator("dialog.modal")).to_be_visible()
    box = await page.locator("dialog.modal").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Världen", exact=True).click()
    for tab in await page.get_by_role("tab").all():
        await tab.click()
        await fits()


async def test_reduced_motion_is_respected(page: Page, address: str) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(address)
    await page.get_by_role("button", name="World", exact=True).click()
    await page.get_by_role("tab", name="Happenings").click()
    await _until(lambda: _any(page.locator(".feed li")))
    seconds = await page.locator(".feed li").first.evaluate(
        "node => parseFloat(getComputedStyle(node).animationDuration)"
    )
    assert seconds < 0.01


async def _any(found: Locator) -> bool:
    return await found.count() > 0
