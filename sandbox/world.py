"""The world: a local Slack, a local Stripe, one clock, and Kassör somewhere out there, reached only over HTTP."""

import asyncio
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp

from sandbox import cast
from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.slack.control import Control
from sandbox.slack.server import SlackServer
from sandbox.stripe.server import StripeServer
from sandbox.wrong import ControlError

Json = dict[str, Any]
MOST_STEPS = 20_000  # of the clock in one move
FARTHEST_DAYS = 366 * 5


@dataclass(frozen=True)
class Credentials:
    """What Kassör and Stripe's and Slack's clients need to get in. All plainly fake."""

    signing_secret: str = "sandbox-signing-secret-0123456789ab"
    client_id: str = "1000000000.2000000000"
    client_secret: str = "sandbox-client-secret-0123456789ab"
    app_token: str = "xapp-1-A0KASSOR01-sandbox-0123456789ab"
    stripe_api_key: str = "sk_test_sandbox_kassor_0123456789"
    stripe_webhook_secret: str = "whsec_sandbox_0123456789abcdef"
    sales_channel: str = cast.SALES_CHANNEL
    support_channel: str = cast.SUPPORT_CHANNEL
    audit_channel: str = cast.AUDIT_CHANNEL
    sales_staff: tuple[str, ...] = cast.SALES_STAFF


