"""Reading Stripe: subscriptions, invoices and their PDFs, events. Nothing here changes anything."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import stripe

from domain import clock
from domain.payments import facts
from domain.payments.door import TIMEOUT, Json
from domain.payments.errors import as_refusals
from domain.payments.facts import InvoiceFacts, SubscriptionFacts
from domain.payments.prices import Prices
from domain.rules.refusals import PaymentsAway, PaymentsRefused

LARGEST_PDF = 10 * 1024 * 1024  # bytes
MOST_REDIRECTS = 3
_STRIPE_HOSTS = frozenset({"pay.stripe.com", "invoice.stripe.com", "files.stripe.com"})


def _is_ours(raw: Json) -> bool:
    """Made by us, or for one of our prices: somebody may have cleared the metadata at Stripe, and it is still paid for."""
    price = raw["items"]["data"][0]["price"]
    marked = (raw.get("metadata") or {}).get("kassor_scope")
    return bool(marked or (isinstance(price, dict) and (price.get("metadata") or {}).get("kassor_plan")))


class Looking(Prices):
    """How things are at Stripe now."""

    async def subscription(self, subscription_id: str) -> SubscriptionFacts | None:
        """A subscription as it is now, with what a schedule will do to it; None when it isn't one of ours."""
        with as_refusals("subscriptions.retrieve"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id, {"expand": ["schedule"]})
        return await self._facts(found.to_dict())

    async def _facts(self, raw: Json) -> SubscriptionFacts | None:
        if not _is_ours(raw):
            return None
        price = await self._price_by_id(facts.id_of(raw["items"]["data"][0]["price"]) or "")
        schedule = raw.get("schedule")
        following = None
        if isinstance(schedule, dict):
            ids = {facts.id_of(item["price"]) or "" for phase in schedule["phases"] for item in phase["items"]}
            following = facts.following_phase(
                schedule, {price_id: await self._price_by_id(price_id) for price_id in ids}
            )
            if following and (following.plan, following.interval, following.seats) == (
                price.plan,
                price.interval,
                raw["items"]["data"][0]["quantity"],
            ):
                following = None
        return facts.subscription(raw, price, following)

    async def invoice(self, invoice_id: str) -> InvoiceFacts:
        """An invoice as it is now."""
        with as_refusals("invoices.retrieve"):
            return facts.invoice((await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict())

    async def latest_invoices(self, subscription_id: str, limit: int = 10) -> list[InvoiceFacts]:
        """A subscription's newest invoices, newest first."""
        with as_refusals("invoices.list"):
            found = await self._client.v1.invoices.list_async({"subscription": subscription_id, "limit": limit})
        return [facts.invoice(each.to_dict()) for each in found.data]

    async def next_invoice(self, subscription_id: str, schedule_id: str | None = None) -> int | None:
        """What the next invoice will ask for, by Stripe's own preview: tax, discounts and credit included. Minor units.

        `schedule_id` when a change waits for it. None when no invoice will come.
        """
        params: Any = {"schedule": schedule_id} if schedule_id else {"subscription": subscription_id}
        with as_refusals("invoices.create_preview"):
            try:
                found = await self._client.v1.invoices.create_preview_async(params)
            except stripe.InvalidRequestError as error:
                if error.code == "invoice_upcoming_none":
                    return None
                raise
        return int(found.amount_due)

    async def live_subscriptions(self) -> list[str]:
        """The ids of every subscription that hasn't ended, for the reconcile sweep."""
        with as_refusals("subscriptions.list"):
            found = await self._client.v1.subscriptions.list_async({"limit": 100})
            return [each.id async for each in found.auto_paging_iter()]

    async def subscriptions_since(self, since: datetime) -> list[str]:
        """The ids of every subscription made since then, ended ones too, for when events reach back no longer."""
        with as_refusals("subscriptions.list"):
            found = await self._client.v1.subscriptions.list_async(
                {"limit": 100, "status": "all", "created": {"gte": int(since.timestamp())}}
            )
            return [each.id async for each in found.auto_paging_iter()]

    async def endpoints_at(self, url: str) -> list[tuple[datetime, frozenset[str]]]:
        """The webhook endpoints that are switched on for an address: since when, and for which types ("*": every one)."""
        with as_refusals("webhook_endpoints.list"):
            found = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
            return [
                (clock.from_timestamp(each.created), frozenset(each.enabled_events))
                async for each in found.auto_paging_iter()
                if each.url.rstrip("/") == url and each.status == "enabled"
            ]

    async def events_since(self, since: datetime, types: list[str]) -> AsyncIterator[str]:
        """The raw JSON of every event of these types since then, page by page, newest first; Stripe keeps 30 days."""
        for start in range(0, len(types), 20):  # Stripe takes at most 20 types a call
            params: Any = {
                "created": {"gte": int(since.timestamp())},
                "types": types[start : start + 20],
                "limit": 100,
            }
            with as_refusals("events.list"):
                found = await self._client.v1.events.list_async(params)
                async for event in found.auto_paging_iter():
                    yield json.dumps(event.to_dict(for_json=True))

    async def fetch_pdf(self, url: str) -> bytes:
        """An invoice's PDF, from Stripe's own hosts only, at most 10 MiB. Raises PaymentsAway, PaymentsRefused."""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
                for _ in range(MOST_REDIRECTS + 1):
                    found = await self._fetched(session, url)
                    if isinstance(found, bytes):
                        return found
                    url = urljoin(url, found)
        except (aiohttp.ClientError, TimeoutError):
            raise PaymentsAway(retry_after=None) from None
        raise PaymentsRefused(reference=f"an invoice's PDF is redirected more than {MOST_REDIRECTS} times")

    async def _fetched(self, session: aiohttp.ClientSession, url: str) -> bytes | str:
        """The PDF, or the address it is redirected to: each one is checked before it is asked."""
        parts = urlsplit(url)
        if parts.netloc != self._api_host and (parts.scheme != "https" or parts.hostname not in _STRIPE_HOSTS):
            raise PaymentsRefused(reference=f"an invoice's PDF at {parts.hostname}")
        async with session.get(url, allow_redirects=False) as response:
            if response.status in {301, 302, 303, 307, 308} and "Location" in response.headers:
                return response.headers["Location"]
            if response.status in {400, 401, 403, 404, 410}:
                raise PaymentsRefused(reference=f"an invoice's PDF answers {response.status}")
            if response.status != 200:
                raise PaymentsAway(retry_after=None)
            content = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                content += chunk
                if len(content) > LARGEST_PDF:
                    raise PaymentsRefused(reference="an invoice's PDF is too large")
        if not content.startswith(b"%PDF"):
            raise PaymentsRefused(reference="what should be an invoice's PDF is none")
        return bytes(content)
