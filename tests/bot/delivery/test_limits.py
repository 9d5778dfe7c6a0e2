"""Slack's limits are kept, and whoever is limited, hangs or is gone keeps nobody else waiting."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.delivery.pace import Pace
from domain import clock, notices, outbox
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Notice, Pause
from sandbox.cast import Channel
from tests.bot.delivery.conftest import PostRoom, neighbours, tell


async def test_a_workspace_slack_limits_is_left_alone_by_every_process(post_room: PostRoom) -> None:
    for member in post_room.town.members:
        await tell(member, member.slack_user_id)
    post_room.fault("chat.postMessage", "rate_limited", retry_after=30, times=100)
    await post_room.send()
    asked = post_room.calls("chat.postMessage")
    await post_room.another().send_due()
    post_room.town.move(seconds=25)
    await post_room.another().send_due()
    assert post_room.calls("chat.postMessage") == asked <= 4


async def test_being_limited_counts_no_attempt_and_loses_nothing(post_room: PostRoom) -> None:
    for member in post_room.town.members:
        await tell(member, member.slack_user_id)
    for _ in range(4):
        post_room.fault("chat.postMessage", "rate_limited", retry_after=3, times=2)
        await post_room.send()
        post_room.town.move(seconds=4)
    assert await Notice.filter(state=QueueState.BURIED).count() == 0
    assert max(await Notice.filter(state=QueueState.QUEUED).values_list("attempts", flat=True), default=0) == 0
    post_room.fault("chat.postMessage", "rate_limited", times=0)
    await post_room.send(times=3, seconds=4)
    assert [len(post_room.messages(member)) for member in post_room.town.members] == [1] * 8


@pytest.mark.parametrize("trouble", ["rate_limited", "hangs", "revoked"])
async def test_a_workspace_in_trouble_delays_no_other(post_room: PostRoom, trouble: str) -> None:
    others = await neighbours(post_room, 5)
    for number in range(60):
        await tell(post_room.town.members[number % 8], f"n{number}")
    if trouble == "revoked":
        post_room.slack.state.revoked["xoxb-T1"] = "token_revoked"
    else:
        kind = "rate_limited" if trouble == "rate_limited" else "timeout_before"
        post_room.fault("chat.postMessage", kind, retry_after=30, times=4)
    first = asyncio.create_task(post_room.send())
    await post_room.seen(lambda: post_room.calls("conversations.open") > 0 or first.done())
    for member in others:
        await tell(member, member.slack_user_id)
    began = time.monotonic()
    await post_room.another().send_due()
    assert time.monotonic() - began < 1
    assert [len(post_room.messages(member)) for member in others] == [1] * 5
    await first


async def test_a_workspace_that_hangs_is_asked_ever_more_seldom(post_room: PostRoom) -> None:
    await tell(post_room.town.members[0], "x")
    pauses = []
    for _ in range(4):
        post_room.fault("conversations.open", "timeout_before")
        await post_room.send()
        pause = await Pause.get(id="T1")
        pauses.append((pause.until - clock.now()).total_seconds())
        post_room.town.clock.move_to(max(pause.until, (await Notice.get(dedup_key="x")).available_at))
    assert pauses[3] > 2 * pauses[0]
    assert (await Notice.get(dedup_key="x")).attempts == 0


async def test_ten_thousand_of_one_workspace_are_before_nobody(post_room: PostRoom) -> None:
    [other] = await neighbours(post_room, 1)
    now = clock.now()
    many = [
        Notice(
            kind=NoticeKind.PAYMENT_MENDED.value,
            facts={"scope": "x"},
            dedup_key=f"n{number}",
            workspace_id="T1",
            member=post_room.town.members[number % 8],
            available_at=now,
            created_at=now,
        )
        for number in range(10_000)
    ]
    await Notice.bulk_create(many, batch_size=1_000)
    await tell(other, "last")
    first, second = await outbox.claim(), await outbox.claim()
    assert {lane: len(each) for lane, each in first.items()} == {"T1": outbox.EACH}
    assert list(second) == ["T2"]


async def test_a_lane_is_one_processs_at_a_time(post_room: PostRoom) -> None:
    for number in range(30):
        await tell(post_room.town.members[0], f"n{number}")
    claims = await asyncio.gather(*(outbox.claim() for _ in range(6)))
    assert sorted(len(claim) for claim in claims) == [0, 0, 0, 0, 0, 1]


async def test_what_waits_for_its_hour_is_not_walked_over(post_room: PostRoom) -> None:
    await tell(post_room.town.members[0], "later", at=clock.now().replace(year=clock.now().year + 1))
    assert await outbox.claim() == {}
    assert not await outbox.is_due()
    due = await outbox.next_due()
    assert due is not None
    assert due.year == clock.now().year + 1


async def test_a_desks_channel_has_a_lane_of_its_own(post_room: PostRoom) -> None:
    await outbox.pause("T1", 60)
    await notices.tell(NoticeKind.AUDIT, workspace_id="T1", facts={"entry": 1}, dedup_key="a", channel="C1")
    assert list(await outbox.claim()) == ["C1"]


@pytest.mark.parametrize("no", ["org_login_required", "ratelimited"])
async def test_S1_what_slack_says_of_one_customer_keeps_no_message_from_the_desk(post_room: PostRoom, no: str) -> None:
    await neighbours(post_room, 1)
    desk = post_room.slack.state.workspaces["T2"]
    desk.channels["C1"] = Channel("C1", "T2", "desk", "", [desk.bot_user_id])
    await notices.tell(
        NoticeKind.PAYMENT_MENDED, workspace_id="T1", facts={"scope": "x"}, dedup_key="desk", channel="C1"
    )
    post_room.fault("conversations.info", "error", error=no)  # T1 is asked first
    await post_room.send()
    assert len(post_room.slack.state.messages["C1"]) == 1


@pytest.mark.usefixtures("post_room")
async def test_the_fleet_sends_no_more_than_its_budget() -> None:
    began = clock.now()
    waits = await asyncio.gather(outbox.spend(10, 10), outbox.spend(10, 10), outbox.spend(5, 10))
    assert round(min(waits), 1) == 0
    until = (await Pause.get(id=outbox.BUDGET)).until
    assert 2.4 < (until - began).total_seconds() < 3.0
    assert 0.5 < await outbox.budget_free_in() < 2.0


async def test_what_was_claimed_when_the_budget_could_not_be_written_is_claimed_again(
    post_room: PostRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.outbox.RENEW_EVERY", 0.02)
    monkeypatch.setattr("bot.delivery.outbox.LOOK_EVERY", 0.05)
    post_room.bot.desk = replace(post_room.bot.desk, settings=replace(post_room.bot.desk.settings, slack_budget=100))
    sender, real, failed = post_room.another(), outbox.spend, asyncio.Event()

    async def fails_once(messages: int, a_second: int) -> float:
        if failed.is_set():
            return await real(messages, a_second)
        failed.set()
        raise ConnectionError("the database went away for a moment")

    monkeypatch.setattr(outbox, "spend", fails_once)
    reader = post_room.town.members[0]
    await tell(reader, "x")
    stop = asyncio.Event()
    sending = asyncio.create_task(sender.run(stop))
    try:
        await failed.wait()
        for _ in range(3):
            await asyncio.sleep(0.1)
            post_room.later(40)
        await post_room.seen(lambda: len(post_room.messages(reader)) == 1)
    finally:
        stop.set()
        await sending


async def test_a_channel_has_two_at_once_and_then_one_a_second() -> None:
    pace = Pace(None)
    began = time.monotonic()
    for _ in range(2):
        await pace.turn("D1")
    assert time.monotonic() - began < 0.2
    await pace.turn("D1")
    assert 0.9 < time.monotonic() - began < 1.5
    await pace.turn("D2")
    assert time.monotonic() - began < 1.6