class Killable(Protocol):
    """Kassör's process, where this sandbox started it."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    async def kill(self) -> None:
        """End it without a goodbye and start it again."""


class World:
    """Slack at `port`, Stripe at `port` + 1, and what moves them together.

    `subscribed`: the events the app's manifest asks for, the only ones Slack sends; None for all.
    `socket_mode`: Slack reaches Kassör by the connections it opens, never by HTTP.
    """

    def __init__(
        self,
        *,
        port: int,
        kassor_url: str,
        clock: WorldClock,
        subscribed: Collection[str] | None = None,
        socket_mode: bool = False,
    ) -> None:
        self.clock = clock
        self.kassor_url = kassor_url
        self.credentials = Credentials()
        self.journal = Journal(clock.now)
        self.ready = False  # Kassör is installed everywhere
        self.kassor: Killable | None = None
        self.caption: Json | None = None  # {"number", "text", "user", "channel"} of a guided walk, for the page
        self.viewers = 0  # pages that are open
        self.moving: Json | None = None  # {"from", "to"} while time passes, for the page
        key = self.credentials.stripe_api_key
        self.stripe = StripeServer(clock=clock, journal=self.journal, port=port + 1, api_key=key)
        self.slack = SlackServer(
            clock=clock,
            journal=self.journal,
            port=port,
            app_url=kassor_url,
            signing_secret=self.credentials.signing_secret,
            client=(self.credentials.client_id, self.credentials.client_secret),
            subscribed=subscribed,
            app_token=self.credentials.app_token if socket_mode else None,
        )
        self._session: aiohttp.ClientSession | None = None
        self._moving = asyncio.Lock()
        self._flow: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open both servers. Raises OSError when a port is taken."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        await self.slack.start(Control(self).routes())
        await self.stripe.start()
        receiver = f"{self.kassor_url}/stripe/webhooks"
        if not self.stripe.has_webhook_endpoint(receiver):  # a world that was kept has it
            self.stripe.add_webhook_endpoint(receiver, self.credentials.stripe_webhook_secret)
        self._flow = asyncio.create_task(self._let_time_flow(), name="time")

    async def stop(self) -> None:
        """Close everything."""
        if self._flow is not None:
            self._flow.cancel()
            with suppress(asyncio.CancelledError):
                await self._flow
        await self.stripe.stop()
        await self.slack.stop()
        if self._session is not None:
            await self._session.close()

    # --- Kassör ---

    async def install(self) -> None:
        """Install the app in every workspace, as somebody of neither clicking *Add to Slack* would: nobody has news of it."""
        for workspace in self.slack.state.workspaces:
            await self.install_in(workspace, by=cast.SET_UP_BY)
        await self.open()

    async def open(self) -> None:
        """Let people in, once what has begun is done."""
        await self.settle()
        self.ready = True
        self.slack.state.changed()

    async def install_in(self, workspace: str, *, by: str = "") -> None:
        """Walk the OAuth installation for one workspace, as its first administrator or as somebody else.

        Raises ControlError when Kassör doesn't take part.
        """
        assert self._session is not None
        async with self._session.get(f"{self.kassor_url}/slack/install/start", allow_redirects=False) as response:
            page = response.headers.get("Location") or await response.text()
            cookie = response.headers.get("Set-Cookie", "").partition(";")[0]
        found = re.search(r"(http://[^\s\"'<>]*/oauth/v2/authorize\?[^\s\"'<>]*)", page.replace("&amp;", "&"))
        if found is None:
            raise ControlError("Kassör's /slack/install/start shows no way to Slack", "see its log", 502)
        url = f"{found[1]}&team={workspace}&user={by}&approve=1"
        async with self._session.get(url, allow_redirects=False) as response:
            back = response.headers.get("Location", "")
        async with self._session.get(back, headers={"Cookie": cookie}, allow_redirects=False) as response:
            if response.status >= 400:
                raise ControlError(f"Kassör answered the installation with {response.status}", "see its log", 502)

    async def settle(self) -> datetime | None:
        """Wait until what has begun is done, in Slack, Stripe and Kassör; returns when Kassör has something due next."""
        assert self._session is not None
        due: datetime | None = None
        for _ in range(5):
            await asyncio.gather(*tuple(self.slack.sender.tasks), return_exceptions=True)
            await self.stripe.deliver_due_webhooks()
            before = len(self.stripe.account.objects.get("event", {}))
            try:
                async with self._session.post(f"{self.kassor_url}/control/settle", json={}) as response:
                    told = await response.json() if response.status == 200 else {}
            except (aiohttp.ClientError, TimeoutError):
                return None  # Kassör is down: the world goes on
            due = datetime.fromisoformat(told["next_due"]) if told.get("next_due") else None
            if len(self.stripe.account.objects.get("event", {})) == before and not self.slack.sender.tasks:
                break
        return due

    async def inside(self, last: int) -> Json:
        """What Kassör shows of its own rows: inbox, outbox, quotes, audit. Raises ControlError when it is away."""
        assert self._session is not None
        try:
            async with self._session.get(f"{self.kassor_url}/control/inside", params={"last": str(last)}) as response:
                if response.status == 200:
                    rows: Json = await response.json()
                    return rows
        except (aiohttp.ClientError, TimeoutError):
            pass
        raise ControlError("Kassör shows nothing of its rows", "wait until it runs again", 503)

    # --- time ---

    async def _let_time_flow(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            if not self._moving.locked():
                await self.stripe.process_due()
                await self.stripe.deliver_due_webhooks()
                await self.slack.sender.deliver_late()

    async def move_clock(self, wish: Json) -> Json:
        """`{"days": n}` or `{"until": "next_renewal"}`. Raises ControlError."""
        before = self.clock.now()
        if wish.get("until") is not None:
            if wish["until"] != "next_renewal":
                raise ControlError(f"can't move until {wish['until']!r}", 'the one moment known is "next_renewal"')
            renewal = self._next_renewal()
            if renewal is None:
                raise ControlError("nothing renews: there is no live subscription", "upgrade first, or move days")
            target = renewal + timedelta(days=1)  # and the copies have been sent, in working hours
        else:
            days = wish.get("days")
            if not isinstance(days, int | float) or isinstance(days, bool) or not 0 <= days <= FARTHEST_DAYS:
                raise ControlError(f"days must be a number from 0 to {FARTHEST_DAYS}", 'such as {"days": 1}')
            target = before + timedelta(days=days)
        async with self._moving:
            self.moving = {"from": before.isoformat(), "to": target.isoformat()}
            try:
                await self.advance_to(target)
            finally:
                self.moving = None
                self.slack.state.changed()
        return {"ok": True, "from": before.isoformat(), "now": self.clock.now().isoformat()}

    def _next_renewal(self) -> datetime | None:
        ends = [
            item["current_period_end"]
            for subscription in self.stripe.account.objects.get("subscription", {}).values()
            if subscription["status"] in {"active", "trialing", "past_due"} and not subscription["cancel_at_period_end"]
            for item in subscription["items"]["data"]
        ]
        return datetime.fromtimestamp(min(ends), self.clock.now().tzinfo) if ends else None

    async def advance_to(self, target: datetime) -> None:
        """Step from one due moment to the next until `target`, letting everything settle at each."""
        for _ in range(MOST_STEPS):
            await self.stripe.process_due()
            await self.slack.sender.deliver_late()
            kassor_due = await self.settle()
            now = self.clock.now()
            due = (self.stripe.next_due(), self.slack.sender.next_late(), kassor_due)
            moments = [moment for moment in due if moment is not None]
            following = min((max(moment, now + timedelta(seconds=1)) for moment in moments), default=None)
            if following is None or following > target:
                break
            if following > self.clock.now():
                self.clock.move_to(following)
                self.slack.state.changed()  # the page shows time passing
        if target > self.clock.now():
            self.clock.move_to(target)
        await self.stripe.process_due()
        await self.slack.sender.deliver_late()
        await self.settle()


def kassor_environment(world: World) -> dict[str, str]:
    """The environment that points a Kassör at this world. The database and the keys are the caller's to add."""
    credentials = world.credentials
    by_socket = {"SLACK_APP_TOKEN": credentials.app_token} if world.slack.sockets is not None else {}
    return by_socket | {
        "PORT": world.kassor_url.rpartition(":")[2],
        "KASSOR_PUBLIC_URL": world.kassor_url,
        "SLACK_SIGNING_SECRET": credentials.signing_secret,
        "SLACK_CLIENT_ID": credentials.client_id,
        "SLACK_CLIENT_SECRET": credentials.client_secret,
        "SLACK_API_URL": f"{world.slack.base_url}/api/",
        "STRIPE_API_KEY": credentials.stripe_api_key,
        "STRIPE_WEBHOOK_SECRETS": credentials.stripe_webhook_secret,
        "STRIPE_API_URL": world.stripe.base_url,
        "KASSOR_SALES_CHANNEL": credentials.sales_channel,
        "KASSOR_SALES_STAFF": ",".join(credentials.sales_staff),
        "KASSOR_SUPPORT_CHANNEL": credentials.support_channel,
        "KASSOR_AUDIT_CHANNEL": credentials.audit_channel,
        "KASSOR_CLOCK_FILE": str(world.clock.path),
    }
