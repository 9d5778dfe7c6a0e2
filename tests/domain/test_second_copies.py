"""Second recipients' copies (I6): each period's, once each, from rows alone, and to nobody who isn't to have them."""

import asyncio
from typing import Any

import pytest

from domain import copies, directory, second_copies
from domain.actions import owner, recipients
from domain.queue import QueueState
from domain.records import InvoiceCopy, Notice, Subscription, Watermark
from tests.domain.conftest import Town, person
from tests.domain.test_copies import renew


async def seconds() -> list[Notice]:
    """The copies that are for recipients, oldest first."""
    found = await Notice.filter(kind="invoice_copy").exclude(member_id=None).order_by("created_at", "member_id")
    return list(found)


async def look(town: Town) -> int:
    """A tick."""
    await copies.plan_due(town.desk)
    return await second_copies.plan_due()


async def paying(town: Town, *chosen: int) -> Subscription:
    """A subscription whose first copy went before anybody was chosen, and the members that were."""
    live = await town.upgraded()
    await look(town)
    town.move(minutes=5)
    members = [town.members[number] for number in chosen]
    await recipients.choose(town.desk, town.members[0], subscription=live, members=members)
    return live


async def test_I6_a_recipient_gets_the_next_copy_and_none_from_before(town: Town) -> None:
    live = await paying(town, 1, 2)
    assert await look(town) == 0
    await renew(town)
    assert await look(town) == 2
    copy = await InvoiceCopy.filter(subscription_id=live.id).order_by("-created_at").first()
    assert copy is not None
    found = await seconds()
    assert [each.member_id for each in found] == [town.members[1].id, town.members[2].id]
    assert {each.facts["invoice_id"] for each in found} == {copy.invoice_id}
    period = int(copy.period_start.timestamp())
    assert found[0].dedup_key == f"copy:{live.id}:{period}:{town.members[1].id}"
    assert {(each.in_working_hours, each.workspace_id) for each in found} == {(True, town.workspace)}


async def test_I2_I6_looked_at_again_and_by_several_at_once_it_is_one_each(town: Town) -> None:
    await paying(town, 1, 2)
    await renew(town)
    await copies.plan_due(town.desk)
    await asyncio.gather(*(second_copies.plan_due() for _ in range(5)))
    await Watermark.filter(id=second_copies.LOOKED).delete()
    assert await second_copies.plan_due() == 0
    assert len(await seconds()) == 2


async def test_I6_more_than_are_taken_at_once_all_get_theirs(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_copies, "BATCH", 2)
    await paying(town, 1, 2, 3, 4, 5)
    await renew(town)
    assert await look(town) == 5
    assert len({each.member_id for each in await seconds()}) == 5


async def test_I2_I6_a_scheduler_that_was_down_for_weeks_loses_no_copy(town: Town) -> None:
    await paying(town, 1)
    await renew(town)
    await copies.plan_due(town.desk)  # and it died before the rest
    town.move(days=40)
    assert await second_copies.plan_due() == 1


async def test_I6_a_copy_dated_before_the_last_look_but_committed_after_it_is_seen(town: Town) -> None:
    live = await paying(town, 1)
    await renew(town)
    dated = town.clock.now()
    town.move(minutes=8)
    await second_copies.plan_due()
    await copies.plan_due(town.desk)
    await InvoiceCopy.filter(subscription_id=live.id, created_at__gt=dated).update(created_at=dated)
    assert await second_copies.plan_due() == 1


async def test_I6_somebody_added_while_the_copies_are_planned_gets_one_or_none_and_then_each(town: Town) -> None:
    live = await paying(town)
    await renew(town)
    boss, finance, *_ = town.members
    await asyncio.gather(look(town), recipients.add(town.desk, boss, subscription=live, member=finance), look(town))
    await look(town)
    before = len(await seconds())
    assert before in {0, 1}
    await renew(town)
    await look(town)
    assert len(await seconds()) == before + 1


async def test_I6_who_was_removed_is_planned_no_copy_and_sent_none_that_waits(town: Town) -> None:
    live = await paying(town, 1, 2)
    await renew(town)
    await look(town)
    waiting, kept = await seconds()
    await recipients.remove(town.desk, town.members[0], subscription=await town.fresh(live), member=town.members[1])
    assert (await second_copies.is_wanted(waiting), await second_copies.is_wanted(kept)) == (False, True)
    await renew(town)
    assert await look(town) == 1


async def test_I6_who_has_left_is_sent_none_that_waits(town: Town) -> None:
    await paying(town, 1)
    await renew(town)
    await look(town)
    await directory.upsert_member(town.workspace, person(2, is_deactivated=True))
    assert not await second_copies.is_wanted((await seconds())[0])


async def test_I6_an_owner_who_is_also_listed_gets_one_copy(town: Town) -> None:
    live = await paying(town, 1)
    await owner.hand_over(town.desk, town.members[0], subscription=await town.fresh(live), to=town.members[1])
    await renew(town)
    assert await look(town) == 0
    assert await Notice.filter(kind="invoice_copy", owner_of_id=live.id).count() == 2  # one a period


async def finish(live: Subscription, sent_to: str) -> None:
    """The newest of the owner's copies has been sent."""
    copy: Any = await InvoiceCopy.filter(subscription_id=live.id).order_by("-created_at").first()
    await Notice.filter(id=copy.notice_id).update(state=QueueState.DONE, sent_to=sent_to)


async def test_I6_I1_billing_handed_to_a_recipient_whose_copy_waits_is_one_copy_for_them(town: Town) -> None:
    live = await paying(town, 1)
    await renew(town)
    await look(town)
    await owner.hand_over(town.desk, town.members[0], subscription=await town.fresh(live), to=town.members[1])
    [waiting] = await seconds()
    assert not await second_copies.is_wanted(waiting)  # the owner's copy, which waits too, is theirs
    await finish(live, "U002")
    assert not await second_copies.is_wanted(waiting)


async def test_I6_I1_when_the_former_owner_had_the_owners_copy_the_recipients_is_sent(town: Town) -> None:
    live = await paying(town, 1)
    await renew(town)
    await look(town)
    await finish(live, "U001")
    await owner.hand_over(town.desk, town.members[0], subscription=await town.fresh(live), to=town.members[1])
    assert await second_copies.is_wanted((await seconds())[0])


async def test_I6_a_later_subscription_of_the_same_workspace_begins_without_recipients(town: Town) -> None:
    live = await paying(town, 1)
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    await town.let_pass(days=370)
    assert not (await Subscription.get(id=live.id)).is_live
    again = await town.upgraded(by=town.members[3], owner=town.members[3])
    assert await look(town) == 0
    assert await recipients.listing(town.members[3], subscription=again) == []
