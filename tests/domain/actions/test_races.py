"""Two people, two presses, two processes and Stripe's own news at the same moment: one charge, one outcome, nobody misled."""

import asyncio

import pytest

from domain import directory, sync
from domain.actions import cancel, changes, owner, plan, seats, upgrade
from domain.actions.resuming import resume_accepted
from domain.records import AuditEntry, Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from tests.domain.conftest import Town, person


def paid(town: Town) -> list[int]:
    """The charges that went through, minor units, oldest first."""
    return [each["amount"] for each in town.objects("charge") if each["paid"]]


async def test_M1_the_same_button_pressed_five_times_at_once_charges_once(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)

    async def press() -> Quote:
        return await changes.carry_out(town.desk, await changes.accept(town.desk, town.members[0], quote.id))

    done = await asyncio.gather(*(press() for _ in range(5)), return_exceptions=True)
    assert any(isinstance(each, Quote) for each in done)
    await resume_accepted(town.desk)
    assert paid(town)[1:] == [quote.due_now]
    assert (await Quote.get(id=quote.id)).state == QuoteState.APPLIED
    assert len(await town.told("seats_changed")) == 1


async def test_M1_two_different_changes_accepted_at_once_are_never_both_made(town: Town) -> None:
    live = await town.upgraded()
    first = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    second = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    await Quote.filter(id=first.id).update(state=QuoteState.OFFERED)  # shown in two windows

    accepted = await asyncio.gather(
        *(changes.accept(town.desk, town.members[0], each.id) for each in (first, second)), return_exceptions=True
    )
    refused = [each for each in accepted if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [no.ChangeInProgress]


async def test_R33_a_button_shown_to_the_former_owner_does_nothing_after_billing_was_handed_over(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[3])
    with pytest.raises(no.QuoteOver):
        await changes.accept(town.desk, town.members[0], quote.id)
    shown = await Quote.get(id=quote.id).prefetch_related("scope", "requester")
    with pytest.raises(no.NotOwner):  # what the button's listener tries next
        await changes.reoffer(town.desk, shown, await town.fresh(live))
    assert len(paid(town)) == 1


async def test_R33_billing_handed_over_between_the_button_and_the_charge_charges_nothing(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[3])
    with pytest.raises(no.NotOwner):
        await changes.carry_out(town.desk, accepted)
    assert (len(paid(town)), (await Quote.get(id=quote.id)).state) == (1, QuoteState.FAILED)


async def test_M1_stripes_news_between_the_charge_and_our_hearing_of_it_tells_it_once_and_by_name(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    assert accepted.proration_date is not None
    await town.desk.payments.change_now(
        live.id, live.item_id, live.price_id, 15, proration_date=accepted.proration_date, key=f"{quote.id}:change"
    )
    await sync.subscription(town.desk, live.id)  # the webhook is first
    done = await changes.carry_out(town.desk, accepted)
    assert (done.state, paid(town)[1:]) == (QuoteState.APPLIED, [quote.due_now])
    assert len(await town.told("seats_changed")) == 1
    assert (await AuditEntry.get(verb="seats_changed")).actor_id == town.members[0].id


async def test_M1_a_webhook_between_the_button_and_the_charge_changes_nothing(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    await asyncio.gather(*(sync.subscription(town.desk, live.id) for _ in range(3)))
    assert (await Quote.get(id=quote.id)).state == QuoteState.ACCEPTED
    assert (await changes.carry_out(town.desk, accepted)).state == QuoteState.APPLIED


async def test_M1_members_who_joined_between_make_it_a_new_offer_that_fits_or_a_refusal(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    accepted = await changes.accept(town.desk, town.members[0], quote.id)
    for number in range(40, 50):
        await directory.upsert_member(town.workspace, person(number))
    with pytest.raises(no.SeatsBelowMembers):
        await changes.carry_out(town.desk, accepted)
    assert len(paid(town)) == 1


async def test_R46_cancelled_between_the_offer_and_the_button_the_price_is_shown_again(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    with pytest.raises(no.QuoteChanged) as changed:
        await town.confirm(quote)
    fresh = await Quote.get(id=changed.value.fresh)
    assert fresh.before["cancel_at"] is not None
    assert len(paid(town)) == 1


async def test_R46_cancelled_five_times_at_once_is_one_cancellation(town: Town) -> None:
    live = await town.upgraded()
    presses = (cancel.cancel(town.desk, town.members[0], subscription=live) for _ in range(5))
    await asyncio.gather(*presses, return_exceptions=True)
    assert (await town.fresh(live)).cancel_at is not None
    assert len(await town.told("cancel_scheduled")) == 1


async def test_M3_a_plan_and_seats_accepted_one_after_the_other_are_each_priced_on_what_is_then(town: Town) -> None:
    live = await town.upgraded(interval="month")
    more = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=20)
    await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, plan="business"))
    with pytest.raises((no.QuoteOver, no.QuoteChanged)):
        await town.confirm(more)
    now = await town.fresh(live)
    assert (now.plan, now.seats) == ("business", 10)


async def test_R23_two_people_at_the_same_payment_page_leave_one_subscription(town: Town) -> None:
    first, second = town.members[0], town.members[1]
    quotes = [
        await upgrade.offer(town.desk, each, scope=town.scope, plan="premium", interval="year")
        for each in (first, second)
    ]
    pages = []
    for each, by in zip(quotes, (first, second), strict=True):
        pages.append(await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, by, each.id)))
    open_pages = [each for each in town.objects("checkout.session") if each["status"] == "open"]
    assert [each["id"] for each in open_pages] == [pages[1].checkout_session_id]
    await town.pay(pages[1])
    assert await Subscription.filter(is_live=True).count() == 1


async def test_R7_members_who_joined_before_an_upgrade_was_confirmed_make_it_a_new_offer(town: Town) -> None:
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", seats=10)
    for number in range(40, 43):
        await directory.upsert_member(town.workspace, person(number))
    with pytest.raises(no.QuoteOver) as over:
        await upgrade.accept(town.desk, town.members[0], quote.id)
    assert over.value.state == QuoteState.SUPERSEDED.value
    assert town.objects("checkout.session") == []


async def test_M1_credit_that_came_before_the_payment_page_opened_is_shown_first(town: Town) -> None:
    first = await town.upgraded(interval="month")
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year")
    accepted = await upgrade.accept(town.desk, town.members[0], quote.id)
    await town.desk.payments.adjust_balance(first.customer_id, -5_000, "sek", key="goodwill")
    pages = len(town.objects("checkout.session"))
    with pytest.raises(no.QuoteChanged) as changed:
        await upgrade.carry_out(town.desk, accepted)
    fresh = await Quote.get(id=changed.value.fresh)
    assert (fresh.due_now, fresh.balance_now) == (quote.due_now - 5_000, 5_000)
    assert len(town.objects("checkout.session")) == pages
