"""The world's drawer: time, people, mishaps, Kassör's process and what was said over HTTP, by mouse and by keyboard."""

import re

from playwright.async_api import Page, expect

from cli.sandbox_client import SandboxClient
from tests.browser.walk import act_as, say


async def _open(page: Page, address: str, name: str = "Alice Morgan", world: str = "World") -> None:
    await page.goto(address)
    await act_as(page, name)
    await page.get_by_role("button", name=world, exact=True).click()


async def test_it_opens_and_closes_by_keyboard_and_gives_the_focus_back(page: Page, address: str) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    button = page.get_by_role("button", name="World", exact=True)
    await button.focus()
    await page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary", name="World")
    await expect(drawer).to_be_visible()
    await expect(button).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(button).to_be_focused()


async def test_whoever_stands_in_the_bar_with_the_keyboard_keeps_their_place_when_something_happens(
    page: Page, address: str
) -> None:
    await page.goto(address)
    await act_as(page, "Alice Morgan")
    button = page.get_by_role("button", name="World", exact=True)
    places = (button, page.get_by_role("button", name="+1 week"), page.locator("#side button").first)
    async with SandboxClient(address) as sandbox:
        home = (await sandbox.people())[0].workspace
        for name, held in zip(("Fjäll", "Vind", "Fjällvind"), places, strict=True):
            await held.focus()
            await sandbox.post("/control/event", type="workspace_renamed", workspace=home, name=name)
            await expect(page.locator("#side h1")).to_have_text(name)
            await expect(held).to_be_focused()


async def test_it_speaks_swedish_to_a_swede_and_everything_in_it_has_a_name(page: Page, address: str) -> None:
    await _open(page, address, "Björn Åkesson", "Världen")
    drawer = page.get_by_role("complementary", name="Världen")
    await expect(drawer.get_by_role("heading", name="Missöden")).to_be_visible()
    nameless = await drawer.evaluate(
        """node => [...node.querySelectorAll('button, select, input')]
            .filter(each => !each.innerText.trim() && !each.ariaLabel && !each.labels?.length).length"""
    )
    assert nameless == 0


async def test_somebody_joins_is_deactivated_and_comes_back(page: Page, address: str) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    await drawer.get_by_label("Newcomer").fill("Ada Berg")
    await drawer.get_by_role("button", name="Let somebody join").click()
    await drawer.get_by_label("Person").select_option(label="Ada Berg")
    for verb, gone in (("Deactivate", True), ("Reactivate", False)):
        await drawer.get_by_role("button", name=verb, exact=True).click()
        label = "Ada Berg (deactivated)" if gone else "Ada Berg"
        await expect(drawer.get_by_label("Person").locator("option", has_text="Ada Berg")).to_have_text(label)
    await drawer.get_by_role("button", name="Deactivate", exact=True).click()
    async with SandboxClient(address) as client:
        await client.settled()
        assert "Ada Berg" not in [each.name for each in await client.people()]


async def test_a_mishap_waits_is_seen_and_can_be_taken_back(page: Page, address: str) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    await drawer.get_by_label("What", exact=True).select_option(label="Stripe: the next renewal is declined")
    await drawer.get_by_label("How often").fill("2")
    await drawer.get_by_role("button", name="Let it happen").click()
    waiting = drawer.get_by_role("list", name="Waiting to happen")
    await expect(waiting).to_contain_text("Stripe · decline_next_renewal × 2")
    await waiting.get_by_role("button", name="Take back: Stripe").click()
    await expect(waiting).to_be_hidden()


async def test_time_passes_from_the_drawer(page: Page, address: str) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    async with SandboxClient(address) as client:
        before = (await client.state())["clock_offset"]
        await drawer.get_by_role("button", name="+1 day").click()
        await expect(drawer).not_to_have_attribute("aria-busy", "true", timeout=30_000)
        assert (await client.state())["clock_offset"] >= before + 86_000


async def test_kassor_is_killed_and_lives_again(page: Page, address: str) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    async with SandboxClient(address) as client:
        before = (await client.state())["kassor"]["pid"]
        await drawer.get_by_role("button", name="Kill without a goodbye").click()
        await expect(drawer.get_by_text(re.compile(rf"^Process (?!{before}$)\d+$"))).to_be_visible(timeout=30_000)
        assert (await client.state())["kassor"]["pid"] != before


async def test_what_was_said_over_http_can_be_read(page: Page, address: str) -> None:
    await _open(page, address)
    await say(page, "/billing help")
    drawer = page.get_by_role("complementary", name="World")
    await drawer.get_by_role("heading", name="What was said over HTTP").click()
    call = drawer.locator(".call", has_text="Slack → Kassör").first
    await call.locator("summary").click()
    await expect(call.locator("pre").first).to_contain_text("command: /billing")
    assert await drawer.locator(".call").count() <= 100
    assert "Bearer xoxb" not in await drawer.inner_text()
