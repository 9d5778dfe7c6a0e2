"""The local Stripe as a server: the API, the hosted pages, the controls, and the webhooks that go out."""

from datetime import UTC, datetime

from aiohttp import web

from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.stripe import pages, renewals
from sandbox.stripe.account import Account
from sandbox.stripe.api import Api
from sandbox.stripe.control import routes as control_routes
from sandbox.stripe.webhooks import Webhooks, create_endpoint


class StripeServer:
    """One local Stripe account on 127.0.0.1."""

    def __init__(self, *, clock: WorldClock, journal: Journal, port: int, api_key: str) -> None:
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}"
        self.account = Account(clock=clock, base_url=self.base_url)
        self.webhooks = Webhooks(self.account, journal)
        self._api = Api(self.account, journal, api_key)
        self.keys = self._api.keys
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen and deliver webhooks. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.add_routes(
            [web.route("*", "/v1/{rest:.*}", self._api.handle), *control_routes(self), *pages.routes(self.account)]
        )
        await self.webhooks.start()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Stop listening and delivering."""
        await self.webhooks.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def add_webhook_endpoint(self, url: str, secret: str) -> None:
        """An endpoint for every event, as somebody would make it in the dashboard."""
        create_endpoint(self.account, {"url": url, "enabled_events": ["*"]}, secret)

    def has_webhook_endpoint(self, url: str) -> bool:
        """Whether events are sent there, or were until somebody disabled it."""
        return any(endpoint["url"] == url for endpoint in self.account.all("webhook_endpoint"))

    async def process_due(self) -> None:
        """Do what is due by the world's clock: renewals, retries, expiries."""
        renewals.process_due(self.account)

    async def deliver_due_webhooks(self) -> None:
        """Deliver the webhooks that are due; returns when each was answered or put off."""
        await self.webhooks.deliver_due()

    def next_due(self) -> datetime | None:
        """When something happens next by itself."""
        moments = [moment for moment in (renewals.next_due(self.account), self.webhooks.next_due()) if moment]
        return datetime.fromtimestamp(min(moments), UTC) if moments else None
