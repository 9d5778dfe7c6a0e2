"""`make screenshots`: the pictures of the docs, taken from a sandbox of their own by somebody who walks through it.

One story, told once: a workspace upgrades, adds seats, hands billing over, renews, and has a card that fails.
"""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from cli.sandbox_client import SandboxClient
from tests.acceptance.conftest import running_sandbox
from tests.browser.conftest import PICTURES, chromium
from tests.browser.walk import act_as, open_home, open_messages, pay, say, upgrade

WIDE, BESIDE, READING, PHONE = (1180, 780), (1440, 780), (960, 900), (390, 844)
MOVED = 120_000  # ms: a year of renewals, on a busy machine


class Album:
    """Where pictures are put, and how they are taken."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def size(self, size: tuple[int, int]) -> None:
        """So wide and so high, from now on."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})

    async def whole(self, name: str, page: Page | None = None) -> None:
        """Everything the window shows."""
        page = page or self.page
        await page.wait_for_timeout(400)  # what fades in has done so
        await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        slim(name)

    async def part(self, name: str, *parts: Locator, beside: int = 18, above: int = 0) -> None:
        """From the first part to the last, with so much room beside, above and below them."""
        await self.page.wait_for_timeout(400)
        boxes = [box for each in parts if (box := await each.bounding_box())]
        left, top = min(box["x"] for box in boxes) - beside, min(box["y"] for box in boxes) - above
        right = max(box["x"] + box["width"] for box in boxes) + beside
        bottom = max(box["y"] + box["height"] for box in boxes) + above
        clip = {"x": max(0, left), "y": max(0, top), "width": right - max(0, left), "height": bottom - max(0, top)}
        await self.page.screenshot(path=PICTURES / f"{name}.png", clip=clip, animations="disabled")  # type: ignore[arg-type]  # a box
        slim(name)

    async def message(self, name: str, words: str) -> None:
        """The newest message that says so, whole, as wide as it is read."""
        await self.size(READING)
        found = self.page.locator(".message", has_text=words).last
        await expect(found).to_be_visible(timeout=MOVED)
        await found.evaluate("node => node.scrollIntoView({block: 'center'})")
        await self.part(name, found, beside=0)
        await self.size(WIDE)

    async def modal(self, name: str) -> None:
        """The modal in front."""
        await self.page.evaluate("document.activeElement.blur()")
        await self.part(name, self.page.locator("dialog[open]").last, beside=12, above=12)


def slim(name: str) -> None:
    """As few bytes as it looks the same with: a page has few colours."""
    path = PICTURES / f"{name}.png"
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def side_by_side(name: str, left: str, right: str) -> None:
    """Two pictures as one; they are no pictures of their own any more."""
    paths = [PICTURES / f"{each}.png" for each in (left, right)]
    first, second = (Image.open(path).convert("RGB") for path in paths)
    gap, ground = 24, (255, 255, 255)
    both = Image.new("RGB", (first.width + gap + second.width, max(first.height, second.height)), ground)
    both.paste(first, (0, 0))
    both.paste(second, (first.width + gap, 0))
    both.save(PICTURES / f"{name}.png")
    slim(name)
    for path in paths:
        path.unlink()


async def take(address: str) -> None:
    """The story, from the first click to the telephone."""
    async with async_playwright() as playwright, SandboxClient(address) as client:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        await install(browser, client)
        page = await browser.new_page(
            viewport={"width": WIDE[0], "height": WIDE[1]}, device_scale_factor=1.5, reduced_motion="reduce"
        )
        album = Album(page)
        await page.goto(address)
        await upgrading(album)
        await seats(album, client)
        await handing_over(album)
        await renewing(album, client)
        await failing(album, client)
        await telephone(browser, address)
        await browser.close()


async def install(browser: Browser, client: SandboxClient) -> None:
    """Add to Slack: what Kassör asks for, and Slack's own page of it."""
    page = await browser.new_page(viewport={"width": 760, "height": 900}, device_scale_factor=1.5)
    album = Album(page)
    kassor = (await client.state())["urls"]["kassor"]
    await page.goto(f"{kassor}/slack/install")
    await album.part("install-left", page.locator("main svg"), page.locator("dl div").nth(5), beside=26, above=2)
    await page.get_by_role("link", name="Add to Slack").click()
    await expect(page.get_by_role("button", name="Allow")).to_be_visible()
    for group in (await page.locator("main details summary").all())[1:]:
        await group.click()  # one is enough to see what they are like; the answer is on the picture too
    await album.part("install-right", page.locator("main"), beside=10, above=-4)
    side_by_side("install", "install-left", "install-right")
    await page.close()


