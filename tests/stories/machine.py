"""A world in which anything may happen in any order: what people do, what Stripe tells late, twice or never, time, and outages.

The real client talks to the local Stripe over HTTP; webhooks go through the receiver's store and the worker. Nothing here knows
what the outcome should be: `tests/stories/test_machine.py` says what must hold whatever happened.
"""

import asyncio
import json
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from domain import clock, copies, directory, reconcile
from domain.actions import admins, agreed, cancel, changes, deciding, owner, plan, sales, seats, upgrade
from domain.actions.deciding import Terms
from domain.actions.resuming import resume_accepted
from domain.config import Settings
from domain.database import opened
from domain.desk import Desk
from domain.envelope import read
from domain.inbox import Inbox
from domain.payments import Payments
from domain.records import DeskRequest, Member, Quote, Scope, Subscription
from domain.records.quotes import QuoteKind
from domain.records.requests import RequestState, Topic
from domain.rules.catalogue import Catalogue
from domain.rules.refusals import QuoteChanged, Refusal
from domain.rules.sizes import SeatsAsked
from domain.upkeep import MATTERS
from sandbox.journal import Journal
from sandbox.stripe.payment import Payment
from sandbox.stripe.server import StripeServer
from tests.clock import a_clock
from tests.domain.conftest import Town, make_team, person, settle
from tests.sandbox.stripe.shop import KEY, free_port
from webhooks import worker
from webhooks.interests import INTERESTS

Json = dict[str, Any]
Result = TypeVar("Result")
OWNER = -1
SALES, STAFF = "C0SALES", "U008"
PEOPLE = 9  # eight at first, and one who may join


