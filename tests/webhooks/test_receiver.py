"""The receiver: nothing forged gets in, nothing stored gets lost, nothing is answered before it is committed."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from tortoise.connection import get_connection

from domain import envelope
from domain.config import Settings
from domain.queue import QueueState
from domain.records import Event
from tests.sandbox.stripe.shop import free_port
from webhooks import receiver

NOW = 1_795_000_000.0


def signed(body: bytes, secret: str, at: float = NOW) -> str:
    stamp = str(int(at))
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_every_configured_secret_opens_so_that_one_can_be_rotated_in(secret: str) -> None:
    receiver.check_signature(b"{}", signed(b"{}", secret), ("whsec_old", "whsec_new"), NOW)


def test_one_of_several_signatures_in_the_header_is_enough() -> None:
    good = signed(b"{}", "whsec_1")
    receiver.check_signature(b"{}", good.replace("v1=", "v1=0000,v1="), ("whsec_1",), NOW)


@pytest.mark.parametrize(
    ("header", "now"),
    [
        ("", NOW),
        ("t=1", NOW),
        ("v1=abc", NOW),
        ("t=,v1=", NOW),
        ("t=²,v1=abc", NOW),
        (signed(b"{}", "whsec_other"), NOW),
        (signed(b"{ }", "whsec_1"), NOW),
        (signed(b"{}", "whsec_1").replace("v1=", "v0="), NOW),
        (signed(b"{}", "whsec_1"), NOW + 301),
        (signed(b"{}", "whsec_1"), NOW - 301),  # from the future
        ("t=" + "9" * 5000 + ",v1=abc", NOW),
    ],
)
def test_anything_else_is_forged(header: str, now: float) -> None:
    with pytest.raises(receiver.Forged):
        receiver.check_signature(b"{}", header, ("whsec_1",), now)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"id":"evt","type":"t"}',
        b'{"id":"evt","type":"t","created":true}',
        b'{"id":"evt","type":7,"created":1}',
        b'{"id":"","type":"t","created":1}',
        json.dumps({"id": "e" * 256, "type": "t", "created": 1}).encode(),
        b'{"object":"invoice","id":"in_1","type":"t","created":1}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_event_is_named_so(body: bytes) -> None:
    with pytest.raises(envelope.NotAnEvent):
        envelope.read(body)


@pytest.fixture
async def url(database: str, settings: Settings) -> AsyncIterator[str]:
    del database
    app = web.Application()
    receiver.attach(app, replace(settings, stripe_webhook_secrets=("whsec_1",)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/stripe/webhooks"
    await runner.cleanup()


async def post(url: str, event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signed(body, "whsec_1", time.time()),
    }
    async with ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


async def test_what_is_answered_200_is_stored_as_received_and_queued(url: str) -> None:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.paid",
        "created": 1_795_000_000,
        "data": {"object": {"id": "in_å"}},
    }
    assert await post(url, event) == 200
    stored = await Event.get(id="evt_1")
    assert json.loads(stored.payload) == event
    assert (stored.state, stored.type, int(stored.created_at.timestamp())) == (
        QueueState.QUEUED,
        "invoice.paid",
        1_795_000_000,
    )


async def test_the_same_event_again_is_200_and_stays_as_it_is(url: str) -> None:
    event = {"id": "evt_1", "type": "invoice.paid", "created": 1}
    assert await post(url, event) == 200
    await Event.filter(id="evt_1").update(state=QueueState.DONE)
    assert await post(url, event) == 200
    assert [found.state for found in await Event.all()] == [QueueState.DONE]


async def test_with_the_database_away_stripe_is_asked_to_come_again(url: str) -> None:
    await get_connection("default").execute_script("ALTER TABLE event RENAME TO event_away")
    assert await post(url, {"id": "evt_1", "type": "x", "created": 1}) == 503
    await get_connection("default").execute_script("ALTER TABLE event_away RENAME TO event")
    assert await post(url, {"id": "evt_1", "type": "x", "created": 1}) == 200
