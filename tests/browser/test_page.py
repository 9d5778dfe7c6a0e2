"""The sandbox in a real browser, from the first /upgrade to the invoice, as a newcomer would."""

from playwright.async_api import Browser, Page, expect

from tests.browser.walk import act_as, open_home, open_messages, pay, say, upgrade


async def test_a_newcomer_upgrades_pays_and_reads_the_answer(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    await upgrade(page, "Björn Åkesson")
    stripe = await pay(page)
    await expect(stripe.get_by_text("SEK 25,000.00").first).to_be_visible()
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("heading", name="Done")).to_be_visible()
    await page.locator("dialog.modal").get_by_role("button", name="Close").last.click()
    await expect(page.locator(".messages")).to_contain_text("Fjällvind has Premium now")


async def test_the_new_owner_reads_swedish_and_the_page_speaks_it_too(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await open_messages(page)
    await expect(page.locator(".messages")).to_contain_text("Du är betalningsansvarig för Fjällvind")
    await open_home(page)
    await expect(page.locator(".home")).to_contain_text("18 av 20 används")
    assert await page.evaluate("document.documentElement.lang") == "sv"


async def test_a_refusal_names_the_owner_and_stays_private(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    await say(page, "/seats 30")
    last = page.locator(".message").last
    await expect(last).to_contain_text("Only the billing owner, @Björn Åkesson, can change seats")
    await expect(last).to_contain_text("Only visible to you")


async def test_the_price_is_on_the_button_and_the_button_is_replaced_by_what_happened(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await say(page, "/platser 25")
    message = page.locator(".message.ephemeral").last
    await message.get_by_role("button", name="Betala").click()
    await expect(message).to_contain_text("Klart.")
    await expect(message.get_by_role("button")).to_have_count(0)


async def test_what_is_wrong_in_a_modal_is_said_on_its_field(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Björn Åkesson")
    await say(page, "/betalningsansvarig")
    modal = page.locator("dialog.modal")
    await modal.locator("select").select_option(label="Björn Åkesson")
    await modal.get_by_role("button", name="Fortsätt").click()
    await expect(modal.get_by_role("alert")).to_contain_text("redan betalningsansvarig")
    await page.keyboard.press("Escape")
    await expect(modal).to_be_hidden()


async def test_commands_are_suggested_and_completed_by_keyboard_alone(page: Page, address: str) -> None:
    await page.goto(address)
    await open_messages(page)
    await page.locator("#composer").focus()
    await page.keyboard.type("/bil")
    await expect(page.get_by_role("option").first).to_contain_text("/billing")
    await page.keyboard.press("Tab")
    await expect(page.locator("#composer")).to_have_value("/billing ")


async def test_a_command_written_out_is_sent_though_a_longer_one_begins_with_it(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    await say(page, "/billing")
    await expect(page.locator(".message.ephemeral").last).to_contain_text("Fjällvind")
    await page.locator("#composer").fill("/billing")
    await page.locator("#composer").press("ArrowDown")
    await page.locator("#composer").press("Enter")
    await expect(page.locator("#composer")).to_have_value("/billing-owner ")


async def test_the_clock_moves_everybody(page: Page, address: str) -> None:
    await page.goto(address)
    before = await page.locator(".clock time").get_attribute("datetime")
    await page.locator(".clock button").first.click()
    await expect(page.locator(".clock")).not_to_have_class("clock busy", timeout=30_000)
    await expect(page.locator(".clock time")).not_to_have_attribute("datetime", before or "", timeout=30_000)


async def test_it_fits_a_telephone(browser: Browser, address: str) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("#main")).to_be_visible()
    await page.wait_for_timeout(300)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await context.close()


async def test_what_people_write_never_becomes_markup(page: Page, address: str) -> None:
    await page.goto(address)
    await say(page, "<img src=x onerror=\"document.title='owned'\"> *fet*")
    await expect(page.locator(".message").last).to_contain_text("<img src=x")
    assert "owned" not in await page.title()
    assert await page.locator(".message img").count() == 0
