"""Overdue: who is told what, what mends it, and how it ends when nothing does (M5). Over a real engine, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain import clock, directory, sync, upkeep
from domain.actions import cancel, overdue, seats, upgrade
from domain.records import AuditEntry, Invoice, Subscription, Watermark
from domain.rules import refusals as no
from domain.sync.endings import ending_mark
from sandbox.stripe import customers, subscriptions
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, make_team, person

GOOD, BAD, ASKS = "4242424242424242", "4000000000000341", "4000002760003184"
GRACE = 14


async def overdue_subscription(town: Town, **how: Any) -> Subscription:
    """A monthly plan whose first renewal was refused."""
    live = await town.upgraded(interval="month", **how)
    town.stripe.account.faults.decline_next_renewal = 1
    await town.let_pass(days=31, hours=2)
    found = await town.fresh(live)
    assert (found.status, found.is_live) == ("past_due", True)
    return found


async def new_card(town: Town, live: Subscription, number: str) -> None:
    """The owner saves a card on Stripe's portal, and we hear of it as Stripe tells it: attached first, updated after."""
    await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example/back")
    page = town.objects("billing_portal.session")[-1]
    payment = Payment("card", number=number, authenticated=number == ASKS)
    await town.stripe.account.save_portal_payment_method(page["id"], payment)
    await sync.customer(town.desk, live.customer_id)


def last_invoice(town: Town) -> dict[str, Any]:
    return town.objects("invoice")[-1]


async def test_M5_the_owner_is_told_until_when_everything_works_and_where_to_mend_it(town: Town) -> None:
    live = await overdue_subscription(town)
    told = (await town.told("payment_failed"))[0]
    assert live.past_due_since is not None
    assert told.owner_of_id == live.id
    assert told.facts["until"] == (live.past_due_since + timedelta(days=GRACE)).isoformat()
    assert (told.facts["amount"], told.facts["currency"]) == (10 * 12_500, "sek")
    assert told.facts["url"] == last_invoice(town)["hosted_invoice_url"]
    assert (told.facts["needs_action"], told.facts["by_hand"]) == (False, False)


async def test_M5_a_bank_that_asks_for_the_cardholder_is_said_so_with_stripes_page(town: Town) -> None:
    live = await town.upgraded(interval="month")
    await new_card(town, live, ASKS)
    town.stripe.account.set_up.clear()  # the bank has forgotten that it knows the card
    await town.let_pass(days=31, hours=2)
    told = (await town.told("payment_failed"))[0]
    assert told.facts["needs_action"] is True
    assert told.facts["url"] == last_invoice(town)["hosted_invoice_url"]
    await sync.payment_action_required(town.desk, last_invoice(town)["id"])  # Stripe's own event says no more than that
    assert await town.told("payment_needs_action") == []


async def test_M5_a_retry_that_the_bank_asks_about_later_is_told_too(town: Town) -> None:
    live = await overdue_subscription(town)
    await new_card(town, live, ASKS)
    town.stripe.account.set_up.clear()
    await town.let_pass(days=3, hours=1)
    await sync.payment_action_required(town.desk, last_invoice(town)["id"])
    asked = [notice for notice in await town.told("payment_failed") if notice.facts["needs_action"]]
    assert len(asked) + len(await town.told("payment_needs_action")) == 1


