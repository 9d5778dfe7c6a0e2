"""A whole sandbox as a newcomer starts it: its own process, its own ports, on SQLite and on PostgreSQL."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.sandbox_client import SandboxClient
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]


_PORTS = range(
    20_000, 32_000, 3
)  # below what the kernel hands out by itself: nobody takes one between a look and a bind


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


@contextmanager
def running_sandbox(log: Path, database_url: str | None = None) -> Iterator[str]:
    """`kassor sandbox`, ended politely afterwards; yields the address of its page."""
    port = three_free_ports()
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if database_url:
        environment["DATABASE_URL"] = database_url
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "sandbox", "--port", str(port)],
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
def sandbox_on(request: pytest.FixtureRequest, log: Path) -> Iterator[str]:
    """A sandbox on the database that the fixture's parameter names."""
    if request.param == "sqlite":
        with running_sandbox(log) as url:
            yield url
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated=False) as database_url, running_sandbox(log, database_url) as url:
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
