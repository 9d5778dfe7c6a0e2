"""Conversations as people know them: threads, what belongs together, colleagues, files that can be seen without opening them."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect

from sandbox.stripe.invoice_pdf import render
from tests.browser.kitchen import fields, message
from tests.browser.walk import act_as
from tests.sandbox.slack.town import ALICE, BJORN, Town

INVOICE: dict[str, Any] = {
    "id": "in_1", "number": "K-0001", "created": 1_795_600_000, "due_date": None, "status": "paid", "currency": "sek",
    "customer_name": "Fjällvind", "customer_email": "kim@example.com", "customer_address": None, "lines": {"data": []},
    "subtotal": 100, "total": 100, "amount_due": 100, "amount_paid": 100, "amount_remaining": 0, "total_taxes": [],
    "total_discount_amounts": [], "starting_balance": 0, "ending_balance": 0, "period_start": 1_795_600_000,
    "period_end": 1_795_600_000, "collection_method": "charge_automatically", "pre_payment_credit_notes_amount": 0,
    "post_payment_credit_notes_amount": 0,
}  # fmt: skip


async def test_any_place_and_anybody_is_a_few_letters_away(alice: Page) -> None:
    for letters, heading in (("allm", "allmänt"), ("björn", "Björn Åkesson")):
        await alice.keyboard.press("Control+k")
        await alice.keyboard.type(letters)
        await alice.keyboard.press("Enter")
        await expect(alice.locator("#main h2")).to_contain_text(heading)
    await alice.keyboard.press("Control+k")
    await alice.keyboard.type("björn")
    await alice.keyboard.press("ArrowDown")
    await alice.keyboard.press("Enter")
    await expect(alice.locator("details.person summary b")).to_have_text("Björn Åkesson")


async def test_an_answer_in_a_thread_stands_under_what_it_answers(alice: Page, town: Town) -> None:
    asked: Any = await town.client.chat_postMessage(channel=ALICE, text="Your invoice")
    await town.client.chat_postMessage(channel=ALICE, text="Something else")
    await town.client.chat_postMessage(channel=ALICE, text="And its PDF", thread_ts=asked["ts"])
    thread = alice.locator(".message", has_text="Your invoice").first.locator(".thread")
    await expect(thread.locator("summary")).to_have_text("1 reply")
    await expect(thread).to_contain_text("And its PDF")
    await expect(alice.locator(".messages > .message")).to_have_count(2)


async def test_what_is_said_in_one_breath_needs_the_name_once(alice: Page, town: Town) -> None:
    for text in ("First", "Second"):
        await town.client.chat_postMessage(channel=ALICE, text=text)
    await expect(alice.locator(".messages .who", has_text="Kassör")).to_have_count(1)
    await expect(alice.locator(".message.joined")).to_contain_text("Second")


async def test_the_page_is_told_at_once_without_asking(alice: Page, town: Town) -> None:
    asked: list[str] = []
    alice.on("request", lambda request: asked.append(request.url))
    await alice.wait_for_timeout(400)
    quiet = len(asked)
    await town.client.chat_postMessage(channel=ALICE, text="News")
    await expect(alice.locator(".message").last).to_contain_text("News", timeout=1_500)
    assert quiet == 0


async def test_what_comes_while_a_button_is_held_down_does_not_swallow_the_click(alice: Page, town: Town) -> None:
    messages, home = alice.locator("#main .tabs button").nth(1), alice.locator("#main .tabs button").first
    await home.click()
    await expect(home).to_have_attribute("aria-current", "page")
    spot = await messages.bounding_box()
    assert spot is not None
    await alice.mouse.move(spot["x"] + 10, spot["y"] + 10)
    await alice.mouse.down()
    async with alice.expect_response("**/control/messages**"):
        await town.client.chat_postMessage(channel=ALICE, text="Meanwhile")
    await alice.wait_for_timeout(200)
    await alice.mouse.up()
    await expect(messages).to_have_attribute("aria-current", "page")
    await expect(alice.locator(".message").last).to_contain_text("Meanwhile")


async def test_what_is_new_is_said_aloud_to_those_who_listen(alice: Page, town: Town) -> None:
    aloud = alice.get_by_role("log")
    await expect(aloud).to_be_empty()
    await town.client.chat_postMessage(channel=ALICE, text="Your card was declined")
    await expect(aloud).to_contain_text("Your card was declined")


async def test_an_invoice_is_seen_without_opening_it(alice: Page, town: Town) -> None:
    opened: Any = await town.client.conversations_open(users=ALICE)
    await town.client.files_upload_v2(
        content=render(INVOICE, "Kassör AB", "sv"),
        filename="faktura.pdf",
        title="Faktura",
        channel=opened["channel"]["id"],
    )
    page = alice.locator(".file .page")
    await expect(page.locator("text", has_text="K-0001").first).to_be_visible()
    await expect(page.locator("text", has_text="Fjällvind").first).to_be_visible()


async def test_colleagues_write_to_each_other_and_the_app_hears_nothing(alice: Page, town: Town) -> None:
    await alice.locator("#side button", has_text="Björn Åkesson").click()
    await alice.locator("#composer").fill("Shall we upgrade?")
    await alice.locator("#composer").press("Enter")
    await expect(alice.locator(".message").last).to_contain_text("Shall we upgrade?")
    await act_as(alice, "Björn Åkesson")
    fresh = alice.locator("#side button", has_text="Alice Morgan")
    await expect(fresh).to_contain_text("olästa")
    await fresh.click()
    await expect(alice.locator(".message").last).to_contain_text("Shall we upgrade?")
    await expect(fresh).not_to_contain_text("olästa")
    assert town.app.told("message") == []
    answer = await town.control("message", user=BJORN, channel="U0NOBODY1", text="x")
    assert answer["status"] == 404


async def test_a_command_can_be_typed_in_a_conversation_with_a_colleague(alice: Page, town: Town) -> None:
    await alice.locator("#side button", has_text="Björn Åkesson").click()
    await alice.locator("#composer").fill("/billing help")
    await alice.locator("#composer").press("Enter")
    for _ in range(100):
        if town.app.commands:
            break
        await asyncio.sleep(0.05)
    assert town.app.commands[-1]["channel_name"] == "directmessage"


async def test_every_block_of_a_message_is_drawn(alice: Page, town: Town) -> None:
    blocks = message(town.world.slack.base_url)
    await town.client.chat_postMessage(channel=ALICE, text="Everything", blocks=blocks)
    shown = alice.locator(".message .blocks")
    await expect(shown.locator("> *")).to_have_count(len(blocks))
    for selector in (
        "h3.header",
        ".fields",
        "hr",
        "pre",
        "blockquote",
        "ol li",
        "table th",
        "figure img",
        ".context img",
        ".thumb",
    ):
        await expect(shown.locator(selector).first).to_be_visible()
    for one in await shown.locator("img").all():
        assert await one.evaluate("image => image.complete && image.naturalWidth > 0")


async def test_every_element_of_a_modal_has_its_label_and_can_be_reached(alice: Page, town: Town) -> None:
    blocks = fields()
    await town.modal(ALICE, blocks)
    modal = alice.locator("dialog.modal")
    await expect(modal.locator(".input")).to_have_count(len(blocks))
    for block in blocks:
        named = modal.get_by_label(block["label"]["text"])
        assert await named.count() >= 1, block["label"]["text"]
