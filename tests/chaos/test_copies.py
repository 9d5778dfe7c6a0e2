"""The copy of each period, exactly one, when processes are killed between any two steps and Slack has its worst day (I1, I2)."""

import asyncio
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from domain import notices
from domain.actions import owner
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import InvoiceCopy, Notice, Subscription
from tests.bot.delivery.conftest import PostRoom, post_room, tell, town
from tests.chaos.counts import chance, count
from tests.chaos.machines import Machine
from tests.postgres import Postgres

__all__ = ["post_room", "town"]  # the fixtures
pytestmark = pytest.mark.timeout(1_800)

STEPS = [  # where the process is when it is killed; a call that is held has, or has not, taken effect
    ("conversations.open", "timeout_before"),  # claimed
    ("conversations.open", "timeout_after"),
    ("files.getUploadURLExternal", "timeout_before"),  # to whom is recorded
    ("files.getUploadURLExternal", "timeout_after"),
    ("upload", "timeout_before"),  # the file's id is recorded
    ("upload", "timeout_after"),
    ("files.completeUploadExternal", "timeout_before"),
    ("files.completeUploadExternal", "timeout_after"),  # sent, and not recorded
    ("", "at random"),
    ("chat.postMessage", "timeout_before"),  # the copy whose PDF can't be had: a message
    ("chat.postMessage", "timeout_after"),
    ("", "at random"),
]


def machine(post_room: PostRoom, database: str, tmp_path: Path, role: str = "worker", name: str = "worker") -> Machine:
    """`kassor serve` in front of the town's Slack."""
    slack = f"{post_room.slack.base_url}/api/"
    return Machine(post_room.town, database, role, tmp_path / f"{name}.log", slack=slack, token="xoxb-T1")


async def a_copy(live: Subscription, invoice_id: str) -> Notice:
    """The copy of one more period is due."""
    told = await notices.tell(
        NoticeKind.INVOICE_COPY,
        workspace_id="T1",
        facts={"invoice_id": invoice_id},
        dedup_key=f"copy:{uuid4()}",
        owner_of=live,
    )
    assert told is not None
    return told


async def settled(post_room: PostRoom, seconds: float = 60) -> None:
    """Wait until everything is sent, time passing as it does while leases run out and a look has to wait its minute."""
    async with asyncio.timeout(seconds):
        while await Notice.filter(state=QueueState.QUEUED).exists():
            await asyncio.sleep(0.4)
            post_room.town.move(seconds=25)
    assert await Notice.filter(state=QueueState.BURIED).count() == 0


async def test_I2_killed_between_any_two_steps_a_period_has_one_copy(
    post_room: PostRoom, database_url: str, tmp_path: Path
) -> None:
    live = await post_room.copy_due()
    reader, disorder = post_room.town.members[0], chance("kill")
    first = await post_room.notice()
    invoice_id = str(first.facts["invoice_id"])
    await InvoiceCopy.all().delete()
    await Notice.all().delete()
    worker = machine(post_room, database_url, tmp_path)
    worker.start()
    try:
        for number in range(count(6, 100)):
            method, kind = STEPS[(number * 2 + (database_url.startswith("sqlite"))) % len(STEPS)]
            text = method == "chat.postMessage"
            if method:
                post_room.fault(method, kind)
            if method == "conversations.open":
                await post_room.forget_dms()
            if text:
                await tell(reader, str(uuid4()))
            else:
                await a_copy(live, invoice_id)
            if method:
                await post_room.seen(lambda: not post_room.slack.faults.as_json())
                await asyncio.sleep(0.1)  # what was held takes effect, or doesn't
            else:
                await asyncio.sleep(disorder.random() * 1.5)
            worker.kill()
            worker.start()
            post_room.town.move(seconds=70)
            await settled(post_room)
            assert len(post_room.messages(reader)) == number + 1, (method, kind)
    finally:
        worker.kill()
    assert len({message["ts"] for message in post_room.messages(reader)}) == count(6, 100)


