"""The periodic copy (I1–I6): one a period, planned from rows alone."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain import copies, directory, notices, pruning, reconcile, sync
from domain.actions import admins, owner
from domain.queue import QueueState
from domain.records import Event, Invoice, InvoiceCopy, Notice, Quote, Subscription
from domain.records.quotes import QuoteState
from domain.rules.hours import WORKING
from tests.domain.conftest import Town, person


async def renew(town: Town) -> Subscription:
    """Move past the renewal, and hear of the subscription but of no invoice: its webhook was lost."""
    live = await Subscription.get(is_live=True)
    town.clock.move_to(live.current_period_end)
    town.move(hours=2)
    for _ in range(4):
        await town.stripe.process_due()
    found = await sync.subscription(town.desk, live.id)
    assert found is not None
    return found


async def test_I1_a_period_has_one_copy_however_often_one_looks(town: Town) -> None:
    await town.upgraded()
    assert await copies.plan_due(town.desk) == 1
    assert await copies.plan_due(town.desk) == 0
    assert await InvoiceCopy.all().count() == 1
    assert await Notice.filter(kind="invoice_copy").count() == 1


async def test_I2_several_schedulers_at_once_plan_one_copy(town: Town) -> None:
    await town.upgraded()
    await asyncio.gather(*(copies.plan_due(town.desk) for _ in range(6)))
    assert await InvoiceCopy.all().count() == 1
    assert await Notice.filter(kind="invoice_copy").count() == 1


async def test_I4_a_missed_webhook_does_not_lose_a_copy(town: Town) -> None:
    await town.upgraded()
    await copies.plan_due(town.desk)
    await renew(town)
    known = await Invoice.all().count()
    assert await copies.plan_due(town.desk) == 1
    assert await Invoice.all().count() == known + 1
    newest = town.objects("invoice")[-1]["id"]
    assert (await Notice.filter(kind="invoice_copy").order_by("-created_at").first()).facts["invoice_id"] == newest


async def test_I1_the_copy_is_for_whoever_is_owner_when_it_is_sent(town: Town) -> None:
    live = await town.upgraded()
    await copies.plan_due(town.desk)
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    notice = await Notice.get(kind="invoice_copy")
    addressee = await notices.addressee(notice)
    assert addressee is not None
    assert addressee.id == town.members[4].id


async def test_I4_stripe_is_not_asked_for_the_same_missing_invoice_all_the_time(town: Town) -> None:
    await town.upgraded()
    await Invoice.all().delete()
    town.stripe.account.objects["invoice"].clear()
    assert await copies.plan_due(town.desk) == 0
    town.stripe.account.faults.api.append({"kind": "api_error", "times": 1})
    assert await copies.plan_due(town.desk) == 0
    assert town.stripe.account.faults.api, "Stripe was asked again within the hour"


@pytest.mark.parametrize(
    ("now", "tz", "opens"),
    [
        ("2026-11-24T12:00", "Europe/Stockholm", "2026-11-24T12:00"),  # 13:00 there
        ("2026-11-24T07:59", "Europe/Stockholm", "2026-11-24T08:00"),
        ("2026-11-24T16:00", "Europe/Stockholm", "2026-11-25T08:00"),  # 17:00 there: closed
        ("2026-11-24T15:59", "Europe/Stockholm", "2026-11-24T15:59"),
        ("2026-10-24T20:00", "Europe/Stockholm", "2026-10-25T08:00"),  # the clocks go back in the night
        ("2026-03-28T20:00", "Europe/Stockholm", "2026-03-29T07:00"),  # and forward
        ("2026-11-24T20:00", "Asia/Tokyo", "2026-11-25T00:00"),
        ("2026-11-24T03:00", "Asia/Kolkata", "2026-11-24T03:30"),
        ("2026-11-24T08:30", "Nowhere/Atlantis", "2026-11-24T09:00"),  # unknown: UTC
    ],
)
def test_I3_working_hours_are_the_readers(now: str, tz: str, opens: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert WORKING.moment(moment, tz) == datetime.fromisoformat(opens).replace(tzinfo=UTC)


async def test_I5_an_owner_who_cannot_be_reached_is_told_to_the_admins_once(town: Town) -> None:
    live = await town.upgraded(by=town.members[1], owner=town.members[0])
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[2]])
    await copies.plan_due(town.desk)
    notice = await Notice.get(kind="invoice_copy")
    for _ in range(3):
        await notices.tell_admins_owner_is_unreachable(notice, town.members[0])
    told = await town.told("owner_unreachable")
    assert [each.member_id for each in told] == [town.members[2].id]


async def test_I5_without_another_admin_slacks_own_admins_hear_of_it(town: Town) -> None:
    await town.upgraded()
    await directory.upsert_member(town.workspace, person(5, is_workspace_admin=True))
    await directory.upsert_member(town.workspace, person(6, is_workspace_admin=True, is_deactivated=True))
    await copies.plan_due(town.desk)
    await notices.tell_admins_owner_is_unreachable(await Notice.get(kind="invoice_copy"), town.members[0])
    assert [each.member_id for each in await town.told("owner_unreachable")] == [town.members[4].id]


async def test_reconcile_mends_what_missed_webhooks_left_behind(town: Town) -> None:
    live = await town.upgraded()
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)  # nobody tells us
    mended = await reconcile.reconcile(town.desk, ["customer.subscription.updated"])
    assert any("had not arrived" in line for line in mended)
    assert any(live.id in line for line in mended)
    assert (await Subscription.get(id=live.id)).cancel_at is not None
    again = await reconcile.reconcile(town.desk, ["customer.subscription.updated"])
    assert again == []


async def test_pruning_takes_what_is_finished_and_never_what_is_not(town: Town) -> None:
    quote = await Quote.first() or (await town.upgraded() and await Quote.first())
    assert quote is not None
    now = town.clock.now()
    for name, state in (("a", QueueState.DONE), ("b", QueueState.QUEUED), ("c", QueueState.BURIED)):
        await Event.create(
            id=f"evt_{name}",
            type="x",
            created_at=now,
            received_at=now,
            available_at=now,
            payload="{}",
            state=state,
            done_at=now if state == QueueState.DONE else None,
        )
    town.move(days=31)
    await pruning.prune(town.desk.settings)
    assert set(await Event.all().values_list("id", flat=True)) == {"evt_b", "evt_c"}
    assert await Quote.filter(state=QuoteState.APPLIED).count() == 1
