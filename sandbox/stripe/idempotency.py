"""Idempotency keys: the same key with the same parameters gets the first answer again, whatever it was.

Other parameters are refused; while the first call is still being answered, a second one is too.
"""

import hashlib
from dataclasses import dataclass

from sandbox.stripe.errors import ApiError

KEPT_SECONDS = 24 * 3_600


@dataclass
class Kept:
    """One key: what was asked, and the answer once there is one."""

    fingerprint: str
    since: int
    status: int | None = None
    body: bytes = b""
    request_id: str = ""


class Keys:
    """Every key of the last 24 hours of world time."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def begin(self, key: str, method: str, path: str, body: str, now: int) -> Kept | None:
        """The answer to give again, or None to go on. Raises ApiError for another request under the key, or one in flight."""
        fingerprint = hashlib.sha256(f"{method} {path}\n{body}".encode()).hexdigest()
        kept = self._kept.get(key)
        if kept is None or kept.since + KEPT_SECONDS < now:
            self._kept[key] = Kept(fingerprint, now)
            return None
        if kept.fingerprint != fingerprint:
            raise ApiError(
                400,
                "idempotency_error",
                f"Keys for idempotent requests can only be used with the same parameters they were first used with. Try using "
                f"a key other than '{key}' if you meant to execute a different request.",
            )
        if kept.status is None:
            raise ApiError(
                409,
                "idempotency_error",
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                code="idempotency_key_in_use",
            )
        return kept

    def end(self, key: str, status: int, body: bytes, request_id: str) -> None:
        """Keep the answer. A request that was never carried out (401, 429, a parameter refused) frees its key."""
        kept = self._kept[key]
        kept.status, kept.body, kept.request_id = status, body, request_id

    def forget(self, key: str) -> None:
        """The request was not carried out."""
        self._kept.pop(key, None)
