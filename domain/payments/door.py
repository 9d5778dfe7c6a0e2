"""The connection to Stripe that every verb shares. Stripe's version is pinned by the `stripe` package's major version."""

from typing import Any
from urllib.parse import urlsplit

import stripe

from domain.config import Settings
from domain.payments.facts import PriceFacts
from domain.payments.wire import Wire
from domain.rules.catalogue import Catalogue

Json = dict[str, Any]
TIMEOUT = 20.0  # seconds a call; Slack people wait in front of it


class Door:
    """The connection. Make it inside a running event loop; `close()` it at the end."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._api_host = urlsplit(settings.stripe_api_url).netloc
        self._http = Wire(timeout=TIMEOUT)
        self._client = stripe.StripeClient(
            settings.stripe_api_key,
            base_addresses={"api": settings.stripe_api_url},
            http_client=self._http,
            max_network_retries=2,
        )
        self._prices: dict[str, PriceFacts] = {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it untyped
