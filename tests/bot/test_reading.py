"""The daily reading (P2): what events missed is mended, over real HTTP, once, at Slack's own pace."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from bot import people, reading
from domain import clock, directory
from domain.records import Member, Notice, Scope, Workspace
from tests.bot.conftest import BIG, SMALL, Office, subscribed
from tests.bot.test_installations import hours_pass, installed


async def test_P2_what_dropped_events_left_behind_is_mended_within_a_day_and_logged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    assert await office.members() == 18
    office.joins("U0NEW0001")
    office.user("U0BJORN02").deleted = True
    office.user("U0CARIN03").is_restricted = True
    office.user("U0DAVID04").locale = "sv-SE"
    assert await reading.read_due(office.bot) == 0  # not due yet
    assert await office.members() == 18
    office.a_day_passes()
    with caplog.at_level(logging.WARNING, "kassor.reading"):
        assert await reading.read_due(office.bot) == 2
    assert await office.members() == 17
    said = [each.getMessage() for each in caplog.records if BIG in each.getMessage()]
    assert any("1 not known: U0NEW0001" in line for line in said), said
    assert any("3 changed: U0BJORN02, U0CARIN03, U0DAVID04" in line for line in said), said
    assert (await Member.get(slack_user_id="U0DAVID04")).locale == "sv-SE"


async def test_P2_a_reading_that_finds_everything_as_it_was_says_nothing(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.a_day_passes()
    with caplog.at_level(logging.WARNING, "kassor.reading"):
        assert await reading.read_due(office.bot) == 2
    assert [each.getMessage() for each in caplog.records] == []


async def test_P2_user_groups_and_paying_channels_are_read_too(office: Office) -> None:
    client = await office.bot.client_for(BIG)
    assert client is not None
    channel = await people.team(client, BIG, "C0DESIGN1")
    await subscribed(channel, await Member.get(slack_user_id="U0EBBA005"))
    group = await Scope.get(slack_ref="S0DESIGN1")
    home = office.slack.state.workspaces[BIG]
    home.channels["C0DESIGN1"].members.append("U0ALICE01")
    home.usergroups["S0DESIGN1"].users.pop()
    office.a_day_passes()
    await reading.read_due(office.bot)
    assert await directory.members_in(channel, office.bot.desk.catalogue) == 6
    assert await directory.members_in(group, office.bot.desk.catalogue) == 4


@pytest.mark.parametrize("what", ["group", "channel"])
async def test_P2_a_paying_team_that_vanished_unheard_keeps_its_members_and_its_owner_hears_of_it(
    office: Office, what: str
) -> None:
    client = await office.bot.client_for(BIG)
    assert client is not None
    home = office.slack.state.workspaces[BIG]
    if what == "group":
        scope = await Scope.get(slack_ref="S0DESIGN1")
        home.usergroups["S0DESIGN1"].deleted_at = 1_700_000_000
    else:
        scope = await people.team(client, BIG, "C0DESIGN1")
        home.channels["C0DESIGN1"].is_archived = True
    live = await subscribed(scope, await Member.get(slack_user_id="U0EBBA005"))
    for _ in range(2):
        office.a_day_passes()
        await reading.read_due(office.bot)
    assert await directory.members_in(scope, office.bot.desk.catalogue) == 5
    assert await Notice.filter(kind="team_gone", owner_of_id=live.id).count() == 1


async def test_P1_P2_an_owner_whose_going_was_missed_is_noticed_by_the_reading(office: Office) -> None:
    live = await subscribed(await directory.whole(BIG), await Member.get(slack_user_id="U0BJORN02"))
    office.user("U0BJORN02").deleted = True
    office.a_day_passes()
    await reading.read_due(office.bot)
    alice = await Member.get(slack_user_id="U0ALICE01")  # Slack's own admin; there is no other
    told = await Notice.filter(kind="owner_gone")
    assert [(each.member_id, each.facts["subscription"]) for each in told] == [(alice.id, live.id)]


async def test_P2_what_is_heard_while_a_long_list_is_read_is_not_overwritten_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PAGE", 1)
    client = await office.bot.client_for(BIG)
    assert client is not None
    before = office.calls("users.list")
    reading_it = asyncio.create_task(people.read_everybody(client, BIG))
    async with asyncio.timeout(10):
        while office.calls("users.list") - before < 5:  # noqa: ASYNC110 - Slack has no event to wait for
            await asyncio.sleep(0.001)
    assert not reading_it.done()
    first = await Member.filter(workspace_id=BIG).order_by("slack_user_id").first()  # on the first page, still with us
    assert first is not None
    facts = (await directory.members_by_id(BIG))[first.slack_user_id]
    await directory.upsert_member(BIG, replace(facts, is_deactivated=True))
    await reading_it
    assert (await Member.get(id=first.id)).is_deactivated


async def test_P2_nobody_counts_as_gone_after_a_list_that_has_no_end(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(people, "PAGE", 1)
    monkeypatch.setattr(people, "MOST_PAGES", 3)
    client = await office.bot.client_for(BIG)
    assert client is not None
    assert (await people.read_everybody(client, BIG)).gone == []
    assert await office.members() == 18
    assert "has no end after 3 pages" in caplog.text


async def test_P2_teams_slack_would_not_tell_of_are_read_again_in_a_while_and_not_in_a_day(office: Office) -> None:
    group = await Scope.get(slack_ref="S0DESIGN1")
    office.slack.state.workspaces[BIG].usergroups["S0DESIGN1"].users.pop()
    office.a_day_passes()
    office.slack.faults.add({"method": "usergroups.list", "kind": "error", "times": 2})
    await reading.read_due(office.bot)
    assert await directory.members_in(group, office.bot.desk.catalogue) == 5
    office.clock.move_to(office.clock.now() + reading.LEASE)
    assert await reading.read_due(office.bot) == 2
    assert await directory.members_in(group, office.bot.desk.catalogue) == 4


async def test_P2_one_channel_slack_will_not_tell_of_keeps_no_other_from_being_read(office: Office) -> None:
    client = await office.bot.client_for(BIG)
    assert client is not None
    home = office.slack.state.workspaces[BIG]
    for name in ("C0DESIGN1", "C0GENERAL"):  # in their order
        scope = await people.team(client, BIG, name)
        await subscribed(scope, await Member.get(slack_user_id="U0EBBA005"))
        home.channels[name].members.append("U0NEW0001")
    office.joins("U0NEW0001")
    office.a_day_passes()
    office.slack.faults.add({"method": "conversations.info", "kind": "error", "error": "access_denied"})
    await reading.read_due(office.bot)
    newcomer = await Member.get(slack_user_id="U0NEW0001")
    there = await Scope.filter(memberships__member_id=newcomer.id).values_list("slack_ref", flat=True)
    assert there == ["C0GENERAL"]


async def test_P2_several_workers_read_a_workspace_once(office: Office) -> None:
    office.a_day_passes()
    before = office.calls("users.list")
    read = await asyncio.gather(*(reading.read_due(office.bot) for _ in range(5)))
    assert sum(read) == 2
    assert office.calls("users.list") - before == 2


async def test_P2_a_worker_that_died_while_reading_is_followed_by_another(office: Office) -> None:
    office.joins("U0NEW0001")
    office.a_day_passes()
    assert await reading._take() == BIG  # and nothing more is heard of it
    assert await reading.read_due(office.bot) == 1  # the other workspace
    office.clock.move_to(office.clock.now() + reading.LEASE)
    assert await reading.read_due(office.bot) == 1
    assert await office.members() == 19


async def test_P2_slacks_limits_are_honoured_and_the_reading_goes_on_after_them(office: Office) -> None:
    office.joins("U0NEW0001")
    office.slack.api.faults.add({"method": "users.list", "kind": "rate_limited", "times": 2, "retry_after": 1})
    office.a_day_passes()
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await reading.read_due(office.bot) == 2
    assert loop.time() - began >= 2
    assert await office.members() == 19


async def test_P2_a_reading_slack_has_no_answer_to_changes_nothing_and_is_tried_again(office: Office) -> None:
    office.joins("U0NEW0001")
    office.slack.api.faults.add({"method": "users.list", "kind": "error", "times": 1, "error": "internal_error"})
    office.a_day_passes()
    assert await reading.read_due(office.bot) == 2
    assert await office.members() == 18
    office.clock.move_to(office.clock.now() + reading.LEASE)
    assert await reading.read_due(office.bot) == 1
    assert await office.members() == 19


async def test_P2_an_empty_answer_does_not_make_everybody_leave(office: Office) -> None:
    office.slack.state.workspaces[SMALL].users.clear()
    office.a_day_passes()
    assert await reading.read_due(office.bot) == 2
    assert await office.members(SMALL) == 4


async def test_P3_a_workspace_whose_token_is_gone_is_skipped_until_it_is_installed_again(office: Office) -> None:
    home = office.slack.state.workspaces[BIG]
    office.slack.state.revoked[home.bot_token] = "token_revoked"
    office.a_day_passes()
    assert await reading.read_due(office.bot) == 2
    assert (await Workspace.get(id=BIG)).installed is False
    assert await office.members() == 18  # nobody is thought to have left
    office.a_day_passes()
    before = office.calls("users.list")
    assert await reading.read_due(office.bot) == 1
    assert office.calls("users.list") - before == 1


async def test_P2_a_workspace_whose_first_reading_failed_is_read_by_the_worker_and_not_priced_before(
    office: Office,
) -> None:
    await Workspace.filter(id=SMALL).update(members_read_at=None)
    assert await reading.read_due(office.bot) == 0  # whoever installs it is probably at it
    office.slack.api.faults.add({"method": "users.list", "kind": "error", "times": 1, "error": "internal_error"})
    office.clock.move_to(office.clock.now() + reading.NEVER_READ)
    assert await reading.read_due(office.bot) == 1
    assert (await Workspace.get(id=SMALL)).members_read_at is None
    office.clock.move_to(office.clock.now() + reading.LEASE)
    assert await reading.read_due(office.bot) == 1
    assert (await Workspace.get(id=SMALL)).members_read_at is not None


async def test_R6_people_of_other_companies_in_a_shared_channel_never_count(office: Office) -> None:
    home = office.slack.state.workspaces[BIG]
    home.channels["C0DESIGN1"].members.append("U1ANTON01")
    client = await office.bot.client_for(BIG)
    assert client is not None
    channel = await people.team(client, BIG, "C0DESIGN1")
    everybody_counts = replace(office.bot.desk.catalogue, count_guests=True)
    assert await directory.members_in(channel, everybody_counts) == 5
    assert await people.member(client, BIG, "U1ANTON01") is None
    assert await Member.filter(workspace_id=BIG, slack_user_id="U1ANTON01").count() == 0


async def test_P2_somebody_new_who_is_named_in_a_team_before_their_own_event_counts_there(office: Office) -> None:
    office.joins("U0NEW0001")
    office.slack.state.workspaces[BIG].usergroups["S0DESIGN1"].users.append("U0NEW0001")
    client = await office.bot.client_for(BIG)
    assert client is not None
    await people.read_groups(client, BIG)
    assert await directory.members_in(await Scope.get(slack_ref="S0DESIGN1"), office.bot.desk.catalogue) == 6


async def test_a_channel_shared_with_many_of_another_company_opens_before_slack_has_done_waiting(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.slack.state.workspaces[BIG].channels["C0DESIGN1"].members += [f"U9GUEST{each:02}" for each in range(20)]
    real = people.member

    async def far_away(*given: Any) -> Member | None:
        await asyncio.sleep(0.2)  # an ordinary call to Slack
        return await real(*given)

    monkeypatch.setattr(people, "member", far_away)
    done = await office.slack.acting.command("U0EBBA005", "dm", "/upgrade", "#design")
    await office.heard()
    assert done["ok"]
    assert "C0DESIGN1" in str(office.slack.state.views.get("U0EBBA005"))


# --- what Slack says of one person ---


@pytest.mark.parametrize(
    ("user", "facts"),
    [
        ({"id": "USLACKBOT"}, {"is_bot": True}),
        ({"id": "U1", "is_bot": True}, {"is_bot": True}),
        ({"id": "U1", "deleted": True}, {"is_deactivated": True}),
        ({"id": "U1", "is_restricted": True}, {"is_guest": True}),
        ({"id": "U1", "is_ultra_restricted": True}, {"is_guest": True}),
        ({"id": "U1", "is_admin": True}, {"is_workspace_admin": True}),
        ({"id": "U1", "is_owner": True}, {"is_workspace_admin": True}),
    ],
)
def test_R5_what_slack_says_of_a_person_is_understood(user: dict[str, Any], facts: dict[str, bool]) -> None:
    found = people.facts_of(user)
    names = ("is_bot", "is_guest", "is_deactivated", "is_workspace_admin")
    assert {name: getattr(found, name) for name in names} == dict.fromkeys(names, False) | facts


@pytest.mark.parametrize(
    ("user", "ours"),
    [
        ({"id": "U1"}, True),
        ({"id": "U1", "team_id": "T1"}, True),
        ({"id": "U1", "team_id": "T2"}, False),
        ({"id": "U1", "team_id": "T1", "is_stranger": True}, False),
        ({"id": "U1", "team_id": "E1", "enterprise_user": {"teams": ["T9", "T1"]}}, True),
        ({"id": "U1", "team_id": "E1", "enterprise_user": {"teams": ["T9"]}}, False),
    ],
)
def test_R5_who_is_of_the_workspace(user: dict[str, Any], ours: bool) -> None:
    assert people.is_of(user, "T1") is ours


# --- a token that is replaced while a long list is read ---


async def held_up(office: Office) -> asyncio.Task[bool]:
    """The daily reading of the big workspace, which Slack has asked to wait a second."""
    office.a_day_passes()
    await Workspace.filter(id=SMALL).update(members_read_at=clock.now())
    office.slack.api.faults.add({"method": "users.list", "kind": "rate_limited", "times": 1, "retry_after": 1})
    before = office.calls("users.list")
    reading_it = asyncio.create_task(reading.read_one(office.bot))
    async with asyncio.timeout(10):
        while office.calls("users.list") == before:  # noqa: ASYNC110 - Slack has no event to wait for
            await asyncio.sleep(0.01)
    return reading_it


async def test_P3_a_reading_that_outlived_its_install_takes_nothing_from_the_next_one(office: Office) -> None:
    reading_it = await held_up(office)
    home = office.slack.state.workspaces[BIG]
    office.slack.state.revoked[home.bot_token] = "account_inactive"
    home.bot_token = "xoxb-sandbox-another"
    await office.install(BIG)
    assert await reading_it
    assert (await Workspace.get(id=BIG)).installed
    assert await office.bot.client_for(BIG) is not None


async def test_P3_a_reading_that_outlived_its_token_leaves_the_one_it_was_exchanged_for(office: Office) -> None:
    office.slack.oauth.rotates = True
    assert await installed(office, BIG) == 200
    await office.bot.read_soon(BIG)
    reading_it = await held_up(office)
    hours_pass(office, 11)
    assert await office.bot.client_for(BIG) is not None  # a message was due meanwhile, and needed the next token
    hours_pass(office, 2)
    assert await reading_it
    assert (await Workspace.get(id=BIG)).installed
    assert await office.bot.client_for(BIG) is not None


async def test_P3_a_token_that_slack_does_not_take_for_now_is_not_thrown_away(office: Office) -> None:
    office.a_day_passes()
    await Workspace.filter(id=SMALL).update(members_read_at=clock.now())
    office.slack.api.faults.add({"method": "users.list", "kind": "error", "times": 1, "error": "invalid_auth"})
    assert await reading.read_one(office.bot)  # such as from an address the workspace doesn't let in
    assert (await Workspace.get(id=BIG)).installed
    assert await office.bot.client_for(BIG) is not None
