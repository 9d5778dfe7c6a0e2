"""What happens to people, groups, channels and the app reaches the app as Slack tells it, in the published shapes."""

import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack.town import ALICE, BJORN, Town

DESIGN, PRIVATE = "S0DESIGN1", "C0AUDIT001"

# The keys of docs.slack.dev/reference/events and of the samples in Slack's Java SDK that an app relies on.
ENVELOPE = {
    *("token", "team_id", "api_app_id", "event", "type", "event_id", "event_time", "authorizations"),
    *("is_ext_shared_channel", "event_context"),
}
USER = {
    *(
        "id",
        "team_id",
        "name",
        "deleted",
        "real_name",
        "tz",
        "tz_label",
        "tz_offset",
        "profile",
        "is_admin",
        "is_owner",
    ),
    *("is_restricted", "is_ultra_restricted", "is_bot", "updated", "locale"),
}
SUBTEAM = {
    *("id", "team_id", "is_usergroup", "name", "handle", "date_create", "date_update", "date_delete", "deleted_by"),
    *("created_by", "updated_by", "prefs", "users", "user_count"),
}
CHANGED = {
    *("type", "subteam_id", "team_id", "date_previous_update", "date_update", "added_users", "added_users_count"),
    *("removed_users", "removed_users_count", "event_ts"),
}


@pytest.mark.parametrize(
    ("happening", "more", "type_", "keys", "inner"),
    [
        ("member_joined", {"name": "Ada Berg"}, "team_join", {"user"}, USER),
        ("member_left", {"user": BJORN}, "user_change", {"user", "cache_ts"}, USER),
        ("deactivated", {"user": BJORN}, "user_change", {"user", "cache_ts"}, USER),
        ("reactivated", {"user": "U0GONE020"}, "user_change", {"user", "cache_ts"}, USER),
        ("became_guest", {"user": BJORN}, "user_change", {"user", "cache_ts"}, USER),
        ("became_member", {"user": "U0GUEST19"}, "user_change", {"user", "cache_ts"}, USER),
        ("profile_changed", {"user": BJORN, "tz": "Asia/Tokyo"}, "user_change", {"user", "cache_ts"}, USER),
        ("team_changed", {"usergroup": DESIGN, "add": [BJORN]}, "subteam_members_changed", CHANGED, None),
        ("team_changed", {"usergroup": DESIGN, "add": [BJORN]}, "subteam_updated", {"subteam"}, SUBTEAM),
        ("group_created", {"handle": "nordic"}, "subteam_created", {"subteam"}, SUBTEAM),
        ("group_disabled", {"usergroup": DESIGN}, "subteam_updated", {"subteam"}, SUBTEAM),
        (
            "channel_renamed",
            {"channel": "C0DESIGN1", "name": "form"},
            "channel_rename",
            {"channel"},
            {"id", "name", "created"},
        ),
        (
            "channel_renamed",
            {"channel": PRIVATE, "name": "granskning"},
            "group_rename",
            {"channel"},
            {"id", "name", "created"},
        ),
        ("channel_archived", {"channel": "C0DESIGN1"}, "channel_archive", {"channel", "user"}, None),
        ("channel_archived", {"channel": PRIVATE}, "group_archive", {"channel", "user"}, None),
        ("workspace_renamed", {"name": "Fjällvind AB"}, "team_rename", {"name", "team_id"}, None),
        ("app_uninstalled", {}, "app_uninstalled", set(), None),
        ("tokens_revoked", {}, "tokens_revoked", {"tokens"}, {"oauth", "bot"}),
    ],
)
async def test_each_happening_arrives_as_slacks_own_event(
    town: Town, happening: str, more: dict[str, Any], type_: str, keys: set[str], inner: set[str] | None
) -> None:
    await town.happens(happening, **more)
    envelope = next(each for each in town.app.events if each["event"]["type"] == type_)
    assert envelope.keys() >= ENVELOPE
    event = envelope["event"]
    assert keys | {"type", "event_ts"} <= event.keys()
    if inner is not None:
        assert inner <= next(value for name, value in event.items() if isinstance(value, dict)).keys()


async def test_somebody_deactivated_is_told_as_deleted_and_cannot_act_any_more(town: Town) -> None:
    await town.happens("deactivated", user=BJORN)
    assert town.app.told("user_change")[0]["user"]["deleted"] is True
    answer = await town.control("command", user=BJORN, channel="dm", command="/billing", text="")
    assert answer["status"] == 400


