"""A real Chromium in front of a real sandbox. Without a browser the tests are skipped, loudly; in CI that is an error."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.acceptance.conftest import running_sandbox
from tests.browser.walk import act_as, open_messages
from tests.sandbox.slack.town import Town, open_town


def chromium() -> str:
    """Where the browser is. Skips the test, or fails it in CI, when there is none."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        why = "NO CHROMIUM: the browser tests did not run. Install one (Debian: apt-get install chromium)."
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chromium()
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.log") as url:
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        await started.close()


def listen_for_errors(context: BrowserContext) -> list[str]:
    """What goes wrong on any page of it: uncaught errors, and errors in the console.

    A hosted form that is refused is answered with 400 or 402 as a whole page, which Chromium notes in the
    console; that is no error.
    """
    wrong: list[str] = []

    def noted(message: ConsoleMessage) -> None:
        hosted = any(part in message.location.get("url", "") for part in ("/pay/", "/portal/", "/invoice/", "/paypal/"))
        if message.type == "error" and not (hosted and "status of 40" in message.text):
            wrong.append(f"{message.text} ({message.location.get('url')})")

    context.on("console", noted)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    return wrong


@pytest.fixture
async def context(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A fresh browser window in which any error in the console fails the test; `indirect` parameters shape it."""
    shape = {"viewport": {"width": 1280, "height": 860}} | getattr(request, "param", {})
    opened = await browser.new_context(**shape)
    opened.set_default_timeout(15_000)
    wrong = listen_for_errors(opened)
    yield opened
    await opened.close()
    assert wrong == []


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    """A fresh page on which an error in the console fails the test."""
    return await context.new_page()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A workspace with a small app of the tests' own."""
    async with open_town(tmp_path) as opened:
        yield opened


@pytest.fixture
async def alice(town: Town, page: Page) -> Page:
    """Alice's browser, in her conversation with the app."""
    await page.goto(town.world.slack.base_url)
    await act_as(page, "Alice Morgan")
    await open_messages(page)
    return page


PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
