"""What a log line looks like: a sentence for a person, or a JSON object a line for a machine (KASSOR_LOG_FORMAT).

Every line carries the id of what is being done (`domain/trace.py`). Facts that a machine may want apart are given as
`extra={"facts": {…}}`. Tokens, bodies, names and addresses are given to neither.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from domain import trace


class Lines(logging.Formatter):
    """For a person."""

    def format(self, record: logging.LogRecord) -> str:
        """`2026-11-25 09:00:00,000 INFO kassor.payments [3f2a…] the sentence`."""
        record.trace = f" [{trace.reference()}]" if trace.current() else ""
        return super().format(record)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(trace)s %(message)s")


class Objects(logging.Formatter):
    """For a machine: `{"at", "level", "logger", "message", "trace"?, "error"?, …facts}`, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever is in the message."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace.current():
            line["trace"] = trace.current()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line |= {name: value for name, value in facts.items() if name not in line}
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str, *, as_json: bool) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Objects() if as_json else Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    hush()


def hush() -> None:
    """What libraries may say at most: no tick, no address with parameters; at DEBUG no body, token or answering address."""
    for name in ("apscheduler", "aiohttp.access", "stripe"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("slack_sdk", "slack_bolt", "aiosqlite", "tortoise"):
        logging.getLogger(name).setLevel(logging.INFO)
