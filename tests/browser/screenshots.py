"""`make screenshots`: the pictures of the docs, taken from a sandbox of their own."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright, expect

from cli.sandbox_client import SandboxClient
from cli.tour import Journey, walk
from tests.acceptance.conftest import running_sandbox
from tests.browser.conftest import PICTURES, chromium
from tests.browser.walk import act_as, say, upgrade


async def take(address: str) -> None:
    """The upgrade modal before, a price and the invoice copy after the tour."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1180, "height": 780}, device_scale_factor=1.5)
        await page.goto(address)
        await act_as(page, "Alice Morgan")
        await upgrade(page, "Björn Åkesson")
        await page.screenshot(path=PICTURES / "upgrade.png")
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog.modal")).to_be_hidden()
        async with SandboxClient(address) as client:
            await walk(Journey(client, say=lambda _: None))
        await page.keyboard.press("Escape")  # the way to payment, still open for the one who upgraded
        await expect(page.locator("dialog.modal")).to_be_hidden()
        await act_as(page, "Carin Öberg")
        await say(page, "/platser 40")
        await expect(page.get_by_role("button", name="Betala")).to_be_visible()
        await page.screenshot(path=PICTURES / "seats.png")
        await page.locator("#side button", has_text="Start").click()
        await expect(page.locator(".home")).to_contain_text("18 av 30 används")
        await page.screenshot(path=PICTURES / "home.png")
        await browser.close()


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder) / "sandbox.log") as url:
        asyncio.run(take(url))