async def test_I2_a_day_of_storms_at_slack_loses_and_doubles_nothing(post_room: PostRoom) -> None:
    disorder, members = chance("storm"), post_room.town.members
    keys = [f"<{number}>" for number in range(count(24, 400))]
    for number, key in enumerate(keys):
        await tell(members[number % len(members)], key)
    methods = ["chat.postMessage", "conversations.open", "conversations.history", "*"]
    for _ in range(count(10, 150)):
        kind = disorder.choice(["rate_limited", "error", "error", "timeout_before", "timeout_after"])
        post_room.fault(disorder.choice(methods), kind, times=disorder.randint(1, 3), retry_after=5)
        await post_room.send()
        post_room.later(disorder.choice([1, 20, 70]))
    for each in post_room.slack.faults.as_json():
        post_room.fault(each["method"], each["kind"], times=0)
    for _ in range(400):
        if not await Notice.filter(state=QueueState.QUEUED).exists():
            break
        post_room.later(65)
        await post_room.send()
    said = Counter(
        key
        for who in members
        for each in post_room.messages(who)
        for key in keys
        if f"*{_escaped(key)}*" in each["text"]
    )
    assert {key: said[key] for key in keys if said[key] != 1} == {}


def _escaped(key: str) -> str:
    return key.replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(("kind", "has_it"), [("timeout_after", [1, 0]), ("timeout_before", [0, 1])])
async def test_I1_I2_an_owner_changed_mid_send_across_a_kill_means_one_of_them_has_the_copy(
    post_room: PostRoom, database_url: str, tmp_path: Path, kind: str, has_it: list[int]
) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    worker = machine(post_room, database_url, tmp_path)
    post_room.fault("files.completeUploadExternal", kind)
    worker.start()
    try:
        await post_room.seen(lambda: not post_room.slack.faults.as_json())
        await asyncio.sleep(0.1)
        worker.kill()
        await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[4])
        await Notice.exclude(kind="invoice_copy").delete()
        worker.start()
        post_room.town.move(seconds=70)
        await settled(post_room)
    finally:
        worker.kill()
    assert [len(post_room.files(town.members[number])) for number in (0, 4)] == has_it


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_I2_two_schedulers_and_four_senders_at_once_send_each_copy_once(
    post_room: PostRoom, database_url: str, tmp_path: Path
) -> None:
    live = await post_room.town.upgraded()
    post_room.working_hours()
    for number in range(count(60, 600)):
        await tell(post_room.town.members[number % 8], f"n{number}")
    expected = await Notice.all().count() + 1
    roles = ["scheduler"] * 2 + ["worker"] * 4
    machines = [
        machine(post_room, database_url, tmp_path, role, f"{role}{number}") for number, role in enumerate(roles)
    ]
    try:
        for each in machines:
            each.start()
        async with asyncio.timeout(120):
            while await Notice.filter(state=QueueState.QUEUED).exists() or not await InvoiceCopy.exists():  # noqa: ASYNC110 - for a row
                await asyncio.sleep(0.2)
    finally:
        for each in machines:
            await each.stop()
    assert await InvoiceCopy.filter(subscription_id=live.id).count() == 1
    assert sum(len(post_room.messages(member)) for member in post_room.town.members) >= expected - 1
    told = Counter(
        each["text"] for member in post_room.town.members for each in post_room.messages(member) if "*n" in each["text"]
    )
    assert set(told.values()) == {1}
    assert len(told) == count(60, 600)
    assert len(post_room.files(post_room.town.members[0])) == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_I2_a_database_that_restarts_mid_sending_loses_and_doubles_nothing(
    post_room: PostRoom, database_url: str, tmp_path: Path, postgres: Postgres
) -> None:
    for number in range(40):
        await tell(post_room.town.members[number % 8], f"n{number}")
    worker = machine(post_room, database_url, tmp_path)
    worker.start()
    try:
        await post_room.seen(lambda: sum(len(post_room.messages(who)) for who in post_room.town.members) > 4)
        await asyncio.to_thread(postgres.restart)
        await asyncio.sleep(1)
        post_room.town.move(seconds=70)
        await settled(post_room)
    finally:
        worker.kill()
    told = Counter(each["text"] for member in post_room.town.members for each in post_room.messages(member))
    assert (len(told), set(told.values())) == (40, {1})
