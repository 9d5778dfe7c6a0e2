"""An outage costs nothing: what Stripe could not tell us is asked for afterwards, however long we were away."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import clock, lapse, reconcile, sync
from domain.actions import upgrade
from domain.queue import QueueState
from domain.records import (
    Admin,
    AuditEntry,
    Customer,
    Event,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Quote,
    Subscription,
    Watermark,
)
from domain.rules.refusals import PaymentsAway
from sandbox.stripe.catalogue import create_price
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, settle, town
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
    assert await AuditEntry.filter(verb="upgraded").exists()
    assert await town.told("upgraded") == [], "nobody hears that it worked when it is over"


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


async def test_a_long_look_says_how_far_it_has_come(town: Town) -> None:
    await town.upgraded()
    said: list[tuple[str, int, int | None]] = []
    await reconcile.reconcile(town.desk, INTERESTS, progress=lambda *each: said.append(each))
    [events, subscriptions] = said
    assert events == ("events", await Event.all().count(), None)
    assert subscriptions == ("subscriptions", 1, 1)


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


@pytest.mark.parametrize("odd", [{"recurring": {"interval": "week"}, "unit_amount": 3_000}, {"tiered": True}])
async def test_a_customer_moved_to_a_price_we_can_not_read_keeps_nobody_else_from_being_mended(
    town: Town, odd: dict[str, Any]
) -> None:
    theirs = await town.upgraded()
    scope, members = await settle("T2", 3, first=40)
    live = await town.upgraded(scope=scope, by=members[0], seats=3)
    price = create_price(
        town.stripe.account,
        {
            "currency": "sek",
            "product": "kassor_premium",
            "recurring": {"interval": "month"},
            "unit_amount": 3_000,
            "metadata": {"kassor_plan": "premium"},
        }
        | {name: value for name, value in odd.items() if name != "tiered"},
    )
    if "tiered" in odd:  # as Stripe shows a price in tiers
        price |= {"unit_amount": None, "billing_scheme": "tiered"}
    town.stripe.account.get("subscription", theirs.id)["items"]["data"][0]["price"] = price
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    assert await reconcile.reconcile(town.desk, []) == [f"{live.id} was not as Stripe has it"]


async def an_endpoint(town: Town, *types: str) -> None:
    """Stripe has an endpoint for our address. (Nobody listens there.)"""
    town.desk = replace(town.desk, settings=replace(town.desk.settings, public_url="http://127.0.0.1:9"))
    town.stripe.add_webhook_endpoint("http://127.0.0.1:9/stripe/webhooks", "whsec_x")
    town.objects("webhook_endpoint")[-1]["enabled_events"] = list(types)


async def changed_and_answered(town: Town, live: Subscription, *, cancel: bool = True) -> list[str]:
    """Something happens of which Stripe says that everybody has heard; what the look that follows says."""
    await town.desk.payments.cancel_at_period_end(live.id, cancel=cancel)
    for each in town.objects("event"):
        each["pending_webhooks"] = 0
    return await reconcile.reconcile(town.desk, INTERESTS)


async def test_events_that_were_delivered_and_are_unknown_tell_of_a_restored_backup(town: Town) -> None:
    await an_endpoint(town, *INTERESTS)
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    assert await lapse.noted() is None, "a database that never looked before was not restored"
    backed_up = clock.now()
    town.move(hours=5)
    said = await changed_and_answered(town, live)
    assert any("restored from a backup?" in line for line in said)
    found = await lapse.noted()
    assert found is not None
    assert found.since <= backed_up < found.until


@pytest.mark.parametrize(
    ("endpoint", "state"), [("other types", "enabled"), ("every type", "disabled"), ("made later", "enabled")]
)
async def test_what_nobody_asked_for_counts_as_delivered_at_stripe_and_tells_of_nothing(
    town: Town, endpoint: str, state: str
) -> None:
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    await an_endpoint(town, *(["invoice.paid"] if endpoint == "other types" else ["*"]))
    [made] = town.objects("webhook_endpoint")
    made["status"] = state
    if endpoint == "made later":
        made["created"] += 6 * 3_600
    for hour in range(3):
        town.move(hours=1, minutes=1)
        said = await changed_and_answered(town, live, cancel=hour % 2 == 0)
        assert any("had not arrived" in line for line in said)
    assert await lapse.noted() is None


async def test_an_event_old_enough_to_be_pruned_tells_of_nothing(town: Town) -> None:
    """The scheduler was down for long, and prunes before it looks."""
    await an_endpoint(town, "*")
    town.desk = replace(town.desk, settings=replace(town.desk.settings, events_kept_days=4))
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    town.move(hours=2)
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    for each in town.objects("event"):
        each["pending_webhooks"] = 0
    town.move(days=5)
    assert any("had not arrived" in line for line in await reconcile.reconcile(town.desk, INTERESTS))
    assert await lapse.noted() is None


async def test_where_another_machine_answers_for_us_one_lapse_is_noted_and_not_one_an_hour(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    await an_endpoint(town, "*")
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    town.move(hours=2)
    await changed_and_answered(town, live)
    first = await lapse.noted()
    assert first is not None
    for hour in range(3):
        town.move(hours=1, minutes=1)
        await changed_and_answered(town, live, cancel=hour % 2 == 1)
    assert await lapse.noted() == first
    assert "another machine" in caplog.text


async def test_events_that_were_never_delivered_tell_of_an_outage_and_no_more(town: Town) -> None:
    live = await town.upgraded()
    await reconcile.reconcile(town.desk, INTERESTS)
    town.move(hours=5)
    town.stripe.add_webhook_endpoint("http://127.0.0.1:9/stripe/webhooks", "whsec_x")
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    assert any("had not arrived" in line for line in await reconcile.reconcile(town.desk, INTERESTS))
    assert await lapse.noted() is None


async def test_lapses_near_each_other_are_one_and_a_far_one_is_forgotten(town: Town) -> None:
    first = clock.now()
    await lapse.note(first)
    town.move(days=2)
    await lapse.note(clock.now() - timedelta(hours=1))
    found = await lapse.noted()
    assert found is not None
    assert found.since == first
    assert found.until - first > timedelta(days=1, hours=23)
    town.move(days=60)
    later = clock.now() - timedelta(hours=1)
    await lapse.note(later)
    found = await lapse.noted()
    assert found is not None
    assert found.since == later


async def forgotten() -> None:
    """The backup is from before anything was bought."""
    for model in (InvoiceCopy, Notice, AuditEntry, Invoice, Admin, Quote, Subscription, Customer, Event):
        await model.all().delete()


async def test_what_was_bought_since_the_backup_is_theirs_again(town: Town) -> None:
    live = await town.upgraded(owner=town.members[3])
    await forgotten()
    town.move(minutes=5)
    await reconcile.reconcile(town.desk, INTERESTS, restored=True)
    await work_off(town)
    fresh = await Subscription.get(id=live.id).prefetch_related("owner")
    assert (fresh.owner.id, fresh.scope_id, fresh.seats, fresh.is_live) == (town.members[3].id, town.scope.id, 10, True)
    assert await Admin.filter(member=town.members[3], until=None).exists()
    assert await Invoice.filter(subscription_id=live.id).count() == 1


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("Person4@Example.com", 4),  # as somebody wrote it
        ("person5@example.com", 7),  # a guest by now: P1's order, an admin of the scope first
        ("finance@example.com", 7),
    ],
)
async def test_R26_whose_it_is_that_was_bought_since_the_backup(town: Town, address: str, owner: int) -> None:
    live = await town.upgraded()
    await forgotten()
    await Member.filter(slack_user_id="U002").update(is_workspace_admin=True)
    await Member.filter(slack_user_id="U005").update(is_guest=True)
    await Admin.create(scope=town.scope, member=town.members[6], since=clock.now())
    town.stripe.account.get("customer", live.customer_id)["email"] = address
    town.move(minutes=5)
    await reconcile.reconcile(town.desk, INTERESTS, restored=True)
    await work_off(town)
    fresh = await Subscription.get(id=live.id).prefetch_related("owner")
    assert fresh.owner.slack_user_id == f"U{owner:03}"


@pytest.mark.parametrize("lie", ["scope", "another customer", "no admin"])
async def test_R9_what_was_bought_since_the_backup_is_nobodys_where_it_does_not_fit_together(
    town: Town, lie: str
) -> None:
    live = await town.upgraded()
    elsewhere, others = await settle("T2", 4, first=50)
    await Member.filter(id=others[0].id).update(email="person1@example.com")  # the same person, in another workspace
    await forgotten()
    town.move(minutes=5)
    if lie == "scope":
        town.stripe.account.get("subscription", live.id)["metadata"]["kassor_scope"] = str(elsewhere.id)
    elif lie == "another customer":
        town.stripe.account.get("customer", live.customer_id)["metadata"]["kassor_scope"] = str(elsewhere.id)
    else:
        town.stripe.account.get("customer", live.customer_id)["email"] = "person51@example.com"  # of another workspace
    await reconcile.reconcile(town.desk, INTERESTS, restored=True)
    await work_off(town)
    assert not await Subscription.exists()


async def test_what_was_bought_after_the_end_of_another_is_not_undone_because_a_backup_has_that_one_live(
    town: Town,
) -> None:
    """Whichever of the two is read first."""
    first = await town.upgraded(interval="month")
    backed_up = await Subscription.get(id=first.id)
    since = clock.now()
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    town.move(minutes=5)
    second = await town.upgraded(seats=20)
    paid = len(town.objects("refund"))
    await Notice.filter(owner_of_id=second.id).delete()
    await Invoice.filter(subscription_id=second.id).delete()
    await Quote.filter(subscription_id=second.id).delete()
    await Subscription.filter(id=second.id).delete()
    await Subscription.filter(id=first.id).update(status=backed_up.status, is_live=True, ended_at=None)
    await lapse.note(since)
    await sync.subscription(town.desk, second.id)
    now = {each.id: (each.is_live, each.seats) for each in await Subscription.all()}
    assert now == {first.id: (False, 10), second.id: (True, 20)}
    assert len(town.objects("refund")) == paid


async def test_a_subscription_with_an_unknown_quote_is_left_alone_where_nothing_was_restored(town: Town) -> None:
    await town.upgraded()
    await forgotten()
    town.move(minutes=5)
    await reconcile.reconcile(town.desk, INTERESTS)
    await work_off(town)
    assert not await Subscription.exists()
