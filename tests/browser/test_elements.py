"""Every block and element of Slack's in a real browser, worked with mouse and keyboard, in front of a small app."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.walk import act_as, open_messages
from tests.sandbox.slack.town import ALICE, BJORN, Town, field_of, option, plain

CONFIRM = {"title": plain("Sure?"), "text": plain("It costs"), "confirm": plain("Pay"), "deny": plain("Wait")}


def message(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "b", "elements": list(elements)}]


async def heard(town: Town) -> None:
    """Wait until the app has been told something."""
    for _ in range(100):
        if town.app.payloads:
            return
        await asyncio.sleep(0.05)


async def submitted(alice: Page, town: Town) -> dict[str, Any]:
    """Press Go; what the app was told of the one field."""
    await alice.locator("dialog.modal").get_by_role("button", name="Go").click()
    await expect(alice.locator("dialog.modal")).to_be_hidden()
    values: dict[str, Any] = town.app.payloads[-1]["view"]["state"]["values"]["b"]["e"]
    return values


async def test_shortcodes_are_drawn_with_a_name_and_unknown_ones_stay_as_they_are(alice: Page, town: Town) -> None:
    text = ":white_check_mark: Paid :warning: late :no_such_thing: at 12:30:45"
    await town.client.chat_postMessage(channel=ALICE, text=text)
    shown = alice.locator(".message").last
    await expect(shown.get_by_role("img", name="done")).to_be_visible()
    await expect(shown.get_by_role("img", name="warning")).to_be_visible()
    await expect(shown).to_contain_text(":no_such_thing: at 12:30:45")
    assert await shown.locator(".text svg").count() == 2


async def test_the_names_of_drawings_follow_the_reader(town: Town, page: Page) -> None:
    await town.client.chat_postMessage(channel=BJORN, text=":white_check_mark: Betald")
    await page.goto(town.world.slack.base_url)
    await act_as(page, "Björn Åkesson")
    await open_messages(page)
    await expect(page.locator(".message").last.get_by_role("img", name="klart")).to_be_visible()


async def test_mentions_groups_channels_and_dates_are_shown_as_people_read_them(alice: Page, town: Town) -> None:
    text = "<@U0BJORN02> <!subteam^S0DESIGN1> <#C0DESIGN1> <!date^1795600000^{date} {time}|then>"
    await town.client.chat_postMessage(channel=ALICE, text=text)
    await expect(alice.locator(".message").last).to_contain_text("@Björn Åkesson @design #design 25 November 2026")


async def test_several_people_are_ticked_by_keyboard_and_sent(alice: Page, town: Town) -> None:
    await town.modal(ALICE, [field_of({"type": "multi_users_select", "placeholder": plain("Who?")})])
    box = alice.locator("dialog.modal .several")
    await expect(box).to_contain_text("Who?")
    await box.locator("summary").focus()
    await alice.keyboard.press("Enter")
    await box.get_by_role("searchbox").fill("björn")
    await alice.keyboard.press("Tab")
    await alice.keyboard.press("Space")
    await expect(box.locator(".chip")).to_have_text("Björn Åkesson")
    assert (await submitted(alice, town))["selected_users"] == [BJORN]


async def test_no_more_can_be_ticked_than_may_be_chosen(alice: Page, town: Town) -> None:
    element = {"type": "multi_static_select", "options": [option("red"), option("blue")], "max_selected_items": 1}
    await town.modal(ALICE, [field_of(element)])
    box = alice.locator("dialog.modal .several")
    await box.locator("summary").click()
    await box.get_by_label("Red").check()
    await expect(box.get_by_label("Blue")).to_be_disabled()
    assert (await submitted(alice, town))["selected_options"] == [option("red")]


async def test_what_is_typed_in_an_external_select_asks_the_app_and_can_be_chosen(alice: Page, town: Town) -> None:
    await town.modal(ALICE, [field_of({"type": "external_select", "min_query_length": 2})])
    town.app.answers += [{"options": [option("design"), option("desert")]}] * 3
    field = alice.locator("dialog.modal").get_by_role("combobox")
    await field.press_sequentially("des")
    await expect(alice.get_by_role("option", name="Desert")).to_be_visible()
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(field).to_have_value("Desert")
    town.app.answers.clear()
    assert (await submitted(alice, town))["selected_option"] == option("desert")


@pytest.mark.parametrize(
    ("element", "typed", "carried"),
    [
        ({"type": "plain_text_input", "multiline": True}, "One\nTwo", {"value": "One\nTwo"}),
        ({"type": "number_input", "is_decimal_allowed": False}, "25", {"value": "25"}),
        ({"type": "datepicker"}, "2026-12-24", {"selected_date": "2026-12-24"}),
        ({"type": "timepicker"}, "09:30", {"selected_time": "09:30"}),
    ],
    ids=["text", "number", "date", "time"],
)
async def test_what_is_typed_is_sent(
    alice: Page, town: Town, element: dict[str, Any], typed: str, carried: dict[str, Any]
) -> None:
    await town.modal(ALICE, [field_of(element)])
    await alice.locator("dialog.modal").get_by_label("Field").fill(typed)
    told = await submitted(alice, town)
    assert {name: told[name] for name in carried} == carried


async def test_a_bad_number_is_said_on_its_field_and_what_was_typed_stays(alice: Page, town: Town) -> None:
    await town.modal(ALICE, [field_of({"type": "number_input", "is_decimal_allowed": False, "min_value": "2"})])
    modal = alice.locator("dialog.modal")
    await modal.get_by_label("Field").fill("1")
    await modal.get_by_role("button", name="Go").click()
    await expect(modal.get_by_role("alert")).to_have_text("Please enter a number that is at least 2.")
    await expect(modal.get_by_label("Field")).to_have_value("1")
    await expect(modal.get_by_label("Field")).to_be_focused()
    assert town.app.payloads == []


async def test_nothing_happens_until_the_confirm_dialog_is_answered_with_yes(alice: Page, town: Town) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Pay now"), "confirm": CONFIRM}
    await town.client.chat_postMessage(channel=ALICE, text="?", blocks=message(button))
    for answer, heard in (("Wait", 0), ("Pay", 1)):
        await alice.get_by_role("button", name="Pay now").click()
        dialog = alice.get_by_role("dialog", name="Sure?")
        await expect(dialog).to_contain_text("It costs")
        await dialog.get_by_role("button", name=answer, exact=True).click()
        await expect(dialog).to_be_hidden()
        await alice.wait_for_timeout(150)
        assert len(town.app.payloads) == heard


async def test_an_overflow_menu_opens_and_tells_what_was_picked(alice: Page, town: Town) -> None:
    menu = {"type": "overflow", "action_id": "more", "options": [option("edit"), option("remove")]}
    await town.client.chat_postMessage(channel=ALICE, text="?", blocks=message(menu))
    await alice.locator("details.overflow summary").click()
    await alice.get_by_role("button", name="Remove").click()
    await heard(town)
    assert town.app.payloads[-1]["actions"][0]["selected_option"] == option("remove")


async def test_the_close_button_goes_back_one_view_and_the_cross_closes_all(alice: Page, town: Town) -> None:
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}, optional=True)])
    modal = alice.locator("dialog.modal")
    pushed = {key: view[key] for key in ("type", "submit", "blocks")} | {
        "title": plain("Second"),
        "close": plain("Back"),
    }
    for leave, left in (("Back", "A modal"), ("Close", None)):
        town.app.answers.append({"response_action": "push", "view": pushed})
        await modal.get_by_label("Field").fill("kept")
        await modal.get_by_role("button", name="Go").click()
        await expect(modal.get_by_role("heading")).to_have_text("Second")
        await modal.get_by_role("button", name=leave).click()
        if left is None:
            await expect(modal).to_be_hidden()
        else:
            await expect(modal.get_by_role("heading")).to_have_text(left)
            await expect(modal.get_by_label("Field")).to_have_value("kept")


async def test_an_invoice_can_be_opened_and_downloaded(alice: Page, town: Town) -> None:
    opened: Any = await town.client.conversations_open(users=ALICE)
    await town.client.files_upload_v2(
        content=b"%PDF-1.7 an invoice", filename="invoice.pdf", title="Invoice 7", channel=opened["channel"]["id"]
    )
    card = alice.locator(".file")
    await expect(card).to_contain_text("Invoice 7")
    async with alice.context.expect_page() as tab:
        await card.get_by_role("link", name="Invoice 7").click()
    assert "/files/" in (await tab.value).url
    link = card.get_by_role("link", name="Download invoice.pdf")
    assert "download=1" in (await link.get_attribute("href") or "")


async def test_a_private_channel_one_is_not_in_is_not_offered(alice: Page, town: Town) -> None:
    await town.happens("member_left", user=ALICE, channel="C0AUDIT001")
    await expect(alice.locator("#side")).not_to_contain_text("billing-audit")
    await town.modal(ALICE, [field_of({"type": "conversations_select"})])
    await expect(alice.locator("dialog.modal select")).to_be_visible()
    names = await alice.locator("dialog.modal select option").all_inner_texts()
    assert "#design" in names
    assert "#billing-audit" not in names


async def test_groups_and_channels_are_completed_where_one_writes_and_arrive_as_mentions(
    alice: Page, town: Town
) -> None:
    field = alice.locator("#composer")
    await field.press_sequentially("/upgrade @desi")
    await alice.get_by_role("option", name="@design").click()
    await field.press_sequentially("#alln")
    await expect(alice.get_by_role("option")).to_have_count(0)
    await field.fill("/upgrade @design #allm")
    await field.press_sequentially("ä")
    await alice.get_by_role("option", name="#allmänt").click()
    await expect(field).to_have_value("/upgrade @design #allmänt ")
    await field.press("Enter")
    for _ in range(100):
        if town.app.commands:
            break
        await asyncio.sleep(0.05)
    assert town.app.commands[-1]["text"] == "<!subteam^S0DESIGN1|@design> <#C0GENERAL|allmänt>"
