"""The sales desk: who may ask what, who decides, and that what is agreed is carried out once, whatever is cut off."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain import clock, copies, directory, sync
from domain.actions import agreed, deciding, sales, seats, upgrade
from domain.actions.cancel import cancel
from domain.actions.deciding import Terms
from domain.config import Settings
from domain.desk import Desk
from domain.payments import PriceFacts, SubscriptionFacts
from domain.records import Admin, AuditEntry, DeskRequest, Invoice, InvoiceCopy, Notice, Quote, Scope, Subscription
from domain.records.quotes import QuoteState
from domain.records.requests import RequestState, Topic
from domain.rules import refusals as no
from domain.upkeep import requests as upkeep_requests
from tests.domain.conftest import Town, make_team, person, settle

CHANNEL = "C0SALES001"
NILS, OLIVIA = 6, 7  # of the town's members, sales staff


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, sales_channel=CHANNEL, sales_staff=("U007", "U008"))


async def asked(town: Town, topic: Topic = Topic.PAY_BY_INVOICE, **more: Any) -> DeskRequest:
    """The first member asks."""
    wish = {"plan": "premium", "seats": 25} | more
    return await sales.ask(town.desk, town.members[0], scope=town.scope, topic=topic, **wish)


def terms(request: DeskRequest, **other: Any) -> Terms:
    """What sales agrees to: the listed price unless said otherwise."""
    agreed_to = {
        "plan": "premium",
        "seats": {str(request.scope_id): 25},
        "unit_amount": 125_000,
        "currency": "sek",
        "days_until_due": 30,
    }
    return Terms(**agreed_to | other)


async def priced(town: Town, request: DeskRequest, agreement: Terms) -> Terms:
    """Nils looks at what a change would be invoiced at."""
    return await deciding.price_change(town.desk, town.members[NILS], request.id, agreement, channel=CHANNEL)


async def approved(town: Town, request: DeskRequest, agreement: Terms | None) -> DeskRequest:
    """Nils presses *Approve*, and nothing cuts it off."""
    if request.topic == Topic.ADJUST and agreement is not None:
        agreement = await priced(town, request, agreement)
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, agreement, channel=CHANNEL)
    return await agreed.carry_out(town.desk, decided)


async def invoiced(town: Town) -> Subscription:
    """A manually invoiced subscription of the whole workspace, owned by the first member."""
    request = await asked(town)
    await approved(town, request, terms(request))
    return await Subscription.get(scope_id=town.scope.id, is_live=True)


# --- asking ---


async def test_S1_a_request_is_a_record_a_message_in_the_sales_channel_and_an_audit_entry(town: Town) -> None:
    request = await asked(town, text="  Gärna före jul  ")
    assert (request.state, request.facts["seats"], request.facts["text"]) == ("open", 25, "Gärna före jul")
    told = await town.told("desk_request")
    assert [(notice.channel, notice.facts["request"]) for notice in told] == [(CHANNEL, str(request.id))]
    assert await AuditEntry.filter(verb="sales_asked", reference=str(request.id)).count() == 1
    assert [found.id for found in await sales.open_requests(town.members[0], town.scope)] == [request.id]
    assert await sales.open_requests(town.members[1], town.scope) == []


@pytest.mark.parametrize(("wish", "smallest"), [({"seats": 19}, 20), ({"interval": "month"}, 20)])
async def test_R24_payment_by_invoice_is_for_yearly_plans_of_twenty_seats(
    town: Town, wish: dict[str, Any], smallest: int
) -> None:
    with pytest.raises(no.InvoiceNeedsYear) as refused:
        await asked(town, **wish)
    assert refused.value.smallest == smallest
    assert await DeskRequest.all().count() == 0


async def test_R24_twenty_seats_are_enough_and_are_what_is_proposed_to_few(town: Town) -> None:
    assert (await asked(town, seats=None)).facts["seats"] == 20


async def test_R7_no_fewer_seats_than_members_can_be_asked_for(town: Town) -> None:
    await directory.replace_members(town.workspace, [person(number) for number in range(1, 31)])
    with pytest.raises(no.SeatsBelowMembers) as refused:
        await asked(town, seats=25)
    assert (refused.value.members, refused.value.smallest) == (30, 30)


async def test_R16_a_plan_without_a_listed_price_is_asked_about(town: Town) -> None:
    request = await asked(town, Topic.QUOTE, plan="enterprise", seats=8)
    _, proposal = await deciding.propose(town.desk, town.members[NILS], request.id, channel=CHANNEL)
    assert (proposal.plan, proposal.unit_amount) == ("enterprise", None)
    _, other = await deciding.propose(town.desk, town.members[NILS], request.id, channel=CHANNEL, plan="business")
    assert (other.plan, other.unit_amount) == ("business", 275_000)


async def test_S1_there_is_never_a_second_open_request_about_the_same(town: Town) -> None:
    await asked(town)
    with pytest.raises(no.RequestOpen) as refused:
        await sales.ask(town.desk, town.members[1], scope=town.scope, topic=Topic.PAY_BY_INVOICE, plan="business")
    assert (refused.value.by, refused.value.state) == ("U001", "open")


async def test_S1_of_five_who_ask_at_once_one_has_asked(town: Town) -> None:
    wishes = [
        sales.ask(town.desk, member, scope=town.scope, topic=Topic.QUOTE, plan="enterprise")
        for member in town.members[:5]
    ]
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    assert sum(isinstance(outcome, DeskRequest) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, no.RequestOpen) for outcome in outcomes) == 4
    assert len(await town.told("desk_request")) == 1


async def test_S1_what_was_declined_can_be_asked_again(town: Town) -> None:
    first = await asked(town)
    await deciding.decline(town.desk, town.members[NILS], first.id, "Not this year", channel=CHANNEL)
    assert (await asked(town)).id != first.id


async def test_S1_somebody_of_elsewhere_or_a_guest_cannot_ask(town: Town) -> None:
    _, others = await settle("T2", 2, first=40)
    with pytest.raises(no.NotInScope):
        await sales.ask(town.desk, others[0], scope=town.scope, topic=Topic.QUOTE, plan="enterprise")
    guest = await directory.upsert_member(town.workspace, person(50, is_guest=True))
    with pytest.raises(no.ActorNotEligible):
        await sales.ask(town.desk, guest, scope=town.scope, topic=Topic.QUOTE, plan="enterprise")


async def test_R26_an_owner_to_be_who_cannot_own_is_refused(town: Town) -> None:
    guest = await directory.upsert_member(town.workspace, person(50, is_guest=True))
    with pytest.raises(no.OwnerNotEligible):
        await asked(town, owner=guest)
    nameless = await directory.upsert_member(town.workspace, person(51, email=None))
    with pytest.raises(no.OwnerNotEligible) as refused:
        await asked(town, owner=nameless)
    assert refused.value.reason == "no_email"


async def test_S1_without_a_sales_channel_the_refusal_says_so_and_nothing_is_kept(town: Town) -> None:
    desk = Desk(replace(town.desk.settings, sales_channel=None), town.desk.catalogue, town.desk.payments)
    with pytest.raises(no.DeskClosed):
        await sales.ask(desk, town.members[0], scope=town.scope, topic=Topic.QUOTE, plan="enterprise")
    assert await DeskRequest.all().count() == 0


# --- deciding ---


async def test_S1_only_listed_staff_decide_and_only_in_the_sales_channel(town: Town) -> None:
    request = await asked(town)
    for actor, channel in ((town.members[1], CHANNEL), (town.members[NILS], "C0OTHER"), (town.members[NILS], None)):
        with pytest.raises(no.NotStaff):
            await deciding.approve(town.desk, actor, request.id, terms(request), channel=channel)
        with pytest.raises(no.NotStaff):
            await deciding.decline(town.desk, actor, request.id, "no", channel=channel)
    assert (await DeskRequest.get(id=request.id)).state == RequestState.OPEN


async def test_S1_a_salesman_who_has_left_decides_nothing(town: Town) -> None:
    request = await asked(town)
    gone = await directory.upsert_member(town.workspace, person(7, is_deactivated=True))
    with pytest.raises(no.ActorNotEligible):
        await deciding.approve(town.desk, gone, request.id, terms(request), channel=CHANNEL)


async def test_S1_a_request_is_decided_once_and_the_second_hears_by_whom_and_how(town: Town) -> None:
    request = await asked(town)
    both = await asyncio.gather(
        deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL),
        deciding.decline(town.desk, town.members[OLIVIA], request.id, "no", channel=CHANNEL),
        return_exceptions=True,
    )
    refusals = [outcome for outcome in both if isinstance(outcome, no.RequestDecided)]
    assert len(refusals) == 1
    decided = await DeskRequest.get(id=request.id).prefetch_related("decided_by")
    assert decided.decided_by is not None
    assert (refusals[0].by, refusals[0].state) == (decided.decided_by.slack_user_id, decided.state.value)


async def test_S1_a_decline_reaches_whoever_asked_with_its_words(town: Town) -> None:
    request = await asked(town)
    with pytest.raises(no.NothingWritten):
        await deciding.decline(town.desk, town.members[NILS], request.id, "  ", channel=CHANNEL)
    await deciding.decline(town.desk, town.members[NILS], request.id, "Call us", channel=CHANNEL)
    assert [notice.member_id for notice in await town.told("request_decided")] == [town.members[0].id]
    assert (await DeskRequest.get(id=request.id)).answer == {"words": "Call us"}
    assert town.objects("subscription") == []


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"plan": "platinum"}, no.UnknownPlan),
        ({"unit_amount": 0}, no.PriceNotANumber),
        ({"unit_amount": 100_000_000}, no.PriceNotANumber),
        ({"days_until_due": 0}, no.DaysOutOfRange),
        ({"days_until_due": 121}, no.DaysOutOfRange),
        ({"currency": "eur"}, no.RequestGone),
        ({"seats": {}}, no.RequestGone),
    ],
)
async def test_S1_terms_that_make_no_sense_are_refused_and_leave_it_open(
    town: Town, other: dict[str, Any], refusal: type[no.Refusal]
) -> None:
    request = await asked(town)
    with pytest.raises(refusal):
        await deciding.approve(town.desk, town.members[NILS], request.id, terms(request, **other), channel=CHANNEL)
    assert (await DeskRequest.get(id=request.id)).state == RequestState.OPEN


@pytest.mark.parametrize(
    ("number", "refusal"), [(7, no.SeatsBelowMembers), (19, no.InvoiceNeedsYear), (10**9, no.SeatsTooMany)]
)
async def test_R24_sales_agrees_to_no_fewer_seats_than_the_rules(
    town: Town, number: int, refusal: type[no.Refusal]
) -> None:
    request = await asked(town)
    agreement = terms(request, seats={str(request.scope_id): number})
    with pytest.raises(refusal):
        await deciding.approve(town.desk, town.members[NILS], request.id, agreement, channel=CHANNEL)


@pytest.mark.parametrize("request_id", ["", "x", "00000000-0000-0000-0000-000000000000"])
async def test_S1_a_forged_request_is_no_request(town: Town, request_id: str) -> None:
    with pytest.raises(no.RequestGone):
        await deciding.decline(town.desk, town.members[NILS], request_id, "no", channel=CHANNEL)


# --- carrying out ---


async def test_R24_an_approval_makes_the_subscription_and_sends_its_invoice_at_once(town: Town) -> None:
    request = await asked(town, owner=town.members[3])
    done = await approved(town, request, terms(request, days_until_due=45))
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    assert (live.collection_method, live.plan, live.interval, live.seats) == ("send_invoice", "premium", "year", 25)
    assert live.owner_id == town.members[3].id
    invoice = await Invoice.get(id=live.latest_invoice_id)
    assert (invoice.status, invoice.total) == ("open", 25 * 125_000)
    assert invoice.due_at is not None
    assert (invoice.due_at - invoice.created_at).days == 45
    assert done.answer["due_at"] == invoice.due_at.isoformat()
    assert [notice.facts["invoice_id"] for notice in await town.told("invoice_again")] == [invoice.id]
    assert [notice.member_id for notice in await town.told("request_decided")] == [town.members[0].id]
    assert [notice.member_id for notice in await town.told("became_owner")] == [town.members[3].id]
    assert await Admin.filter(scope_id=town.scope.id, member_id=town.members[3].id, until=None).exists()


async def test_I1_the_first_invoice_of_an_invoiced_plan_is_the_periods_copy_and_comes_once(town: Town) -> None:
    await invoiced(town)
    await copies.plan_due(town.desk)
    await copies.plan_due(town.desk)
    sent = await Notice.filter(kind__in=["invoice_again", "invoice_copy"])
    assert len(sent) == 1
    assert [copy.notice_id for copy in await InvoiceCopy.all()] == [sent[0].id]


async def test_R16_an_agreed_price_is_what_the_invoice_says(town: Town) -> None:
    request = await asked(town, Topic.QUOTE, plan="enterprise", seats=25)
    await approved(town, request, terms(request, plan="enterprise", unit_amount=321_000))
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    assert (live.plan, live.unit_amount) == ("enterprise", 321_000)
    assert (await Invoice.get(id=live.latest_invoice_id)).total == 25 * 321_000


async def test_S1_carried_out_twice_or_five_times_at_once_it_is_one_subscription(town: Town) -> None:
    request = await asked(town)
    await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    copies = [await DeskRequest.get(id=request.id) for _ in range(5)]
    outcomes = await asyncio.gather(*(agreed.carry_out(town.desk, copy) for copy in copies), return_exceptions=True)
    assert any(isinstance(outcome, DeskRequest) for outcome in outcomes), outcomes
    town.move(minutes=1)
    await upkeep_requests.look(town.desk)
    assert len(town.objects("subscription")) == 1
    assert len(town.objects("invoice")) == 1
    assert len(await town.told("request_decided")) == 1
    assert len(await town.told("upgraded")) == 1


@pytest.mark.parametrize("after", ["approving", "subscribing", "learning of it", "sending"])
async def test_S1_cut_off_anywhere_the_tick_carries_it_on_also_days_later(town: Town, after: str) -> None:
    request = await asked(town)
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    if after != "approving":
        await agreed.carry_out(town.desk, decided)
        # Take back what would not have been written yet: the process died after that call to Stripe.
        await Notice.filter(kind__in=["request_decided", "invoice_again"]).delete()
        await DeskRequest.filter(id=request.id).update(carried_out_at=None)
        if after in {"subscribing", "learning of it"}:
            await Invoice.all().delete()
        if after == "subscribing":
            await Notice.all().delete()
            await Subscription.all().delete()
            await Quote.all().update(state=QuoteState.ACCEPTED, subscription_id=None)
    town.move(days=2)  # Stripe has forgotten every key
    assert await upkeep_requests.look(town.desk) == 1
    assert len([each for each in town.objects("subscription") if each["status"] == "active"]) == 1
    assert (await DeskRequest.get(id=request.id)).carried_out_at is not None
    assert await Subscription.filter(is_live=True).count() == 1
    assert len(await town.told("request_decided")) == 1
    assert len(await town.told("invoice_again")) == 1
    assert await upkeep_requests.look(town.desk) == 0


async def test_S1_the_tick_leaves_what_was_approved_this_moment_to_whoever_approved_it(town: Town) -> None:
    request = await asked(town)
    await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    assert await upkeep_requests.look(town.desk) == 0
    due = await upkeep_requests.next_due(town.desk)
    assert due is not None
    assert due > clock.now()


async def test_S1_a_scope_that_was_paid_for_meanwhile_is_not_sold_again_and_both_sides_hear(town: Town) -> None:
    request = await asked(town)
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    await town.upgraded(by=town.members[2])
    with pytest.raises(no.AlreadySubscribed):
        await agreed.carry_out(town.desk, decided)
    assert len(town.objects("subscription")) == 1
    fresh = await DeskRequest.get(id=request.id)
    assert fresh.answer["failure"]["refusal"] == "AlreadySubscribed"
    assert [notice.facts["failed"] for notice in await town.told("desk_request")] == [False, True]
    assert len(await town.told("request_decided")) == 1
    assert await upkeep_requests.look(town.desk) == 0


async def test_S1_a_card_payment_and_an_approval_that_race_leave_one_subscription_and_nothing_to_pay(
    town: Town,
) -> None:
    request = await asked(town)
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    await agreed.carry_out(town.desk, decided)
    # As if the card's subscription had been known first: the invoiced one is now the second.
    second = town.objects("subscription")[0]["id"]
    await Notice.all().delete()
    await Subscription.all().delete()
    await Quote.all().update(state=QuoteState.FAILED, subscription_id=None)
    await town.upgraded()
    await Quote.filter(applies="invoice").update(state=QuoteState.ACCEPTED)
    await sync.subscription(town.desk, second)
    await sync.subscription(town.desk, second)  # and the webhook of its end
    live = [each["id"] for each in town.objects("subscription") if each["status"] == "active"]
    assert len(live) == 1
    assert second not in live
    unpaid = [each["status"] for each in town.objects("invoice") if each["collection_method"] == "send_invoice"]
    assert unpaid == ["void"]
    assert await Subscription.all().count() == 1


async def test_S1_an_open_payment_page_is_closed_when_sales_sells(town: Town) -> None:
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year")
    quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id))
    request = await asked(town)
    await approved(town, request, terms(request))
    assert [each["status"] for each in town.objects("checkout.session")] == ["expired"]
    assert (await Subscription.get(is_live=True)).is_manually_invoiced


async def test_R26_an_owner_to_be_who_left_before_the_approval_is_replaced(town: Town) -> None:
    request = await asked(town, owner=town.members[3])
    await directory.upsert_member(town.workspace, person(4, is_deactivated=True))
    await approved(town, request, terms(request))
    assert (await Subscription.get(is_live=True)).owner_id == town.members[0].id


async def test_S1_nobody_left_to_own_it_is_a_failure_that_sales_hears_of(town: Town) -> None:
    request = await asked(town)
    await directory.upsert_member(town.workspace, person(1, is_deactivated=True))
    with pytest.raises(no.OwnerNotEligible):
        await approved(town, request, terms(request))
    assert town.objects("subscription") == []
    assert (await town.told("desk_request"))[-1].facts["failed"]


# --- several teams ---


async def two_teams(town: Town) -> tuple[Scope, Scope]:
    return await make_team(town, town.members[:3], "S001"), await make_team(town, town.members[3:6], "S002")


async def test_R14_each_of_several_teams_gets_its_own_plan_from_one_request(town: Town) -> None:
    one, two = await two_teams(town)
    request = await asked(town, Topic.SEVERAL_TEAMS, teams=(one, two), seats=20)
    _, proposal = await deciding.propose(town.desk, town.members[NILS], request.id, channel=CHANNEL)
    assert [part.seats for part in proposal.parts] == [17, 3]
    done = await approved(town, request, terms(request, seats={str(one.id): 12, str(two.id): 8}))
    assert done.carried_out_at is not None
    for team, seats_bought in ((one, 12), (two, 8)):
        live = await Subscription.get(scope_id=team.id, is_live=True)
        assert (live.seats, live.is_manually_invoiced, live.owner_id) == (seats_bought, True, town.members[0].id)
    assert await town.told("owner_replaced") == []
    assert len(town.objects("customer")) == 2


async def test_R14_one_team_that_was_covered_meanwhile_keeps_nothing_from_the_other(town: Town) -> None:
    one, two = await two_teams(town)
    request = await asked(town, Topic.SEVERAL_TEAMS, teams=(one, two), seats=20)
    agreement = terms(request, seats={str(one.id): 12, str(two.id): 8})
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, agreement, channel=CHANNEL)
    quote = await upgrade.offer(town.desk, town.members[0], scope=one, plan="premium", interval="year")
    await town.pay(await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id)))
    with pytest.raises(no.AlreadySubscribed):
        await agreed.carry_out(town.desk, decided)
    assert (await Subscription.get(scope_id=two.id, is_live=True)).seats == 8


async def test_R14_several_teams_are_two_or_more_of_ones_own_workspace(town: Town) -> None:
    one, _ = await two_teams(town)
    elsewhere, _ = await settle("T2", 2, first=40)
    with pytest.raises(no.TeamsTooFew):
        await asked(town, Topic.SEVERAL_TEAMS, teams=(one, one))
    with pytest.raises(no.ScopeUnknown):
        await asked(town, Topic.SEVERAL_TEAMS, teams=(one, elsewhere))


# --- changes of what is manually invoiced ---


async def test_R43_the_owner_changes_seats_through_sales_prorated_and_invoiced(town: Town) -> None:
    live = await invoiced(town)
    with pytest.raises(no.ManuallyInvoiced):
        await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=30)
    town.move(days=73)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    done = await approved(town, request, terms(request, seats={str(town.scope.id): 40}))
    fresh = await Subscription.get(id=live.id)
    assert (fresh.seats, fresh.plan, fresh.price_id) == (40, "premium", live.price_id)
    invoice = await Invoice.get(id=fresh.latest_invoice_id)
    assert (invoice.status, invoice.total) == ("open", 15 * 125_000 * 292 // 365)
    assert done.answer["due_at"] is not None
    assert len(await town.told("seats_changed")) == 1


async def test_R38_a_change_carried_out_again_changes_and_bills_nothing_more(town: Town) -> None:
    live = await invoiced(town)
    request = await asked(town, Topic.ADJUST, subscription=live, plan="business")
    await approved(town, request, terms(request, plan="business", unit_amount=275_000))
    bills = len(town.objects("invoice"))
    await DeskRequest.filter(id=request.id).update(carried_out_at=None)
    town.move(days=2)
    await upkeep_requests.look(town.desk)
    assert len(town.objects("invoice")) == bills
    assert (await Subscription.get(id=live.id)).plan == "business"


async def test_R38_the_owner_cancels_through_sales_and_it_ends_with_the_period(town: Town) -> None:
    live = await invoiced(town)
    with pytest.raises(no.ManuallyInvoiced):
        await cancel(town.desk, town.members[0], subscription=live)
    request = await asked(town, Topic.CANCEL, subscription=live)
    await approved(town, request, None)
    fresh = await Subscription.get(id=live.id)
    assert fresh.cancel_at == fresh.current_period_end
    assert len(await town.told("cancel_scheduled")) == 1
    with pytest.raises(no.NothingToChange):
        await asked(town, Topic.CANCEL, subscription=fresh)


@pytest.mark.parametrize("topic", [Topic.ADJUST, Topic.CANCEL])
async def test_R38_only_the_billing_owner_asks_for_changes(town: Town, topic: Topic) -> None:
    live = await invoiced(town)
    with pytest.raises(no.NotOwner):
        await sales.ask(town.desk, town.members[1], scope=town.scope, topic=topic, subscription=live, seats=40)


async def test_R38_what_is_paid_by_card_is_changed_without_sales(town: Town) -> None:
    live = await town.upgraded()
    with pytest.raises(no.PaidByCard):
        await asked(town, Topic.ADJUST, subscription=live, seats=40)


async def test_R38_an_adjustment_of_nothing_is_refused_unless_there_are_words(town: Town) -> None:
    live = await invoiced(town)
    with pytest.raises(no.NothingToChange):
        await asked(town, Topic.ADJUST, subscription=live, seats=25)
    assert await asked(town, Topic.ADJUST, subscription=live, seats=25, text="Another reference, please")


async def test_R38_a_change_of_what_has_ended_meanwhile_is_told_to_both(town: Town) -> None:
    live = await invoiced(town)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    seen = await priced(town, request, terms(request, seats={str(town.scope.id): 40}))
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, seen, channel=CHANNEL)
    await town.desk.payments.cancel_now(live.id, credit=False)
    await sync.subscription(town.desk, live.id)
    with pytest.raises(no.NotSubscribed):
        await agreed.carry_out(town.desk, decided)
    assert (await town.told("desk_request"))[-1].facts["failed"]


@pytest.mark.parametrize("days", [0, 40, 300])
async def test_M1_R43_the_invoice_of_a_change_says_what_sales_saw_before_approving(town: Town, days: int) -> None:
    live = await invoiced(town)
    town.move(days=days, minutes=1)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    seen = await priced(town, request, terms(request, seats={str(town.scope.id): 40}, unit_amount=130_000))
    town.move(minutes=11)  # they think, and Stripe takes its time
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, seen, channel=CHANNEL)
    await agreed.carry_out(town.desk, decided)
    bill = town.objects("invoice")[-1]
    assert bill["billing_reason"] == "subscription_update"
    assert (bill["amount_due"], bill["status"]) == (seen.due_now, "open")


async def test_M1_a_change_whose_price_nobody_has_seen_or_too_long_ago_is_not_approved(town: Town) -> None:
    live = await invoiced(town)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    unseen = terms(request, seats={str(town.scope.id): 40})
    seen = await priced(town, request, unseen)
    town.move(minutes=town.desk.catalogue.quote_minutes + 1)
    for each in (unseen, seen):
        with pytest.raises(no.QuoteOver):
            await deciding.approve(town.desk, town.members[NILS], request.id, each, channel=CHANNEL)
    assert (await DeskRequest.get(id=request.id)).state == RequestState.OPEN


async def test_S1_a_change_that_another_process_makes_at_this_very_moment_is_made_and_not_called_failed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await invoiced(town)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    seen = await priced(town, request, terms(request, seats={str(town.scope.id): 40}))
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, seen, channel=CHANNEL)
    real = deciding.price_of

    async def when_the_other_has_done_it(desk: Desk, agreement: Terms, found: SubscriptionFacts) -> PriceFacts:
        price = await real(desk, agreement, found)
        moment = clock.from_timestamp(agreement.proration_date or 0)
        await desk.payments.adjust_invoiced(found, price, 40, proration_date=moment, key=f"{request.id}:adjust")
        return price

    monkeypatch.setattr(agreed, "price_of", when_the_other_has_done_it)
    await agreed.carry_out(town.desk, decided)
    updates = [each for each in town.objects("invoice") if each["billing_reason"] == "subscription_update"]
    assert len(updates) == 1
    assert (await Subscription.get(id=live.id)).seats == 40
    assert [notice.facts["failed"] for notice in await town.told("desk_request")] == [False, False]


async def test_S1_what_can_never_be_carried_out_keeps_nobody_from_what_they_were_promised(town: Town) -> None:
    elsewhere, others = await settle("T2", 3, first=40)
    broken = await sales.ask(
        town.desk, others[0], scope=elsewhere, topic=Topic.PAY_BY_INVOICE, plan="premium", seats=25
    )
    await deciding.approve(town.desk, town.members[NILS], broken.id, terms(broken), channel=CHANNEL)
    await DeskRequest.filter(id=broken.id).update(facts={}, answer=None)  # as when its workspace is forgotten
    town.move(seconds=1)
    request = await asked(town)
    await deciding.approve(town.desk, town.members[NILS], request.id, terms(request), channel=CHANNEL)
    town.move(minutes=3)
    assert await upkeep_requests.look(town.desk) == 2
    assert await Subscription.filter(scope_id=town.scope.id, is_live=True).exists()


async def test_M1_a_change_that_would_be_invoiced_at_another_amount_by_now_is_not_made(town: Town) -> None:
    live = await invoiced(town)
    request = await asked(town, Topic.ADJUST, subscription=live, seats=40)
    seen = await priced(town, request, terms(request, seats={str(town.scope.id): 40}))
    decided = await deciding.approve(town.desk, town.members[NILS], request.id, seen, channel=CHANNEL)
    found = await town.desk.payments.subscription(live.id)
    assert found is not None
    price = await deciding.price_of(town.desk, seen, found)
    await town.desk.payments.adjust_invoiced(found, price, 30, proration_date=clock.now(), key="in the dashboard")
    bills = len(town.objects("invoice"))
    with pytest.raises(no.QuoteChanged):
        await agreed.carry_out(town.desk, decided)
    assert len(town.objects("invoice")) == bills
    assert (await town.told("desk_request"))[-1].facts["failed"]
