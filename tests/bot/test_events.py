"""What Slack tells by itself (P1–P3), sent as Slack sends it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot import people
from bot.listeners import events
from domain import clock, directory
from domain.records import Installation, Member, Notice, Scope, Subscription, Workspace
from sandbox.slack import shapes
from tests.bot.conftest import BIG, Office, subscribed

DESIGN = "C0DESIGN1"


async def paying_channel(office: Office) -> tuple[Scope, Subscription]:
    """The channel #design has a plan of its own, Ebba's."""
    client = await office.bot.client_for(BIG)
    assert client is not None
    scope = await people.team(client, BIG, DESIGN)
    await people.hear(client, scope)
    return scope, await subscribed(scope, await Member.get(slack_user_id="U0EBBA005"))


async def size(office: Office, scope: Scope) -> int:
    return await directory.members_in(scope, office.bot.desk.catalogue)


async def test_P2_every_coming_and_going_changes_the_count_at_once(office: Office) -> None:
    seen = []
    for kind, about in (
        ("member_joined", {}),
        ("deactivated", {"user": "U0HUGO008"}),
        ("became_guest", {"user": "U0INGRID9"}),
        ("became_member", {"user": "U0INGRID9"}),
        ("reactivated", {"user": "U0HUGO008"}),
    ):
        await office.happens(kind, **about)
        seen.append(await office.members())
    assert seen == [19, 18, 17, 18, 19]


async def test_P2_a_profile_is_kept_as_slack_has_it(office: Office) -> None:
    await office.happens(
        "profile_changed", user="U0HUGO008", real_name="Hugo Berg", locale="en-GB", tz="Asia/Tokyo", email="h@b.example"
    )
    hugo = await Member.get(slack_user_id="U0HUGO008")
    assert (hugo.name, hugo.locale, hugo.tz, hugo.email) == ("Hugo", "en-GB", "Asia/Tokyo", "h@b.example")


async def test_P2_M6_who_joins_or_leaves_a_paying_channel_counts_there_at_once(office: Office) -> None:
    scope, live = await paying_channel(office)
    await office.happens("member_joined", user="U0ALICE01", channel=DESIGN)
    assert await size(office, scope) == 6
    told = await Notice.filter(kind="outgrown", owner_of_id=live.id)
    assert [(each.facts["members"], each.facts["size"]) for each in told] == [(6, 10)]
    await office.happens("member_left", user="U0ALICE01", channel=DESIGN)
    assert await size(office, scope) == 5


async def test_R6_a_stranger_who_joins_through_slack_connect_never_counts(office: Office) -> None:
    scope, _ = await paying_channel(office)
    await office.happens("member_joined", user="U1ANTON01", channel=DESIGN)
    stranger = shapes.user(office.user("U1ANTON01")) | {"is_stranger": True}
    await office.sends({"type": "user_change", "user": stranger})
    assert await size(office, scope) == 5
    assert await Member.filter(workspace_id=BIG, slack_user_id="U1ANTON01").count() == 0


async def test_P2_a_paying_channel_that_is_renamed_is_called_so(office: Office) -> None:
    scope, _ = await paying_channel(office)
    await office.happens("channel_renamed", channel=DESIGN, name="form")
    assert (await Scope.get(id=scope.id)).name == "#form"


async def test_P2_a_paying_channel_that_is_archived_keeps_its_members_and_its_owner_is_told_once(
    office: Office,
) -> None:
    scope, live = await paying_channel(office)
    for kind in ("channel_archived", "channel_unarchived", "channel_archived"):
        await office.happens(kind, channel=DESIGN)
    assert await size(office, scope) == 5
    assert await Notice.filter(kind="team_gone", owner_of_id=live.id).count() == 1
    assert (await Subscription.get(id=live.id)).is_live


async def test_P2_a_channel_that_is_back_is_read_again(office: Office) -> None:
    scope, _ = await paying_channel(office)
    await office.happens("channel_archived", channel=DESIGN)
    office.slack.state.workspaces[BIG].channels[DESIGN].members.remove("U0EBBA005")
    await office.happens("channel_unarchived", channel=DESIGN)
    assert await size(office, scope) == 4


