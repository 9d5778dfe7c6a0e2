"""An organisation's install as Slack answers and sends it: what its token may ask, and what is said of where somebody is."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.slack.test_contracts import PUBLISHED, differences
from tests.sandbox.slack.town import ALICE, Town, plain

BIG, SMALL, ORG = "T0FJALL01", "T1PIXEL01", "E0NORDVIK"
Json = dict[str, Any]


async def installed(town: Town, *admitted: str) -> Json:
    """The organisation is formed, the app installed for it and let into some of its workspaces; what oauth.v2.access said."""
    for workspace in town.world.slack.state.workspaces.values():
        workspace.installed = False
    await town.happens("organisation_formed", name="Nordvik")
    url = f"{town.world.slack.base_url}/oauth/v2/authorize"
    credentials = town.world.credentials
    query = {
        "client_id": credentials.client_id,
        "redirect_uri": "http://127.0.0.1:1/",
        "scope": "users:read,chat:write",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, params={**query, "team": ORG, "approve": "1"}, allow_redirects=False) as response,
    ):
        code = response.headers["Location"].partition("code=")[2].partition("&")[0]
    told: Any = await town.client.oauth_v2_access(
        client_id=credentials.client_id, client_secret=credentials.client_secret, code=code
    )
    for each in admitted:
        await town.happens("team_access_granted", workspace=each)
    granted: Json = told.data
    return granted


def speaking(town: Town, told: Json) -> AsyncWebClient:
    return AsyncWebClient(told["access_token"], base_url=f"{town.world.slack.base_url}/api/", retry_handlers=[])


async def test_the_answer_names_the_organisation_and_no_workspace(town: Town) -> None:
    told = await installed(town)
    assert (told["team"], told["is_enterprise_install"]) == (None, True)
    assert told["enterprise"] == {"id": ORG, "name": "Nordvik"}
    assert sorted(differences(told, PUBLISHED["api/oauth.v2.access"], "oauth.v2.access")) == []


async def test_its_token_lists_the_workspaces_it_is_let_into_page_by_page(town: Town) -> None:
    client = speaking(town, await installed(town, BIG, SMALL))
    found: list[str] = []
    async for page in await client.auth_teams_list(limit=1):
        found += [each["name"] for each in page["teams"]]
    assert found == ["Fjällvind", "Pixelbryggan"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"team_id": BIG}, None),
        ({}, "missing_argument"),
        ({"team_id": SMALL}, "team_access_not_granted"),
        ({"team_id": "T9ELSEWHERE"}, "team_not_found"),
    ],
)
async def test_who_is_there_is_asked_of_one_workspace_that_lets_it_in(
    town: Town, asked: Json, error: str | None
) -> None:
    client = speaking(town, await installed(town, BIG))
    if error is None:
        listed: Any = await client.users_list(**asked)
        assert {each["enterprise_user"]["enterprise_id"] for each in listed["members"]} == {ORG}
        assert sorted(differences(listed.data, PUBLISHED["api/users.list"], "users.list")) == []
        return
    with pytest.raises(SlackApiError, match=error):
        await client.users_list(**asked)


async def test_a_message_needs_no_team_and_goes_to_nobody_of_a_workspace_that_is_closed(town: Town) -> None:
    client = speaking(town, await installed(town, BIG))
    assert (await client.chat_postMessage(channel=ALICE, text="Hej"))["ok"]
    with pytest.raises(SlackApiError, match="team_access_not_granted"):
        await client.chat_postMessage(channel="U1ANTON01", text="Hej")


async def test_what_is_sent_says_the_organisation_and_the_persons_own_workspace(town: Town) -> None:
    client = speaking(town, await installed(town, BIG))
    await town.control("command", user=ALICE, channel="dm", command="/billing", text="")
    command = town.app.commands[-1]
    assert (command["is_enterprise_install"], command["enterprise_id"], command["team_id"]) == ("true", ORG, BIG)
    button = {"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": plain("Go")}]}
    view = {"type": "modal", "title": plain("A modal"), "blocks": [button]}
    opened: Any = await client.views_open(trigger_id=command["trigger_id"], view=view)
    await town.control("action", user=ALICE, view_id=opened["view"]["id"], action_id="go")
    pressed = town.app.payloads[-1]
    assert (pressed["team"], pressed["enterprise"]["id"], pressed["is_enterprise_install"]) == (None, ORG, True)
    assert (pressed["user"]["team_id"], pressed["view"]["app_installed_team_id"]) == (BIG, ORG)
    await town.happens("member_joined", workspace=BIG)
    [event] = [each for each in town.app.events if each["event"]["type"] == "team_join"]
    assert (event["team_id"], event["enterprise_id"]) == (BIG, ORG)
    assert event["authorizations"][0]["team_id"] is None
    assert event["event"]["user"]["enterprise_user"]["teams"] == [BIG]
    assert sorted(differences(pressed, PUBLISHED["payloads/BlockAction"], "BlockAction")) == []
