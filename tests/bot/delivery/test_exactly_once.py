"""One copy a period, whatever Slack does and whenever we are cut off (I1, I2)."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.parcel import Parcel
from bot.delivery.sending import Post
from bot.manifest import SCOPES
from domain import notices, outbox, queue, sendings
from domain.actions import owner
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import DirectChannel, Notice
from sandbox.cast import Channel
from tests.bot.delivery.conftest import PostRoom, tell


async def test_I1_the_copy_arrives_once_with_its_pdf(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await post_room.send(times=3, seconds=120)
    assert len(post_room.messages(post_room.town.members[0])) == 1
    assert [name.endswith(".pdf") for name in post_room.files(post_room.town.members[0])] == [True]
    assert (await post_room.notice()).state == QueueState.DONE


@pytest.mark.parametrize(
    "method", ["conversations.open", "files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
)
@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error"])
async def test_I2_a_copy_whose_call_was_not_answered_arrives_once(post_room: PostRoom, method: str, kind: str) -> None:
    await post_room.copy_due()
    post_room.fault(method, kind)
    await post_room.send(times=4, seconds=120)
    assert len(post_room.messages(post_room.town.members[0])) == 1
    assert len(post_room.files(post_room.town.members[0])) == 1
    assert (await post_room.notice()).state == QueueState.DONE


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error", "503 in HTML"])
async def test_I2_a_message_whose_call_was_not_answered_arrives_once(post_room: PostRoom, kind: str) -> None:
    reader = post_room.town.members[0]
    await tell(reader, "x")
    if kind == "503 in HTML":
        post_room.fault("chat.postMessage", "error", error="service_unavailable")
    else:
        post_room.fault("chat.postMessage", kind)
    await post_room.send(times=4, seconds=120)
    assert len(post_room.messages(reader)) == 1
    assert (await post_room.notice("payment_mended")).slack_ts == post_room.messages(reader)[0]["ts"]


@pytest.mark.parametrize(
    ("text", "content_type"), [("<h1>Please sign in</h1>", "text/html"), ("all well", "text/plain"), ('{"ok": tr', "")]
)
@pytest.mark.parametrize("kind", ["message", "file"])
async def test_I2_what_arrived_arrives_once_though_something_else_answered_in_slacks_place(
    post_room: PostRoom, monkeypatch: pytest.MonkeyPatch, kind: str, text: str, content_type: str
) -> None:
    reader, real, garbled = post_room.town.members[0], web.json_response, asyncio.Event()

    def answered(answer: dict[str, Any], **how: Any) -> web.Response:
        if ({"message", "ts"} <= answer.keys() or "files" in answer) and not garbled.is_set():
            garbled.set()
            return web.Response(text=text, content_type=content_type or "application/json")
        return real(answer, **how)

    if kind == "message":
        await tell(reader, "x")
    else:
        await post_room.copy_due()
    monkeypatch.setattr(web, "json_response", answered)
    await post_room.send(times=4, seconds=120)
    assert garbled.is_set()
    assert len(post_room.messages(reader)) == 1
    assert not await Notice.exclude(state=QueueState.DONE).exists()


@pytest.mark.parametrize(("kind", "times"), [("timeout_before", 1), ("timeout_after", 2), ("error", 1)])
async def test_a_desks_message_whose_call_was_not_answered_comes_though_its_channel_may_not_be_read(
    post_room: PostRoom, kind: str, times: int
) -> None:
    """We ask for no permission to read channels: twice is no harm there, never is."""
    slack = post_room.slack.state
    slack.granted["T1"] = frozenset(SCOPES)
    workspace = slack.workspaces["T1"]
    workspace.channels["C1"] = Channel("C1", "T1", "desk", "", [workspace.bot_user_id])
    await notices.tell(
        NoticeKind.PAYMENT_MENDED, workspace_id="T1", facts={"scope": "x"}, dedup_key="desk", channel="C1"
    )
    post_room.fault("chat.postMessage", kind)
    await post_room.send(times=4, seconds=120)
    assert (await post_room.notice("payment_mended")).state == QueueState.DONE
    assert len(slack.messages["C1"]) == times


async def test_I2_nothing_is_looked_for_when_nothing_is_unknown(post_room: PostRoom) -> None:
    for key in ("a", "b", "c"):
        await tell(post_room.town.members[0], key)
    await post_room.send()
    assert len(post_room.messages(post_room.town.members[0])) == 3
    assert post_room.calls("conversations.history") == 0


async def test_I2_a_look_reads_on_over_pages_and_over_slacks_limit(post_room: PostRoom) -> None:
    reader = post_room.town.members[0]
    await tell(reader, "wanted")
    post_room.fault("chat.postMessage", "timeout_after")
    await post_room.send()
    channel = post_room.slack.state.dm(reader.slack_user_id)
    for number in range(40):  # three pages of fifteen, the one looked for on the last
        post_room.slack.state.post(channel, {"user": reader.slack_user_id, "text": str(number)})
    post_room.slack.api.limits.set({"on": True, "history": "distributed"})
    post_room.town.move(seconds=70)
    for _ in range(3):
        await post_room.send()
        post_room.slack.api.limits.set({"on": True, "history": "distributed"})  # a minute later
        post_room.town.move(seconds=70)
    await post_room.send()
    assert (await post_room.notice("payment_mended")).state == QueueState.DONE
    assert len([each for each in post_room.messages(reader) if each.get("bot_id")]) == 1
    assert post_room.slack.api.limits.refused >= 1


async def test_I2_a_workspace_is_looked_at_once_a_minute_at_most(post_room: PostRoom) -> None:
    for member in post_room.town.members[:3]:
        await tell(member, member.slack_user_id)
    post_room.fault("chat.postMessage", "timeout_after", times=3)
    await post_room.send()
    post_room.town.move(seconds=30)
    await post_room.send(times=3)
    assert post_room.calls("conversations.history") == 1
    await post_room.send(times=4, seconds=61)
    assert [len(post_room.messages(member)) for member in post_room.town.members[:3]] == [1, 1, 1]
    assert await Notice.filter(state=QueueState.DONE).count() == 3


async def test_I1_an_owner_changed_a_moment_before_gets_the_copy_and_the_former_does_not(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    await queue.claim(Notice, limit=9)  # taken already, and its lease runs out
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    await Notice.exclude(kind="invoice_copy").delete()
    await post_room.send(times=2, seconds=90)
    assert (len(post_room.files(town.members[0])), len(post_room.files(town.members[4]))) == (0, 1)


async def test_I1_an_owner_changed_while_the_pdf_is_fetched_gets_the_copy_alone(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    post_room.fault("conversations.open", "timeout_before")  # the message is written, its DM not yet open
    sending = asyncio.create_task(post_room.send())
    await post_room.seen(lambda: not post_room.slack.faults.as_json())
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    await Notice.exclude(kind="invoice_copy").delete()
    await sending
    await post_room.send(times=3, seconds=90)
    assert (len(post_room.files(town.members[0])), len(post_room.files(town.members[4]))) == (0, 1)


@pytest.mark.parametrize(("kind", "former", "new"), [("timeout_after", 1, 0), ("timeout_before", 0, 1)])
async def test_I1_I2_an_owner_changed_between_two_tries_means_one_of_them_has_it(
    post_room: PostRoom, kind: str, former: int, new: int
) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    post_room.fault("files.completeUploadExternal", kind)
    await post_room.send()
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    await Notice.exclude(kind="invoice_copy").delete()
    await post_room.send(times=4, seconds=90)
    assert (len(post_room.files(town.members[0])), len(post_room.files(town.members[4]))) == (former, new)


async def test_I2_an_owner_changed_as_the_message_is_begun_is_noticed_by_the_database(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    [[notice]] = (await outbox.claim()).values()
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
    stale = sendings.Beginning(notice, town.members[0].slack_user_id, "D1", town.members[0].id)
    right = sendings.Beginning(notice, town.members[4].slack_user_id, "D2", town.members[4].id)
    assert await sendings.begin([stale]) == [False]
    assert await sendings.begin([right]) == [True]
    notice.attempts += 1  # somebody who claimed it later
    assert await sendings.begin([right]) == [False]


async def test_I2_a_late_no_takes_nothing_back_that_another_has_begun(post_room: PostRoom) -> None:
    reader = post_room.town.members[0]
    await tell(reader, "x")
    [[hung]] = (await outbox.claim()).values()
    post_room.later(queue.LEASE.total_seconds() + 1)
    [[taken]] = (await outbox.claim()).values()
    assert await sendings.begin([sendings.Beginning(taken, reader.slack_user_id, "D1", None)]) == [True]
    await sendings.forget(hung)
    await taken.refresh_from_db()
    assert (taken.sent_to, taken.slack_channel) == (reader.slack_user_id, "D1")


async def test_I2_a_file_that_was_brought_too_slowly_is_left_to_whoever_has_the_notice_by_then(
    post_room: PostRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post_room.copy_due()
    real = Post._upload

    async def slowly(post: Post, client: AsyncWebClient, parcel: Parcel) -> str:
        file_id = await real(post, client, parcel)
        monkeypatch.undo()
        post_room.later(queue.LEASE.total_seconds() + 1)
        await post_room.another().send_due()
        assert len(post_room.files(post_room.town.members[0])) == 1
        return file_id

    monkeypatch.setattr(Post, "_upload", slowly)
    await post_room.send(times=2, seconds=70)
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I2_four_senders_at_once_send_each_message_once(post_room: PostRoom) -> None:
    for number in range(40):
        await tell(post_room.town.members[number % 8], f"n{number}")
    senders = [post_room.another() for _ in range(4)]
    while await Notice.filter(state=QueueState.QUEUED).exists():
        await asyncio.gather(*(sender.send_due() for sender in senders))
    said = [each["text"] for member in post_room.town.members for each in post_room.messages(member)]
    assert len(said) == len(set(said)) == 40


async def test_a_dm_is_opened_once_and_a_dead_one_is_opened_anew(post_room: PostRoom) -> None:
    reader = post_room.town.members[0]
    for key in ("a", "b"):
        await tell(reader, key)
        await post_room.send()
    assert post_room.calls("conversations.open") == 1
    await DirectChannel.filter(id=reader.id).update(channel="D0GONE")
    await tell(reader, "c")
    await post_room.send()
    assert post_room.calls("conversations.open") == 2
    assert len(post_room.messages(reader)) == 3


async def test_messages_to_one_person_come_in_their_order(post_room: PostRoom) -> None:
    reader = post_room.town.members[0]
    keys = [f"{number:02}" for number in range(6)]
    for key in keys:
        await tell(reader, key)
    await post_room.send()
    said = [each["text"] for each in post_room.messages(reader)]
    assert [key for text in said for key in keys if key in text] == keys


async def test_what_a_stopping_process_has_not_got_to_is_given_back(post_room: PostRoom) -> None:
    for number in range(5):
        await tell(post_room.town.members[0], f"n{number}")
    sending = asyncio.create_task(post_room.send())
    await post_room.seen(lambda: bool(post_room.messages(post_room.town.members[0])))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await Notice.filter(leased_until__not_isnull=True).count() == 0
    post_room.town.move(seconds=15)
    await post_room.send(times=4, seconds=61)
    assert len(post_room.messages(post_room.town.members[0])) == 5
