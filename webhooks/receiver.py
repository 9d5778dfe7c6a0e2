"""`POST /stripe/webhooks`: verify, store, answer.

A request is answered 200 only after its event is committed, so that nothing Stripe thinks delivered can be lost. Nothing is
stored before its signature is checked. Of the body only id, type and creation time are read on the way in, and whose event it
probably is (`domain/envelope.py`); the rest stays as it came.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Sequence

from aiohttp import web

from domain import clock, queue
from domain.config import Settings
from domain.envelope import NotAnEvent, read
from domain.metrics import RECEIVED
from domain.records import Event
from webhooks.ingest import Full, Ingest

log = logging.getLogger("kassor.webhooks")
TOLERANCE = 300  # seconds a signature may be old, or its clock ahead of ours
LARGEST = 1024 * 1024  # bytes; Stripe's own events stay well below
SLOWEST = 10.0  # seconds to send a body in
_STORED = RECEIVED.labels(200)  # looked up once
COME_AGAIN = {"Retry-After": "5"}


def attach(application: web.Application, settings: Settings) -> None:
    """Add the route, and its end: what waits is stored before the application is gone. aiohttp answers 405 to other methods."""
    receiver = _Receiver(settings.stripe_webhook_secrets)
    application.add_routes([web.post("/stripe/webhooks", receiver.receive)])
    application.on_cleanup.append(receiver.close)


class Forged(Exception):  # noqa: N818 - it says what it is
    """The signature is missing, stale, from the future, or not made with any secret of ours."""


def check_signature(body: bytes, header: str, secrets: Sequence[str], now: float) -> None:
    """Check Stripe's `Stripe-Signature: t=…,v1=…` against every secret (so that one can be rotated in). Raises Forged.

    `now` is seconds since 1970. Stripe's own library forgives timestamps from the future; this does not.
    """
    parts = [part.partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name.strip() == "t"]
    signatures = [value.strip() for name, _, value in parts if name.strip() == "v1"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit() or not signatures:
        raise Forged("no Stripe-Signature of the form t=…,v1=…")
    if abs(now - int(stamps[0][:15])) > TOLERANCE:
        raise Forged(f"the signature is more than {TOLERANCE} seconds from now")
    signed = stamps[0].encode() + b"." + body
    for secret in secrets:
        expected = hmac.digest(secret.encode(), signed, "sha256").hex()  # in one go: half the time of hmac.new
        if any(hmac.compare_digest(expected.encode(), given.encode(errors="replace")) for given in signatures):
            return
    raise Forged("the signature was made with another secret")


class _Receiver:
    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._ingest = Ingest()

    async def close(self, _: web.Application) -> None:
        await self._ingest.close()

    async def receive(self, request: web.Request) -> web.Response:
        try:
            response = await self._answer(request)
        except web.HTTPException as refused:
            RECEIVED.labels(refused.status).inc()
            raise
        (_STORED if response.status == 200 else RECEIVED.labels(response.status)).inc()
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            return _refused(415, "send application/json, uncompressed: the signature is over the bytes as sent")
        body = await _body(request)
        try:
            check_signature(body, request.headers.get("Stripe-Signature", ""), self._secrets, clock.wire_now())
            arrival = read(body)
        except Forged as reason:
            log.warning("a webhook was refused: %s", reason)
            return _refused(400, str(reason))
        except NotAnEvent as reason:
            log.warning("a signed webhook could not be read: %s", reason)
            return _refused(400, str(reason))
        try:
            await self._ingest.put(arrival)
        except Full:
            log.warning("the inbox can't keep up; Stripe will send %s again", arrival.id)
            return _come_again()
        except Exception:  # whatever is wrong with the database: Stripe tries again, nothing is lost
            log.exception("%s could not be stored; Stripe will send it again", arrival.id)
            return _come_again()
        queue.nudge(Event)
        return web.Response(body=b'{"received": true}', content_type="application/json")


async def _body(request: web.Request) -> bytes:
    """The raw body. Raises 413 and 408."""
    if (request.content_length or 0) > LARGEST:
        raise _too_large(request.content_length or 0)
    content = request.content
    if content.is_eof():  # all of it came with the head, as nearly always: no timer, no copy
        whole = content.read_nowait()
        if len(whole) > LARGEST:
            raise _too_large(len(whole))
        return whole
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in content.iter_any():
                body += chunk
                if len(body) > LARGEST:
                    raise _too_large(len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text=json.dumps({"error": f"the body took more than {SLOWEST:.0f} s"}), content_type="application/json"
        ) from None
    return bytes(body)


def _too_large(size: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(
        LARGEST,
        size,
        text=json.dumps({"error": f"an event is at most {LARGEST} bytes"}),
        content_type="application/json",
    )


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


def _come_again() -> web.Response:
    return web.json_response({"error": "try again"}, status=503, headers=COME_AGAIN)
