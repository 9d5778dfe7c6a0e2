"""Real processes of Kassör to be killed, and a Stripe that sends until it is answered 200."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.acceptance.conftest import ROOT
from tests.domain.conftest import Town
from tests.sandbox.stripe.shop import KEY, free_port
from tests.webhooks.test_receiver import signed

SECRET = "whsec_chaos"


def event(event_id: str, kind: str, subject: dict[str, object]) -> bytes:
    """An event's body, about as large as Stripe's."""
    body = {"id": event_id, "object": "event", "type": kind, "created": int(time.time()), "data": {"object": subject}}
    return json.dumps({**body, "padding": "x" * 3_000}).encode()


@dataclass
class Machine:
    """`kassor serve` in one role, on a database, in front of the town's Stripe."""

    town: Town
    database: str
    role: str
    log: Path
    slack: str = "http://127.0.0.1:9/api/"
    token: str = "xoxb-chaos"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stripe/webhooks"

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.database,
            "PORT": str(self.port),
            "SLACK_SIGNING_SECRET": "chaos",
            "SLACK_BOT_TOKEN": self.token,
            "SLACK_API_URL": self.slack,
            "STRIPE_API_KEY": KEY,
            "STRIPE_API_URL": self.town.stripe.base_url,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "KASSOR_PUBLIC_URL": "https://kassor.example",
            "KASSOR_CLOCK_FILE": str(self.town.clock.path),
        }
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve", self.role], cwd=ROOT, env=environment, stdout=out, stderr=out
            )

    async def ready(self) -> None:
        """Wait until it answers (a worker and a scheduler have nobody to answer to)."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while self.role not in {"worker", "scheduler"}:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def stop(self) -> float:
        """SIGTERM; returns how many seconds it took to go."""
        assert self.process is not None
        if self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, 15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return time.monotonic() - began


@dataclass
class Sender:
    """Stripe's side: sends each event from one of many connections until it is answered 200, like Stripe but sooner."""

    url: str
    accepted: set[str] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)

    async def send(self, bodies: list[tuple[str, bytes]], *, connections: int = 32, pause: float = 0.0) -> None:
        """Send them all. Raises TimeoutError when one is not taken in a minute."""
        waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        for each in bodies:
            waiting.put_nowait(each)
        timeout = aiohttp.ClientTimeout(total=15)
        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self._one_after_another(session, waiting, pause))

    async def _one_after_another(
        self, session: aiohttp.ClientSession, waiting: "asyncio.Queue[tuple[str, bytes]]", pause: float
    ) -> None:
        while not waiting.empty():
            event_id, body = waiting.get_nowait()
            async with asyncio.timeout(60):
                while await self._post(session, body) != 200:  # noqa: ASYNC110 - it comes again, as Stripe does
                    await asyncio.sleep(0.1)
            self.accepted.add(event_id)
            await asyncio.sleep(pause)

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> int:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed(body, SECRET, time.time())}
        try:
            async with session.post(self.url, data=body, headers=headers) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.answers[status] = self.answers.get(status, 0) + 1
        return status
