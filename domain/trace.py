"""One id from what a person did to everything that came of it: the call to Stripe, Stripe's event, the message.

The id travels in the records that outlive a process: a quote carries it to Stripe (whose events name the quote's id as the
idempotency key of the call behind them), a notice carries it to Slack. It is 32 hexadecimal digits, which is also how OpenTelemetry
writes a trace, so that one id finds the log lines and the spans (`domain/spans.py`). It says nothing of anybody.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

SHORT = 10  # digits that are enough to find it in a log
_SHAPE = re.compile(r"[0-9a-f]{32}")
_current: ContextVar[str] = ContextVar("kassor_trace", default="")
log = logging.getLogger("kassor.trace")


def current() -> str:
    """The id of what is being done; empty outside."""
    return _current.get()


def reference() -> str:
    """The id as people read it to support."""
    return current()[:SHORT]


@contextmanager
def following(trace: str | None = None) -> Iterator[str]:
    """Everything inside the block belongs to `trace`; without one (or one that is none) something new begins."""
    mine = trace if trace and _SHAPE.fullmatch(trace) else uuid4().hex
    token = _current.set(mine)
    try:
        yield mine
    finally:
        _current.reset(token)


def go_on_as(trace: str | None) -> None:
    """What is being done turns out to continue something: the rest of this task belongs to that."""
    if trace and _SHAPE.fullmatch(trace) and trace != current():
        log.info("this goes on as %s", trace)
        _current.set(trace)
