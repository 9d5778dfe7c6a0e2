"""The records come from a backup: what was sent since is in Slack and nowhere else, and is not sent a second time (I2)."""

from datetime import timedelta

import pytest

from domain import clock, copies, lapse, sync
from domain.notices import NoticeKind, tell
from domain.queue import QueueState
from domain.records import InvoiceCopy, Member, Notice, Subscription
from sandbox.stripe.payment import Payment
from tests.bot.delivery.conftest import PostRoom
from tests.bot.delivery.test_settled import to_pay_by_hand
from tests.domain.test_overdue import GOOD, last_invoice

FACTS = {"scope": "Design", "subscription": "sub_1", "plan": "premium", "interval": "year", "seats": 10}


async def restored(post_room: PostRoom) -> None:
    """What `kassor reconcile --restored` notes, a while later."""
    post_room.town.move(minutes=10)
    await lapse.note(clock.now() - timedelta(days=3))


async def forget_the_copy() -> None:
    """The backup is older than the period's copy."""
    await InvoiceCopy.all().delete()
    await Notice.all().delete()
    await Subscription.all().update(copied_period=None, copy_ask_at=clock.now())


async def forget_the_sending() -> None:
    """In the backup it was waiting."""
    await Notice.all().update(
        state=QueueState.QUEUED, done_at=None, sent_to=None, slack_channel=None, slack_ts=None, slack_file_id=None,
        sending_at=None, attempts=0,
    )  # fmt: skip


async def news(member: Member, key: str, **facts: object) -> Notice | None:
    return await tell(
        NoticeKind.SEATS_CHANGED,
        workspace_id=member.workspace_id,
        facts=FACTS | {"before": {"seats": 5, "plan": "premium", "interval": "year"}} | facts,
        dedup_key=key,
        member=member,
    )


async def test_I2_a_copy_that_was_paid_and_drawn_anew_since_the_backup_is_known_again(post_room: PostRoom) -> None:
    await to_pay_by_hand(post_room)
    invoice = last_invoice(post_room.town)
    await post_room.town.stripe.account.pay_invoice(invoice["id"], Payment("card", number=GOOD))
    await sync.invoice(post_room.town.desk, invoice["id"])
    await post_room.send()
    assert post_room.calls("chat.update") == 1
    await Notice.exclude(kind="invoice_again").delete()
    await forget_the_sending()
    await restored(post_room)
    await post_room.send(times=3, seconds=70)
    assert len(post_room.messages(post_room.town.members[0])) == 1


@pytest.mark.parametrize("forget", [forget_the_copy, forget_the_sending])
async def test_I2_a_copy_sent_since_the_backup_is_not_sent_again(post_room: PostRoom, forget: object) -> None:
    await post_room.copy_due()
    await post_room.send()
    reader = post_room.town.members[0]
    assert len(post_room.files(reader)) == 1
    assert callable(forget)
    await forget()
    await restored(post_room)
    await copies.plan_due(post_room.town.desk)
    await post_room.send(times=3, seconds=70)
    assert len(post_room.messages(reader)) == 1
    notice = await post_room.notice()
    assert (notice.state, notice.sent_to) == (QueueState.DONE, reader.slack_user_id)
    assert notice.slack_ts == post_room.messages(reader)[0]["ts"]


async def test_I2_a_copy_that_was_not_sent_before_the_loss_is_sent(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await restored(post_room)
    await post_room.send(times=2, seconds=70)
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I2_a_change_is_told_once_though_its_version_and_the_newest_invoice_are_others(
    post_room: PostRoom,
) -> None:
    reader = post_room.town.members[0]
    await news(reader, "seats_changed:sub_1:3", invoice="in_1")
    await post_room.send()
    await Notice.all().delete()
    await restored(post_room)
    await news(reader, "seats_changed:sub_1:2", invoice="in_2")
    await news(reader, "seats_changed:sub_1:4", invoice="in_3", seats=40)
    await post_room.send(times=3, seconds=70)
    assert len(post_room.messages(reader)) == 2


async def test_I2_other_news_under_a_key_that_was_used_before_is_told(post_room: PostRoom) -> None:
    reader = post_room.town.members[0]
    await news(reader, "seats_changed:sub_1:3", seats=15)
    await post_room.send()
    await Notice.all().delete()
    await restored(post_room)
    await news(reader, "seats_changed:sub_1:3", seats=20)
    await post_room.send(times=3, seconds=70)
    assert len(post_room.messages(reader)) == 2


async def test_once_it_has_caught_up_nothing_new_is_looked_for(post_room: PostRoom) -> None:
    await restored(post_room)
    post_room.town.move(hours=2)
    await news(post_room.town.members[0], "later")
    await post_room.send()
    assert len(post_room.messages(post_room.town.members[0])) == 1
    assert post_room.calls("conversations.history") == 0


async def test_a_copy_somebody_asked_for_is_not_taken_for_the_periods_own(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    await tell(
        NoticeKind.INVOICE_AGAIN,
        workspace_id="T1",
        facts={"invoice_id": live.latest_invoice_id},
        dedup_key="again:1",
        member=post_room.town.members[0],
    )
    await Notice.filter(kind="invoice_copy").update(available_at=clock.now() + timedelta(hours=1))
    await post_room.send()
    assert len(post_room.files(post_room.town.members[0])) == 1
    await Notice.filter(kind="invoice_again").delete()
    await Notice.all().update(available_at=clock.now())
    await restored(post_room)
    await post_room.send(times=2, seconds=70)
    assert len(post_room.files(post_room.town.members[0])) == 2