@pytest.mark.parametrize("kind", ["channel_archived", "channel_renamed"])
async def test_a_channel_that_is_no_team_does_not_become_one(office: Office, kind: str) -> None:
    await office.happens(kind, channel="C0GENERAL", name="alla")
    assert await Scope.filter(slack_ref="C0GENERAL").count() == 0


async def test_P2_a_group_that_is_made_is_a_team_and_one_that_is_disabled_without_a_plan_is_empty(
    office: Office,
) -> None:
    await office.happens("group_created", handle="ekonomi", name="Ekonomi", users=["U0ALICE01", "U0HUGO008"])
    scope = await Scope.get(name="Ekonomi")
    assert await size(office, scope) == 2
    await office.happens("team_changed", usergroup=scope.slack_ref, add=["U0KLARA11"])
    assert await size(office, scope) == 3
    await office.happens("group_disabled", usergroup=scope.slack_ref)
    assert await size(office, scope) == 0
    await office.happens("group_enabled", usergroup=scope.slack_ref)
    assert await size(office, scope) == 3


# --- news that comes late, or two at once ---


async def test_P2_late_news_of_somebody_brings_back_nothing_that_was(office: Office) -> None:
    as_he_was = shapes.user(office.user("U0HUGO008"), locale=True)
    await office.happens("deactivated", user="U0HUGO008")
    await office.sends({"type": "user_change", "user": as_he_was})
    assert (await Member.get(slack_user_id="U0HUGO008")).is_deactivated


async def test_P2_news_that_tells_nothing_new_asks_slack_nothing(office: Office) -> None:
    before = office.calls("users.info")
    told = shapes.user(office.user("U0HUGO008"), locale=True)
    told["profile"]["status_text"] = "At lunch"
    await office.sends({"type": "user_change", "user": told})
    assert office.calls("users.info") == before


class Held:
    """What the first call of one of our own functions brought, or is about to do, waits; those that follow don't."""

    def __init__(self, real: Callable[..., Awaitable[Any]]) -> None:
        self.real = real
        self.there, self.go_on = asyncio.Event(), asyncio.Event()

    async def after(self, *given: Any) -> Any:
        answer = await self.real(*given)
        await self._waits()
        return answer

    async def before(self, *given: Any) -> Any:
        await self._waits()
        return await self.real(*given)

    async def _waits(self) -> None:
        if not self.there.is_set():
            self.there.set()
            await self.go_on.wait()


async def test_P2_of_two_news_of_somebody_at_once_the_later_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(events._as_slack_has_it)
    monkeypatch.setattr(events, "_as_slack_has_it", held.after)
    office.slack.happenings.happen({"type": "profile_changed", "user": "U0HUGO008", "tz": "Asia/Tokyo"})
    await held.there.wait()
    await asyncio.gather(*office.slack.sender.tasks)
    office.slack.happenings.happen({"type": "deactivated", "user": "U0HUGO008"})
    async with asyncio.timeout(10):
        while not (await Member.get(slack_user_id="U0HUGO008")).is_deactivated:  # noqa: ASYNC110 - a test waits
            await asyncio.sleep(0.01)
    held.go_on.set()
    await office.heard()
    assert (await Member.get(slack_user_id="U0HUGO008")).is_deactivated


async def test_P2_of_two_who_come_and_go_at_once_the_later_list_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, _ = await paying_channel(office)
    held = Held(people._set_team)
    monkeypatch.setattr(people, "_set_team", held.before)
    office.slack.happenings.happen({"type": "member_left", "user": "U0EBBA005", "channel": DESIGN})
    await held.there.wait()
    await asyncio.gather(*office.slack.sender.tasks)
    for user in ("U0ALICE01", "U0EBBA005"):
        office.slack.happenings.happen({"type": "member_joined", "user": user, "channel": DESIGN})
    async with asyncio.timeout(10):
        while await size(office, scope) != 6:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    held.go_on.set()
    await office.heard()
    assert await size(office, scope) == 6


