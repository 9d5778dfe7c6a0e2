"""Upgrading: who may, for whom, at what price, and what becomes of it."""

import asyncio

import pytest

from domain import directory, sync
from domain.actions import changes, payment_method, seats, upgrade
from domain.actions.resuming import resume_accepted
from domain.payments import Preview, PriceFacts, SessionFacts
from domain.records import Admin, AuditEntry, Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules import refusals as no
from sandbox.stripe import checkout, invoices
from sandbox.stripe.payment import Payment
from tests.domain.conftest import Town, make_team, person, settle


async def test_R4_a_year_costs_ten_months(town: Town) -> None:
    month = await upgrade.offer(
        town.desk, town.members[0], scope=town.scope, plan="premium", interval="month", seats=10
    )
    year = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", seats=10)
    assert year.next_total == 10 * month.next_total == 10 * 10 * 12_500


async def test_R5_bots_guests_and_deactivated_people_need_no_seat(town: Town) -> None:
    for number, facts in ((21, {"is_bot": True}), (22, {"is_guest": True}), (23, {"is_deactivated": True})):
        await directory.upsert_member(town.workspace, person(number, **facts))
    assert await directory.members_in(town.scope, town.desk.catalogue) == 8


async def test_R7_no_size_below_the_members(town: Town) -> None:
    with pytest.raises(no.SeatsBelowMembers) as refused:
        await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", seats=5)
    assert (refused.value.members, refused.value.smallest) == (8, 10)


async def test_R23_nothing_is_paid_for_until_stripe_says_so(town: Town) -> None:
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year")
    await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id))
    assert await Subscription.all().count() == 0


async def test_the_way_back_from_stripe_speaks_the_readers_own_language(town: Town) -> None:
    town.members[0].locale = "sv-SE"
    await town.members[0].save()
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year")
    quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id))
    page = town.stripe.account.get("checkout.session", quote.checkout_session_id or "")
    assert page["success_url"].endswith("/slack/return?done=1&lang=sv")
    assert page["cancel_url"].endswith("/slack/return?done=0&lang=sv")
    await town.pay(quote)
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    await payment_method.edit_link(town.desk, town.members[0], subscription=live)
    portal = next(iter(town.stripe.account.all("billing_portal.session")))
    assert portal["return_url"].endswith("/slack/return?done=1&lang=sv")


async def test_R25_R28_the_appointed_colleague_becomes_owner_and_admin_and_both_are_told(town: Town) -> None:
    live = await town.upgraded(by=town.members[0], owner=town.members[3])
    assert live.owner_id == town.members[3].id
    assert await Admin.filter(scope_id=town.scope.id, member_id=town.members[3].id, until=None).exists()
    assert [notice.member_id for notice in await town.told("upgraded")] == [town.members[0].id]
    assert [notice.member_id for notice in await town.told("became_owner")] == [town.members[3].id]


async def test_R26_an_owner_who_left_before_the_payment_is_replaced_and_both_are_told(town: Town) -> None:
    payer, appointed = town.members[0], town.members[3]
    quote = await upgrade.offer(town.desk, payer, scope=town.scope, plan="premium", interval="year", owner=appointed)
    quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, payer, quote.id))
    await directory.upsert_member(town.workspace, person(4, is_deactivated=True))
    await town.pay(quote)
    live = await Subscription.get(scope_id=town.scope.id, is_live=True)
    assert live.owner_id == payer.id
    assert len(await town.told("owner_replaced")) == 2
    assert town.objects("customer")[-1]["email"] == payer.email


@pytest.mark.parametrize("facts", [{"is_bot": True}, {"is_guest": True}, {"is_deactivated": True}])
async def test_R26_who_cannot_own_cannot_be_appointed(town: Town, facts: dict[str, bool]) -> None:
    other = await directory.upsert_member(town.workspace, person(30, **facts))
    with pytest.raises(no.OwnerNotEligible):
        await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", owner=other)


