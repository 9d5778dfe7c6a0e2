"""A desk over a local Stripe: the real client, real HTTP, a world clock that can be moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import clock, directory, sync
from domain.actions import changes, upgrade
from domain.config import Settings
from domain.desk import Desk
from domain.directory import MemberFacts
from domain.payments import Payments
from domain.records import Member, Notice, Quote, Scope, Subscription
from domain.records.people import ScopeKind
from domain.rules.catalogue import Catalogue
from sandbox.clock import WorldClock
from sandbox.journal import Journal
from sandbox.stripe.payment import Payment
from sandbox.stripe.server import StripeServer
from tests.clock import a_clock
from tests.sandbox.stripe.shop import KEY, free_port

Json = dict[str, Any]


@dataclass
class Town:
    """A workspace of eight members, a desk, and the Stripe they pay through."""

    desk: Desk
    stripe: StripeServer
    clock: WorldClock
    workspace: str
    scope: Scope
    members: list[Member]

    def move(self, **delta: float) -> None:
        """Let time pass, and Stripe do what is due."""
        self.clock.move_to(self.clock.now() + timedelta(**delta))

    def objects(self, kind: str) -> list[Json]:
        """Stripe's objects of a kind, oldest first."""
        return list(self.stripe.account.objects.get(kind, {}).values())

    async def upgraded(
        self,
        *,
        plan: str = "premium",
        interval: str = "year",
        seats: int = 10,
        by: Member | None = None,
        owner: Member | None = None,
        scope: Scope | None = None,
        currency: str | None = None,
    ) -> Subscription:
        """A paid subscription of the whole workspace (or `scope`), its owner the first member unless said otherwise."""
        scope = scope or self.scope
        quote = await self.page(
            plan=plan, interval=interval, seats=seats, by=by, owner=owner, scope=scope, currency=currency
        )
        await self.pay(quote)
        return await Subscription.get(scope_id=scope.id, is_live=True)

    async def page(
        self,
        *,
        plan: str = "premium",
        interval: str = "year",
        seats: int = 10,
        by: Member | None = None,
        owner: Member | None = None,
        scope: Scope | None = None,
        currency: str | None = None,
    ) -> Quote:
        """An upgrade that waits to be paid on Stripe's page."""
        actor = by or self.members[0]
        quote = await upgrade.offer(
            self.desk,
            actor,
            scope=scope or self.scope,
            plan=plan,
            interval=interval,
            seats=seats,
            owner=owner,
            currency=currency,
        )
        return await upgrade.carry_out(self.desk, await upgrade.accept(self.desk, actor, quote.id))

    async def pay(self, quote: Quote, payment: Payment | None = None) -> None:
        """Pay a quote's page, and let us hear of it."""
        assert quote.checkout_session_id is not None
        outcome = await self.stripe.account.pay_checkout(quote.checkout_session_id, payment or Payment("card"))
        assert outcome.state == "paid", outcome
        await sync.checkout_session(self.desk, quote.checkout_session_id)

    async def let_pass(self, **delta: float) -> None:
        """Let time pass, Stripe stopping at all that falls due on the way, and read every subscription again."""
        target = self.clock.now() + timedelta(**delta)
        while (due := self.stripe.next_due()) is not None and due <= target:
            if due > self.clock.now():
                self.clock.move_to(due)
            await self.stripe.process_due()
        self.clock.move_to(target)
        await self.read_again()

    async def read_again(self) -> None:
        """Take in what Stripe says of every subscription and invoice."""
        for each in self.objects("subscription"):
            await sync.subscription(self.desk, each["id"])
        for each in self.objects("invoice"):
            await sync.invoice(self.desk, each["id"])

    async def fresh(self, found: Subscription) -> Subscription:
        """A subscription, as Stripe has it now."""
        again = await sync.subscription(self.desk, found.id)
        assert again is not None
        return again

    def balance(self, found: Subscription) -> int:
        """What the subscription's customer owes (positive) or is owed at Stripe, minor units."""
        return int(self.stripe.account.get("customer", found.customer_id)["balance"])

    async def confirm(self, quote: Quote) -> Quote:
        """Press the button on a change, and carry it out."""
        accepted = await changes.accept(self.desk, quote.requester, quote.id)
        return await changes.carry_out(self.desk, accepted)

    async def told(self, kind: str) -> list[Notice]:
        """The notices of a kind."""
        return await Notice.filter(kind=kind).order_by("created_at")


def person(number: int, **facts: Any) -> MemberFacts:
    """Somebody in a workspace."""
    base = MemberFacts(
        slack_user_id=f"U{number:03}",
        name=f"Person {number}",
        email=f"person{number}@example.com",
        locale="sv-SE" if number % 2 else "en-US",
        tz="Europe/Stockholm",
        is_bot=False,
        is_guest=False,
        is_deactivated=False,
    )
    return replace(base, **facts)


async def settle(team_id: str, count: int, *, first: int = 1) -> tuple[Scope, list[Member]]:
    """A workspace with `count` members."""
    await directory.ensure_workspace(team_id, name=f"Workspace {team_id}")
    await directory.replace_members(team_id, [person(number) for number in range(first, first + count)])
    members = await Member.filter(workspace_id=team_id).order_by("slack_user_id")
    return await directory.whole(team_id), members


async def make_team(town: Town, members: list[Member], ref: str = "S001") -> Scope:
    """A team of some of the members."""
    team = await directory.ensure_scope(town.workspace, slack_ref=ref, name="Design", kind=ScopeKind.TEAM)
    await directory.set_team_members(team, [member.slack_user_id for member in members])
    await directory.becomes_organisation(town.workspace)
    return team


@asynccontextmanager
async def a_stripe(
    folder: Path, settings: Settings, catalogue: Catalogue
) -> AsyncIterator[tuple[Desk, StripeServer, WorldClock]]:
    """A Stripe that moves with the world's clock, and a desk that pays through it; it outlives any database beside it."""
    world = a_clock(folder)
    clock.follow(world.path)
    server = StripeServer(clock=world, journal=Journal(), port=free_port(), api_key=KEY)
    await server.start()
    own = replace(settings, stripe_api_key=KEY, stripe_api_url=server.base_url, public_url="https://kassor.example")
    payments = Payments(own, catalogue)
    try:
        await payments.push_catalogue()
        yield Desk(own, catalogue, payments), server, world
    finally:
        await payments.close()
        await server.stop()
        clock.follow(None)
        world.close()


@pytest.fixture
async def town(database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Town]:
    del database
    async with a_stripe(tmp_path, settings, catalogue) as (desk, server, world):
        scope, members = await settle("T1", 8)
        yield Town(desk, server, world, "T1", scope, members)
