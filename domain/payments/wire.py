"""The HTTP client under Stripe's own: every call counted, timed, and logged by what it was and Stripe's own id for it."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from domain import spans
from domain.metrics import STRIPE_CALLS

log = logging.getLogger("kassor.payments")
_ID = re.compile(r"/[a-z]{2,8}_[A-Za-z0-9_]+|/(?=[0-9a-f-]{20,})[0-9a-f-]+")


class Wire(stripe.AIOHTTPClient):
    """Stripe's client for aiohttp, watched. A retry is a call of its own."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """As its parent's. Raises stripe.APIConnectionError."""
        path = urlsplit(url).path
        kind = f"{method.upper()} {_ID.sub('/:id', path)}"
        began = time.monotonic()
        outcome, told = "unreachable", ""
        try:
            with spans.span(f"stripe {kind}"):
                content, status, answered = await super().request_async(method, url, headers, post_data)
            outcome, told = str(status), answered.get("Request-Id", "")
        finally:
            took = time.monotonic() - began
            STRIPE_CALLS.labels(kind, outcome).observe(took)
            log.info(
                "stripe %s %s: %s in %.0f ms %s",
                method.upper(),
                path,
                outcome,
                took * 1000,
                told,
                extra={"facts": {"stripe_request": told, "status": outcome, "milliseconds": round(took * 1000)}},
            )
        return content, status, answered
