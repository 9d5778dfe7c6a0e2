"""A whole sandbox as a newcomer starts it: its own process, its own ports, on SQLite and on PostgreSQL."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from cli.sandbox_client import SandboxClient
from tests.clock import BEGINS
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]


# Below what the kernel hands out by itself: nobody takes one between a look and a bind.
_PORTS = range(20_000, 32_000, 3)


def three_free_ports() -> int:
    """The first of three neighbouring ports that nobody listens on; test processes side by side rarely look at the same."""
    for port in random.sample(_PORTS, 200):
        if all(_is_free(port + more) for more in range(3)):
            return port
    raise RuntimeError("no three neighbouring ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def until_ready(address: str) -> None:
    """Wait until a Kassör there can do its work. Raises TimeoutError after 40 s."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(40):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{address}/readyz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


@contextmanager
def running_sandbox(log: Path, database_url: str | None = None, *more: str) -> Iterator[str]:
    """`kassor sandbox`, ended politely afterwards; yields the address of its page."""
    port = three_free_ports()
    begins = (
        [] if {"--keep", "--begins"} & {*more} else ["--begins", f"{BEGINS:%Y-%m-%dT%H:%M}"]
    )  # a world that is kept goes on as it is
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if database_url:
        environment["DATABASE_URL"] = database_url
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "sandbox", "--port", str(port), *begins, *more],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            deadline = time.monotonic() + 60
            while "is open" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the sandbox did not open:\n{log.read_text()[-3000:]}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                code = process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            assert code == 0, f"the sandbox ended with {code}:\n{log.read_text()[-2000:]}"


@contextmanager
def sandbox_on(request: pytest.FixtureRequest, log: Path, *more: str) -> Iterator[str]:
    """A sandbox on the database that the fixture's parameter names."""
    if request.param == "sqlite":
        with running_sandbox(log, None, *more) as url:
            yield url
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated=False) as database_url, running_sandbox(log, database_url, *more) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox that the tests of a module share, in order."""
    with sandbox_on(request, tmp_path_factory.mktemp("sandbox") / "sandbox.log") as url:
        yield url


@pytest.fixture
async def sandbox(address: str) -> AsyncIterator[SandboxClient]:
    """A hand on the module's sandbox."""
    async with SandboxClient(address) as client:
        await client.wait_until_ready(30)
        yield client
