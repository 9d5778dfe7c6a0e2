"""Forged, malformed, and a full disk: never a 500, never a row that was not earned, nothing promised that is not kept."""

import asyncio
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.connection import get_connection

from domain.config import Settings
from domain.records import Event
from tests.chaos.counts import count
from tests.sandbox.stripe.shop import free_port
from tests.webhooks.test_receiver import signed
from webhooks import receiver

pytestmark = pytest.mark.timeout(900)
SECRET = "whsec_1"
GOOD = json.dumps(
    {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1, "data": {"object": {"id": "in_1"}}}
).encode()


@pytest.fixture
async def url(database: str, settings: Settings) -> AsyncIterator[str]:
    del database
    app = web.Application()
    receiver.attach(app, replace(settings, stripe_webhook_secrets=(SECRET,)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/stripe/webhooks"
    await runner.cleanup()


_headers = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=80)
_signatures = _headers | st.builds("t={},v1={}".format, st.integers() | st.text("0123456789²", max_size=20), _headers)


async def test_nothing_forged_is_ever_stored_or_a_500(url: str) -> None:
    answers: set[int] = set()
    requests: list[tuple[bytes, str]] = []

    @settings(max_examples=count(150, 20_000), database=None, deadline=None, derandomize=True)
    @given(st.binary(max_size=300) | st.just(GOOD), _signatures)
    def gather(body: bytes, signature: str) -> None:
        requests.append((body, signature.strip().encode("latin-1").decode("latin-1")))

    gather()
    async with ClientSession() as session:
        for body, signature in requests:
            headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
            try:
                async with session.post(url, data=io.BytesIO(body), headers=headers) as response:
                    answers.add(response.status)
            except ValueError:
                continue  # the client would not send such a header
    assert answers <= {400}
    assert await Event.all().count() == 0


async def test_signed_nonsense_is_400_and_what_is_200_is_a_row(url: str) -> None:
    bodies: list[bytes] = []

    @settings(
        max_examples=count(250, 50_000),
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def gather(data: st.DataObject) -> None:
        body = bytearray(GOOD)
        for _ in range(data.draw(st.integers(1, 4))):
            where = data.draw(st.integers(0, len(body)))
            body[where : where + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        bodies.append(bytes(body))

    gather()
    taken = set()
    async with ClientSession() as session:
        for body in bodies:
            headers = {"Content-Type": "application/json", "Stripe-Signature": signed(body, SECRET, time.time())}
            async with session.post(url, data=io.BytesIO(body), headers=headers) as response:
                assert response.status in {200, 400}, body
                if response.status == 200:
                    taken.add(json.loads(body)["id"])
    assert set(await Event.all().values_list("id", flat=True)) == taken


@pytest.fixture
async def small_disk(database: str) -> str:
    """A SQLite file that may not grow by more than a few pages."""
    if not database.startswith("sqlite"):
        pytest.skip("a server's disk is not the test's to fill")
    connection = get_connection("default")
    [row] = await connection.execute_query_dict("PRAGMA page_count")
    await connection.execute_query_dict(f"PRAGMA max_page_count = {row['page_count'] + 60}")
    return database


async def test_with_a_full_disk_stripe_is_asked_to_come_again_and_nothing_accepted_is_lost(
    small_disk: str, url: str
) -> None:
    del small_disk
    accepted: set[str] = set()
    answers: list[int] = []

    async def send(session: ClientSession, number: int) -> None:
        body = json.dumps(
            {"id": f"evt_{number}", "type": "t", "created": 1, "data": {"object": {"x": "y" * 2_000}}}
        ).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed(body, SECRET, time.time())}
        async with session.post(url, data=body, headers=headers) as response:
            answers.append(response.status)
            if response.status == 200:
                accepted.add(f"evt_{number}")

    async with ClientSession(timeout=ClientTimeout(total=20)) as session:
        for start in range(0, 300, 20):
            await asyncio.gather(*(send(session, number) for number in range(start, start + 20)))
        assert set(answers) == {200, 503}
        assert set(await Event.all().values_list("id", flat=True)) == accepted
        await get_connection("default").execute_query_dict("PRAGMA max_page_count = 1000000")  # somebody made room
        await asyncio.gather(*(send(session, number) for number in range(300)))
    assert await Event.all().count() == 300


@pytest.mark.skipif(
    find_spec("atheris") is None, reason="the fuzzer, atheris, is built for Linux and Python up to 3.13 only"
)
def test_a_fuzzer_that_sees_the_code_finds_nothing_the_reader_does_not_expect(tmp_path: Path) -> None:
    runs = count(150_000, 20_000_000)
    command = [sys.executable, "-m", "tests.chaos.fuzzing", str(tmp_path / "corpus")]
    done = subprocess.run(
        [*command, f"-runs={runs}", "-seed=1", "-max_len=4096", f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert f"Done {runs} runs" in done.stderr
