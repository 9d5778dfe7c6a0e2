"""The webhook endpoints in Stripe's settings: looked at by `kassor doctor`, made and mended by `kassor stripe-setup`.

Not part of the desk's own door: nothing a person does in Slack leads here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import stripe

from domain.payments.errors import as_refusals
from domain.payments.prices import Prices
from domain.rules.catalogue import lookup_key

API_VERSION: str = stripe.api_version  # pinned by the `stripe` package's major version
MOST_KEYS = 10  # lookup keys Stripe takes a call


@dataclass(frozen=True)
class EndpointFacts:
    """A webhook endpoint as Stripe has it. `api_version` is None where it follows the account's own version."""

    id: str
    url: str
    is_enabled: bool
    events: frozenset[str]  # types, or "*" for every one
    api_version: str | None


@dataclass(frozen=True)
class ListedPrice:
    """A price Stripe has for a lookup key. `unit_amount` in minor units."""

    lookup_key: str
    currency: str
    unit_amount: int | None
    interval: str | None  # month, year
    interval_count: int | None  # every so many of them
    is_active: bool


class Endpoints(Prices):
    """Webhook endpoints, and the catalogue's prices as they stand at Stripe. Make it inside a running event loop; `close()` it."""

    async def endpoints(self) -> tuple[list[EndpointFacts], datetime | None]:
        """Every webhook endpoint, and what Stripe's clock said: its Date header, whole seconds, UTC.

        Raises PaymentsAway, PaymentsRefused.
        """
        with as_refusals("webhook_endpoints.list", about_the_key=True):
            found = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
            headers = found.last_response.headers if found.last_response is not None else {}
            listed = [_facts(each) async for each in found.auto_paging_iter()]
        return listed, date_said(headers)

    async def create_endpoint(self, url: str, events: Sequence[str]) -> tuple[str, str]:
        """Make an endpoint for exactly these events, in our API version; returns its id and its signing secret, shown this once."""
        with as_refusals("webhook_endpoints.create", about_the_key=True):
            version: Any = API_VERSION
            types: Any = list(events)
            made = await self._client.v1.webhook_endpoints.create_async(
                {"url": url, "enabled_events": types, "api_version": version, "description": "Kassör"}
            )
        return made.id, str(made.secret)

    async def update_endpoint(self, endpoint_id: str, events: Sequence[str]) -> None:
        """Have it send exactly these events, and switch it on."""
        with as_refusals("webhook_endpoints.update", about_the_key=True):
            types: Any = list(events)
            await self._client.v1.webhook_endpoints.update_async(
                endpoint_id, {"enabled_events": types, "disabled": False}
            )

    async def portal_features(self) -> dict[str, bool] | None:
        """What Stripe's customer portal lets people do by its saved settings, by Stripe's names; None when they were never saved.

        Raises PaymentsAway, PaymentsRefused.
        """
        with as_refusals("billing_portal.configurations.list", about_the_key=True):
            found = await self._client.v1.billing_portal.configurations.list_async(
                {"is_default": True, "active": True, "limit": 1}
            )
        if not found.data:
            return None
        return {
            name: bool(each["enabled"]) for name, each in found.data[0].features.to_dict().items() if "enabled" in each
        }

    async def listed_prices(self) -> list[ListedPrice]:
        """What Stripe has, active or not, for the lookup keys of the whole catalogue. Raises PaymentsAway, PaymentsRefused."""
        keys = [key for key, *_ in self.wanted_prices()]
        found: list[ListedPrice] = []
        for start in range(0, len(keys), MOST_KEYS):
            with as_refusals("prices.list", about_the_key=True):
                page = await self._client.v1.prices.list_async(
                    {"lookup_keys": keys[start : start + MOST_KEYS], "limit": 100}
                )
            found += [_price(each) for each in page.data]
        return found

    def wanted_prices(self) -> list[tuple[str, str, str, int]]:
        """(lookup key, currency, interval, minor units) of every price in the catalogue."""
        return [
            (lookup_key(plan.key, interval, currency, amount), currency, interval, amount)
            for plan in self._catalogue.for_sale
            for currency in plan.price
            for interval in ("month", "year")
            for amount in (self._catalogue.seat_price(plan, interval, currency).amount,)
        ]


def date_said(headers: Any) -> datetime | None:
    """The moment an HTTP answer's Date header says, or None."""
    try:
        said = next(value for name, value in headers.items() if name.lower() == "date")
        return parsedate_to_datetime(said).astimezone(UTC)
    except (StopIteration, TypeError, ValueError):
        return None


def _facts(each: stripe.WebhookEndpoint) -> EndpointFacts:
    return EndpointFacts(
        each.id, each.url, each.status == "enabled", frozenset(each.enabled_events), each.api_version or None
    )


def _price(each: stripe.Price) -> ListedPrice:
    recurring = each.recurring
    return ListedPrice(
        each.lookup_key or "",
        each.currency,
        each.unit_amount,
        recurring.interval if recurring else None,
        recurring.interval_count if recurring else None,
        each.active,
    )
