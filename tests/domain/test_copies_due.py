"""Which copies are due and of what (I1, I2, I4): several invoices in a period, missed periods, ends, and a great many at once."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tortoise.connection import get_connection

from domain import clock, copies, directory, sync
from domain.actions import plan, seats
from domain.copies import missed, pages, planning
from domain.desk import Desk
from domain.records import Customer, Invoice, InvoiceCopy, Member, Notice, Scope, Subscription
from domain.records.mirror import Interval
from domain.records.people import ScopeKind
from domain.rules.hours import Hours
from tests.domain.conftest import Town, person


async def planned() -> list[Notice]:
    return await Notice.filter(kind="invoice_copy").order_by("created_at")


async def more_seats(town: Town, live: Subscription, number: int) -> None:
    quote = await seats.offer_seats(town.desk, town.members[0], subscription=live, seats=number)
    await town.confirm(quote)
    await town.read_again()


# --- which invoice ---


async def test_I1_all_invoices_of_a_period_that_are_there_go_in_one_message_and_a_later_one_is_no_second(
    town: Town,
) -> None:
    live = await town.upgraded(seats=10)
    town.move(minutes=1)
    await more_seats(town, live, 15)
    assert await copies.plan_due(town.desk) == 1
    await more_seats(town, await town.fresh(live), 20)
    assert await copies.plan_due(town.desk) == 0
    [notice] = await planned()
    first, second, third = await Invoice.all().order_by("finalized_at").values_list("id", flat=True)
    assert notice.facts["invoice_ids"] == [first, second]
    assert notice.facts["invoice_id"] == second
    assert third not in str(notice.facts)


async def test_I1_seats_added_before_the_renewals_invoice_is_final_make_no_copy_without_it(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=10)
    await copies.plan_due(town.desk)
    town.clock.move_to(live.current_period_end)
    await town.stripe.process_due()
    town.move(minutes=5)
    await more_seats(town, await town.fresh(live), 15)
    assert await copies.plan_due(town.desk) == 0
    town.move(hours=1, minutes=10)
    await town.stripe.process_due()
    await town.read_again()
    assert await copies.plan_due(town.desk) == 1
    sent = (await planned())[-1].facts["invoice_ids"]
    reasons = await Invoice.filter(id__in=sent).order_by("finalized_at").values_list("billing_reason", flat=True)
    assert reasons == ["subscription_update", "subscription_cycle"]


async def test_I4_a_renewals_invoice_that_was_made_void_leaves_its_period_the_copy_of_what_was_billed(
    town: Town,
) -> None:
    live = await town.upgraded(interval="month", seats=10)
    town.move(minutes=1)
    await more_seats(town, live, 15)
    await Invoice.filter(billing_reason="subscription_create").update(status="void")
    del town.stripe.account.objects["invoice"][town.objects("invoice")[0]["id"]]
    town.move(minutes=5)
    assert await copies.plan_due(town.desk) == 0
    town.move(hours=2)
    assert await copies.plan_due(town.desk) == 1


@pytest.mark.parametrize("hours", [1, 30])  # the usual time, and one whose webhook nobody answered
async def test_I1_a_month_cut_short_before_its_invoice_is_final_has_its_copy_with_the_year_that_followed(
    town: Town, hours: int
) -> None:
    live = await town.upgraded(interval="month", seats=10)
    await copies.plan_due(town.desk)
    town.clock.move_to(live.current_period_end)
    await town.stripe.process_due()
    town.move(minutes=5)
    live = await town.fresh(live)
    await town.confirm(await plan.offer(town.desk, town.members[0], subscription=live, interval="year"))
    await town.read_again()
    for _ in range(hours):
        await copies.plan_due(town.desk)
        town.move(hours=1)
    town.move(minutes=10)
    await town.stripe.process_due()
    await town.read_again()
    for _ in range(3):
        await copies.plan_due(town.desk)
        town.move(hours=2)
    of_the_renewal = await Invoice.get(billing_reason="subscription_cycle")
    sent = [each.facts["invoice_ids"] for each in await planned()]
    assert [each for ids in sent for each in ids].count(of_the_renewal.id) == 1
    assert len(sent) == 2
    assert await InvoiceCopy.all().count() == 3


@pytest.mark.parametrize("status", ["draft", "void"])
async def test_I1_a_draft_and_a_void_invoice_are_never_sent(town: Town, status: str) -> None:
    await town.upgraded()
    await Invoice.all().update(status=status)
    town.stripe.account.objects["invoice"].clear()
    assert await copies.plan_due(town.desk) == 0
    assert await planned() == []


async def test_I1_an_invoice_of_nothing_is_an_invoice(town: Town) -> None:
    await town.upgraded()
    await Invoice.all().update(total=0, amount_due=0, amount_paid=0)
    assert await copies.plan_due(town.desk) == 1


async def test_I1_what_was_given_up_was_billed_all_the_same(town: Town) -> None:
    await town.upgraded()
    await Invoice.all().update(status="uncollectible")
    assert await copies.plan_due(town.desk) == 1


# --- when it is looked for ---


async def test_I4_a_young_period_is_left_to_its_webhook_and_is_due_the_moment_that_comes(town: Town) -> None:
    live = await town.upgraded(interval="month")
    await copies.plan_due(town.desk)
    town.clock.move_to(live.current_period_end)
    await town.stripe.process_due()
    await town.fresh(live)
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 1})
    assert await copies.plan_due(town.desk) == 0
    assert town.stripe.account.faults.api, "Stripe was asked for what it has not made yet"
    town.stripe.account.faults.api.clear()
    town.move(hours=1, minutes=10)
    await town.stripe.process_due()
    await sync.invoice(town.desk, town.objects("invoice")[-1]["id"])
    assert await copies.plan_due(town.desk) == 1


async def test_I4_when_stripe_is_away_it_is_asked_again_soon_not_in_an_hour(town: Town) -> None:
    await town.upgraded()
    await Invoice.all().delete()
    town.move(hours=2)
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 9})
    assert await copies.plan_due(town.desk) == 0
    town.stripe.account.faults.api.clear()
    assert await copies.plan_due(town.desk) == 0
    town.move(minutes=2)
    assert await copies.plan_due(town.desk) == 1


async def test_I4_one_whose_reading_fails_keeps_no_other_waiting(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowd(town, 20)
    await Subscription.all().update(collection_method="send_invoice")  # each by itself
    real = missed.plan

    async def fails_for_one(desk: Desk, subscription_id: str) -> int:
        if subscription_id == "sub_00007":
            raise KeyError("an object nobody foresaw")
        return await real(desk, subscription_id)

    monkeypatch.setattr(missed, "plan", fails_for_one)
    assert await copies.plan_due(town.desk) == 19
    monkeypatch.undo()
    town.move(hours=2)
    assert await copies.plan_due(town.desk) == 1


async def test_I4_however_many_wait_for_stripe_a_look_takes_up_only_so_many_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_ASKED", pages.BATCH)
    await crowd(town, 3 * pages.BATCH + 100)
    await Invoice.all().delete()
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 999})
    assert await copies.plan_due(town.desk) == 0
    town.stripe.account.faults.api.clear()
    now = clock.now()
    minutes = [
        (at - now).total_seconds() // 60 for at in await Subscription.all().values_list("copy_ask_at", flat=True)
    ]
    # Those it meant to ask, and the first of the others; then the next; then the rest.
    assert sorted(Counter(minutes).items()) == [(0, 2 * pages.BATCH), (1, pages.BATCH), (2, 100)]


# --- missed periods ---


async def test_I2_every_missed_period_has_its_copy_in_one_message_oldest_first(town: Town) -> None:
    live = await town.upgraded(interval="month")
    await town.let_pass(days=70)
    assert await copies.plan_due(town.desk) == 3
    [notice] = await planned()
    assert notice.facts["invoice_ids"] == await Invoice.all().order_by("period_start").values_list("id", flat=True)
    assert len(notice.facts["invoice_ids"]) == 3
    rows = await InvoiceCopy.all().order_by("period_start")
    assert [row.invoice_id for row in rows] == notice.facts["invoice_ids"]
    assert (await Subscription.get(id=live.id)).copied_period == rows[-1].period_start
    assert await copies.plan_due(town.desk) == 0


async def test_I4_missed_periods_whose_webhooks_were_lost_too_are_asked_for(town: Town) -> None:
    live = await town.upgraded(interval="month")
    await copies.plan_due(town.desk)
    await town.let_pass(days=95)
    newest = (await Invoice.all().order_by("-period_start"))[0]
    await Invoice.exclude(id=newest.id).delete()
    assert await copies.plan_due(town.desk) == 3
    assert [len(each.facts["invoice_ids"]) for each in await planned()] == [1, 3]
    assert await InvoiceCopy.filter(subscription_id=live.id).count() == 4


async def test_I2_seats_added_in_a_missed_period_belong_to_it(town: Town) -> None:
    live = await town.upgraded(interval="month", seats=10)
    await copies.plan_due(town.desk)
    await town.let_pass(days=35)
    await more_seats(town, await town.fresh(live), 15)
    await town.let_pass(days=31)
    assert await copies.plan_due(town.desk) == 2
    notice = (await planned())[-1]
    assert len(notice.facts["invoice_ids"]) == 3
    assert await InvoiceCopy.all().count() == 3


async def test_I1_a_period_begun_before_the_end_has_its_copy_although_it_has_ended(town: Town) -> None:
    live = await town.upgraded(interval="month")
    await copies.plan_due(town.desk)
    await town.let_pass(days=32)
    await Subscription.filter(id=live.id).update(is_live=False, status="canceled", ended_at=town.clock.now())
    assert await copies.plan_due(town.desk) == 1


async def test_I4_one_that_ended_without_an_invoice_is_not_asked_about_for_ever(town: Town) -> None:
    live = await town.upgraded()
    await Invoice.all().delete()
    town.stripe.account.objects["invoice"].clear()
    await Subscription.filter(id=live.id).update(is_live=False, status="canceled", ended_at=town.clock.now())
    for _ in range(3):
        town.move(hours=26)
        assert await copies.plan_due(town.desk) == 0
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 1})
    town.move(hours=26)
    await copies.plan_due(town.desk)
    assert town.stripe.account.faults.api, "Stripe was asked once more"
    assert await planned() == []


# --- the calendar ---


@pytest.mark.parametrize(
    ("begins", "interval", "days", "periods"),
    [
        ("2027-01-31T10:00", "month", 62, 3),  # 31 January, 28 February, 31 March
        ("2028-01-31T10:00", "month", 62, 3),  # a leap year's 29 February
        ("2028-02-29T10:00", "year", 731, 3),  # 28 February in 2029 and 2030
        ("2026-12-31T23:30", "month", 60, 3),
    ],
)
async def test_I1_months_and_leap_years_end_when_they_do_and_each_period_has_one_copy(
    town: Town, begins: str, interval: str, days: int, periods: int
) -> None:
    town.clock.move_to(datetime.fromisoformat(begins).replace(tzinfo=UTC))
    live = await town.upgraded(interval=interval)
    total = await copies.plan_due(town.desk)
    for _ in range(8):
        await town.let_pass(days=days / 8)
        total += await copies.plan_due(town.desk)
    assert total == periods
    starts = await InvoiceCopy.filter(subscription_id=live.id).values_list("period_start", flat=True)
    assert len(set(starts)) == periods


async def test_I2_a_clock_that_jumps_ahead_and_back_makes_no_second_copy(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.upgraded(interval="month")
    assert await copies.plan_due(town.desk) == 1
    real = clock.now
    for hours in (-1, 24 * 31, -1, 0):
        monkeypatch.setattr(clock, "now", lambda hours=hours: real() + timedelta(hours=hours))
        assert await copies.plan_due(town.desk) == 0


# --- when it is sent ---


@pytest.mark.parametrize(
    ("tz", "hours", "opens"),
    [
        ("Europe/Stockholm", Hours(), "2027-03-01T08:00"),
        ("Asia/Tokyo", Hours(), "2027-03-01T00:30"),  # it is 09:30 there
        ("America/New_York", Hours(), "2027-03-01T14:00"),
        ("Nowhere/Atlantis", Hours(), "2027-03-01T09:00"),
        ("Europe/Stockholm", Hours(opens=6 * 60, closes=8 * 60), "2027-03-01T05:00"),
        ("Europe/Stockholm", Hours(days=frozenset({3})), "2027-03-04T08:00"),
        ("Europe/Stockholm", Hours(opens=0, closes=24 * 60), "2027-03-01T00:30"),
    ],
)
async def test_I3_a_copy_is_in_the_outbox_for_the_owners_working_hours(
    town: Town, tz: str, hours: Hours, opens: str
) -> None:
    town.clock.move_to(datetime(2027, 3, 1, 0, 30, tzinfo=UTC))  # a Monday
    await directory.upsert_member(town.workspace, person(1, tz=tz))
    await town.upgraded()
    desk = replace(town.desk, settings=replace(town.desk.settings, copy_hours=hours))
    assert await copies.plan_due(desk) == 1
    [notice] = await planned()
    wanted = datetime.fromisoformat(opens).replace(tzinfo=UTC)
    assert wanted <= notice.available_at < wanted + timedelta(minutes=5)


# --- a great many ---


async def crowd(town: Town, number: int) -> None:
    """So many workspaces that pay, each with its invoice and without its copy."""
    now = clock.now()
    owner = town.members[0]
    scopes = [
        Scope(
            id=uuid4(),
            workspace_id=town.workspace,
            kind=ScopeKind.TEAM,
            slack_ref=f"S{n}",
            name=f"T {n}",
            created_at=now,
        )
        for n in range(number)
    ]
    await Scope.bulk_create(scopes)
    begun, ends = now - timedelta(hours=3), now + timedelta(days=30)
    await Customer.bulk_create([Customer(id=f"cus_{n}", scope_id=scopes[n].id) for n in range(number)])
    common: dict[str, Any] = {"currency": "sek", "collection_method": "charge_automatically"}
    await Subscription.bulk_create(
        [
            Subscription(
                id=f"sub_{n:05}",
                scope_id=scopes[n].id,
                owner_id=owner.id,
                customer_id=f"cus_{n}",
                status="active",
                is_live=True,
                plan="premium",
                interval=Interval.MONTH,
                seats=5,
                unit_amount=100,
                item_id=f"si_{n}",
                price_id="price_1",
                current_period_start=begun,
                current_period_end=ends,
                started_at=begun,
                **common,
            )
            for n in range(number)
        ]
    )
    await Invoice.bulk_create(
        [
            Invoice(
                id=f"in_{n}",
                scope_id=scopes[n].id,
                subscription_id=f"sub_{n:05}",
                status="paid",
                billing_reason="subscription_create",
                total=500,
                amount_due=500,
                amount_paid=500,
                amount_remaining=0,
                period_start=begun,
                period_end=ends,
                created_at=begun,
                finalized_at=begun,
                **common,
            )
            for n in range(number)
        ]
    )


async def each_has_one(number: int) -> None:
    assert await InvoiceCopy.all().count() == number
    assert len(set(await InvoiceCopy.all().values_list("subscription_id", flat=True))) == number
    assert await Notice.filter(kind="invoice_copy").count() == number


async def test_I2_schedulers_side_by_side_plan_a_great_many_once_each(town: Town) -> None:
    await crowd(town, 1_300)
    found = await asyncio.gather(*(copies.plan_due(town.desk) for _ in range(3)))
    assert sum(found) == 1_300
    await each_has_one(1_300)


async def test_I2_a_scheduler_that_dies_in_the_middle_leaves_the_rest_to_the_next_look(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowd(town, 1_100)
    looked = 0
    real = pages._openings

    async def dies(*given: Any) -> Any:
        nonlocal looked
        looked += 1
        if looked == 2:
            raise ConnectionError("the scheduler went away between two pages")
        return await real(*given)

    monkeypatch.setattr(pages, "_openings", dies)
    with pytest.raises(ConnectionError):
        await copies.plan_due(town.desk)
    await each_has_one(pages.BATCH)  # the page that was begun has left nothing
    assert await copies.plan_due(town.desk) == 1_100 - pages.BATCH
    await each_has_one(1_100)


async def test_I2_a_mark_that_was_lost_makes_no_second_copy(town: Town) -> None:
    await crowd(town, 3)
    await Subscription.filter(id="sub_00001").update(collection_method="send_invoice")
    assert await copies.plan_due(town.desk) == 3
    await Subscription.all().update(copied_period=None, copy_ask_at=clock.now())
    await copies.plan_due(town.desk)
    await each_has_one(3)
    assert await copies.number_due() == 0


async def test_a_look_when_nothing_is_due_works_out_no_time_zones(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowd(town, 3)
    await copies.plan_due(town.desk)

    async def never(*_: Any) -> Any:
        raise AssertionError("six hundred time zones were worked out for nothing")

    pages._known.clear()  # as a minute later
    monkeypatch.setattr(pages, "_openings", never)
    assert (await pages.plan_page(Hours())).due == 0


async def test_what_is_due_is_found_by_its_index_alone(town: Town) -> None:
    await crowd(town, 600)
    await copies.plan_due(town.desk)
    database = get_connection("default")
    postgres = database.capabilities.dialect == "postgres"
    query = (
        f"SELECT id FROM subscription WHERE {pages.DUE} AND copy_ask_at <= '2030-01-01' ORDER BY copy_ask_at LIMIT 500"  # noqa: S608 - our own words
    )
    if postgres:
        await database.execute_query("ANALYZE subscription")
    told = await database.execute_query_dict(("EXPLAIN " if postgres else "EXPLAIN QUERY PLAN ") + query)
    plan = " ".join(str(value) for row in told for value in row.values())
    assert "subscription_copy_due" in plan, plan
    assert "sort" not in plan.lower(), plan


async def test_the_age_of_the_oldest_copy_counts_what_waits_to_be_planned_and_to_be_sent(town: Town) -> None:
    assert await copies.age_of_oldest() == 0
    assert await copies.number_due() == 0
    await crowd(town, 1)
    assert await copies.number_due() == 1
    assert await copies.age_of_oldest() == pytest.approx(90 * 60, abs=60)
    await copies.plan_due(town.desk)
    await Notice.filter(kind="invoice_copy").update(available_at=clock.now() - timedelta(minutes=5))
    assert await copies.age_of_oldest() == pytest.approx(300, abs=30)
    assert await Member.all().count() == 8
