"""Faults of Slack's API that somebody asked for (`POST /control/faults`)."""

from dataclasses import dataclass
from typing import Any

from sandbox.slack.acting import ControlError

KINDS = ("rate_limited", "error", "timeout_before", "timeout_after", "dropped")
SLOW_SECONDS = 40.0  # longer than any client waits


@dataclass
class Fault:
    """The next `times` calls of `method` ("*": of any) go wrong. For `dropped`, `method` is an event's type: it isn't sent."""

    method: str
    kind: str
    times: int
    error: str
    retry_after: int  # seconds


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, request: dict[str, Any]) -> None:
        """Ask for a fault. Raises ControlError."""
        kind = request.get("kind")
        if kind not in KINDS:
            raise ControlError(f"unknown kind {kind!r}", f"one of {', '.join(KINDS)}")
        method = str(request.get("method") or "*")
        try:
            times, after = int(request.get("times", 1)), int(request.get("retry_after", 1))
        except (TypeError, ValueError):
            raise ControlError("times and retry_after must be whole numbers", "such as 1") from None
        if not 0 <= times <= 10_000 or not 0 <= after <= 3_600:
            raise ControlError("times must be 0 to 10,000 and retry_after 0 to 3,600", "times 0 takes the fault back")
        self._waiting = [fault for fault in self._waiting if (fault.method, fault.kind) != (method, kind)]
        if times:
            self._waiting.append(Fault(method, kind, times, str(request.get("error") or "internal_error"), after))

    def next_for(self, method: str) -> Fault | None:
        """The fault that this call meets, counted."""
        return self._meet(method, dropped=False)

    def drops(self, event_type: str) -> bool:
        """Whether this event is one that never arrives, counted."""
        return self._meet(event_type, dropped=True) is not None

    def _meet(self, method: str, *, dropped: bool) -> Fault | None:
        for fault in self._waiting:
            if fault.method in {"*", method} and (fault.kind == "dropped") == dropped:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
