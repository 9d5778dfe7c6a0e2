"""Who can't be reached is not silence (I5, P3): the admins hear of it once, the copy waits, and goes when it can."""

import pytest

from domain import notices
from domain.actions import admins, owner
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import DirectChannel, Installation, Member, Notice, Subscription, Workspace
from sandbox.cast import Channel
from tests.bot.delivery.conftest import PostRoom, neighbours, tell

GONE = ["user_disabled", "user_not_found", "cannot_dm_bot", "messages_tab_disabled", "channel_not_found", "is_inactive"]


async def with_an_admin(post_room: PostRoom) -> None:
    live = await post_room.copy_due()
    town = post_room.town
    await admins.set_admins(town.desk, town.members[0], subscription=live, members=[town.members[2]])
    await Notice.exclude(kind="invoice_copy").delete()


@pytest.mark.parametrize("code", GONE)
async def test_I5_an_owner_slack_does_not_reach_is_told_to_the_admins_once_and_the_copy_waits(
    post_room: PostRoom, code: str
) -> None:
    await with_an_admin(post_room)
    town = post_room.town
    for _ in range(3):
        post_room.fault("conversations.open", "error", error=code)
        await post_room.outbox.send_due()
        await Notice.filter(kind="invoice_copy").update(available_at=town.clock.now())
    await post_room.send()
    told = await town.told("owner_unreachable")
    assert [each.member_id for each in told] == [town.members[2].id]
    assert len(post_room.files(town.members[0])) == 1  # by then they could be reached


@pytest.mark.parametrize("code", ["is_inactive", "channel_not_found"])
async def test_I5_a_known_dm_that_is_closed_is_opened_anew_before_anybody_is_given_up_on(
    post_room: PostRoom, code: str
) -> None:
    await with_an_admin(post_room)
    await DirectChannel.create(id=post_room.town.members[0].id, channel="D0OLD")
    post_room.fault("files.completeUploadExternal", "error", error=code)
    await post_room.send()
    assert len(post_room.files(post_room.town.members[0])) == 1
    assert await Notice.filter(kind="owner_unreachable").count() == 0


async def test_I5_the_copy_goes_to_whoever_takes_over(post_room: PostRoom) -> None:
    await with_an_admin(post_room)
    town = post_room.town
    await Member.filter(id=town.members[0].id).update(is_deactivated=True)
    await post_room.send()
    assert await post_room.waits()
    live = await post_room.notice()
    subscription = await live.owner_of
    await owner.claim(town.desk, town.members[2], subscription=subscription)
    await post_room.send()
    assert len(post_room.files(town.members[2])) == 1
    assert post_room.files(town.members[0]) == []


async def test_I5_the_copy_goes_at_once_to_whoever_takes_over_while_slack_is_asked(
    post_room: PostRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_an_admin(post_room)
    town, real = post_room.town, notices.tell_admins_owner_is_unreachable

    async def meanwhile(notice: Notice, person: Member) -> None:
        live = await Subscription.get(id=notice.owner_of_id)
        await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[2])
        await real(notice, person)

    monkeypatch.setattr(notices, "tell_admins_owner_is_unreachable", meanwhile)
    post_room.fault("conversations.open", "error", error="user_disabled")
    await post_room.send()
    monkeypatch.undo()
    await post_room.send()
    assert len(post_room.files(town.members[2])) == 1


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "token_expired"])
async def test_P3_a_dead_token_waits_for_a_new_installation_and_counts_against_nothing(
    post_room: PostRoom, code: str
) -> None:
    await post_room.copy_due()
    post_room.fault("*", "error", error=code)
    await post_room.send()
    assert not (await Workspace.get(id="T1")).installed
    assert (await post_room.notice()).attempts == 0
    await post_room.install("T1", post_room.town.members)
    await post_room.send()
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_P3_a_token_from_before_a_new_installation_takes_nothing_from_it(post_room: PostRoom) -> None:
    await post_room.copy_due()
    await tell(post_room.town.members[1], "x")
    await post_room.send()  # the token is in hand now
    await tell(post_room.town.members[1], "y")
    await Installation.all().update(installed_at=post_room.town.clock.now())  # by another process
    post_room.fault("chat.postMessage", "error", error="token_revoked")
    await post_room.send()
    assert await Installation.filter(revoked_at=None).count() == 1
    await post_room.send(times=2, seconds=65)  # nor does what it was to say wait as for an installation
    assert len(post_room.messages(post_room.town.members[1])) == 2


async def test_P3_a_desks_message_goes_when_the_workspace_that_has_the_channel_is_installed_again(
    post_room: PostRoom,
) -> None:
    [there] = await neighbours(post_room, 1)
    post_room.slack.state.revoked["xoxb-T2"] = "token_revoked"
    await notices.tell(
        NoticeKind.PAYMENT_MENDED, workspace_id="T1", facts={"scope": "x"}, dedup_key="desk", channel="C1"
    )
    await post_room.send()
    await post_room.install("T2", [there])
    desk = post_room.slack.state.workspaces["T2"]
    desk.channels["C1"] = Channel("C1", "T2", "desk", "", [desk.bot_user_id])
    await post_room.send()
    assert len(post_room.slack.state.messages["C1"]) == 1


async def test_P3_a_token_slack_does_not_accept_pauses_the_workspace_and_nothing_is_lost(post_room: PostRoom) -> None:
    await post_room.copy_due()
    post_room.fault("*", "error", error="invalid_auth")
    await post_room.send(times=2, seconds=10)
    assert await post_room.waits()
    assert (await post_room.notice()).attempts == 0
    assert (await Workspace.get(id="T1")).installed  # it may be our own mistake
    await post_room.send(times=2, seconds=300)
    assert len(post_room.files(post_room.town.members[0])) == 1


async def test_I5_other_news_for_somebody_who_is_gone_is_kept_as_undelivered(post_room: PostRoom) -> None:
    await tell(post_room.town.members[3], "x")
    post_room.fault("conversations.open", "error", error="user_disabled")
    await post_room.send()
    assert (await Notice.get(dedup_key="x")).state == QueueState.BURIED