async def test_a_changed_profile_carries_the_new_time_zone_and_its_offset(town: Town) -> None:
    await town.happens(
        "profile_changed", user=ALICE, tz="Asia/Tokyo", locale="sv-SE", name="Alice Berg", email="a@b.example"
    )
    user = town.app.told("user_change")[0]["user"]
    assert (user["tz"], user["tz_offset"], user["locale"]) == ("Asia/Tokyo", 9 * 3600, "sv-SE")
    assert (user["profile"]["real_name"], user["profile"]["email"]) == ("Alice Berg", "a@b.example")


async def test_the_members_who_came_and_went_are_named(town: Town) -> None:
    await town.happens("team_changed", usergroup=DESIGN, add=[BJORN], remove=["U0EBBA005"])
    event = town.app.told("subteam_members_changed")[0]
    assert (event["added_users"], event["removed_users"]) == ([BJORN], ["U0EBBA005"])
    told: Any = await town.client.usergroups_users_list(usergroup=DESIGN)
    assert BJORN in told["users"]
    assert "U0EBBA005" not in told["users"]


async def test_a_disabled_group_is_listed_only_for_those_who_ask_for_it(town: Town) -> None:
    await town.happens("group_disabled", usergroup=DESIGN)
    assert town.app.told("subteam_updated")[0]["subteam"]["date_delete"] > 0
    in_use: Any = await town.client.usergroups_list()
    assert DESIGN not in [each["id"] for each in in_use["usergroups"]]
    every: Any = await town.client.usergroups_list(include_disabled=True)
    assert DESIGN in [each["id"] for each in every["usergroups"]]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await town.client.usergroups_users_list(usergroup=DESIGN)


async def test_nothing_can_be_posted_in_an_archived_channel(town: Town) -> None:
    await town.happens("channel_archived", channel="C0SUPPORT1")
    with pytest.raises(SlackApiError, match="is_archived"):
        await town.client.chat_postMessage(channel="C0SUPPORT1", text="Anybody here?")


async def test_a_renamed_channel_keeps_its_id_and_remembers_its_name(town: Town) -> None:
    await town.happens("channel_renamed", channel="C0DESIGN1", name="form")
    told: Any = await town.client.conversations_info(channel="C0DESIGN1")
    assert (told["channel"]["name"], told["channel"]["previous_names"]) == ("form", ["design"])


async def test_an_uninstalled_app_is_told_so_and_its_token_is_dead_for_good(town: Town) -> None:
    old = town.client.token
    await town.happens("app_uninstalled")
    with pytest.raises(SlackApiError, match="account_inactive"):
        await town.client.auth_test()
    state = town.world.slack.state
    state.codes["code"] = "T0FJALL01"
    credentials = town.world.credentials
    form = {"client_id": credentials.client_id, "client_secret": credentials.client_secret, "code": "code"}
    told: Any = await town.client.api_call("oauth.v2.access", data=form)
    assert told["access_token"] != old
    with pytest.raises(SlackApiError, match="account_inactive"):
        await town.client.auth_test()
    assert (await town.client.auth_test(token=told["access_token"]))["ok"]


async def test_a_revoked_token_says_so(town: Town) -> None:
    await town.happens("tokens_revoked")
    with pytest.raises(SlackApiError, match="token_revoked"):
        await town.client.auth_test()


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "earthquake"},
        {"type": "deactivated", "user": "U0NOBODY0"},
        {"type": "team_changed", "usergroup": DESIGN, "add": ["U1ANTON01"]},
        {"type": "team_changed", "usergroup": DESIGN, "users": "everybody"},
        {"type": "group_created", "handle": "design"},
        {"type": "channel_renamed", "channel": "C0DESIGN1", "name": "Not A Name"},
        {"type": "channel_archived", "channel": "C0NOWHERE"},
        {"type": "profile_changed", "user": ALICE, "tz": "Mars/Olympus"},
        {"type": "profile_changed", "user": ALICE, "locale": "svenska"},
        {"type": "workspace_renamed", "name": ""},
        {"type": "app_uninstalled", "workspace": "T9NOWHERE"},
    ],
    ids=json.dumps,
)
async def test_what_cannot_happen_is_refused_with_a_reason_and_nobody_is_told(
    town: Town, wrong: dict[str, Any]
) -> None:
    kind = wrong.pop("type")
    answer = await town.control("event", type=kind, **wrong)
    assert answer["status"] in {400, 404}
    assert answer["why"]
    assert answer["next"]
    assert town.app.events == []