async def test_P2_late_news_of_a_team_that_was_gone_and_is_back_takes_nothing(office: Office) -> None:
    scope, live = await paying_channel(office)
    await office.sends({"type": "channel_archive", "channel": DESIGN, "user": "U0ALICE01", "is_moved": 0})
    assert await Notice.filter(kind="team_gone", owner_of_id=live.id).count() == 0
    group = await Scope.get(slack_ref="S0DESIGN1")
    disabled = shapes.usergroup(office.slack.state.workspaces[BIG].usergroups["S0DESIGN1"]) | {"date_delete": 1}
    await office.sends({"type": "subteam_updated", "subteam": disabled})
    assert (await size(office, scope), await size(office, group)) == (5, 5)


async def test_P2_a_workspace_that_is_renamed(office: Office) -> None:
    await office.happens("workspace_renamed", name="Nordanvind")
    assert (await Workspace.get(id=BIG)).name == "Nordanvind"


async def test_P1_an_owner_who_goes_is_noticed_also_while_slack_will_not_have_them_read(office: Office) -> None:
    live = await subscribed(await directory.whole(BIG), await Member.get(slack_user_id="U0HUGO008"))
    office.slack.api.faults.add({"method": "users.info", "kind": "rate_limited", "times": 5})
    gone = shapes.user(office.user("U0HUGO008"), locale=False) | {"deleted": True}
    await office.sends({"type": "user_change", "user": gone})
    hugo = await Member.get(slack_user_id="U0HUGO008")
    assert (hugo.is_deactivated, hugo.locale) == (True, "sv-SE")
    told = await Notice.filter(kind="owner_gone")
    assert [each.facts["subscription"] for each in told] == [live.id]


async def test_P3_uninstalled_it_is_quiet_there_and_only_there(office: Office) -> None:
    await office.happens("app_uninstalled")
    installed = dict(await Workspace.all().values_list("id", "installed"))
    assert installed == {BIG: False, "T1PIXEL01": True}
    assert await office.bot.client_for(BIG) is None


async def test_P3_P1_reinstalled_it_notices_what_happened_meanwhile(office: Office) -> None:
    await subscribed(await directory.whole(BIG), await Member.get(slack_user_id="U0HUGO008"))
    await office.happens("app_uninstalled")
    await office.happens("deactivated", user="U0HUGO008")  # nobody tells us
    office.joins("U0NEW0001")
    await office.install(BIG)
    assert await office.members() == 18
    assert await Notice.filter(kind="owner_gone").count() == 1


def revoked(tokens: dict[str, list[str]]) -> dict[str, Any]:
    return {"type": "tokens_revoked", "tokens": tokens}


async def test_P3_somebody_elses_token_taken_back_is_none_of_ours(office: Office) -> None:
    await office.sends(revoked({"oauth": ["U0ALICE01"], "bot": []}))
    assert (await Workspace.get(id=BIG)).installed
    await office.sends(revoked({"oauth": [], "bot": ["U0KASSOR1"]}))
    assert not (await Workspace.get(id=BIG)).installed


@pytest.mark.parametrize("event", [{"type": "app_uninstalled"}, revoked({"bot": ["U0KASSOR1"]})])
@pytest.mark.parametrize("dated_by", ["event_ts", "event_time"])
async def test_P3_news_of_an_uninstall_from_before_the_reinstall_takes_nothing(
    office: Office, event: dict[str, Any], dated_by: str
) -> None:
    late = office.slack.sender._envelope(office.slack.state.workspaces[BIG], event)
    if dated_by == "event_time":
        del late["event"]["event_ts"]
    office.clock.move_to(clock.now().replace(year=clock.now().year + 1))
    await office.install(BIG)
    assert await office.slack.sender._delivered(late)
    await office.heard()
    assert (await Workspace.get(id=BIG)).installed
    assert await Installation.filter(team_id=BIG, revoked_at=None).count() == 1
