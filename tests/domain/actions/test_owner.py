"""Who owns, who is admin, who may see what; leaving and staying."""

import asyncio

import pytest

from domain import directory, sync
from domain.actions import admins, cancel, invoices, owner, page, payment_method
from domain.records import Admin, AuditEntry, Member, Notice, Subscription
from domain.rules import refusals as no
from tests.domain.conftest import Town, make_team, person, settle


async def test_R28_R30_billing_is_handed_over_both_are_told_and_the_former_stays_admin(town: Town) -> None:
    live = await town.upgraded()
    fresh = await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
    assert fresh.owner_id == town.members[1].id
    assert {notice.member_id for notice in await Notice.filter(dedup_key__startswith="handed_over:")} == {
        town.members[0].id,
        town.members[1].id,
    }
    for member in town.members[:2]:
        assert await Admin.filter(member_id=member.id, until=None).count() == 1
    with pytest.raises(no.NotOwner):
        await owner.hand_over(town.desk, town.members[0], subscription=fresh, to=town.members[2])


async def test_handed_to_two_at_once_it_has_exactly_one_owner(town: Town) -> None:
    live = await town.upgraded()
    outcomes = await asyncio.gather(
        *(owner.hand_over(town.desk, town.members[0], subscription=live, to=to) for to in town.members[1:4]),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Subscription) for each in outcomes) == 1
    assert all(isinstance(each, Subscription | no.Refusal) for each in outcomes), outcomes


async def test_R26_R30_only_members_of_the_scope_can_be_handed_billing(town: Town) -> None:
    live = await town.upgraded()
    _, strangers = await settle("T2", 1, first=50)
    for to, reason in (
        (await directory.upsert_member("T1", person(30, is_guest=True)), "guest"),
        (strangers[0], "not_a_member"),
        (town.members[0], "already_owner"),
    ):
        with pytest.raises(no.OwnerNotEligible) as refused:
            await owner.hand_over(town.desk, town.members[0], subscription=live, to=to)
        assert refused.value.reason == reason


async def test_P1_an_admin_claims_billing_only_when_the_owner_has_left(town: Town) -> None:
    live = await town.upgraded(by=town.members[1], owner=town.members[0])
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[2]])
    with pytest.raises(no.NotOwner):
        await owner.claim(town.desk, town.members[2], subscription=live)
    await directory.upsert_member("T1", person(1, is_deactivated=True))
    with pytest.raises(no.CannotClaim):
        await owner.claim(town.desk, town.members[3], subscription=live)  # no admin
    fresh = await owner.claim(town.desk, town.members[2], subscription=live)
    assert fresh.owner_id == town.members[2].id
    assert await AuditEntry.filter(verb="claimed").count() == 1


async def test_R28_the_owner_appoints_and_removes_admins_but_stays_one(town: Town) -> None:
    live = await town.upgraded()
    boss, other = town.members[0], town.members[5]
    await admins.set_admins(town.desk, boss, subscription=live, members=[other])
    await admins.set_admins(town.desk, boss, subscription=live, members=[])
    assert [admin.member_id for admin in await Admin.filter(until=None)] == [boss.id]
    assert await Admin.filter(member_id=other.id, until__not_isnull=True).count() == 1  # ended, not deleted (R48)


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_R33_R35_others_see_the_plan_and_the_owners_name_but_nothing_about_money(town: Town, role: str) -> None:
    live = await town.upgraded()
    reader = town.members[4]
    if role == "admin":
        await admins.set_admins(town.desk, town.members[0], subscription=live, members=[reader])
    seen = await page.page(town.desk, reader, scope=town.scope)
    assert (seen.role, seen.plan, seen.owner) == (role, "premium", town.members[0].slack_user_id)
    assert (seen.subscription, seen.next_total, seen.payment_method, seen.invoices) == (None, None, None, [])
    for ask in (
        invoices.listing(reader, scope=town.scope),
        payment_method.edit_link(town.desk, reader, subscription=live),
        cancel.cancel(town.desk, reader, subscription=live),
    ):
        with pytest.raises(no.NotOwner):
            await ask


