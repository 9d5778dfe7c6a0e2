"""Commands, messages and files: how text is escaped, who sees what, and what Slack refuses to show."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack.town import ALICE, BJORN, GUEST, Town, option, plain

GENERAL, DESIGN, AUDIT = "C0GENERAL", "C0DESIGN1", "C0AUDIT001"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("owner @bjorn", "owner <@U0BJORN02|bjorn>"),
        ("owner @Björn Åkesson", "owner <@U0BJORN02|bjorn>"),
        ("upgrade @design", "upgrade <!subteam^S0DESIGN1|@design>"),
        ("upgrade #design", "upgrade <#C0DESIGN1|design>"),
        ("upgrade #allmänt", "upgrade <#C0GENERAL|allmänt>"),
        ("upgrade #nowhere @nobody", "upgrade #nowhere @nobody"),
        ("seats <5 & more>", "seats &lt;5 &amp; more&gt;"),
        ("mail a@bjorn.example", "mail a@bjorn.example"),
    ],
)
async def test_command_text_arrives_escaped_with_ids_for_what_is_known(town: Town, typed: str, sent: str) -> None:
    await town.control("command", user=ALICE, channel=GENERAL, command="/billing", text=typed)
    assert town.app.commands[-1]["text"] == sent


@pytest.mark.parametrize(
    ("user", "channel", "name"),
    [(ALICE, GENERAL, "allmänt"), ("U0EBBA005", DESIGN, "design"), (ALICE, AUDIT, "privategroup"), (ALICE, "dm", "directmessage")],
)  # fmt: skip
async def test_a_command_can_be_typed_wherever_its_author_is(town: Town, user: str, channel: str, name: str) -> None:
    answer = await town.control("command", user=user, channel=channel, command="/billing", text="")
    assert answer["ok"]
    assert town.app.commands[-1]["channel_name"] == name


async def test_nobody_types_a_command_where_they_are_not(town: Town) -> None:
    answer = await town.control("command", user=BJORN, channel=DESIGN, command="/billing", text="")
    assert answer["status"] == 404
    assert town.app.commands == []


async def test_what_is_shown_to_one_is_seen_by_one(town: Town) -> None:
    await town.client.chat_postEphemeral(channel=GENERAL, user=ALICE, text="Only you")
    seen = town.world.slack.state.seen_by
    assert [each["text"] for each in seen(ALICE, GENERAL)] == ["Only you"]
    assert seen(BJORN, GENERAL) == []


async def test_nothing_is_shown_to_somebody_who_is_not_there(town: Town) -> None:
    await town.client.conversations_join(channel=DESIGN)
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await town.client.chat_postEphemeral(channel=DESIGN, user=BJORN, text="Psst")


async def test_a_message_is_changed_in_place_by_the_app_that_wrote_it_alone(town: Town) -> None:
    sent: Any = await town.client.chat_postMessage(channel=ALICE, text="Before")
    await town.client.chat_update(channel=sent["channel"], ts=sent["ts"], text="After")
    [message] = town.world.slack.state.seen_by(ALICE, sent["channel"])
    assert (message["text"], "edited" in message) == ("After", True)
    theirs = await town.control("message", user=ALICE, channel=GENERAL, text="Mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await town.client.chat_update(channel=GENERAL, ts=theirs["ts"], text="Yours")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await town.client.chat_delete(channel=GENERAL, ts=theirs["ts"])


async def test_a_permalink_names_the_message_and_an_unknown_one_is_refused(town: Town) -> None:
    sent: Any = await town.client.chat_postMessage(channel=ALICE, text="Here")
    told: Any = await town.client.chat_getPermalink(channel=sent["channel"], message_ts=sent["ts"])
    assert sent["ts"].replace(".", "") in told["permalink"]
    with pytest.raises(SlackApiError, match="message_not_found"):
        await town.client.chat_getPermalink(channel=sent["channel"], message_ts="1.000000")


async def test_a_pdf_is_uploaded_shared_found_and_read_back(town: Town) -> None:
    content = b"%PDF-1.7 an invoice"
    opened: Any = await town.client.conversations_open(users=ALICE)
    place = opened["channel"]["id"]
    told: Any = await town.client.files_upload_v2(
        content=content, filename="faktura.pdf", title="Faktura", channel=place, initial_comment="Kopia"
    )
    file = told["files"][0]
    listed: Any = await town.client.files_list(channel=place)
    assert [each["id"] for each in listed["files"]] == [file["id"]]
    async with aiohttp.ClientSession() as http, http.get(f"{town.world.slack.base_url}/files/{file['id']}") as response:
        assert (response.content_type, await response.read()) == ("application/pdf", content)
    [message] = town.world.slack.state.seen_by(ALICE, place)
    assert [each["name"] for each in message["files"]] == ["faktura.pdf"]


async def test_members_and_people_come_in_pages_with_their_language_when_asked(town: Town) -> None:
    first: Any = await town.client.conversations_members(channel=GENERAL, limit=15)
    cursor = first["response_metadata"]["next_cursor"]
    rest: Any = await town.client.conversations_members(channel=GENERAL, limit=15, cursor=cursor)
    assert len(set(first["members"]) | set(rest["members"])) == 21
    told: Any = await town.client.users_info(user=GUEST, include_locale=True)
    assert (told["user"]["locale"], told["user"]["is_restricted"]) == ("sv-SE", True)


async def test_the_app_does_not_see_a_private_channel_it_is_not_in(town: Town) -> None:
    town.world.slack.state.workspaces["T0FJALL01"].channels[AUDIT].members.remove("U0KASSOR1")
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await town.client.conversations_members(channel=AUDIT)
    listed: Any = await town.client.conversations_list(types="public_channel,private_channel")
    assert AUDIT not in [each["id"] for each in listed["channels"]]


async def test_an_overflow_menu_and_a_confirmed_button_say_what_was_pressed(town: Town) -> None:
    confirm = {"title": plain("Sure?"), "text": plain("Really"), "confirm": plain("Yes"), "deny": plain("No")}
    elements = [
        {"type": "overflow", "action_id": "more", "options": [option("edit"), option("remove")]},
        {"type": "button", "action_id": "go", "text": plain("Go"), "value": "7", "confirm": confirm},
    ]
    block = {"type": "actions", "block_id": "b", "elements": elements}
    sent: Any = await town.client.chat_postMessage(channel=ALICE, text="What now?", blocks=[block])
    where = {"user": ALICE, "channel": "dm", "message_ts": sent["ts"]}
    await town.control("action", action_id="more", value="remove", **where)
    await town.control("action", action_id="go", **where)
    [overflow], [button] = (each["actions"] for each in town.app.payloads)
    assert overflow["selected_option"] == option("remove")
    assert button["value"] == "7"


@pytest.mark.parametrize(
    ("name", "length"), [("title", 101), ("text", 301), ("confirm", 31), ("deny", 31)], ids=["title", "text", "confirm", "deny"]
)  # fmt: skip
async def test_a_confirm_dialog_longer_than_slack_shows_is_refused(town: Town, name: str, length: int) -> None:
    confirm = {"title": plain("Sure?"), "text": plain("Really"), "confirm": plain("Yes"), "deny": plain("No")}
    confirm[name] = plain("x" * length)
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "confirm": confirm}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await town.client.chat_postMessage(channel=ALICE, text="?", blocks=[{"type": "actions", "elements": [button]}])
