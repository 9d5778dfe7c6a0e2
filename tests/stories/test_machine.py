"""Whatever people, Stripe, time and outages do to each other, this holds: M1, M2, R26, R33, R48, I2 and one truth about money."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as told
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.actions import invoices, page
from domain.config import Settings
from domain.records import (
    Admin,
    AuditEntry,
    Customer,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Quote,
    Scope,
    Subscription,
)
from domain.records.mirror import LIVE_STATUSES
from domain.records.quotes import QuoteApplies, QuoteKind, QuoteState
from domain.records.requests import Topic
from domain.rules.catalogue import Catalogue
from domain.rules.refusals import Refusal
from tests.postgres import Postgres
from tests.stories.machine import OWNER, PEOPLE, World

GOOD, DECLINED_LATER = "4242424242424242", "4000000000000341"
someone = st.integers(0, PEOPLE - 1)
mostly_the_owner = st.sampled_from([OWNER] * (3 * PEOPLE) + list(range(PEOPLE)))
whole_or_team = st.sampled_from([False, False, True])
plans = st.sampled_from(["premium", "business"])
intervals = st.sampled_from(["month", "year"])
minutes = st.sampled_from([0.0, 0.0, 3.0, 45.0])
KEPT = (Subscription, Invoice, Customer, AuditEntry, Admin, Member, Scope, Notice, InvoiceCopy)


class Machine(RuleBasedStateMachine):
    """Anything in any order."""

    make_world: Callable[[], AbstractContextManager[World]]

    def __init__(self) -> None:
        super().__init__()
        self._opened = type(self).make_world()
        self.world = self._opened.__enter__()
        self._kept: Counter[str] = Counter()

    def teardown(self) -> None:
        try:
            self.everything_settles()
        finally:
            self._opened.__exit__(None, None, None)

    # --- what may happen ---

    @initialize(
        who=someone, team=st.booleans(), wanted=plans, interval=intervals, paid=st.sampled_from([True] * 5 + [False])
    )
    def there_may_be_a_plan_already(self, who: int, team: bool, wanted: str, interval: str, paid: bool) -> None:
        self.world.run(self.world.upgrade(who % 4, team=team, wanted=wanted, interval=interval, to=who % 4))
        if paid:
            self.world.run(self.world.pay(0, number=GOOD))
            self.world.run(self.world.deliver(self.world.on_the_way()))

    @rule(who=someone, team=whole_or_team, wanted=plans, interval=intervals, to=someone)
    def somebody_upgrades(self, who: int, team: bool, wanted: str, interval: str, to: int) -> None:
        self.world.run(self.world.upgrade(who, team=team, wanted=wanted, interval=interval, to=to))

    @rule(which=st.integers(0, 5), number=st.sampled_from([GOOD, GOOD, GOOD, DECLINED_LATER, "4000000000000002"]))
    def a_payment_page_is_used(self, which: int, number: str) -> None:
        self.world.run(self.world.pay(which, number=number))

    @rule(who=mostly_the_owner, team=whole_or_team, by=st.sampled_from([1, 5, 20, -1, -5]), wait=minutes)
    def somebody_changes_seats(self, who: int, team: bool, by: int, wait: float) -> None:
        self.world.run(self.world.change_seats(who, team=team, by=by, wait=wait))

    @rule(who=mostly_the_owner, team=whole_or_team, wanted=plans, interval=intervals, wait=minutes)
    def somebody_changes_the_plan(self, who: int, team: bool, wanted: str, interval: str, wait: float) -> None:
        self.world.run(self.world.change_plan(who, team=team, wanted=wanted, interval=interval, wait=wait))

    @rule(who=mostly_the_owner, team=whole_or_team)
    def somebody_cancels(self, who: int, team: bool) -> None:
        self.world.run(self.world.stop(who, team=team))

    @rule(who=mostly_the_owner, team=whole_or_team)
    def somebody_stays_after_all(self, who: int, team: bool) -> None:
        self.world.run(self.world.stay(who, team=team))

    @rule(who=mostly_the_owner, to=someone, team=whole_or_team)
    def billing_changes_hands(self, who: int, to: int, team: bool) -> None:
        self.world.run(self.world.hand_over(who, to, team=team))

    @rule(who=mostly_the_owner, team=whole_or_team, chosen=st.lists(someone, max_size=3))
    def admins_are_chosen(self, who: int, team: bool, chosen: list[int]) -> None:
        self.world.run(self.world.choose_admins(who, team=team, chosen=chosen))

    @rule(
        who=mostly_the_owner,
        team=whole_or_team,
        topic=st.sampled_from([Topic.PAY_BY_INVOICE, Topic.ADJUST, Topic.CANCEL]),
    )
    def sales_are_asked(self, who: int, team: bool, topic: Topic) -> None:
        self.world.run(self.world.ask_sales(who, team=team, topic=topic))

    @rule(which=st.integers(0, 3), yes=st.sampled_from([True, True, False]), cut_off=st.booleans())
    def sales_answer(self, which: int, yes: bool, cut_off: bool) -> None:
        self.world.run(self.world.sales_answers(which, yes=yes, cut_off=cut_off))

    @rule(which=st.integers(0, 3))
    def an_invoice_is_paid_by_hand(self, which: int) -> None:
        self.world.run(self.world.pay_by_hand(which))

    @rule(team=whole_or_team, number=st.sampled_from([GOOD, DECLINED_LATER]))
    def another_card_is_saved(self, team: bool, number: str) -> None:
        self.world.run(self.world.give_card(team=team, number=number))

    @rule(who=someone, what=st.sampled_from([(False, False), (False, False), (True, False), (False, True)]))
    def a_person_comes_goes_or_becomes_a_guest(self, who: int, what: tuple[bool, bool]) -> None:
        self.world.run(self.world.person_changes(who, is_guest=what[0], is_deactivated=what[1]))

    @rule(order=st.randoms(use_true_random=False), share=st.sampled_from([0.3, 1.0]), twice=st.booleans())
    def webhooks_arrive(self, order: Any, share: float, twice: bool) -> None:
        events = self.world.on_the_way()
        order.shuffle(events)
        some = events[: max(1, int(len(events) * share))]
        self.world.run(self.world.deliver(some + (some if twice else [])))

    @rule(order=st.randoms(use_true_random=False))
    def a_webhook_is_lost(self, order: Any) -> None:
        if events := self.world.on_the_way():
            self.world.told.add(order.choice(events)["id"])

    @rule(hours=st.sampled_from([1, 26, 24 * 8, 24 * 32]))
    def time_passes(self, hours: int) -> None:
        self.world.run(self.world.let_time_pass(hours=hours))

    @rule()
    def the_scheduler_ticks(self) -> None:
        self.world.run(self.world.tick())

    @rule(calls=st.sampled_from([1, 3]))
    def stripe_goes_away(self, calls: int) -> None:
        self.world.outage(calls)

    @rule()
    def everything_settles(self) -> None:
        self.world.run(self.world.settle())
        self.world.run(self._one_truth())
        self.world.run(self._every_charge_was_agreed_to())
        self.world.run(self._every_period_has_its_copy())
        self.world.run(self._only_the_owner_sees_money())

    # --- what must hold ---

    @invariant()
    def nothing_is_ever_deleted(self) -> None:
        """R48."""
        now = Counter({model.__name__: self.world.run(_count(model)) for model in KEPT})
        shrunk = {name for name in self._kept if now[name] < self._kept[name]}
        assert not shrunk
        self._kept = now

    @invariant()
    def at_most_one_live_subscription_a_scope_and_exactly_one_owner_each(self) -> None:
        self.world.run(self._one_live_and_one_owner())

    async def _one_live_and_one_owner(self) -> None:
        live = await Subscription.filter(is_live=True).prefetch_related("owner")
        assert max(Counter(each.scope_id for each in live).values(), default=0) <= 1
        assert all(each.owner.workspace_id == "T1" for each in live)

    async def _one_truth(self) -> None:
        """What we believe is what Stripe says, once everything has arrived."""
        assert await self.world.open_quotes() == []
        theirs = {each["id"]: each for each in self.world.town.objects("subscription") if each["metadata"]}
        ours = {each.id: each for each in await Subscription.all()}
        for key, at_stripe in theirs.items():
            if key not in ours:
                assert at_stripe["status"] not in LIVE_STATUSES, f"{key} is live at Stripe and unknown here"
                continue
            item = at_stripe["items"]["data"][0]
            believed = ours[key]
            assert (believed.status, believed.seats, believed.price_id) == (
                at_stripe["status"],
                item["quantity"],
                item["price"]["id"] if isinstance(item["price"], dict) else item["price"],
            ), key
            assert int(believed.current_period_end.timestamp()) == item["current_period_end"]
            if believed.is_live:
                assert (believed.cancel_at is not None) == bool(
                    at_stripe["cancel_at_period_end"] or at_stripe["cancel_at"]
                )
        per_scope = Counter(
            each["metadata"].get("kassor_scope") for each in theirs.values() if each["status"] in LIVE_STATUSES
        )
        assert max(per_scope.values(), default=0) <= 1

    async def _every_charge_was_agreed_to(self) -> None:
        """No charge without an accepted quote or a renewal, and exactly what was shown (M1)."""
        applied = Quote.filter(state=QuoteState.APPLIED, applies=QuoteApplies.NOW, due_now__gt=0)
        shown = Counter(
            [(str(quote.subscription_id), quote.due_now) for quote in await applied.exclude(kind=QuoteKind.ABSORB)]
        )
        charged: Counter[tuple[str, int]] = Counter()
        for bill in self.world.town.objects("invoice"):
            if bill["status"] != "paid" or bill["amount_paid"] <= 0:
                continue
            subscription = bill["parent"]["subscription_details"]["subscription"]
            if bill["billing_reason"] == "subscription_update":
                charged[subscription, bill["amount_paid"]] += 1
            elif bill["billing_reason"] == "subscription_create":
                at_stripe = self.world.town.stripe.account.objects["subscription"][subscription]
                agreed = await Quote.get(id=at_stripe["metadata"]["kassor_quote"])
                assert agreed.accepted_at is not None
                if agreed.state == QuoteState.APPLIED:
                    assert agreed.due_now == bill["amount_paid"]
            else:
                assert bill["billing_reason"] == "subscription_cycle", bill["billing_reason"]
        assert charged == shown

    async def _every_period_has_its_copy(self) -> None:
        """I1, I2: a live subscription whose period has an invoice has its copy in the outbox, once."""
        for live in await Subscription.filter(is_live=True):
            billed = await Invoice.filter(
                subscription_id=live.id,
                finalized_at__not_isnull=True,
                status__in=["open", "paid"],
                period_start__gte=live.current_period_start,
                period_start__lt=live.current_period_end,
            ).count()
            copies = await InvoiceCopy.filter(subscription_id=live.id, period_start=live.current_period_start).count()
            assert copies == min(billed, 1), live.id

    async def _only_the_owner_sees_money(self) -> None:
        """R33, R35."""
        for scope in await Scope.all():
            live = await Subscription.get_or_none(scope_id=scope.id, is_live=True)
            if live is None:
                continue
            for person in await Member.filter(workspace_id="T1"):
                if person.id == live.owner_id:
                    continue
                with pytest.raises(Refusal):
                    await invoices.latest(person, scope=scope)
                try:
                    shown = await page.page(self.world.town.desk, person, scope=scope)
                except Refusal:
                    continue
                assert (shown.subscription, shown.next_total, shown.payment_method, shown.invoices) == (
                    None, None, None, [],
                )  # fmt: skip


async def _count(model: Any) -> int:
    return int(await model.all().count())


def check(
    databases: Callable[[Path], AbstractContextManager[str]],
    folder: Path,
    settings: Settings,
    catalogue: Catalogue,
    *,
    examples: int,
) -> None:
    """Tell so many stories, each in a world and a database of its own."""
    numbers = count()

    @contextmanager
    def make_world() -> Iterator[World]:
        place = folder / str(next(numbers))
        place.mkdir()
        with databases(place) as url:
            world = World(database_url=url, folder=place, settings=settings, catalogue=catalogue)
            try:
                yield world
            finally:
                world.close()

    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        type("M", (Machine,), {"make_world": staticmethod(make_world)}),
        settings=told(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            phases=[Phase.generate],  # a story of forty steps is told again faster than it is made shorter
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)
def test_M1_R33_R48_I2_whatever_happens_money_and_records_stay_right(
    sqlite_template: Path, tmp_path: Path, settings: Settings, catalogue: Catalogue
) -> None:
    @contextmanager
    def file(place: Path) -> Iterator[str]:
        shutil.copy(sqlite_template, place / "kassor.db")
        yield f"sqlite://{place / 'kassor.db'}"

    check(file, tmp_path, settings, catalogue, examples=30)


@pytest.mark.timeout(600)
def test_M1_R33_R48_I2_and_the_same_on_postgresql(
    postgres: Postgres, tmp_path: Path, settings: Settings, catalogue: Catalogue
) -> None:
    check(lambda _: postgres.database(), tmp_path, settings, catalogue, examples=10)