class World:
    """One database, one Stripe, one clock, and the loop they live in."""

    def __init__(self, *, database_url: str, folder: Path, settings: Settings, catalogue: Catalogue) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self.told: set[str] = set()  # events that were delivered, or lost on the way
        self.refused: list[Refusal] = []
        self.town = self.run(self._open(database_url, folder, settings, catalogue))
        self.team = self.run(make_team(self.town, self.town.members[:4]))

    def run(self, work: Awaitable[Result]) -> Result:
        """Do something in the world."""
        return self._loop.run_until_complete(_awaited(work))

    def close(self) -> None:
        """End of the world."""
        self.run(self._stack.aclose())
        self._loop.close()

    async def _open(self, url: str, folder: Path, settings: Settings, catalogue: Catalogue) -> Town:
        await self._stack.enter_async_context(opened(url))
        world = a_clock(folder)
        self._stack.callback(world.close)
        clock.follow(world.path)
        self._stack.callback(clock.follow, None)
        server = StripeServer(clock=world, journal=Journal(), port=free_port(), api_key=KEY)
        await server.start()
        self._stack.push_async_callback(server.stop)
        own = replace(settings, stripe_api_key=KEY, stripe_api_url=server.base_url, public_url="https://kassor.example")
        own = replace(own, sales_channel=SALES, sales_staff=(STAFF,))
        payments = Payments(own, catalogue)
        self._stack.push_async_callback(payments.close)
        await payments.push_catalogue()
        scope, members = await settle("T1", 8)
        desk = Desk(own, catalogue, payments, event_types=tuple(INTERESTS))
        return Town(desk, server, world, "T1", scope, members)

    # --- what people do; a refusal is an answer like any other ---

    async def attempt(self, work: Awaitable[Result]) -> Result | None:
        """Do it; a refusal is remembered and None returned."""
        try:
            return await work
        except Refusal as refusal:
            self.refused.append(refusal)
            return None

    async def somebody(self, number: int, live: Subscription | None = None) -> Member | None:
        """A person of the workspace, as they are now; OWNER is whoever owns `live`."""
        if number == OWNER:
            return await Member.get(id=live.owner_id) if live is not None else None
        return await directory.member("T1", f"U{number + 1:03}")

    async def live(self, *, team: bool) -> Subscription | None:
        """The live subscription of the whole, or of the team; of the other when that one has none."""
        first, other = (self.team, self.town.scope) if team else (self.town.scope, self.team)
        found = await Subscription.get_or_none(scope_id=first.id, is_live=True)
        return found or await Subscription.get_or_none(scope_id=other.id, is_live=True)

    async def upgrade(self, who: int, *, team: bool, wanted: str, interval: str, to: int) -> None:
        """Choose, confirm, and get as far as the payment page."""
        actor, appointed = await self.somebody(who), await self.somebody(to)
        if actor is None or appointed is None:
            return
        scope = self.team if team else self.town.scope
        quote = await self.attempt(
            upgrade.offer(self.town.desk, actor, scope=scope, plan=wanted, interval=interval, owner=appointed)
        )
        if quote is not None and (taken := await self.attempt(upgrade.accept(self.town.desk, actor, quote.id))):
            await self.attempt(upgrade.carry_out(self.town.desk, taken))

    async def pay(self, which: int, *, number: str) -> None:
        """Somebody comes to an open payment page with a card, perhaps of a quote long replaced."""
        pages = [each for each in self.town.objects("checkout.session") if each["status"] == "open"]
        if pages:
            await self.town.stripe.account.pay_checkout(pages[which % len(pages)]["id"], Payment("card", number=number))

    async def change_seats(self, who: int, *, team: bool, by: int, wait: float) -> None:
        """More or fewer seats, the button pressed after a while."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live)
        if actor is None or live is None:
            return
        asked = SeatsAsked(by, relative=True)
        quote = await self.attempt(seats.offer(self.town.desk, actor, subscription=live, asked=asked))
        await self._confirm(actor, quote, wait)

    async def change_plan(self, who: int, *, team: bool, wanted: str, interval: str, wait: float) -> None:
        """Another plan or interval, the button pressed after a while."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live)
        if actor is None or live is None:
            return
        quote = await self.attempt(plan.offer(self.town.desk, actor, subscription=live, plan=wanted, interval=interval))
        await self._confirm(actor, quote, wait)

    async def _confirm(self, actor: Member, quote: Quote | None, wait: float) -> None:
        if quote is None:
            return
        await self.let_time_pass(minutes=wait)
        taken = await self.attempt(changes.accept(self.town.desk, actor, quote.id))
        if taken is None:
            return
        try:
            await changes.carry_out(self.town.desk, taken)
        except QuoteChanged as changed:  # shown again, and left alone
            self.refused.append(changed)
        except Refusal as refusal:
            self.refused.append(refusal)

    async def stop(self, who: int, *, team: bool) -> None:
        """Cancel."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live)
        if actor is not None and live is not None:
            await self.attempt(cancel.cancel(self.town.desk, actor, subscription=live))

    async def stay(self, who: int, *, team: bool) -> None:
        """Take a cancellation back."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live)
        if actor is not None and live is not None:
            await self.attempt(cancel.resume(self.town.desk, actor, subscription=live))

    async def hand_over(self, who: int, to: int, *, team: bool) -> None:
        """Hand billing over, or claim it."""
        live = await self.live(team=team)
        actor, heir = await self.somebody(who, live), await self.somebody(to)
        if actor is None or heir is None or live is None:
            return
        if actor.id == heir.id:
            await self.attempt(owner.claim(self.town.desk, actor, subscription=live))
        else:
            await self.attempt(owner.hand_over(self.town.desk, actor, subscription=live, to=heir))

    async def give_card(self, *, team: bool, number: str) -> None:
        """Another card is saved on Stripe's portal."""
        live = await self.live(team=team)
        if live is None:
            return
        back = "https://kassor.example/back"
        if await self.attempt(self.town.desk.payments.portal_link(live.customer_id, return_url=back)):
            session = self.town.objects("billing_portal.session")[-1]
            await self.town.stripe.account.save_portal_payment_method(session["id"], Payment("card", number=number))

    async def person_changes(self, who: int, *, is_guest: bool, is_deactivated: bool) -> None:
        """Somebody joins, leaves, becomes a guest, or comes back."""
        facts = person(who + 1, is_guest=is_guest, is_deactivated=is_deactivated)
        await directory.upsert_member("T1", facts)

    async def choose_admins(self, who: int, *, team: bool, chosen: list[int]) -> None:
        """The owner says who else is admin."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live)
        if actor is None or live is None:
            return
        members = [found for number in chosen if (found := await self.somebody(number)) is not None]
        await self.attempt(admins.set_admins(self.town.desk, actor, subscription=live, members=members))

    async def ask_sales(self, who: int, *, team: bool, topic: Topic) -> None:
        """Payment by invoice, or a change of a plan that is paid so."""
        live = await self.live(team=team)
        actor = await self.somebody(who, live) or await self.somebody(0)
        if actor is None:
            return
        scope = self.team if team else self.town.scope
        asking = sales.ask(
            self.town.desk, actor, scope=scope, topic=topic, plan="business", seats=20, subscription=live
        )
        await self.attempt(asking)

    async def sales_answers(self, which: int, *, yes: bool, cut_off: bool) -> None:
        """Sales decides an open request; carried out at once, or left to the tick by a crash."""
        waiting = await DeskRequest.filter(state=RequestState.OPEN).order_by("asked_at")
        staff = await directory.member("T1", STAFF)
        if not waiting or staff is None:
            return
        request = waiting[which % len(waiting)]
        if not yes:
            await self.attempt(deciding.decline(self.town.desk, staff, request.id, "Not now.", channel=SALES))
            return
        proposed = await self.attempt(deciding.propose(self.town.desk, staff, request.id, channel=SALES))
        if proposed is None:
            return
        _, offer = proposed
        terms = Terms(
            plan=offer.plan,
            seats={part.scope: part.seats for part in offer.parts},
            unit_amount=offer.unit_amount or 200_000,
            currency=offer.currency,
            days_until_due=offer.days_until_due,
        )
        if request.topic == Topic.ADJUST:
            pricing = deciding.price_change(self.town.desk, staff, request.id, terms, channel=SALES)
            seen = await self.attempt(pricing)
            if seen is None:
                return
            terms = seen
        agreed_to = await self.attempt(deciding.approve(self.town.desk, staff, request.id, terms, channel=SALES))
        if agreed_to is not None and not cut_off:
            await self.attempt(agreed.carry_out(self.town.desk, agreed_to))

    async def pay_by_hand(self, which: int) -> None:
        """Somebody pays an open invoice on its page."""
        bills = [each for each in self.town.objects("invoice") if each["status"] == "open"]
        if bills:
            await self.town.stripe.account.pay_invoice(bills[which % len(bills)]["id"], Payment("card"))

    # --- what happens by itself ---

    def on_the_way(self) -> list[Json]:
        """Events that have not been delivered or lost."""
        return [event for event in self.town.objects("event") if event["id"] not in self.told]

    async def deliver(self, events: list[Json]) -> None:
        """Webhooks arrive, in this order, and are worked on."""
        async with Inbox() as inbox:
            for event in events:
                await inbox.store([read(json.dumps(event).encode())])
                self.told.add(event["id"])
        for _ in range(200):
            if not await worker.work_once(self.town.desk):
                return

    async def let_time_pass(self, **delta: float) -> None:
        """Time passes, and Stripe does what falls due on the way."""
        target = clock.now() + timedelta(**delta)
        while (due := self.town.stripe.next_due()) is not None and due <= target:
            self._forward_to(due)
            await self.town.stripe.process_due()
        self._forward_to(target)
        await self.town.stripe.process_due()

    def _forward_to(self, moment: datetime) -> None:
        if moment > clock.now() + timedelta(milliseconds=5):  # the clock has no way back, and real time flows too
            self.town.clock.move_to(moment)

    async def tick(self) -> None:
        """What the scheduler looks at."""
        await self.attempt(resume_accepted(self.town.desk))
        for matter in MATTERS.values():  # each by itself, so that what goes wrong is seen
            await self.attempt(matter.look(self.town.desk))
        await self.attempt(copies.plan_due(self.town.desk))

    def outage(self, calls: int) -> None:
        """Stripe doesn't answer the next calls."""
        self.town.stripe.account.faults.api.append({"kind": "api_error", "times": calls})

    async def settle(self) -> None:
        """Stripe is back, everything on the way arrives, and what was lost is found again."""
        self.town.stripe.account.faults.api.clear()
        for _ in range(6):
            await self.deliver(self.on_the_way())
            await self.let_time_pass(minutes=12)  # longer than anything waits that was put off
            await self.tick()
            await self.attempt(reconcile.reconcile(self.town.desk, self.town.desk.event_types))
            if not self.on_the_way():
                break
        await self.deliver([])
        await self.tick()

    async def open_quotes(self) -> list[Quote]:
        """Accepted changes that have not come to anything yet."""
        return await Quote.filter(state="accepted").exclude(kind=QuoteKind.UPGRADE)

    async def scopes(self) -> list[Scope]:
        """Everything that can be paid for."""
        return await Scope.all()


async def _awaited(work: Awaitable[Result]) -> Result:
    return await work
