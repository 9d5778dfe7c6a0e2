"""A town with a Slack of its own: it pays at a local Stripe, the outbox sends into the Slack, and the clock is the world's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Installation as SlackInstallation

from bot.app import BotApp, make_app
from bot.delivery import Outbox
from domain import clock, copies, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import DirectChannel, Member, Notice, Subscription
from sandbox.cast import User, Workspace
from sandbox.journal import Journal
from sandbox.slack.server import SlackServer
from tests.domain.conftest import Town, settle, town
from tests.sandbox.stripe.shop import free_port

__all__ = ["town"]  # the fixture
Json = dict[str, Any]


@dataclass
class PostRoom:
    """The outbox between a town and its Slack."""

    town: Town
    slack: SlackServer
    bot: BotApp
    outbox: Outbox
    others: list[Outbox] = field(default_factory=list)

    def another(self) -> Outbox:
        """Another process's sender."""
        self.others.append(Outbox(self.bot))
        return self.others[-1]

    async def install(self, team_id: str, members: list[Member]) -> None:
        """The workspace is in the local Slack, its people too, and Kassör is installed there."""
        token = f"xoxb-{team_id}"
        workspace = Workspace(team_id, team_id, team_id.lower(), f"UBOT{team_id}", f"B{team_id}", token, installed=True)
        for each in members:
            workspace.users[each.slack_user_id] = User(
                each.slack_user_id, team_id, each.name, each.name, "", each.locale, each.tz
            )
        self.slack.state.workspaces[team_id] = workspace
        self.slack.state.revoked.pop(token, None)
        made = SlackInstallation(
            user_id=members[0].slack_user_id,
            team_id=team_id,
            team_name=team_id,
            bot_token=token,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user_id,
        )
        await self.bot.installations.async_save(made)
        await self.bot.read_soon(team_id)
        await Notice.filter(kind="welcome", workspace_id=team_id).delete()  # whoever installed it has read it

    async def copy_due(self, **how: Any) -> Subscription:
        """Somebody has upgraded, and the copy of the first invoice is due; everything else has been told."""
        live = await self.town.upgraded(**how)
        await copies.plan_due(self.town.desk)
        await Notice.exclude(kind="invoice_copy").delete()
        self.working_hours()
        return live

    def working_hours(self) -> None:
        """It is noon UTC, which is within working hours in Stockholm, some day after now."""
        noon = (clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
        self.town.clock.move_to(noon)

    async def send(self, *, times: int = 1, seconds: float = 0.0) -> None:
        """Send what is due, so many times with time passing in between."""
        for turn in range(times):
            if turn:
                self.later(seconds)
            await self.outbox.send_due()

    def later(self, seconds: float) -> None:
        """Let time pass."""
        if seconds:
            self.town.move(seconds=seconds)

    async def forget_dms(self) -> None:
        """Nobody's DM channel is known."""
        await DirectChannel.all().delete()

    async def seen(self, there: Callable[[], bool]) -> None:
        """Wait until something is to be seen in Slack."""
        async with asyncio.timeout(20):
            while not there():  # noqa: ASYNC110 - nothing rings when it is
                await asyncio.sleep(0.01)

    def messages(self, member: Member) -> list[Json]:
        """What somebody has in their DM."""
        channel = self.slack.state.dms.get(member.slack_user_id, "")
        return self.slack.state.messages.get(channel, [])

    def files(self, member: Member) -> list[str]:
        """The names of the files in their DM."""
        return [file["name"] for message in self.messages(member) for file in message.get("files") or []]

    def calls(self, method: str) -> int:
        """How often Slack was asked."""
        return sum(f"/api/{method}" in each["url"] for each in self.slack.journal.as_json())

    def fault(self, method: str, kind: str = "error", **more: Any) -> None:
        """The next calls of a method go wrong."""
        self.slack.faults.add({"method": method, "kind": kind, **more})

    async def notice(self, kind: str = "invoice_copy") -> Notice:
        """The one notice of a kind."""
        return await Notice.get(kind=kind)

    async def waits(self) -> bool:
        """Whether the copy is still to be sent."""
        return (await self.notice()).state == QueueState.QUEUED


@pytest.fixture
async def post_room(town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostRoom]:
    monkeypatch.setattr("bot.app.TIMEOUT", 1)  # second a call may take: these tests wait for some
    slack = SlackServer(
        clock=town.clock,
        journal=Journal(),
        port=free_port(),
        app_url="http://127.0.0.1:9",
        signing_secret="signing-secret",
        client=("1.2", "secret"),
        subscribed=(),
    )
    slack.state.workspaces.clear()
    await slack.start([])
    settings = replace(
        town.desk.settings,
        slack_bot_token=None,
        slack_client_id="1.2",
        slack_client_secret="secret",
        slack_api_url=f"{slack.base_url}/api/",
        encryption_keys=(Fernet.generate_key().decode(),),
    )
    town.desk = Desk(settings, town.desk.catalogue, town.desk.payments)
    bot = make_app(town.desk)
    room = PostRoom(town, slack, bot, Outbox(bot))
    try:
        await room.install("T1", town.members)
        yield room
    finally:
        for each in [room.outbox, *room.others]:
            await each.close()
        await bot.close()
        await slack.stop()


async def neighbours(room: PostRoom, count: int) -> list[Member]:
    """The first member of so many other workspaces, each with Kassör installed."""
    firsts = []
    for number in range(2, 2 + count):
        _, members = await settle(f"T{number}", 1, first=number * 100)
        await room.install(f"T{number}", members)
        firsts.append(members[0])
    return firsts


async def tell(member: Member, key: str, *, at: datetime | None = None) -> Notice:
    """Something to tell somebody at once."""
    told = await notices.tell(
        NoticeKind.PAYMENT_MENDED,
        workspace_id=member.workspace_id,
        facts={"scope": key},
        dedup_key=key,
        member=member,
        not_before=at.astimezone(UTC) if at else None,
    )
    assert told is not None
    return told
