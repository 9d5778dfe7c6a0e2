"""The bot between a local Slack and a database: real HTTP both ways, events included, no Stripe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Installation as SlackInstallation

from bot.app import BotApp, make_app
from domain import clock, directory
from domain.config import Settings
from domain.desk import Desk
from domain.payments import Payments
from domain.records import Member, Scope, Subscription
from domain.rules.catalogue import Catalogue
from sandbox.cast import User
from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.slack.server import SlackServer
from tests.clock import a_clock
from tests.sandbox.stripe.shop import free_port

BIG, SMALL = "T0FJALL01", "T1PIXEL01"


@dataclass
class Office:
    """A Slack of two workspaces, and Kassör's bot installed in both."""

    bot: BotApp
    slack: SlackServer
    clock: WorldClock

    async def members(self, team_id: str = BIG) -> int:
        return await directory.members_in(await directory.whole(team_id), self.bot.desk.catalogue)

    def joins(self, user_id: str, **facts: Any) -> None:
        """Somebody joins, and the event is lost."""
        home = self.slack.state.workspaces[BIG]
        home.users[user_id] = User(user_id, BIG, user_id.lower(), user_id, "", "en-US", "UTC", **facts)

    def user(self, user_id: str) -> User:
        return self.slack.state.user(user_id)

    async def install(self, team_id: str) -> None:
        """*Add to Slack*, and the reading that follows."""
        workspace = self.slack.state.workspaces[team_id]
        workspace.installed = True
        self.slack.state.revoked.pop(workspace.bot_token, None)
        made = SlackInstallation(
            user_id=next(iter(workspace.users)),
            team_id=workspace.id,
            team_name=workspace.name,
            bot_token=workspace.bot_token,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user_id,
        )
        await self.bot.installations.async_save(made)
        await self.bot.read_soon(team_id)

    async def happens(self, kind: str, **about: Any) -> None:
        """Something happens, and Kassör has heard of it."""
        self.slack.happenings.happen({"type": kind, **about})
        await asyncio.gather(*self.slack.sender.tasks)
        await self.heard()

    async def sends(self, event: dict[str, Any], team_id: str = BIG) -> None:
        """Slack sends this very event."""
        assert await self.slack.sender.event(self.slack.state.workspaces[team_id], event)
        await self.heard()

    async def heard(self) -> None:
        """Wait until nothing is being taken in."""
        while not self.bot.idle():  # noqa: ASYNC110 - the bot rings no bell when it is done
            await asyncio.sleep(0.01)

    def a_day_passes(self, **more: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(days=1, seconds=5, **more))

    def calls(self, method: str) -> int:
        return sum(f"/api/{method}" in each["url"] for each in self.slack.journal.as_json())


@pytest.fixture
async def office(database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Office]:
    del database
    async with open_office(settings, catalogue, tmp_path) as there:
        yield there


@asynccontextmanager
async def open_office(
    settings: Settings, catalogue: Catalogue, tmp_path: Path, *, app_token: str | None = None
) -> AsyncIterator[Office]:
    """An office; with an app-level token Slack has Socket Mode on."""
    world = a_clock(tmp_path)
    clock.follow(world.path)
    bot_port = free_port()
    slack = SlackServer(
        clock=world,
        journal=Journal(),
        port=free_port(),
        app_url=f"http://127.0.0.1:{bot_port}",
        signing_secret="signing-secret",
        client=("1.2", "secret"),
        app_token=app_token,
    )
    await slack.start([])
    own = replace(
        settings,
        slack_bot_token=None,
        slack_client_id="1.2",
        slack_client_secret="secret",
        slack_app_token=app_token,
        slack_api_url=f"{slack.base_url}/api/",
        public_url=slack.sender.app_url,
        encryption_keys=(Fernet.generate_key().decode(),),
    )
    payments = Payments(own, catalogue)
    bot = make_app(Desk(own, catalogue, payments))
    application = web.Application()
    application.add_routes(bot.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", bot_port).start()
    there = Office(bot, slack, world)
    try:
        for workspace in slack.state.workspaces.values():
            await there.install(workspace.id)
        yield there
    finally:
        await runner.cleanup()
        await bot.close()
        await payments.close()
        await slack.stop()
        clock.follow(None)
        world.close()


async def subscribed(scope: Scope, owner: Member) -> Subscription:
    """A live subscription, as far as people are concerned."""
    now = clock.now()
    return await Subscription.create(
        id=f"sub_{str(scope.id)[:8]}",
        scope=scope,
        owner=owner,
        customer_id="cus_1",
        status="active",
        is_live=True,
        plan="premium",
        interval="year",
        seats=5,
        currency="sek",
        unit_amount=100,
        item_id="si_1",
        price_id="price_1",
        collection_method="charge_automatically",
        current_period_start=now,
        current_period_end=now + timedelta(days=365),
        started_at=now,
    )
