"""The world under test: the local Stripe, the official client, and an endpoint that keeps what it is sent."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import stripe
from aiohttp import web

from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.stripe.payment import Payment
from sandbox.stripe.periods import as_datetime
from sandbox.stripe.server import StripeServer
from tests.clock import a_clock

KEY = "sk_test_sandbox_0000000000000000"
SECRET = "whsec_sandbox_0000000000000000"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Endpoint:
    """A receiver of webhooks. `refusing`: how many it answers with 500."""

    got: list[dict[str, Any]] = field(default_factory=list)
    raw: list[tuple[bytes, str]] = field(default_factory=list)
    refusing: int = 0

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw.append((body, request.headers["Stripe-Signature"]))
        if self.refusing:
            self.refusing -= 1
            return web.Response(status=500)
        self.got.append(await request.json())
        return web.Response()

    def types(self) -> list[str]:
        return [each["type"] for each in self.got]


@dataclass
class Shop:
    """The world under test."""

    server: StripeServer
    clock: WorldClock
    client: stripe.StripeClient
    endpoint: Endpoint
    journal: Journal

    @property
    def v1(self) -> Any:
        return self.client.v1

    async def move_to(self, moment: int) -> None:
        """Let the world's time be `moment` (seconds), doing and delivering all that falls due on the way."""
        target = as_datetime(moment)
        for _ in range(500):
            await self.server.process_due()
            await self.server.deliver_due_webhooks()
            due = self.server.next_due()
            if due is None or due > target:
                break
            if due > self.clock.now():
                self.clock.move_to(due)
        if target > self.clock.now():
            self.clock.move_to(target)
        await self.server.process_due()
        await self.server.deliver_due_webhooks()

    async def move_by(self, **span: float) -> None:
        await self.move_to(int((self.clock.now() + timedelta(**span)).timestamp()))

    async def price(
        self, amount: int = 10_000, *, interval: str = "month", currency: str = "sek", lookup_key: str | None = None
    ) -> Any:
        params: dict[str, Any] = {"lookup_key": lookup_key} if lookup_key else {}
        return await self.v1.prices.create_async(
            {
                "unit_amount": amount,
                "currency": currency,
                "recurring": {"interval": interval},
                "product_data": {"name": "Premium"},
                **params,
            }
        )

    async def subscribe(
        self, price: Any, quantity: int = 10, *, customer: Any = None, number: str = "4242424242424242", **extra: Any
    ) -> Any:
        """Through Checkout, as a person would."""
        customer = customer or await self.v1.customers.create_async({"email": "kim@example.com", "name": "Kim"})
        session = await self.v1.checkout.sessions.create_async(
            {
                "mode": "subscription",
                "customer": customer.id,
                "line_items": [{"price": price.id, "quantity": quantity}],
                "success_url": "https://example.com/done?s={CHECKOUT_SESSION_ID}",
                **extra,
            }
        )
        answer = await self.control(f"pay/{session.id}", {"method": "card", "outcome": "paid", "number": number})
        assert answer["outcome"] == "paid", answer
        return await self.v1.subscriptions.retrieve_async(answer["subscription"])

    async def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.server.base_url}/control/{path}", json=body) as response,
        ):
            return {"status": response.status, **await response.json()}

    async def give_card(self, customer: str, number: str) -> str:
        """A card typed in the portal: it becomes the default."""
        session = await self.v1.billing_portal.sessions.create_async({"customer": customer})
        outcome = await self.server.account.save_portal_payment_method(session.id, Payment("card", number=number))
        assert outcome.state == "paid", outcome
        customer_now = await self.v1.customers.retrieve_async(customer)
        return str(customer_now.invoice_settings.default_payment_method)


@asynccontextmanager
async def open_shop(folder: Path, journal: Journal | None = None) -> AsyncIterator[Shop]:
    """An account at a free port with a webhook endpoint, closed afterwards."""
    clock, endpoint = a_clock(folder), Endpoint()
    journal = journal or Journal()
    port, hook = free_port(), free_port()
    app = web.Application()
    app.router.add_post("/stripe/webhooks", endpoint.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", hook).start()
    server = StripeServer(clock=clock, journal=journal, port=port, api_key=KEY)
    await server.start()
    server.add_webhook_endpoint(f"http://127.0.0.1:{hook}/stripe/webhooks", SECRET)
    http = stripe.AIOHTTPClient()
    client = stripe.StripeClient(KEY, base_addresses={"api": server.base_url}, http_client=http, max_network_retries=0)
    try:
        yield Shop(server, clock, client, endpoint, journal)
    finally:
        await http.close_async()
        await server.stop()
        await runner.cleanup()
        clock.close()
