"""A world that outlives its process: everything Slack and Stripe know, in one file, written anew whenever it has changed.

Written at once and whole (a new file takes the old one's place), a second after a change at the latest, so that a world whose
process is killed loses its last second at most. Read back with nothing but the sandbox's own types let in.
"""

import asyncio
import fcntl
import io
import os
import pickle
from collections import deque
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.world import World

EVERY_SECONDS = 1.0
FORM = 1  # of the file; another one is not read
_PLAIN = {(kind.__module__, kind.__qualname__): kind for kind in (set, frozenset, deque, datetime, Decimal, Fraction)}
_OF_THE_PROCESS = {  # what a new process has of its own
    "slack": {"clock", "_listeners", "triggers", "response_urls"},
    "stripe": {"clock", "base_url", "on_event", "request", "_as_of"},
}


class CannotKeep(Exception):  # noqa: N818 - it says what it is
    """The folder can't be used: it is in use, or holds what this sandbox can't read. The message says which."""


class Folder:
    """Where a world is kept, by one sandbox at a time."""

    def __init__(self, path: Path) -> None:
        """Take the folder, making it where there is none. Raises CannotKeep when it is another's or in use, OSError."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path / "sandbox.lock"
        if not lock.exists() and any(path.iterdir()):  # nothing of anybody else's is ever written over
            raise CannotKeep(f"{path} holds something else than a kept world. Name an empty folder, or a new one.")
        self.path = path
        self._file = path / "world"
        self._lock: IO[bytes] = lock.open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise CannotKeep(f"Another sandbox is open with what is kept in {path}.") from None
        self._written = b""
        if not self._file.exists():  # an opening that was broken off
            self.forget()

    def close(self) -> None:
        """Let another sandbox have it."""
        self._lock.close()

    def forget(self) -> None:
        """Throw away the world that is kept here, and nothing else that may lie in the folder."""
        for name in ("world", "clock", "key", "kassor.db", "kassor.db-wal", "kassor.db-shm", "kassor.log"):
            with suppress(FileNotFoundError):
                (self.path / name).unlink()

    def read(self, world: "World") -> bool:
        """Let `world`, not started yet, be as the one kept here. Returns whether there was one. Raises CannotKeep."""
        if not self._file.exists():
            return False
        try:
            kept = _Reader(io.BytesIO(self._file.read_bytes())).load()
            form, port = kept["form"], kept["port"]
        except (
            pickle.UnpicklingError,
            EOFError,
            AttributeError,
            ImportError,
            IndexError,
            KeyError,
            TypeError,
        ) as error:
            raise CannotKeep(f"What is kept in {self.path} can't be read ({error}). --reset starts it anew.") from None
        if form != FORM:
            raise CannotKeep(f"What is kept in {self.path} is of another version. --reset starts it anew.")
        if port != world.slack.port:  # addresses with the port are in messages, invoices and the app's settings
            raise CannotKeep(f"The world in {self.path} lives at port {port}: open it with --port {port}.")
        for name, part in _parts(world).items():
            vars(part).update(kept[name])
        return True

    def write(self, world: "World") -> None:
        """Keep the world as it is now, if it is open and has changed since it was last written. Raises OSError."""
        if not world.ready:
            return
        kept: dict[str, Any] = {"form": FORM, "port": world.slack.port}
        for name, part in _parts(world).items():
            left_out = _OF_THE_PROCESS.get(name)
            kept[name] = {
                key: value
                for key, value in vars(part).items()
                if (key not in left_out if left_out is not None else key in _KEPT_OF[name])
            }
        content = pickle.dumps(kept, protocol=5)
        if content == self._written:
            return
        new = self._file.with_suffix(".new")
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
        self._written = content

    async def keep(self, world: "World") -> None:
        """Write whenever something has changed, until cancelled."""
        while True:
            self.write(world)
            await asyncio.sleep(EVERY_SECONDS)


_KEPT_OF = {
    "webhooks": {"_waiting"},
    "keys": {"_kept"},
    "slack_faults": {"_waiting"},
    "sender": {"_late"},
}


def _parts(world: "World") -> dict[str, Any]:
    """What remembers something, by the name it is kept under. One file for all: they hold each other's objects."""
    return {
        "slack": world.slack.state,
        "stripe": world.stripe.account,
        "webhooks": world.stripe.webhooks,
        "keys": world.stripe.keys,
        "slack_faults": world.slack.faults,
        "sender": world.slack.sender,
    }


class _Reader(pickle.Unpickler):
    """Makes the sandbox's own types and a few plain ones; whatever else a file asks for is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        found = super().find_class(module, name) if module.startswith("sandbox.") and "." not in name else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place there")
