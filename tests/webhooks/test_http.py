"""The receiver over the wire: every wrong request gets the answer that says what is wrong, none a 500, none a row."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web

from domain.config import Settings
from domain.metrics import REGISTRY
from domain.records import Event
from tests.sandbox.stripe.shop import free_port
from tests.webhooks.test_ingest import nobody_can_write
from tests.webhooks.test_receiver import signed
from webhooks import ingest, receiver

GOOD = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1_795_000_000}).encode()


@dataclass
class Door:
    """The receiver on a port of its own, with two secrets."""

    url: str
    database: str

    async def post(self, body: bytes | AsyncIterator[bytes] = GOOD, **headers: str) -> tuple[int, dict[str, str]]:
        signature = signed(body, "whsec_new", time.time()) if isinstance(body, bytes) else ""
        given = {"Content-Type": "application/json", "Stripe-Signature": signature}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = io.BytesIO(body) if isinstance(body, bytes) else body  # aiohttp warns of large raw bytes
        async with ClientSession() as session, session.post(self.url, data=data, headers=given) as response:
            await response.read()
            return response.status, dict(response.headers)

    async def raw(self, request: bytes, *, seconds: float = 5) -> bytes:
        """Send bytes as they are, and read what comes back until it stops."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        try:
            async with asyncio.timeout(seconds):
                return await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.close()


@pytest.fixture
async def door(database: str, settings: Settings) -> AsyncIterator[Door]:
    app = web.Application()
    receiver.attach(app, replace(settings, stripe_webhook_secrets=("whsec_old", "whsec_new")))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield Door(f"http://127.0.0.1:{port}/stripe/webhooks", database)
    await runner.cleanup()


async def rows() -> int:
    return await Event.all().count()


async def test_a_good_one_is_200_with_the_old_secret_and_with_the_new(door: Door) -> None:
    assert (await door.post())[0] == 200
    assert (await door.post(Stripe_Signature=signed(GOOD, "whsec_old", time.time())))[0] == 200
    assert await rows() == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Stripe_Signature": ""}, 400),
        ({"Stripe_Signature": "t=1,v1=00"}, 400),
        ({"Stripe_Signature": signed(GOOD, "whsec_stolen", time.time())}, 400),
        ({"X_Long": "x" * 20_000}, 400),
    ],
)
async def test_what_is_not_stripes_is_refused_and_not_stored(door: Door, headers: dict[str, str], status: int) -> None:
    assert (await door.post(**headers))[0] == status
    assert await rows() == 0


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"zstd", b"x"])
async def test_a_compressed_body_is_refused_whatever_it_unpacks_to(door: Door, coding: bytes) -> None:
    head = b"POST /stripe/webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    answer = await door.raw(head + b"Content-Encoding: " + coding + b"\r\n\r\n{}")
    assert answer.partition(b"\r\n")[0].split()[1] in {b"400", b"415"}
    assert await rows() == 0


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_signature_too_old_or_from_the_future_is_refused(door: Door, seconds: int) -> None:
    assert (await door.post(Stripe_Signature=signed(GOOD, "whsec_new", time.time() + seconds)))[0] == 400
    assert await rows() == 0


async def test_a_signature_of_bytes_that_are_no_text_is_refused_like_any_other(door: Door) -> None:
    stamp = str(int(time.time())).encode()
    head = b"POST /stripe/webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    answer = await door.raw(head + b"Stripe-Signature: t=" + stamp + b",v1=\xff\xfe\r\n\r\n{}")
    assert b" 400 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_another_method_is_405_and_told_which_is_right(door: Door, method: str) -> None:
    async with ClientSession() as session, session.request(method, door.url, data=GOOD) as response:
        assert response.status == 405
        assert "POST" in response.headers["Allow"]


async def test_a_body_too_large_is_413_whether_it_says_so_or_not(door: Door) -> None:
    large = b" " * (receiver.LARGEST + 1)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65_536

    assert (await door.post(large))[0] == 413
    assert (await door.post(chunks()))[0] == 413
    assert await rows() == 0


async def test_a_body_that_dawdles_is_408_and_holds_nobody_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "SLOWEST", 0.2)
    head = b"POST /stripe/webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    slow = asyncio.create_task(door.raw(head))
    assert (await door.post())[0] == 200
    assert b" 408 " in (await slow).partition(b"\r\n")[0]


async def test_a_body_in_pieces_is_put_together(door: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(GOOD), 10):
            yield GOOD[start : start + 10]
            await asyncio.sleep(0.005)

    assert (await door.post(pieces(), Stripe_Signature=signed(GOOD, "whsec_new", time.time())))[0] == 200
    assert (await Event.get(id="evt_1")).payload == GOOD.decode()


async def test_while_the_database_cannot_write_stripe_is_told_when_to_come_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MOST_WAITING", 0)
    status, headers = await door.post()
    assert (status, headers["Retry-After"]) == (503, "5")
    assert await rows() == 0


async def test_one_that_waits_for_the_database_is_answered_once_it_is_stored(door: Door) -> None:
    async with nobody_can_write(door.database):
        waiting = asyncio.create_task(door.post())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert (await waiting)[0] == 200
    assert await rows() == 1


async def test_a_nul_in_a_payload_is_kept_as_it_was_written_and_one_in_an_id_is_refused(door: Door) -> None:
    body = b'{"id":"evt_1","type":"t","created":1,"data":{"object":{"id":"x","name":"a\\u0000b"}}}'
    assert (await door.post(body))[0] == 200
    assert (await Event.get(id="evt_1")).payload.encode() == body
    assert (await door.post(body.replace(b"evt_1", b"evt\\u0000")))[0] == 400
    assert (await door.post(body.replace(b'"x"', b'"\x00"')))[0] == 400
    assert await rows() == 1


async def test_answers_are_counted_by_how_they_ended(door: Door) -> None:
    def counted(status: int) -> float:
        return REGISTRY.get_sample_value("kassor_webhook_requests_total", {"status": str(status)}) or 0.0

    before: dict[int, Any] = {status: counted(status) for status in (200, 400, 413)}
    await door.post()
    await door.post(Stripe_Signature="")
    await door.post(b" " * (receiver.LARGEST + 1))
    assert {status: counted(status) - before[status] for status in before} == {200: 1, 400: 1, 413: 1}
