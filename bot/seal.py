"""Slack's tokens at rest: encrypted with KASSOR_ENCRYPTION_KEYS, of which the first seals and all open (so keys can rotate)."""

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotOpen(Exception):  # noqa: N818 - it says what it is
    """None of the keys opens what was sealed: the key it was sealed with is gone from KASSOR_ENCRYPTION_KEYS."""


class Seal:
    """Seals and opens JSON."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def close(self, value: dict[str, Any]) -> str:
        """Encrypt, with the first key."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """Decrypt, with any key. Raises CannotOpen."""
        try:
            found: dict[str, Any] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise CannotOpen from None
        return found

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key sealed it; otherwise it is due to be sealed again."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return False
        return True
