"""Webhooks: endpoints, signatures, deliveries in order, retries for three days, and the faults a network has."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.journal import Exchange, Journal
from sandbox.stripe import ids
from sandbox.stripe.errors import invalid
from sandbox.stripe.store import Store

Object = dict[str, Any]
RETRY_AFTER = (60, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 43_200, 43_200, 43_200)  # seconds; three days in all
ANSWER_SECONDS = 10.0
KINDS = ("duplicate", "reorder", "drop", "delay")


@dataclass
class Delivery:
    """One event on its way to one endpoint."""

    event: Object
    endpoint: Object
    due: int  # world time, seconds
    attempt: int = 0


def create_endpoint(store: Store, params: Object, secret: str | None = None) -> Object:
    """POST /v1/webhook_endpoints. The secret is shown once, in this answer."""
    if not str(params["url"]).startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param="url", code="url_invalid"
        )
    endpoint: Object = {
        "id": ids.new("webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": store.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "status": "enabled",
        "url": params["url"],
    }
    store.add(endpoint)
    store.endpoint_secrets[endpoint["id"]] = secret or f"whsec_{ids.random_word(32)}"
    return {**endpoint, "secret": store.endpoint_secrets[endpoint["id"]]}


def list_endpoints(store: Store, _: Object) -> list[Object]:
    """GET /v1/webhook_endpoints."""
    return store.all("webhook_endpoint")


def update_endpoint(store: Store, params: Object, endpoint_id: str) -> Object:
    """POST /v1/webhook_endpoints/{id}."""
    endpoint = store.get("webhook_endpoint", endpoint_id)
    for name in ("url", "enabled_events", "description", "metadata"):
        if name in params:
            endpoint[name] = params[name]
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return endpoint


def signature(secret: str, body: str, at: int) -> str:
    """The Stripe-Signature header's value for a body sent at `at` (the wire's own seconds)."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Webhooks:
    """What waits to be delivered, and the delivering."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._waiting: deque[Delivery] = deque()
        self._session: aiohttp.ClientSession | None = None
        self._one_at_a_time = asyncio.Lock()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        store.on_event = self.enqueue

    async def start(self) -> None:
        """Deliver in the background, as soon as there is something."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        self._task = asyncio.create_task(self._deliver_as_it_comes(), name="webhooks")

    async def stop(self) -> None:
        """Stop delivering."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver_as_it_comes(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self.deliver_due()

    def enqueue(self, event: Object) -> None:
        """An event has happened: every enabled endpoint that wants it will hear."""
        for endpoint in self._store.all("webhook_endpoint"):
            if endpoint["status"] != "enabled" or not _wants(endpoint, event["type"]):
                continue
            event["pending_webhooks"] += 1
            delivery = Delivery(event, endpoint, self._store.clock.timestamp())
            faults = self._store.faults.webhooks
            if _take(faults, "drop"):  # lost on the way: only a look at GET /v1/events finds it
                lost = Exchange("stripe", "kassor", "POST", endpoint["url"], {}, json.dumps(event), 0, "", 0.0)
                lost.note = f"{event['type']}, fault: drop"
                self._journal.record(lost)
                continue
            if _take(faults, "delay"):
                delivery.due += self._store.faults.delay_seconds
            if _take(faults, "reorder"):
                self._waiting.appendleft(delivery)
            else:
                self._waiting.append(delivery)
            if _take(faults, "duplicate"):
                self._waiting.append(Delivery(event, endpoint, delivery.due))
        self._news.set()

    def again(self, events: list[Object], *, times: int, shuffle: bool) -> int:
        """Send old events again, `times` each; returns how many deliveries that makes."""
        now = self._store.clock.timestamp()
        fresh = [
            Delivery(event, endpoint, now)
            for _ in range(times)
            for event in events
            for endpoint in self._store.all("webhook_endpoint")
            if _wants(endpoint, event["type"])
        ]
        if shuffle:
            random.Random(len(fresh)).shuffle(fresh)  # noqa: S311 (the same disorder every time, nothing secret)
        self._waiting.extend(fresh)
        self._news.set()
        return len(fresh)

    def next_due(self) -> int | None:
        """When the next delivery is due, world time in seconds."""
        return min((delivery.due for delivery in self._waiting), default=None)

    async def deliver_due(self) -> None:
        """Deliver everything that is due, in order; what isn't taken waits for its next attempt."""
        async with self._one_at_a_time:
            for _ in range(10_000):
                now = self._store.clock.timestamp()
                due = next((delivery for delivery in self._waiting if delivery.due <= now), None)
                if due is None:
                    return
                taken = await self._deliver(due)
                self._waiting.remove(due)  # only now: what is on its way when the world is kept is not lost
                if taken:
                    due.event["pending_webhooks"] = max(0, due.event["pending_webhooks"] - 1)
                elif due.attempt < len(RETRY_AFTER):
                    due.due = now + RETRY_AFTER[due.attempt]
                    due.attempt += 1
                    self._waiting.append(due)

    async def _deliver(self, delivery: Delivery) -> bool:
        assert self._session is not None
        body = json.dumps(delivery.event, indent=2, ensure_ascii=False)
        secret = self._store.endpoint_secrets[delivery.endpoint["id"]]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(secret, body, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        url = str(delivery.endpoint["url"])
        started = time.perf_counter()
        status, said = 0, ""
        try:
            async with self._session.post(url, data=body.encode(), headers=headers) as response:
                status, said = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError):
            pass
        exchange = Exchange("stripe", "kassor", "POST", url, headers, body, status, said, time.perf_counter() - started)
        exchange.note = f"{delivery.event['type']}" + (f", retry {delivery.attempt}" if delivery.attempt else "")
        self._journal.record(exchange)
        return 200 <= status < 300


def _wants(endpoint: Object, type_: str) -> bool:
    return any(wanted in {"*", type_} for wanted in endpoint["enabled_events"])


def _take(faults: dict[str, int], kind: str) -> bool:
    if faults.get(kind, 0) <= 0:
        return False
    faults[kind] -= 1
    return True