async def upgrading(album: Album) -> None:
    """Alice looks at what sales would want to know, upgrades by herself, and pays at Stripe."""
    page = album.page
    await act_as(page, "Alice Morgan")
    await album.size((WIDE[0], 1000))
    await say(page, "/billing sales")
    await expect(page.locator("dialog.modal")).to_be_visible()
    await album.modal("sales")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.modal")).to_be_hidden()
    await upgrade(page, "Alice Morgan")
    await album.modal("upgrade")
    await album.size(WIDE)
    stripe = await pay(page)
    await stripe.set_viewport_size({"width": WIDE[0], "height": 950})
    await album.whole("checkout", stripe)
    await stripe.get_by_role("button", name="Subscribe").click()
    await expect(stripe.get_by_role("heading", name="Done")).to_be_visible()
    await stripe.close()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.modal")).to_be_hidden()
    await open_messages(page)
    await expect(page.locator(".messages")).to_contain_text("Fjällvind has Premium now")
    await album.size(BESIDE)
    await page.get_by_role("button", name="World", exact=True).click()
    await page.get_by_role("tab", name="Happenings").click()
    await expect(page.locator(".feed li").first).to_be_visible()
    await album.whole("upgraded")
    await page.get_by_role("tab", name="Calls").click()
    await page.get_by_label("Direction").select_option(label="Stripe → Kassör")
    await page.locator(".call button", has_text="invoice.paid").first.click()
    await album.whole("inspector")
    await page.keyboard.press("Escape")
    await album.size(WIDE)


async def seats(album: Album, client: SandboxClient) -> None:
    """Forty days later: the exact price comes first, on the button; then what was charged."""
    page = album.page
    await client.move_clock(days=40)
    await say(page, "/seats 30")
    pay_now = page.get_by_role("button", name=re.compile(r"^Pay .* now$"))
    await expect(pay_now).to_be_visible()
    await album.message("seats-en", "To pay now")
    await pay_now.click()
    await album.message("confirmed", "was charged")


async def handing_over(album: Album) -> None:
    """Alice hands billing over, and is refused what only Carin may do from now on."""
    page = album.page
    await say(page, "/billing-owner @carin")
    await page.locator(".message.ephemeral").last.get_by_role("button").first.click()
    await act_as(page, "Carin Öberg")
    await open_messages(page)
    await album.message("handover", "Du är betalningsansvarig för Fjällvind")
    await say(page, "/platser 40")
    await expect(page.get_by_role("button", name="Betala")).to_be_visible()
    await album.message("seats", "Att betala nu")
    shutil.copy(PICTURES / "seats.png", PICTURES / "seats-sv.png")
    side_by_side("languages", "seats-sv", "seats-en")
    await page.get_by_role("button", name="Inte nu").click()
    await act_as(page, "Alice Morgan")
    await say(page, "/seats 50")
    await album.message("refusal", "Only the billing owner")


async def renewing(album: Album, client: SandboxClient) -> None:
    """A year later the copy comes, its invoice drawn."""
    page = album.page
    await client.move_clock(until="next_renewal")
    await act_as(page, "Carin Öberg")
    await open_home(page)
    await expect(page.locator(".home")).to_contain_text("18 av 30 används")
    await album.size((WIDE[0], 900))
    await album.whole("home")
    await page.get_by_role("button", name="Säg upp abonnemanget").click()
    await expect(page.locator("dialog[open]")).to_be_visible()
    await album.modal("question")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog[open]")).to_be_hidden()
    await open_messages(page)
    await expect(page.locator(".file .page svg").last).to_be_visible()
    await album.size((WIDE[0], 880))
    await page.locator(".message", has=page.locator(".file")).last.evaluate("node => node.scrollIntoView()")
    await album.whole("copy")
    await album.size(WIDE)


async def failing(album: Album, client: SandboxClient) -> None:
    """The next renewal is declined: what the owner reads, and what it says once it is mended."""
    page = album.page
    await client.post("/control/faults", base=await client.stripe_url(), kind="decline_next_renewal", times=1)
    await client.move_clock(until="next_renewal")
    await album.message("overdue", "gick inte igenom")
    async with page.context.expect_page() as opened:
        await (
            page.locator(".message", has_text="gick inte igenom").get_by_role("button", name="Betala fakturan").click()
        )
    stripe = await opened.value
    await stripe.set_viewport_size({"width": 900, "height": 1020})
    await album.whole("invoice", stripe)
    await stripe.locator("form button").last.click()
    await expect(stripe.locator(".badge.paid")).to_be_visible()
    await stripe.close()
    await client.settled()
    await album.message("mended", "gick inte igenom")


async def telephone(browser: Browser, address: str) -> None:
    """The same, in a hand; and in the dark."""
    page = await browser.new_page(
        viewport={"width": PHONE[0], "height": PHONE[1]}, device_scale_factor=2, color_scheme="dark", has_touch=True
    )
    album = Album(page)
    await page.goto(address)
    await act_as(page, "Carin Öberg")
    await album.whole("phone-left")
    await page.locator("#main .tabs button").nth(1).click()
    await page.locator(".message", has=page.locator(".file")).last.evaluate("node => node.scrollIntoView()")
    await album.whole("phone-right")
    side_by_side("phone", "phone-left", "phone-right")


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder) / "sandbox.log") as url:
        asyncio.run(take(url))
