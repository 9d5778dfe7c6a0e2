"""Every answer of this Slack and everything it sends, held against the shapes that Slack publishes with its own SDK."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.sandbox.slack.town import ALICE, BJORN, Town, field_of, plain

Json = dict[str, Any]
PUBLISHED: Json = json.loads((Path(__file__).parent.parent / "contracts" / "slack.json").read_text())
GENERAL, DESIGN = "C0GENERAL", "S0DESIGN1"


def differences(value: Any, published: Any, at: str) -> Iterator[str]:
    """Where a value has a field that is not published, or one of another type. null and what is empty there say nothing."""
    if value is None or published == "null" or at in UNPUBLISHED:
        return
    if isinstance(published, dict):
        if not isinstance(value, dict):
            yield f"{at}: {value!r} where an object is published"
        elif published:
            for key, inner in value.items():
                if key in published:
                    yield from differences(inner, published[key], f"{at}.{key}")
                elif f"{at}.{key}" not in UNPUBLISHED:
                    yield f"{at}.{key}: not published"
    elif isinstance(published, list):
        if not isinstance(value, list):
            yield f"{at}: {value!r} where a list is published"
        elif published:
            for each in value:
                yield from differences(each, published[0], f"{at}[]")
    elif type(value) not in _TYPES[published]:
        yield f"{at}: {value!r} where a {published} is published"


_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}
UNPUBLISHED = {  # what the samples leave out and Slack's reference pages show
    *(f"{name}.view.blocks" for name in ("BlockAction", "ViewSubmission", "ViewClosed", "AppHomeOpened.event")),
    *(f"{name}.event.event_ts" for name in ("AppUninstalled", "TeamJoin", "TokensRevoked", "UserChange")),
    *("usergroups.list.usergroups[].auto_type", "SubteamCreated.event.subteam.auto_type"),
    *("SubteamUpdated.event.subteam.auto_type", "SubteamCreated.event.subteam.deleted_by"),
    "files.completeUploadExternal.files[].shares.private",
    "ViewSubmission.response_urls",
    "SlashCommand.is_enterprise_install",  # in a form everything is text: "false"
}


async def test_every_answer_is_as_published(town: Town) -> None:
    client = town.client
    sent: Any = await client.chat_postMessage(channel=ALICE, text="Hej")
    upload: Any = await client.files_getUploadURLExternal(filename="a.pdf", length=4)
    answers = {
        "auth.test": await client.auth_test(),
        "bots.info": await client.bots_info(),
        "chat.getPermalink": await client.chat_getPermalink(channel=sent["channel"], message_ts=sent["ts"]),
        "chat.postEphemeral": await client.chat_postEphemeral(channel=GENERAL, user=ALICE, text="Psst"),
        "conversations.info": await client.conversations_info(channel=GENERAL),
        "conversations.list": await client.conversations_list(),
        "conversations.members": await client.conversations_members(channel=GENERAL),
        "files.getUploadURLExternal": upload,
        "team.info": await client.team_info(),
        "usergroups.list": await client.usergroups_list(include_users=True, include_count=True),
        "usergroups.users.list": await client.usergroups_users_list(usergroup=DESIGN),
        "users.conversations": await client.users_conversations(),
        "users.info": await client.users_info(user=ALICE, include_locale=True),
        "users.list": await client.users_list(include_locale=True),
    }
    async with aiohttp.ClientSession() as http:
        await http.post(upload["upload_url"], data=b"%PDF")
    answers["files.completeUploadExternal"] = await client.files_completeUploadExternal(
        files=[{"id": upload["file_id"], "title": "A"}], channel_id=sent["channel"]
    )
    wrong = [w for name, answer in answers.items() for w in differences(answer.data, PUBLISHED[f"api/{name}"], name)]
    assert sorted(set(wrong)) == []


EVENTS = {
    "AppHomeOpened": "app_home_opened",
    "AppUninstalled": "app_uninstalled",
    "MemberJoinedChannel": "member_joined_channel",
    "MemberLeftChannel": "member_left_channel",
    "Message": "message",
    "SubteamCreated": "subteam_created",
    "SubteamMembersChanged": "subteam_members_changed",
    "SubteamUpdated": "subteam_updated",
    "TeamJoin": "team_join",
    "TokensRevoked": "tokens_revoked",
    "UserChange": "user_change",
}


async def test_every_event_is_as_published(town: Town) -> None:
    await town.control("open_home", user=ALICE)
    await town.client.views_publish(user_id=ALICE, view={"type": "home", "blocks": []})
    await town.control("open_home", user=ALICE)
    await town.control("message", user=ALICE, channel="dm", text="Hej")
    for kind, more in (
        ("member_joined", {"name": "Nils Nytt"}),
        ("member_joined", {"user": "U0EBBA005", "channel": "C0AUDIT001"}),
        ("member_left", {"user": BJORN, "channel": GENERAL}),
        ("group_created", {"handle": "nordic"}),
        ("team_changed", {"usergroup": DESIGN, "add": [BJORN]}),
        ("profile_changed", {"user": ALICE, "name": "Alice Berg"}),
        ("tokens_revoked", {}),
        ("app_uninstalled", {}),
    ):
        await town.control("event", type=kind, **more)
    told = {each["event"]["type"]: each for each in town.app.events}
    assert set(EVENTS.values()) - told.keys() == set()
    wrong = [
        w
        for name, type_ in EVENTS.items()
        for each in town.app.events
        if each["event"]["type"] == type_
        for w in differences(each, PUBLISHED[f"events/{name}"], name)
    ]
    assert sorted(set(wrong)) == []


async def test_every_command_and_interaction_is_as_published(town: Town) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "7"}
    block = {"type": "actions", "block_id": "a", "elements": [button]}
    sent: Any = await town.client.chat_postMessage(channel=ALICE, text="What now?", blocks=[block])
    await town.control("action", user=ALICE, channel="dm", message_ts=sent["ts"], action_id="go")
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}), block], notify_on_close=True)
    await town.control("action", user=ALICE, view_id=view["id"], action_id="go")
    await town.control("submit", user=ALICE, view_id=view["id"], values={"b": {"e": "seven"}})
    view = await town.modal(ALICE, [block], notify_on_close=True)
    await town.control("close", user=ALICE, view_id=view["id"])
    names = {"block_actions": "BlockAction", "view_submission": "ViewSubmission", "view_closed": "ViewClosed"}
    assert {each["type"] for each in town.app.payloads} == names.keys()
    wrong = [
        w
        for each in town.app.payloads
        for w in differences(each, PUBLISHED[f"payloads/{names[each['type']]}"], names[each["type"]])
    ]
    wrong += [
        w for each in town.app.commands for w in differences(each, PUBLISHED["payloads/SlashCommand"], "SlashCommand")
    ]
    assert sorted(set(wrong)) == []


def test_a_field_or_a_type_slack_does_not_have_would_be_found() -> None:
    shape = PUBLISHED["api/users.info"]
    found = set(differences({"ok": "true", "user": {"shoe_size": 43, "tz_offset": True}}, shape, "users.info"))
    assert found == {
        "users.info.ok: 'true' where a boolean is published",
        "users.info.user.shoe_size: not published",
        "users.info.user.tz_offset: True where a number is published",
    }