async def test_R34_the_owner_sees_seats_next_invoice_method_and_all_invoices(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await sync.customer(town.desk, live.customer_id)
    seen = await page.page(town.desk, town.members[0], scope=town.scope)
    assert (seen.role, seen.members, seen.next_total) == ("owner", 8, 10 * 125_000)
    assert seen.payment_method == "Visa •••• 4242"
    assert len(seen.invoices) == 1


async def test_R37_a_paying_team_has_its_own_page_for_its_members_only(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    with pytest.raises(no.NotInScope):
        await page.page(town.desk, town.members[7], scope=team)
    assert (await page.page(town.desk, town.members[0], scope=team)).plan == "basic"


async def test_another_workspace_sees_nothing(town: Town) -> None:
    live = await town.upgraded()
    _, strangers = await settle("T2", 2, first=60)
    with pytest.raises(no.NotInScope):
        await page.page(town.desk, strangers[0], scope=town.scope)
    with pytest.raises(no.NotSubscribed):
        await cancel.cancel(town.desk, strangers[0], subscription=live)
    invoice = (await invoices.listing(town.members[0], scope=town.scope))[0]
    with pytest.raises(no.NoInvoiceYet):
        await invoices.send_again(town.desk, strangers[0], invoice_id=invoice.id)


async def test_R46_cancelled_it_ends_with_the_paid_period_and_one_click_undoes_it(town: Town) -> None:
    live = await town.upgraded()
    ending = await cancel.cancel(town.desk, town.members[0], subscription=live)
    assert ending.cancel_at == ending.current_period_end
    assert ending.is_live
    staying = await cancel.resume(town.desk, town.members[0], subscription=ending)
    assert staying.cancel_at is None
    assert [len(await town.told(kind)) for kind in ("cancel_scheduled", "resumed")] == [1, 1]


async def test_R46_R48_when_the_period_ends_it_is_over_and_nothing_is_deleted(town: Town) -> None:
    live = await town.upgraded()
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    town.move(days=366)
    await town.stripe.process_due()
    over = await sync.subscription(town.desk, live.id)
    assert over is not None
    assert not over.is_live
    assert len(await town.told("ended")) == 1
    assert len(await invoices.listing(town.members[0], scope=town.scope)) == 1


async def test_R45_R46_a_cancelled_trial_is_never_charged(town: Town) -> None:
    live = await town.upgraded(plan="business", interval="month")
    assert live.status == "trialing"
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    town.move(days=40)
    await town.stripe.process_due()
    assert sum(each["amount_paid"] for each in town.objects("invoice")) == 0


async def test_R32_I6_the_owner_can_ask_for_any_copy_again(town: Town) -> None:
    await town.upgraded()
    invoice = (await invoices.listing(town.members[0], scope=town.scope))[0]
    await invoices.send_again(town.desk, town.members[0], invoice_id=invoice.id)
    await invoices.send_again(town.desk, town.members[0], invoice_id=invoice.id)
    assert len(await town.told("invoice_again")) == 2
    with pytest.raises(no.NotOwner):
        await invoices.send_again(town.desk, town.members[3], invoice_id=invoice.id)


async def test_M5_a_failed_renewal_tells_the_owner_and_a_payment_mends_it(town: Town) -> None:
    live = await town.upgraded(interval="month")
    town.stripe.account.faults.decline_next_renewal = 1
    town.clock.move_to(live.current_period_end)
    town.move(hours=2)
    for _ in range(3):
        await town.stripe.process_due()
    overdue = await sync.subscription(town.desk, live.id)
    assert overdue is not None
    assert (overdue.status, overdue.is_live) == ("past_due", True)
    assert len(await town.told("payment_failed")) == 1
    await town.desk.payments.pay_invoice(overdue.latest_invoice_id or "")
    mended = await sync.subscription(town.desk, live.id)
    assert mended is not None
    assert (mended.status, mended.past_due_since) == ("active", None)
    assert len(await town.told("payment_mended")) == 1


async def test_members_are_never_deleted_only_deactivated(town: Town) -> None:
    await directory.replace_members("T1", [person(number) for number in range(1, 4)])
    assert await Member.filter(workspace_id="T1").count() == 8
    assert await directory.members_in(town.scope, town.desk.catalogue) == 3
