"""Slack's and Stripe's own JavaScript clients run against the sandbox unmodified.

They are not Python's to install: `npm ci` brings them into `tests/sandbox/js/node_modules`, once. Without Node, or without them,
this is skipped, loudly; in CI that is an error.
"""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from sandbox.world import World
from tests.acceptance.conftest import three_free_ports
from tests.clock import a_clock

SCRIPTS = Path(__file__).parent / "js"
LOCK = SCRIPTS / "package-lock.json"
INSTALLED = SCRIPTS / "node_modules" / ".installed"  # what was locked when the clients were installed
OLDEST_NODE = 20  # as Slack's packages say

pytestmark = pytest.mark.timeout(240)  # an installation from an empty cache has its own bound, below


def without(why: str) -> NoReturn:
    """Skip, or fail in CI, where the clients cannot run."""
    said = f"NO JAVASCRIPT CLIENTS: they did not run against the sandbox. {why}"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is, with the clients installed beside the scripts."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        without("Install Node and npm (Debian: apt-get install nodejs npm).")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        without(f"This is Node {version}; they need {OLDEST_NODE} or later.")
    with (SCRIPTS / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # test processes side by side: one installs, the others find it done
        if not INSTALLED.exists() or INSTALLED.read_text() != LOCK.read_text():
            _install()
    return found


def _install() -> None:
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    try:
        done = subprocess.run(
            command, cwd=SCRIPTS, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        without("`npm ci` took longer than two minutes.")
    if done.returncode != 0:
        without(f"`npm ci` failed:\n{done.stdout}")
    INSTALLED.write_text(LOCK.read_text())


@pytest.mark.parametrize("script", ["stripe.test.mjs", "slack.test.mjs"])
async def test_the_official_javascript_clients_run_unmodified(node: str, script: str, tmp_path: Path) -> None:
    port = three_free_ports()
    world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=a_clock(tmp_path))
    await world.start()
    first, *_ = world.slack.state.workspaces.values()
    first.installed = True
    given = {
        "PATH": os.environ["PATH"],
        "STRIPE_URL": world.stripe.base_url,
        "STRIPE_KEY": world.credentials.stripe_api_key,
        "SLACK_URL": world.slack.base_url,
        "SLACK_TOKEN": first.bot_token,
        "SLACK_SECRET": world.credentials.signing_secret,
        "APP_PORT": str(port + 2),
    }
    process = None
    try:
        process = await asyncio.create_subprocess_exec(
            *(node, "--test", "--test-force-exit", "--test-reporter=spec", script),
            cwd=SCRIPTS,
            env=given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await asyncio.wait_for(process.communicate(), 90))[0].decode()
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        await world.stop()
        world.clock.close()
    assert process.returncode == 0, said


def test_every_package_is_locked_by_its_content_and_by_no_host() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert len(packages) > 3
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package.get("integrity", "").startswith("sha512-") or not name, name
