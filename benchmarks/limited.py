"""Sending within Slack's limits: the sandbox's Slack with them on, 200 workspaces, and one that was told to wait half a minute."""

import asyncio
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet

from benchmarks import outbox_rows
from benchmarks.results import Results
from benchmarks.sending import sender_settings
from benchmarks.servers import ROOT, Databases, free_port, process
from domain.database import opened
from sandbox.cast import User, Workspace
from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.slack.limits import BURST, IN_A_CHANNEL
from sandbox.slack.server import SlackServer

WORKSPACES, EACH = 200, 40
PATIENCE = 120  # seconds


def _slack(folder: str) -> SlackServer:
    """A Slack with the workspaces of `outbox_rows`, a person each, whose DM is open."""
    clock = WorldClock(Path(folder) / "clock")
    port = free_port()
    slack = SlackServer(
        clock=clock, journal=Journal(), port=port, app_url="http://127.0.0.1:9", signing_secret="x", client=("1.2", "x"),
        subscribed=(),
    )  # fmt: skip
    slack.state.workspaces.clear()
    for number in range(1, WORKSPACES + 1):
        team, user = f"T{1 + number % WORKSPACES}", f"U{number}"
        home = Workspace(team, team, team.lower(), f"UBOT{team}", "B1", f"xoxb-{team}", installed=True)
        home.users[user] = User(user, team, user, user, "", "en-US", "UTC")
        slack.state.workspaces[team] = home
        slack.state.dms[user] = f"D{number}"
    slack.api.limits.set({"on": True})
    return slack


async def _sent(database: str, key: str, *, each: int, waiting: str | None) -> float:
    """Seconds from the first message to the last of all workspaces but the one that is told to wait."""
    async with opened(database):
        await outbox_rows.fill(workspaces=WORKSPACES, owners=WORKSPACES, each=each, key=key)
    with TemporaryDirectory() as folder:
        slack = _slack(folder)
        await slack.start([])
        if waiting is not None:
            slack.api.limits.wait(waiting, "chat.postMessage", 30)
        expected = (WORKSPACES - (waiting is not None)) * each
        command = [sys.executable, "-m", "cli", "serve", "worker"]
        environment = sender_settings(database, f"{slack.base_url}/api/", key)
        try:
            with process(command, None, cwd=ROOT, env=environment):
                async with asyncio.timeout(PATIENCE):
                    while not any(slack.state.messages.values()):  # noqa: ASYNC110 - of another process
                        await asyncio.sleep(0.005)
                    began = time.perf_counter()
                    while sum(map(len, slack.state.messages.values())) < expected:  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.005)
                    return time.perf_counter() - began
        finally:
            await slack.stop()


def run(results: Results, *, rounds: int) -> None:
    """How much of what Slack allows is used, and how much one limited workspace delays the others."""
    del rounds  # the rate is the limit's, not the machine's
    with ExitStack() as stack:
        databases = Databases(stack)

        def measured(*, each: int, waiting: str | None) -> float:
            key = Fernet.generate_key().decode()
            return asyncio.run(_sent(databases.postgres(), key, each=each, waiting=waiting))

        seconds = measured(each=EACH, waiting=None)
        allowed = BURST + seconds * IN_A_CHANNEL
        results.add("sending.slack_limits.vs_allowed", EACH / allowed, "×", least=0.95)
        alone = measured(each=2, waiting=None)
        beside = measured(each=2, waiting="T1")
        results.add("sending.limited_neighbour_s", max(0.0, beside - alone), "s", most=1.0)