async def test_R6_R13_a_team_pays_for_its_own_members_only(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    quote = await upgrade.offer(town.desk, town.members[0], scope=team, plan="premium", interval="year")
    assert quote.seats == 3
    with pytest.raises(no.NotInScope):
        await upgrade.offer(town.desk, town.members[7], scope=team, plan="premium", interval="year")


async def test_R9_R10_an_owner_of_a_live_subscription_elsewhere_is_stopped(town: Town) -> None:
    await town.upgraded()
    scope, members = await settle("T2", 3)  # the same people, by e-mail, in another workspace
    with pytest.raises(no.LiveElsewhere) as refused:
        await upgrade.offer(town.desk, members[0], scope=scope, plan="premium", interval="year")
    assert refused.value.elsewhere == "Workspace T1"


async def test_an_upgrade_while_one_is_live_is_refused(town: Town) -> None:
    await town.upgraded()
    with pytest.raises(no.AlreadySubscribed):
        await upgrade.offer(town.desk, town.members[5], scope=town.scope, plan="business", interval="year")


async def test_two_pages_that_raced_leave_one_subscription_and_pay_the_other_back(town: Town) -> None:
    pages = []
    for member in town.members[:2]:
        quote = await upgrade.offer(town.desk, member, scope=town.scope, plan="premium", interval="year")
        quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, member, quote.id))
        pages.append(quote)
    for quote in pages:  # both are paid at the very moment the second is opened, before the first was closed
        page = town.stripe.account.get("checkout.session", quote.checkout_session_id or "")
        page |= {"status": "open", "expires_at": town.stripe.account.now() + 3600}
        await town.pay(quote)
    live = [each for each in town.objects("subscription") if each["status"] == "active"]
    assert len(live) == 1
    assert await Subscription.filter(is_live=True).count() == 1
    refunded = sum(each["amount"] for each in town.objects("refund"))
    assert refunded == pages[1].due_now


async def test_pressed_twice_it_is_one_page(town: Town) -> None:
    actor = town.members[0]
    quote = await upgrade.offer(town.desk, actor, scope=town.scope, plan="premium", interval="year")
    first = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, actor, quote.id))
    again = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, actor, quote.id))
    assert first.checkout_url == again.checkout_url
    assert len(town.objects("checkout.session")) == 1


async def test_a_crash_after_the_button_is_carried_on_by_the_tick(town: Town) -> None:
    actor = town.members[0]
    quote = await upgrade.offer(town.desk, actor, scope=town.scope, plan="premium", interval="year")
    await upgrade.accept(town.desk, actor, quote.id)  # and here the process dies
    town.move(minutes=2)
    assert await resume_accepted(town.desk) == 1
    assert len(town.objects("checkout.session")) == 1
    ready = await town.told("checkout_ready")
    assert [notice.member_id for notice in ready] == [actor.id]


async def test_a_colleague_can_upgrade_where_somebody_was_cut_off_before_we_knew_of_the_customer(town: Town) -> None:
    first = town.members[0]
    await town.desk.payments.ensure_customer(
        scope_id=str(town.scope.id), name=town.scope.name, email=first.email, locale=first.locale
    )  # and there the process died
    live = await town.upgraded(by=town.members[1])
    assert live.owner_id == town.members[1].id


async def test_a_page_nobody_paid_ends_the_quote_and_tells_whoever_began(town: Town) -> None:
    actor = town.members[0]
    quote = await upgrade.offer(town.desk, actor, scope=town.scope, plan="premium", interval="year")
    quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, actor, quote.id))
    await town.stripe.account.abandon_checkout(quote.checkout_session_id or "")
    await sync.checkout_session(town.desk, quote.checkout_session_id or "")
    await quote.refresh_from_db()
    assert quote.state == QuoteState.EXPIRED
    assert len(await town.told("checkout_expired")) == 1