async def test_M5_everything_works_for_the_whole_grace(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.let_pass(days=GRACE - 1, hours=12)
    await upkeep.look(town.desk)
    assert (await town.fresh(live)).is_live


async def test_M5_a_look_that_comes_too_late_ends_it_without_reminding_of_a_day_that_is_over(town: Town) -> None:
    await overdue_subscription(town)
    town.move(days=GRACE + 5)
    assert await upkeep.look(town.desk) == 1
    assert len(await town.told("payment_failed")) == 1


async def test_M5_when_the_grace_is_over_it_ends_and_nothing_is_owed_or_deleted(town: Town) -> None:
    live = await overdue_subscription(town)
    invoices = await Invoice.all().count()
    town.move(days=GRACE)
    assert await upkeep.look(town.desk) == 1
    ended = await Subscription.get(id=live.id)
    assert (ended.status, ended.is_live) == ("canceled", False)
    assert (last_invoice(town)["status"], await Invoice.all().count()) == ("void", invoices)
    assert town.balance(live) == 0


async def test_M5_the_owner_and_the_admins_are_told_that_the_grace_is_over_and_it_is_on_the_record(town: Town) -> None:
    live = await overdue_subscription(town, by=town.members[0], owner=town.members[2])
    await sync.consequences.make_admin(live.scope_id, town.members[4])
    town.move(days=GRACE)
    await upkeep.look(town.desk)
    await upkeep.look(town.desk)
    told = await town.told("grace_over")
    assert {(notice.owner_of_id, notice.member_id) for notice in told} == {(live.id, None), (None, town.members[4].id)}
    assert await town.told("ended") == await town.told("payment_mended") == []
    entry = await AuditEntry.get(verb="grace_over")
    assert (entry.actor_id, entry.source, entry.reference) == (None, "scheduler", live.id)


async def test_M5_the_next_look_is_when_the_earliest_grace_ends(town: Town) -> None:
    assert await upkeep.overdue.next_due(town.desk) is None
    live = await overdue_subscription(town)
    assert live.past_due_since is not None
    assert await upkeep.overdue.next_due(town.desk) == live.past_due_since + timedelta(days=GRACE - 3)  # a reminder
    town.move(days=GRACE - 2)
    assert await upkeep.overdue.next_due(town.desk) == live.past_due_since + timedelta(days=GRACE)


async def test_M5_the_owner_is_reminded_once_before_the_grace_is_over(town: Town) -> None:
    await overdue_subscription(town)
    await upkeep.look(town.desk)
    assert len(await town.told("payment_failed")) == 1
    town.move(days=GRACE - 2)
    for _ in range(3):
        await upkeep.look(town.desk)
    first, again = await town.told("payment_failed")
    assert (again.facts["still"], again.facts["until"]) == (True, first.facts["until"])


async def test_M5_one_that_was_paid_unheard_at_the_last_moment_lives_on(town: Town) -> None:
    live = await overdue_subscription(town)
    town.move(days=GRACE)
    await town.stripe.account.pay_invoice(last_invoice(town)["id"], Payment("card"))  # and its webhook is lost
    assert await upkeep.look(town.desk) == 0
    assert (await town.fresh(live)).status == "active"


async def test_M5_paid_between_the_look_and_the_end_it_is_not_ended(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.stripe.account.pay_invoice(last_invoice(town)["id"], Payment("card"))
    assert await town.desk.payments.give_up_invoice(last_invoice(town)["id"]) is False
    await overdue.end_now(town.desk, live, why="grace_over")
    assert (await town.fresh(live)).status == "active"
    assert await Watermark.filter(id__startswith="end:").count() == 0


@pytest.mark.parametrize("step", ["marked", "given up", "ended"])
async def test_M5_an_end_that_was_cut_off_is_carried_on_and_never_taken_for_a_payment(town: Town, step: str) -> None:
    live = await overdue_subscription(town)
    await Watermark.create(id=ending_mark(live.id, "grace_over", None), at=clock.now())
    if step != "marked":
        await town.desk.payments.give_up_invoice(live.latest_invoice_id or "")
        town.stripe.account.get("subscription", live.id)["status"] = (
            "active"  # as Stripe may have it without an open invoice
        )
        await town.fresh(live)
    if step == "ended":
        await town.desk.payments.cancel_now(live.id, credit=False, why="grace_over")
    assert await upkeep.look(town.desk) > 0
    assert await upkeep.look(town.desk) == 0
    assert not (await Subscription.get(id=live.id)).is_live
    assert last_invoice(town)["status"] == "void"
    assert await town.told("payment_mended") == []
    assert len(await town.told("grace_over")) == 1


async def test_M5_an_end_whose_invoice_was_heard_of_first_still_says_that_nothing_is_owed(town: Town) -> None:
    live = await overdue_subscription(town)
    await Watermark.create(id=ending_mark(live.id, "asked", live.owner_id), at=clock.now())
    await town.desk.payments.give_up_invoice(live.latest_invoice_id or "")
    town.stripe.account.get("subscription", live.id)["status"] = "active"  # as Stripe may have it then
    await town.fresh(live)
    await overdue.carry_on(town.desk)
    [told] = await town.told("ended")
    assert told.facts["overdue"] is True


async def test_M5_paid_while_it_was_being_ended_it_is_told_as_mended_and_is_overdue_no_more(town: Town) -> None:
    live = await overdue_subscription(town)
    await Watermark.create(id=ending_mark(live.id, "asked", live.owner_id), at=clock.now())
    await town.stripe.account.pay_invoice(last_invoice(town)["id"], Payment("card"))
    await overdue.carry_on(town.desk)
    now = await Subscription.get(id=live.id)
    assert (now.status, now.past_due_since) == ("active", None)
    assert len(await town.told("payment_mended")) == 1


async def test_M5_two_schedulers_at_once_end_it_once(town: Town) -> None:
    await overdue_subscription(town)
    town.move(days=GRACE)
    await asyncio.gather(upkeep.look(town.desk), upkeep.look(town.desk))
    assert len(await town.told("grace_over")) == 1
    assert await AuditEntry.filter(verb="grace_over").count() == 1


async def test_M5_one_that_stripe_gave_up_by_itself_is_told_the_same_way(town: Town) -> None:
    live = await overdue_subscription(town)
    town.stripe.account.objects["subscription"][live.id]["cancellation_details"]["reason"] = "payment_failed"
    await town.desk.payments.cancel_now(live.id, credit=False)
    await town.read_again()
    assert len(await town.told("grace_over")) == 1
    assert await upkeep.look(town.desk) == 1
    assert last_invoice(town)["status"] == "void"


async def test_M5_an_invoice_by_hand_that_is_open_when_its_plan_ends_in_good_time_is_still_owed(town: Town) -> None:
    live = await by_invoice(town)
    await town.desk.payments.cancel_now(live.id, credit=False)
    await town.read_again()
    assert await upkeep.look(town.desk) == 0
    assert last_invoice(town)["status"] == "open"


async def test_M5_a_new_payment_method_pays_at_once(town: Town) -> None:
    live = await overdue_subscription(town)
    await new_card(town, live, GOOD)
    mended = await town.fresh(live)
    assert (mended.status, mended.past_due_since) == ("active", None)
    assert last_invoice(town)["amount_paid"] == 10 * 12_500
    assert len(await town.told("payment_mended")) == 1


async def test_M5_a_new_method_heard_of_five_times_at_once_is_charged_once(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example/back")
    page = town.objects("billing_portal.session")[-1]
    await town.stripe.account.save_portal_payment_method(page["id"], Payment("card", number=GOOD))
    await asyncio.gather(*(sync.customer(town.desk, live.customer_id) for _ in range(5)), return_exceptions=True)
    await sync.customer(town.desk, live.customer_id)
    paid = [each for each in town.objects("charge") if each["paid"]]
    assert len(paid) == 2  # the upgrade, and the renewal


async def test_M5_a_default_that_only_the_customer_got_is_what_the_subscription_is_charged_to(town: Town) -> None:
    live = await overdue_subscription(town)
    method = customers.attach(town.stripe.account, {"customer": live.customer_id}, "pm_card_mastercard")
    customers.update_customer(
        town.stripe.account, {"invoice_settings": {"default_payment_method": method["id"]}}, live.customer_id
    )
    await sync.customer(town.desk, live.customer_id)
    assert town.stripe.account.get("subscription", live.id)["default_payment_method"] == method["id"]
    assert town.objects("charge")[-1]["payment_method"] == method["id"]
    assert (await town.fresh(live)).status == "active"


async def test_M5_a_method_that_is_attached_but_not_chosen_charges_nothing(town: Town) -> None:
    live = await overdue_subscription(town)
    charges = len(town.objects("charge"))
    customers.attach(town.stripe.account, {"customer": live.customer_id}, "pm_card_visa")
    await sync.customer(town.desk, live.customer_id)
    assert len(town.objects("charge")) == charges


async def test_M5_a_new_card_that_is_declined_too_is_told_and_the_grace_goes_on(town: Town) -> None:
    live = await overdue_subscription(town)
    await new_card(town, live, BAD)
    told = [notice for notice in await town.told("payment_failed") if notice.facts.get("again")]
    assert len(told) == 1
    assert told[0].facts["until"] == (await town.told("payment_failed"))[0].facts["until"]
    assert (await town.fresh(live)).past_due_since == live.past_due_since


async def test_M5_stripe_away_while_the_new_card_is_tried_it_is_tried_when_it_is_back(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example/back")
    page = town.objects("billing_portal.session")[-1]
    await town.stripe.account.save_portal_payment_method(page["id"], Payment("card", number=GOOD))
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 30})
    with pytest.raises(no.PaymentsAway):
        await sync.customer(town.desk, live.customer_id)
    town.stripe.account.faults.api.clear()
    await sync.customer(town.desk, live.customer_id)
    assert (await town.fresh(live)).status == "active"


async def test_M5_a_new_card_charges_nothing_when_nothing_is_overdue(town: Town) -> None:
    live = await town.upgraded()
    await new_card(town, live, GOOD)
    assert len(town.objects("charge")) == 1


async def test_M5_cancelling_while_overdue_ends_now_and_gives_the_invoice_up(town: Town) -> None:
    live = await overdue_subscription(town)
    ended = await cancel.cancel(town.desk, town.members[0], subscription=live)
    assert (ended.is_live, last_invoice(town)["status"]) == (False, "void")
    assert len(await town.told("ended")) == 1
    assert await town.told("grace_over") == await town.told("payment_mended") == []
    assert (await AuditEntry.get(verb="ended")).actor_id == town.members[0].id


async def test_M5_a_cancellation_while_overdue_that_the_webhook_learns_first_is_still_the_owners(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.desk.payments.cancel_now(live.id, credit=False, why="asked", by=town.members[0].id)
    await sync.subscription(town.desk, live.id)
    assert (await AuditEntry.get(verb="ended")).actor_id == town.members[0].id


async def test_M5_cancelled_twice_while_overdue_the_second_press_finds_nothing(town: Town) -> None:
    live = await overdue_subscription(town)
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    again = await Subscription.get(id=live.id)
    with pytest.raises(no.NotSubscribed):
        await cancel.cancel(town.desk, town.members[0], subscription=again)
    assert len(await town.told("ended")) == 1


async def test_M5_one_that_was_just_paid_is_cancelled_for_the_periods_end_instead(town: Town) -> None:
    live = await overdue_subscription(town)
    await town.stripe.account.pay_invoice(last_invoice(town)["id"], Payment("card"))
    now = await cancel.cancel(town.desk, town.members[0], subscription=live)
    assert (now.is_live, now.cancel_at) == (True, now.current_period_end)


async def test_M5_R33_somebody_else_cannot_cancel_while_it_is_overdue(town: Town) -> None:
    live = await overdue_subscription(town)
    with pytest.raises(no.NotOwner):
        await cancel.cancel(town.desk, town.members[1], subscription=live)


async def test_M5_nothing_is_changed_while_it_is_overdue(town: Town) -> None:
    live = await overdue_subscription(town)
    with pytest.raises(no.PastDue):
        await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)


async def test_M5_R48_a_later_upgrade_finds_the_invoices_of_the_one_that_was_never_paid(town: Town) -> None:
    live = await overdue_subscription(town)
    town.move(days=GRACE)
    await upkeep.look(town.desk)
    again = await town.upgraded(interval="month")
    assert again.customer_id == live.customer_id
    assert await Subscription.all().count() == 2


async def by_invoice(town: Town) -> Subscription:
    """A yearly plan that sales made, to be paid by hand within thirty days."""
    for number in range(40, 55):
        await directory.upsert_member(town.workspace, person(number))
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", seats=25)
    customer = await town.desk.payments.ensure_customer(
        scope_id=str(town.scope.id), name="T", email="a@example.com", locale="sv"
    )
    level = town.desk.catalogue.plan("premium")
    assert level is not None
    price = await town.desk.payments.price(level, quote.interval, "sek")
    made = subscriptions.create(
        town.stripe.account,
        {
            "customer": customer,
            "items": [{"price": price.id, "quantity": 25}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "metadata": {"kassor_quote": str(quote.id), "kassor_scope": str(town.scope.id)},
        },
    )
    found = await sync.subscription(town.desk, made["id"])
    assert found is not None
    await town.desk.payments.send_draft(found.latest_invoice_id or "")
    await sync.invoice(town.desk, found.latest_invoice_id or "")
    return found


async def test_M5_an_invoice_paid_by_hand_has_its_grace_from_the_day_it_was_due(town: Town) -> None:
    live = await by_invoice(town)
    due = (await Invoice.get(id=live.latest_invoice_id)).due_at
    assert due is not None
    for _ in range(2):
        if (await town.fresh(live)).status != "past_due":
            await town.let_pass(days=33)  # we hear of it three days late
    late = await town.fresh(live)
    assert late.past_due_since == due
    told = (await town.told("payment_failed"))[0]
    assert (told.facts["by_hand"], told.facts["url"]) == (True, last_invoice(town)["hosted_invoice_url"])
    town.move(days=GRACE - 3)
    assert await upkeep.look(town.desk) == 1
    assert last_invoice(town)["status"] == "void"


async def test_M5_an_overdue_team_ends_alone(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await town.upgraded(scope=team, interval="month", seats=3)
    town.stripe.account.faults.decline_next_renewal = 1
    await town.let_pass(days=31, hours=2)
    town.move(days=GRACE)
    await upkeep.look(town.desk)
    assert not (await Subscription.get(id=live.id)).is_live
