"""`kassor tour --watch`: it waits for somebody to look, says on the page what is being done, and the page follows whoever acts."""

import asyncio
import sys

import pytest
from playwright.async_api import Page, expect

from cli.sandbox_client import SandboxClient
from tests.acceptance.conftest import ROOT
from tests.chaos.counts import FULL

pytestmark = pytest.mark.skipif(not FULL, reason="half a minute of waiting: with KASSOR_CHAOS=full")


@pytest.mark.timeout(180)
async def test_a_walk_can_be_watched_as_whoever_acts(address: str, page: Page) -> None:
    port = address.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "tour", "--port", port, "--watch", "--pace", "0.4"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await asyncio.sleep(1.5)
        async with SandboxClient(address) as sandbox:
            assert (await sandbox.state())["caption"] is None, "it began before anybody was there"
            await page.goto(address)
            await expect(page.locator("#caption")).to_contain_text("types /upgrade")
            acting = (await sandbox.state())["caption"]["user"]
        await expect(page.locator(".person summary")).to_contain_text("Alice Morgan")
        assert acting == "U0ALICE01"
        await expect(page.locator("#caption")).to_contain_text("fills the modal in")
        said, _ = await asyncio.wait_for(process.communicate(), 150)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()[-2000:]