async def test_the_same_news_five_times_at_once_is_one_upgrade(town: Town) -> None:
    actor = town.members[0]
    quote = await upgrade.offer(town.desk, actor, scope=town.scope, plan="premium", interval="year")
    quote = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, actor, quote.id))
    await town.pay(quote)
    found = town.objects("subscription")[0]["id"]
    await asyncio.gather(*(sync.subscription(town.desk, found) for _ in range(5)))
    assert await Subscription.all().count() == 1
    assert len(await town.told("upgraded")) == 1
    assert await AuditEntry.filter(verb="upgraded").count() == 1


async def test_R48_a_trial_is_given_once_a_scope_and_history_stays(town: Town) -> None:
    first = await town.upgraded(plan="business", interval="month")
    assert first.status == "trialing"
    await town.desk.payments.cancel_now(first.id, credit=False)
    await sync.subscription(town.desk, first.id)
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="business", interval="month")
    assert quote.due_now > 0
    assert await Subscription.all().count() == 1


async def test_the_button_of_somebody_elses_quote_does_nothing(town: Town) -> None:
    live = await town.upgraded()
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=15)
    with pytest.raises(no.QuoteOver):
        await changes.accept(town.desk, town.members[1], quote.id)
    assert (await Quote.get(id=quote.id)).state == QuoteState.OFFERED


async def test_who_has_paid_in_one_currency_is_offered_that_one_alone(town: Town) -> None:
    first = await town.upgraded(interval="month")
    await town.desk.payments.cancel_now(first.id, credit=False)
    await sync.subscription(town.desk, first.id)
    await sync.customer(town.desk, first.customer_id)
    with pytest.raises(no.UnknownCurrency) as refused:
        await upgrade.offer(
            town.desk, town.members[0], scope=town.scope, plan="premium", interval="year", currency="eur"
        )
    assert refused.value.known == ("sek",)


