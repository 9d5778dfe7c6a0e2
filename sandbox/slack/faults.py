"""Faults that somebody asked for (`POST /control/faults`): of Slack's API, and of the events it sends (`event:user_change`)."""

from dataclasses import asdict, dataclass
from typing import Any

from sandbox.wrong import ControlError

KINDS = ("rate_limited", "error", "timeout_before", "timeout_after")
EVENT_KINDS = ("drop", "duplicate", "late")
_EVENT = "event:"
SLOW_SECONDS = 40.0  # longer than any client waits


@dataclass
class Fault:
    """The next `times` calls of `method` ("*": of any), or events of a type ("event:*": of any), go wrong."""

    method: str
    kind: str
    times: int
    error: str
    retry_after: int  # seconds
    seconds: float  # how late an event comes, of the world's time


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, request: dict[str, Any]) -> None:
        """Ask for a fault. Raises ControlError."""
        method, kind = str(request.get("method") or "*"), request.get("kind")
        if kind == "dropped":  # said of an event by its bare type
            method, kind = _EVENT + method.removeprefix(_EVENT), "drop"
        kinds = EVENT_KINDS if method.startswith(_EVENT) else KINDS
        if kind not in kinds:
            raise ControlError(f"unknown kind {kind!r} for {method}", f"one of {', '.join(kinds)}")
        try:
            times, after = int(request.get("times", 1)), int(request.get("retry_after", 1))
            seconds = float(request.get("seconds", 3_600))
        except (TypeError, ValueError):
            raise ControlError("times, retry_after and seconds must be numbers", "such as 1") from None
        if not (0 <= times <= 10_000 and 0 <= after <= 3_600 and 0 <= seconds <= 366 * 86_400):
            raise ControlError(
                "times must be 0 to 10,000, retry_after 0 to 3,600, seconds a year at most",
                "times 0 takes the fault back",
            )
        self._waiting = [fault for fault in self._waiting if (fault.method, fault.kind) != (method, kind)]
        if times:
            error = str(request.get("error") or "internal_error")
            self._waiting.append(Fault(method, str(kind), times, error, after, seconds))

    def next_for(self, method: str) -> Fault | None:
        """The fault that this call (or event) meets, counted."""
        any_of_them = f"{_EVENT}*" if method.startswith(_EVENT) else "*"
        for fault in self._waiting:
            if fault.method in {any_of_them, method}:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """Those still waiting, for the page."""
        return [asdict(fault) for fault in self._waiting]
