"""The world's panel: time, people, mishaps, Kassör's process, what happens, what was said over HTTP, what Kassör keeps."""

import json
import re

from playwright.async_api import Page, expect

from cli.sandbox_client import SandboxClient
from tests.browser.walk import act_as, open_messages, say


async def _open(
    page: Page, address: str, name: str = "Alice Morgan", world: str = "World", tab: str = "Controls"
) -> None:
    await page.goto(address)
    await act_as(page, name)
    await page.get_by_role("button", name=world, exact=True).click()
    await page.get_by_role("tab", name=tab, exact=True).click()


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
    await _open(page, address, "Björn Åkesson", "Världen", "Styr")
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


async def test_a_call_is_found_by_its_content_and_shows_signature_time_and_bodies(page: Page, address: str) -> None:
    await _open(page, address, tab="Calls")
    await say(page, "/billing help")
    drawer = page.get_by_role("complementary", name="World")
    await drawer.get_by_label("Direction").select_option(label="Slack → Kassör")
    await drawer.get_by_label("Filter by address or content").fill("/billing help")
    call = drawer.locator(".call button", has_text="/billing help").first
    await expect(call).to_contain_text("signed")
    await call.click()
    whole = drawer.get_by_role("region", name="/billing help")
    await expect(whole.locator("pre").first).to_contain_text("command: /billing")
    await expect(whole).to_contain_text("X-Slack-Signature: v0=")
    await expect(whole.locator(".facts")).to_contain_text(" ms")
    await drawer.get_by_label("Filter by address or content").fill("no such thing")
    await expect(drawer.get_by_text("No call fits.")).to_be_visible()
    assert "Bearer xoxb" not in await drawer.inner_text()


async def test_only_what_went_wrong_can_be_shown_and_the_retry_is_seen(page: Page, address: str) -> None:
    await _open(page, address, tab="Calls")
    drawer = page.get_by_role("complementary", name="World")
    async with SandboxClient(address) as client:
        await client.post("/control/faults", method="chat.postEphemeral", kind="rate_limited", times=1)
        await client.post("/control/faults", method="views.publish", kind="rate_limited", times=1)
    await page.get_by_role("button", name="Home", exact=True).click()
    await drawer.get_by_label("Only what went wrong").check()
    await expect(drawer.locator(".call.bad").first).to_contain_text("fault: rate_limited")
    await expect(drawer.locator(".call:not(.bad)")).to_have_count(0)


async def test_kassors_own_rows_are_shown_without_anything_secret(page: Page, address: str) -> None:
    await _open(page, address, tab="Inside")
    await say(page, "/upgrade premium yearly 20")
    drawer = page.get_by_role("complementary", name="World")
    for kind, shown in (("Inbox", "product.created"), ("Quotes", "upgrade: premium, year, 20"), ("Audit", "")):
        await drawer.get_by_role("button", name=re.compile(f"^{kind}")).click()
        await expect(drawer.locator(".rows")).to_contain_text(shown)
    async with SandboxClient(address) as client:
        rows = json.dumps(await client.get("/control/inside"))
    for secret in ("xoxb-", "sk_test", "/response/", "checkout_url", "payload"):
        assert secret not in rows


async def test_what_happens_while_time_passes_is_told(page: Page, address: str) -> None:
    await _open(page, address, tab="Happenings")
    drawer = page.get_by_role("complementary", name="World")
    async with SandboxClient(address) as client:
        home = (await client.people())[0].workspace
        await client.post("/control/event", type="workspace_renamed", workspace=home, name="Fjällvind")
    await expect(drawer.get_by_role("list", name="Happenings").locator("li").first).to_contain_text(
        "The workspace has a new name"
    )


async def test_a_webhook_that_is_lost_is_seen_to_be_lost(page: Page, address: str) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    await drawer.get_by_label("What", exact=True).select_option(label="Stripe: a webhook is lost")
    await drawer.get_by_role("button", name="Let it happen").click()
    await expect(drawer.get_by_role("list", name="Waiting to happen")).to_contain_text("drop")
    async with SandboxClient(address) as client:
        stripe = (await client.state())["urls"]["stripe"]
        key = (await client.state())["credentials"]["stripe_api_key"]
        async with client.session.post(
            f"{stripe}/v1/products", data={"name": "Lost"}, headers={"Authorization": f"Bearer {key}"}
        ) as response:
            assert response.status == 200
    await page.get_by_role("tab", name="Happenings").click()
    await expect(drawer.locator(".feed li.bad", has_text="a webhook is lost (product.created)")).to_be_visible()


async def test_I2_a_message_that_times_out_at_slack_yet_arrives_is_there_once_and_the_panel_tells_of_it(
    page: Page, address: str
) -> None:
    await _open(page, address)
    drawer = page.get_by_role("complementary", name="World")
    modal = page.locator("dialog.modal")
    await say(page, "/billing support")
    await modal.get_by_role("textbox").fill("Where is my invoice?")
    await modal.get_by_role("button", name="Send").click()
    await expect(modal).to_contain_text("Sent to support")
    await page.keyboard.press("Escape")
    await act_as(page, "Olivia Reyes")
    await page.locator("#side button", has_text="support").click()
    question = page.locator("#main .message", has_text="Where is my invoice?")
    await expect(question).to_have_count(1)
    await drawer.get_by_label("What", exact=True).select_option(label="Slack: a message times out, yet sent")
    await drawer.get_by_label("How often").fill("2")  # the line for the audit channel, and the answer
    await drawer.get_by_role("button", name="Let it happen").click()
    waiting = drawer.get_by_role("list", name="Waiting to happen")
    await expect(waiting).to_contain_text("Slack · chat.postMessage · timeout_after × 2")
    await question.get_by_role("button", name="Mark answered").click()
    await modal.get_by_role("textbox").fill("It is in your messages.")
    await modal.get_by_role("button", name="Send").click()
    await expect(modal).to_contain_text("is told now", timeout=30_000)
    await page.keyboard.press("Escape")
    await expect(drawer.get_by_text("chat.postMessage · timeout_after")).to_have_count(0, timeout=30_000)
    await drawer.get_by_role("button", name="+6 hours").click()  # whoever didn't answer is left alone for a while
    await page.get_by_role("tab", name="Happenings").click()
    lines = drawer.locator(".feed li")
    await expect(lines.filter(has_text="a message times out, yet sent (chat.postMessage)")).to_have_count(2)
    await expect(lines.filter(has_text="looks whether a message arrived")).to_have_count(1, timeout=30_000)
    await page.get_by_role("tab", name="Inside").click()
    sent = drawer.locator(".rows summary", has_text="request_decided").first
    await expect(sent).to_contain_text("done")
    await expect(sent).to_contain_text("attempts")
    await act_as(page, "Alice Morgan")
    await open_messages(page)
    await expect(page.locator("#main .message", has_text="It is in your messages.")).to_have_count(1)


async def test_the_tabs_are_walked_with_the_arrows(page: Page, address: str) -> None:
    await _open(page, address, tab="Try this")
    for name in ("Controls", "Happenings", "Calls", "Inside", "Try this"):
        await page.keyboard.press("ArrowRight")
        tab = page.get_by_role("tab", name=name, exact=True)
        await expect(tab).to_be_focused()
        await expect(tab).to_have_attribute("aria-selected", "true")