async def test_M1_stripe_away_while_the_new_price_is_worked_out_leaves_the_upgrade_accepted(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await town.upgraded(interval="month")
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    quote = await upgrade.offer(town.desk, town.members[0], scope=town.scope, plan="premium", interval="year")
    accepted = await upgrade.accept(town.desk, town.members[0], quote.id)
    await town.desk.payments.adjust_balance(first.customer_id, -5_000, "sek", key="goodwill")
    real, asked = town.desk.payments.preview_new, 0

    async def away_the_second_time(price: PriceFacts, seats_: int, customer_id: str | None) -> Preview:
        nonlocal asked
        asked += 1
        if asked == 2:
            town.stripe.account.faults.api.append({"kind": "api_error", "times": 99})
        return await real(price, seats_, customer_id)

    monkeypatch.setattr(town.desk.payments, "preview_new", away_the_second_time)
    with pytest.raises(no.PaymentsAway):
        await upgrade.carry_out(town.desk, accepted)
    town.stripe.account.faults.api.clear()
    town.move(minutes=3)
    await resume_accepted(town.desk)
    assert [notice.facts["refusal"] for notice in await town.told("change_failed")] == ["QuoteChanged"]


@pytest.mark.parametrize("how", ["closed by another press", "paid"])
async def test_an_earlier_page_that_is_over_between_our_look_and_its_closing_is_no_refusal(
    town: Town, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    earlier = await town.page(plan="premium", interval="year")
    quote = await upgrade.offer(town.desk, town.members[1], scope=town.scope, plan="premium", interval="month")
    accepted = await upgrade.accept(town.desk, town.members[1], quote.id)
    real = town.desk.payments.session

    async def and_then_it_is_over(session_id: str) -> SessionFacts:
        found = await real(session_id)
        if found.status == "open" and how == "paid":
            await town.stripe.account.pay_checkout(session_id, Payment("card"))
        elif found.status == "open":
            checkout.expire(town.stripe.account, town.stripe.account.get("checkout.session", session_id))
        return found

    monkeypatch.setattr(town.desk.payments, "session", and_then_it_is_over)
    if how == "paid":
        with pytest.raises(no.AlreadySubscribed):
            await upgrade.carry_out(town.desk, accepted)
        assert (await Quote.get(id=earlier.id)).state == QuoteState.APPLIED
    else:
        assert (await upgrade.carry_out(town.desk, accepted)).checkout_url


@pytest.mark.parametrize("how", ["in the dashboard", "by us, before we were cut off"])
async def test_a_second_subscription_whose_money_is_back_already_is_ended_all_the_same(town: Town, how: str) -> None:
    await both_pages_paid(town, hear_of_the_second=False)
    second = town.objects("subscription")[-1]
    if how == "in the dashboard":
        invoices.create_refund(town.stripe.account, {"charge": town.objects("charge")[-1]["id"]})
    else:
        await town.desk.payments.refund_latest(second["id"])
        town.move(days=2)  # Stripe has forgotten the key
    await sync.subscription(town.desk, second["id"])
    assert town.objects("subscription")[-1]["status"] == "canceled"
    assert len(town.objects("refund")) == 1
    assert len(await town.told("change_failed")) == 1


async def test_cut_off_after_a_second_subscription_was_ended_the_payer_hears_of_it_and_is_nobody_here(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await both_pages_paid(town, hear_of_the_second=False)
    second = town.objects("subscription")[-1]["id"]
    real = town.desk.payments.cancel_now

    async def dies_after_it(subscription_id: str, *, credit: bool) -> None:
        await real(subscription_id, credit=credit)
        raise RuntimeError("the process is gone")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(town.desk.payments, "cancel_now", dies_after_it)
        with pytest.raises(RuntimeError):
            await sync.subscription(town.desk, second)
    for _ in range(2):
        await sync.subscription(town.desk, second)
    assert [each.facts["refusal"] for each in await town.told("change_failed")] == ["paid_twice"]
    assert await Subscription.all().count() == 1
    assert await Admin.filter(scope_id=town.scope.id, member_id=town.members[1].id).count() == 0
    assert await AuditEntry.filter(verb="upgraded").count() == 1


async def test_a_second_subscription_that_credit_paid_for_gives_the_credit_back(town: Town) -> None:
    first = await town.upgraded(interval="month")
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    credit = 10_000_000
    await town.desk.payments.adjust_balance(first.customer_id, -credit, "sek", key="goodwill")
    await both_pages_paid(town)
    live = await Subscription.get(is_live=True)
    assert town.balance(live) == -(credit - live.unit_amount * live.seats)
    for each in town.objects("subscription"):
        await sync.subscription(town.desk, each["id"])
    assert town.balance(live) == -(credit - live.unit_amount * live.seats)


async def both_pages_paid(town: Town, *, hear_of_the_second: bool = True) -> None:
    """Two people pay for the same at the very moment the second page is opened, before the first was closed."""
    pages = [await town.page(by=member) for member in town.members[:2]]
    for quote in pages:
        page = town.stripe.account.get("checkout.session", quote.checkout_session_id or "")
        page |= {"status": "open", "expires_at": town.stripe.account.now() + 3600}
    await town.pay(pages[0])
    if hear_of_the_second:
        await town.pay(pages[1])
    else:
        await town.stripe.account.pay_checkout(pages[1].checkout_session_id or "", Payment("card"))


async def test_R27_stripe_writes_to_the_new_owner_of_what_somebody_else_owned_before(town: Town) -> None:
    first = await town.upgraded(by=town.members[0])
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    page = await town.page(by=town.members[1])
    session = town.stripe.account.get("checkout.session", page.checkout_session_id or "")
    assert session["customer_details"]["email"] == "person2@example.com"
    assert town.objects("customer")[-1]["email"] == "person2@example.com"


async def test_R27_an_owner_who_comes_back_keeps_the_address_they_chose_at_stripe(town: Town) -> None:
    first = await town.upgraded(by=town.members[0])
    await town.desk.payments.set_customer_contact(first.customer_id, email="finance@example.com", locale="sv")
    await town.desk.payments.cancel_now(first.id, credit=False)
    await town.fresh(first)
    await town.page(by=town.members[0])
    assert town.objects("customer")[-1]["email"] == "finance@example.com"
