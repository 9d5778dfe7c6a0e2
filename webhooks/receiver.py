"""`POST /stripe/webhooks`: verify, store, answer.

A request is answered 200 only after its event is committed, so that nothing Stripe thinks delivered can be lost. Nothing is
stored before its signature is checked, and of the body only id, type and creation time are looked at on the way in.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from domain import clock, queue
from domain.config import Settings
from domain.records import Event

log = logging.getLogger("kassor.webhooks")
TOLERANCE = 300  # seconds a signature may be old, or its clock ahead of ours
LARGEST = 1024 * 1024  # bytes; Stripe's own events stay well below
SLOWEST = 10.0  # seconds to send a body in


def routes(settings: Settings) -> list[web.RouteDef]:
    """The one route; aiohttp answers 405 to other methods."""
    receiver = _Receiver(settings.stripe_webhook_secrets)
    return [web.post("/stripe/webhooks", receiver.receive)]


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
        expected = hmac.new(secret.encode(), signed, "sha256").hexdigest()
        if any(hmac.compare_digest(expected.encode(), given.encode()) for given in signatures):
            return
    raise Forged("the signature was made with another secret")


def read_event(body: bytes) -> Event:
    """An inbox row of a signed body. Raises ValueError when it is no event."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(raw, dict) or raw.get("object", "event") != "event":
        raise ValueError("the body is not an event")
    found = raw.get("id"), raw.get("type")
    if (
        not all(isinstance(value, str) and 0 < len(value) <= 255 for value in found)
        or type(raw.get("created")) is not int
    ):
        raise ValueError("an event has an `id`, a `type` and a `created`")
    return new_event(raw["id"], raw["type"], clock.from_timestamp(raw["created"]), body.decode())


def new_event(event_id: str, kind: str, created_at: datetime, payload: str) -> Event:
    """A row for the inbox: the event and the work item at once, due now."""
    now = clock.now()
    return Event(id=event_id, type=kind, created_at=created_at, received_at=now, available_at=now, payload=payload)


async def store(events: Sequence[Event]) -> None:
    """Put events in the inbox; those that are there already stay as they are."""
    await Event.bulk_create(list(events), ignore_conflicts=True)


class _Receiver:
    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets

    async def receive(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _refused(415, "send application/json")
        body = await _body(request)
        try:
            check_signature(body, request.headers.get("Stripe-Signature", ""), self._secrets, clock.wire_now())
        except Forged as reason:
            log.warning("a webhook was refused: %s", reason)
            return _refused(400, str(reason))
        try:
            event = read_event(body)
        except (ValueError, OverflowError, OSError) as reason:
            log.warning("a signed webhook could not be read: %s", reason)
            return _refused(400, str(reason))
        try:
            await store([event])
        except Exception:  # whatever is wrong with the database: Stripe tries again, nothing is lost
            log.exception("an event could not be stored; Stripe will send it again")
            return web.json_response({"error": "try again"}, status=503, headers={"Retry-After": "5"})
        queue.nudge(Event)
        return web.json_response({"received": True})


async def _body(request: web.Request) -> bytes:
    """The raw body. Raises 413 and 408."""
    if (request.content_length or 0) > LARGEST:
        raise _too_large(request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > LARGEST:
                    raise _too_large(len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=json.dumps({"error": f"the body took more than {SLOWEST:.0f} s"})) from None
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
