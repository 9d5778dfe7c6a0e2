"""What a newcomer does with mouse and keyboard; the tests and the pictures of the docs walk the same way."""

from playwright.async_api import Page, expect


async def act_as(page: Page, name: str) -> None:
    """Become somebody of the cast."""
    await page.locator("details.person summary").click()
    await page.locator("details.person .menu button", has_text=name).click()
    await expect(page.locator("details.person summary b")).to_have_text(name)


async def open_messages(page: Page) -> None:
    """Go to the conversation with Kassör."""
    await page.locator("#side button", has_text="Kassör").click()
    await page.locator("#main .tabs button").nth(1).click()
    await expect(page.locator("#composer")).to_be_visible()


async def open_home(page: Page) -> None:
    """Go to Kassör's App Home."""
    await page.locator("#side button", has_text="Kassör").click()
    await page.locator("#main .tabs button").first.click()


async def say(page: Page, text: str) -> None:
    """Type something where people write, in the conversation with Kassör."""
    await open_messages(page)
    await page.locator("#composer").fill(text)
    await page.locator("#composer").press("Enter")


async def upgrade(page: Page, owner: str) -> None:
    """Choose Business monthly and back, Premium yearly, a colleague as owner, and go on to the payment page's link."""
    await say(page, "/upgrade")
    modal = page.locator("dialog.modal")
    await expect(modal).to_be_visible()
    await modal.get_by_role("radio", name="Business").check()
    await expect(modal.locator(".body")).to_contain_text("2,750.00")
    await modal.get_by_role("radio", name="Premium").check()
    await expect(modal.locator(".body")).to_contain_text("1,250.00")
    await modal.locator("select[data-action='kassor.upgrade.owner']").select_option(label=owner)


async def pay(page: Page) -> Page:
    """Follow the link to Stripe's page and press the button there; returns the tab, back at Kassör's own page."""
    modal = page.locator("dialog.modal")
    await modal.get_by_role("button", name="Continue").click()
    link = modal.get_by_role("button", name="at Stripe")
    await expect(link).to_be_visible()
    async with page.context.expect_page() as opened:
        await link.click()
    return await opened.value
