"""An event's envelope, read without building the rest: what the inbox needs to file it.

The reader checks the whole body for being JSON, but makes objects only of the few fields it is asked for, in a fifth of the time.
It is stricter than JSON in one thing, half a surrogate pair; such a body takes the slow way rather than getting lost.
"""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec

from domain.inbox import Arrival

LATEST = 253_402_300_799  # the last second both databases can date


class NotAnEvent(Exception):  # noqa: N818 - it says what it is
    """The signed body is not JSON, or not an event."""


class _Subject(msgspec.Struct):
    id: Any = None
    customer: Any = None


class _Data(msgspec.Struct):
    object: _Subject | None = None


class _Envelope(msgspec.Struct):
    id: str
    type: str
    created: int
    object: str = "event"
    data: _Data | None = None


_decoder = msgspec.json.Decoder(_Envelope)


def read(body: bytes) -> Arrival:
    """File a signed body. The payload is the body, character by character. Raises NotAnEvent."""
    try:
        payload = body.decode()  # the reader below looks only at structure, not at every string's UTF-8
        envelope = _decoder.decode(body)
    except UnicodeDecodeError:
        raise NotAnEvent("the body is not JSON in UTF-8") from None
    except RecursionError:
        raise NotAnEvent("the body is nested too deeply") from None
    except msgspec.MsgspecError:
        envelope = _read_slowly(payload)
    if envelope.object != "event":
        raise NotAnEvent("the body is not an event")
    if not _is_name(envelope.id) or not _is_name(envelope.type) or not 0 <= envelope.created <= LATEST:
        raise NotAnEvent("an event has an `id`, a `type` and a `created`")
    created_at = datetime.fromtimestamp(envelope.created, UTC)
    return Arrival(envelope.id, envelope.type, created_at, payload, _lane(envelope))


def _read_slowly(payload: str) -> _Envelope:
    try:
        found = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotAnEvent("the body is not JSON") from None
    try:
        return msgspec.convert(found, _Envelope)
    except (
        msgspec.MsgspecError,
        UnicodeEncodeError,
    ):  # the latter where a number should be and half a surrogate pair is
        raise NotAnEvent("the body is not an event: it has an `id`, a `type` and a `created`") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_name(value: str) -> bool:
    """Stripe's ids and types are words of printable ASCII; anything else is none, and could hold what a database can't."""
    return 0 < len(value) <= 255 and value.isascii() and value.isprintable() and " " not in value


def _lane(envelope: _Envelope) -> str:
    """Whose event it is: the customer's, else the object's own, else nobody else's. A hint for fairness; nothing else trusts it."""
    subject = (envelope.data or _Data()).object or _Subject()
    customer = subject.customer.get("id") if isinstance(subject.customer, dict) else subject.customer
    for candidate in (customer, subject.id):
        if isinstance(candidate, str) and _is_name(candidate):
            return candidate
    return envelope.id