# --- faults of events ---


async def test_a_dropped_event_never_arrives_and_the_next_one_does(town: Town) -> None:
    await town.control("faults", method="event:user_change", kind="drop", times=1)
    await town.happens("deactivated", user=BJORN)
    assert town.app.told("user_change") == []
    await town.happens("became_guest", user=ALICE)
    assert [each["user"]["id"] for each in town.app.told("user_change")] == [ALICE]


async def test_a_doubled_event_is_the_same_event_twice_with_slacks_retry_headers(town: Town) -> None:
    await town.control("faults", method="event:team_join", kind="duplicate")
    await town.happens("member_joined")
    first, second = town.app.events
    assert first["event_id"] == second["event_id"]
    assert town.app.headers[1]["X-Slack-Retry-Num"] == "1"
    assert town.app.headers[1]["X-Slack-Retry-Reason"] == "http_timeout"


async def test_a_late_event_arrives_when_its_time_has_come(town: Town) -> None:
    await town.control("faults", method="event:*", kind="late", seconds=86_400)
    await town.happens("deactivated", user=BJORN)
    assert town.app.events == []
    await town.control("clock", days=0.5)
    assert town.app.events == []
    await town.control("clock", days=1)
    assert len(town.app.told("user_change")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "event:user_change", "kind": "rate_limited"},
        {"method": "chat.postMessage", "kind": "drop"},
        {"method": "event:*", "kind": "late", "seconds": "soon"},
        {"kind": "error", "times": -1},
    ],
    ids=json.dumps,
)
async def test_an_impossible_fault_is_refused(town: Town, wrong: dict[str, Any]) -> None:
    answer = await town.control("faults", **wrong)
    assert answer["status"] == 400


async def test_only_what_the_manifest_asks_for_is_sent(town: Town) -> None:
    town.world.slack.sender._subscribed = {"user_change"}
    await town.happens("workspace_renamed", name="Fjällvind AB")
    await town.happens("deactivated", user=BJORN)
    assert [each["event"]["type"] for each in town.app.events] == ["user_change"]


async def test_R10_one_person_is_a_member_of_both_workspaces_with_one_address(town: Town) -> None:
    counted = {}
    addresses = {}
    for workspace in town.world.slack.state.workspaces.values():
        people = [user for user in workspace.users.values() if user.counted]
        counted[workspace.name] = len(people)
        addresses[workspace.name] = {user.email: user.real_name for user in people}
    assert counted == {"Fjällvind": 18, "Pixelbryggan": 4}
    shared = addresses["Fjällvind"].items() & addresses["Pixelbryggan"].items()
    assert shared == {("tove@hedlund.example", "Tove Hedlund")}


async def test_the_app_hears_of_a_channels_members_only_where_it_is_one_itself(town: Town) -> None:
    await town.happens("member_joined", user=ALICE, channel="C0DESIGN1")
    assert town.app.events == []
    await town.client.conversations_join(channel="C0DESIGN1")
    await town.happens("member_left", user=ALICE, channel="C0DESIGN1")
    await town.happens("member_joined", user=ALICE, channel="C0DESIGN1")
    told = [(each["event"]["type"], each["event"]["channel"]) for each in town.app.events]
    assert told == [("member_left_channel", "C0DESIGN1"), ("member_joined_channel", "C0DESIGN1")]


async def test_somebody_of_another_company_in_a_shared_channel_is_a_stranger(town: Town) -> None:
    await town.happens("member_joined", user="U1ANTON01", channel="C0SUPPORT1")
    assert town.app.told("member_joined_channel")[0]["team"] == "T1PIXEL01"
    told: Any = await town.client.users_info(user="U1ANTON01")
    assert told["user"]["is_stranger"] is True


async def test_an_event_can_be_lost_by_its_bare_type(town: Town) -> None:
    await town.control("faults", method="team_join", kind="dropped")
    await town.happens("member_joined")
    assert town.app.events == []
