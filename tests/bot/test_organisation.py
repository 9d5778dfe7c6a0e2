"""An Enterprise Grid organisation has Kassör by one install, from *Add to Slack* to the billing desk in its workspaces (R2, P3)."""

from dataclasses import replace
from typing import Any

import pytest

from domain.config import Settings
from domain.records import DeskRequest, Installation, Workspace
from sandbox.cast import SUPPORT_CHANNEL
from tests.bot.conftest import BIG, SMALL, Office
from tests.bot.test_installations import hours_pass, installed, refreshes

ORG = "E0NORDVIK"
ALICE, BJORN, ANTON = "U0ALICE01", "U0BJORN02", "U1ANTON01"
Json = dict[str, Any]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, support_channel=SUPPORT_CHANNEL)


@pytest.fixture
async def grid(office: Office) -> Office:
    """Both workspaces have become an organisation's, and have Kassör no more."""
    for team_id in (BIG, SMALL):
        await office.happens("app_uninstalled", workspace=team_id)
    await Installation.all().delete()
    await office.happens("organisation_formed", name="Nordvik")
    return office


async def lets_in(office: Office, *team_ids: str) -> None:
    assert await installed(office, ORG) == 200
    for team_id in team_ids:
        await office.happens("team_access_granted", workspace=team_id)


async def asks_for_support(office: Office, user: str) -> int:
    """Somebody writes to support, in the modal that `/billing support` opens. How many such requests their workspace has then."""
    assert (await office.slack.acting.command(user, "dm", "/billing", "support"))["ok"]
    await office.heard()
    view = office.slack.state.views[user][-1]
    assert view["app_installed_team_id"] == ORG
    block, action = next(
        (block, action) for block, actions in view["state"]["values"].items() for action in actions if "text" in action
    )
    done = await office.slack.acting.submit(user, view["id"], {block: {action: "Where is my receipt?"}})
    assert done["ok"], done
    await office.heard()
    return await DeskRequest.filter(scope__workspace_id=office.user(user).team_id).count()


async def test_R2_one_install_serves_each_workspace_that_the_organisation_lets_it_into(grid: Office) -> None:
    assert await installed(grid, ORG) == 200
    [made] = await Installation.all()
    assert (made.enterprise_id, made.team_id) == (ORG, "")
    assert await grid.bot.client_for(BIG) is None  # an admin has still to choose

    grid.slack.state.workspaces[BIG].name = "Fjällvind Nord"  # meanwhile, when nobody tells Kassör
    await grid.happens("team_access_granted", workspace=BIG)
    there = await Workspace.get(id=BIG)
    assert (there.name, there.enterprise_id, there.installed) == ("Fjällvind Nord", ORG, True)
    assert await grid.members() == 18
    assert await asks_for_support(grid, BJORN) == 1
    assert await grid.bot.client_for(SMALL) is None


async def test_R2_each_workspace_of_an_organisation_has_people_and_scopes_of_its_own(grid: Office) -> None:
    await lets_in(grid, BIG, SMALL)
    assert [await grid.members(team_id) for team_id in (BIG, SMALL)] == [18, 4]
    assert [await asks_for_support(grid, user) for user in (ALICE, ANTON)] == [1, 1]
    await grid.happens("member_joined", workspace=SMALL)
    assert [await grid.members(team_id) for team_id in (BIG, SMALL)] == [18, 5]


async def test_R2_the_app_home_of_an_organisations_workspace_is_its_own(grid: Office) -> None:
    await lets_in(grid, BIG, SMALL)
    state = grid.slack.state
    opened: Json = {"type": "app_home_opened", "user": ANTON, "channel": state.dm(ANTON), "tab": "home"}
    await grid.sends(opened, SMALL)
    pressed = {"view_id": state.homes[ANTON]["id"], "action_id": "kassor.go.support"}
    done = await grid.slack.acting.action(ANTON, pressed)
    await grid.heard()
    assert done["ok"]
    assert state.views[ANTON], "nothing opened"
    assert set(await Workspace.all().values_list("id", flat=True)) == {BIG, SMALL}  # the organisation is none


async def test_P3_a_workspace_that_was_taken_out_unheard_falls_silent_alone(grid: Office) -> None:
    await lets_in(grid, BIG, SMALL)
    grid.slack.state.organisations[ORG].admitted.remove(SMALL)  # and the event is lost
    grid.a_day_passes()
    await grid.bot.read_due()
    assert [(await Workspace.get(id=team_id)).installed for team_id in (BIG, SMALL)] == [True, False]
    assert await grid.bot.client_for(BIG) is not None


async def test_P3_a_workspace_that_was_let_in_again_unheard_is_served_from_its_first_request_on(grid: Office) -> None:
    await lets_in(grid, BIG)
    await grid.happens("team_access_revoked", workspace=BIG)
    assert await grid.bot.client_for(BIG) is None
    grid.slack.state.organisations[ORG].admitted.append(BIG)  # and the event is lost
    grid.slack.state.workspaces[BIG].installed = True
    assert await asks_for_support(grid, BJORN) == 1


async def test_P3_a_request_from_before_it_was_taken_out_lets_nobody_in(grid: Office) -> None:
    await lets_in(grid, BIG)
    await grid.happens("team_access_revoked", workspace=BIG)
    grid.slack.state.workspaces[BIG].installed = True  # as when it was sent
    await grid.slack.acting.command(BJORN, "dm", "/billing", "links")
    await grid.heard()
    assert not (await Workspace.get(id=BIG)).installed


async def test_P3_late_news_of_being_taken_out_takes_nobody_out_who_is_let_in_again(grid: Office) -> None:
    await lets_in(grid, BIG)
    await grid.sends({"type": "team_access_revoked", "team_ids": [BIG]})
    assert (await Workspace.get(id=BIG)).installed
    assert await grid.bot.client_for(BIG) is not None


async def test_P3_installed_again_it_is_where_slack_says_and_nowhere_else(grid: Office) -> None:
    await lets_in(grid, BIG)
    organisation = grid.slack.state.organisations[ORG]
    organisation.admitted[:] = [SMALL]  # both events are lost
    assert await installed(grid, ORG) == 200
    assert [(await Workspace.get(id=team_id)).installed for team_id in (BIG, SMALL)] == [False, True]


async def test_P3_slack_away_after_an_install_takes_nothing_from_the_workspaces_that_had_it(grid: Office) -> None:
    await lets_in(grid, BIG)
    grid.slack.faults.add({"method": "auth.teams.list", "kind": "error", "error": "internal_error"})
    assert await installed(grid, ORG) == 200
    assert await grid.bot.client_for(BIG) is not None


async def test_P3_an_organisations_token_is_refreshed_for_all_of_its_workspaces(grid: Office) -> None:
    grid.slack.oauth.rotates = True
    await lets_in(grid, BIG, SMALL)
    hours_pass(grid, 11)
    for team_id in (BIG, SMALL):
        client = await grid.bot.client_for(team_id)
        assert client is not None
        assert (await client.auth_test())["enterprise_id"] == ORG
    assert refreshes(grid) == 1


async def test_P3_taken_out_of_the_organisation_it_is_silent_everywhere(grid: Office) -> None:
    await lets_in(grid, BIG, SMALL)
    hours_pass(grid, 1)
    await grid.happens("app_uninstalled", organisation=ORG)
    assert [await grid.bot.client_for(team_id) for team_id in (BIG, SMALL)] == [None, None]
