"""The page on which somebody lets the app in, in a real browser: nothing axe calls serious, and the keyboard is enough."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, Page, expect

from bot.manifest import SCOPES
from domain.config import Settings
from domain.records import Installation
from domain.rules.catalogue import Catalogue
from tests.bot.conftest import SMALL, open_office
from tests.browser.test_access import SCHEMES, faults
from tests.sandbox.slack.town import Town


async def asked(context: BrowserContext, town: Town) -> Page:
    back = f"{town.world.slack.base_url}/favicon.ico"
    query = {"client_id": town.world.credentials.client_id, "redirect_uri": back, "scope": ",".join(SCOPES)}
    page = await context.new_page()
    await page.goto(f"{town.world.slack.base_url}/oauth/v2/authorize?{urlencode(query)}")
    return page


@SCHEMES
async def test_asking_for_consent_has_no_serious_fault(context: BrowserContext, town: Town) -> None:
    page = await asked(context, town)
    assert await faults(page) == []
    await page.get_by_text("Signed in to").click()
    await expect(page.get_by_role("link", name="Pixelbryggan")).to_be_visible()
    assert await faults(page) == []


@pytest.mark.parametrize("context", [{"locale": "sv-SE", "viewport": {"width": 340, "height": 700}}], indirect=True)
async def test_by_keyboard_another_workspace_is_chosen_and_allowed(context: BrowserContext, town: Town) -> None:
    page = await asked(context, town)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for key in ("Tab", "Enter", "Tab", "Tab", "Enter"):  # open the list, past the first workspace, to the second
        await page.keyboard.press(key)
    await expect(page.get_by_role("heading", name="Kassör ber om åtkomst till arbetsytan Pixelbryggan")).to_be_visible()
    await page.get_by_role("button", name="Tillåt").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/favicon.ico?code=*")
    assert list(town.world.slack.state.codes.values()) == ["T1PIXEL01"]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_from_kassors_page_over_slacks_and_back_by_clicking(
    context: BrowserContext, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with open_office(settings, catalogue, tmp_path) as office:
        before = (await Installation.get(team_id=SMALL)).sealed
        page = await context.new_page()
        for answer, said in (("Cancel", "nothing has changed"), ("Allow", "Kassör is in Pixelbryggan")):
            await page.goto(f"{office.slack.sender.app_url}/slack/install")
            await page.get_by_role("link", name="Add to Slack").click()
            await page.get_by_text("Signed in to").click()
            await page.get_by_role("link", name="Pixelbryggan").click()
            await page.get_by_role("button", name=answer).click()
            await expect(page.locator("main")).to_contain_text(said)
        assert (await Installation.get(team_id=SMALL)).sealed != before
        await page.goto("about:blank")
