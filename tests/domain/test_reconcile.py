"""An outage costs nothing: what Stripe could not tell us is asked for afterwards, however long we were away."""

from datetime import timedelta

import pytest

from domain import reconcile, sync
from domain.actions import upgrade
from domain.queue import QueueState
from domain.records import Event, Subscription, Watermark
from domain.rules.refusals import PaymentsAway
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, town
from webhooks import worker
from webhooks.interests import INTERESTS

__all__ = ["town"]  # the fixture


async def work_off(town: Town) -> None:
    while await worker.work_once(town.desk):
        pass


async def test_a_day_of_more_events_than_a_page_holds_is_mended_and_then_nothing_is_left_to_mend(town: Town) -> None:
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    await work_off(town)
    town.move(hours=2)
    known = await Event.all().count()
    for number in range(251):
        await town.desk.payments.cancel_at_period_end(live.id, cancel=number % 2 == 0)  # nobody hears of it
    town.move(days=1)
    mended = await reconcile.reconcile(town.desk, INTERESTS)
    assert "251 × customer.subscription.updated had not arrived" in mended
    assert await Event.all().count() >= known + 251
    await work_off(town)
    fresh = await Subscription.get(id=live.id)
    assert fresh.cancel_at == fresh.current_period_end
    assert not await Event.exclude(state=QueueState.DONE).exists()
    assert await reconcile.reconcile(town.desk, INTERESTS) == []


async def test_after_more_than_stripe_remembers_a_subscription_that_came_and_went_is_found(town: Town) -> None:
    await Watermark.create(id=reconcile.EVENTS, at=town.clock.now())
    quote = await upgrade.offer(
        town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", seats=10, owner=None
    )
    carried = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id))
    assert carried.checkout_session_id is not None
    await town.stripe.account.pay_checkout(carried.checkout_session_id, Payment("card"))
    [theirs] = town.objects("subscription")
    await town.desk.payments.cancel_now(theirs["id"], credit=False)
    town.move(days=45)
    mended = await reconcile.reconcile(town.desk, [])  # not one event reaches back so far
    assert mended == [f"{theirs['id']} was not as Stripe has it"]
    assert (await Subscription.get(id=theirs["id"])).status == "canceled"


async def test_a_look_that_stripe_cut_off_begins_again_where_it_began(town: Town) -> None:
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    mark = (await Watermark.get(id=reconcile.EVENTS)).at
    town.move(hours=3)
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 30})
    with pytest.raises(PaymentsAway):
        await reconcile.reconcile(town.desk, INTERESTS)
    assert (await Watermark.get(id=reconcile.EVENTS)).at == mark
    town.stripe.account.faults.api.clear()
    assert any("had not arrived" in line for line in await reconcile.reconcile(town.desk, INTERESTS))


async def test_what_was_mended_goes_to_its_customers_lane(town: Town) -> None:
    live = await town.upgraded()
    town.move(seconds=timedelta(hours=1).total_seconds())
    await reconcile.reconcile(town.desk, ["customer.subscription.created"])
    assert [event.lane for event in await Event.all()] == [live.customer_id]


async def test_the_sweep_alone_mends_a_subscription_changed_in_the_dashboard(town: Town) -> None:
    live = await town.upgraded()
    await sync.subscription(town.desk, live.id)
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    assert await reconcile.reconcile(town.desk, []) == [f"{live.id} was not as Stripe has it"]
