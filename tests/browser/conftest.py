"""A real Chromium in front of a real sandbox. Without a browser the tests are skipped, loudly; in CI that is an error."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.acceptance.conftest import running_sandbox


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


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh page on which an error in the console fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    await context.close()
    assert wrong == []


PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
