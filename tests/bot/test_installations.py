"""Where Kassör is installed: its tokens are fetched before they expire, once, and each workspace has its own (P3)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from cryptography.fernet import Fernet
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from tortoise import Tortoise

from bot.installations import Installations
from bot.seal import CannotOpen, Seal
from domain import clock
from domain.records import Installation, Workspace
from tests.bot.conftest import BIG, SMALL, Office

ORG = "E0NORDEN1"


@pytest.fixture
async def rotating(office: Office) -> Office:
    """The app has token rotation on, and was installed anew by OAuth in both workspaces."""
    office.slack.oauth.rotates = True
    for team_id in (BIG, SMALL):
        assert await installed(office, team_id) == 200
        await office.bot.read_soon(team_id)
    return office


async def installed(office: Office, team_id: str) -> int:
    """*Add to Slack*, walked as a browser does; the status it ends on."""
    kassor = office.slack.sender.app_url
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(f"{kassor}/slack/install/start", allow_redirects=False) as response:
            asked, cookie = response.headers["Location"], response.headers["Set-Cookie"].partition(";")[0]
        async with browser.get(f"{asked}&team={team_id}&approve=1", allow_redirects=False) as response:
            back = response.headers["Location"].partition("?")[2]
        async with browser.get(f"{kassor}/slack/oauth_redirect?{back}", headers={"Cookie": cookie}) as response:
            return response.status


def hours_pass(office: Office, hours: float) -> None:
    office.clock.move_to(office.clock.now() + timedelta(hours=hours))


def refreshes(office: Office) -> int:
    return sum("grant_type=refresh_token" in each["request_body"] for each in office.slack.journal.as_json())


def another_process(office: Office, **settings: tuple[str, ...]) -> Installations:
    known = office.bot.installations
    return Installations(replace(office.bot.desk.settings, **settings), known._client, office.bot.installed)  # type: ignore[arg-type]  # only tuples are passed


async def organisation_wide(office: Office) -> None:
    """Installed for a whole Enterprise Grid organisation, with the token the sandbox knows the big workspace by."""
    await Installation.filter(team_id=BIG).update(revoked_at=clock.now())
    await Workspace.filter(id=BIG).update(enterprise_id=ORG)
    await office.bot.installations.async_save(
        SlackInstallation(
            user_id="U0ALICE01",
            enterprise_id=ORG,
            is_enterprise_install=True,
            bot_token=office.slack.state.workspaces[BIG].bot_token,
        )
    )
    await office.bot.read_soon(BIG)


# --- OAuth, and tokens that expire ---


async def test_P3_two_workspaces_install_and_each_speaks_only_for_itself(rotating: Office) -> None:
    spoken = []
    for team_id in (BIG, SMALL):
        client = await rotating.bot.client_for(team_id)
        assert client is not None
        spoken.append((await client.auth_test())["team_id"])
    assert spoken == [BIG, SMALL]


async def test_P3_a_message_due_at_night_refreshes_its_own_token_for_days(rotating: Office) -> None:
    for _ in range(6):
        hours_pass(rotating, 11)
        client = await rotating.bot.client_for(BIG)
        assert client is not None
        assert (await client.auth_test())["ok"]


async def test_P3_a_token_that_lives_long_enough_is_not_refreshed(rotating: Office) -> None:
    hours_pass(rotating, 9.5)
    await rotating.bot.client_for(BIG)
    assert refreshes(rotating) == 0


@pytest.mark.parametrize("hours", [11, 13])
async def test_P3_of_many_that_need_a_token_one_fetches_it_and_all_can_speak(rotating: Office, hours: int) -> None:
    hours_pass(rotating, hours)
    processes = [another_process(rotating) for _ in range(8)]
    found = await asyncio.gather(*(each.access(BIG) for each in processes))
    assert refreshes(rotating) == 1
    for each in found:
        assert each is not None
        assert rotating.slack.state.by_token(each.token).id == BIG


async def test_P3_while_slack_is_away_the_old_token_goes_on_until_it_expires(rotating: Office) -> None:
    rotating.slack.faults.add({"method": "oauth.v2.access", "kind": "error", "times": 5})
    before = await rotating.bot.installations.access(BIG)
    hours_pass(rotating, 11)
    assert await rotating.bot.installations.access(BIG) == before
    hours_pass(rotating, 2)
    with pytest.raises(SlackApiError):
        await rotating.bot.installations.access(BIG)
    assert (await Workspace.get(id=BIG)).installed


async def test_P3_a_refresh_token_that_slack_refuses_is_a_revoked_install_until_it_is_installed_again(
    rotating: Office,
) -> None:
    rotating.slack.faults.add(
        {"method": "oauth.v2.access", "kind": "error", "error": "invalid_refresh_token", "times": 1}
    )
    hours_pass(rotating, 11)
    assert await rotating.bot.installations.access(BIG) is None
    assert not (await Workspace.get(id=BIG)).installed
    await installed(rotating, BIG)
    assert await rotating.bot.installations.access(BIG) is not None
    assert (await Workspace.get(id=BIG)).installed


async def test_P3_uninstalled_is_silent_in_that_workspace_alone(rotating: Office) -> None:
    await rotating.sends({"type": "app_uninstalled"})
    assert await rotating.bot.installations.access(BIG) is None
    assert await rotating.bot.installations.access(SMALL) is not None


async def test_P3_who_installs_it_again_at_the_moment_it_is_taken_out_has_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Installations.serving

    async def and_then_it_is_installed(installations: Installations, team_id: str) -> Installation | None:
        found = await real(installations, team_id)
        monkeypatch.setattr(Installations, "serving", real)
        await office.install(BIG)
        return found

    monkeypatch.setattr(Installations, "serving", and_then_it_is_installed)
    await office.bot.installations.revoke(BIG, before=clock.now() + timedelta(seconds=1))
    assert (await Workspace.get(id=BIG)).installed
    assert await office.bot.installations.access(BIG) is not None


async def test_P3_late_news_of_an_uninstall_takes_nothing_from_a_token_that_slack_takes(office: Office) -> None:
    token = office.slack.state.workspaces[BIG].bot_token
    own = replace(office.bot.desk.settings, slack_client_id=None, slack_bot_token=token)
    installations = Installations(own, office.bot.speaking(None), office.bot.installed)
    await installations.own()
    await installations.revoke(BIG)
    assert (await Workspace.get(id=BIG)).installed
    office.slack.state.revoked[token] = "account_inactive"
    await installations.revoke(BIG)
    assert not (await Workspace.get(id=BIG)).installed


async def test_a_state_of_somebody_else_installs_nothing(office: Office) -> None:
    kassor = office.slack.sender.app_url
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(f"{kassor}/slack/install/start", allow_redirects=False) as response:
            asked = response.headers["Location"]
        async with browser.get(f"{asked}&team={BIG}&approve=1", allow_redirects=False) as response:
            back = response.headers["Location"].partition("?")[2]
        before = (await Installation.get(team_id=BIG)).sealed
        async with browser.get(f"{kassor}/slack/oauth_redirect?{back}") as response:  # another browser: no cookie
            assert response.status == 400
    assert (await Installation.get(team_id=BIG)).sealed == before


# --- keys ---


async def test_what_an_older_key_sealed_is_sealed_anew_when_it_is_read(office: Office) -> None:
    newest = Fernet.generate_key().decode()
    keys = (newest, *office.bot.desk.settings.encryption_keys)
    before = await office.bot.installations.access(BIG)
    assert await another_process(office, encryption_keys=keys).access(BIG) == before
    kept = await Installation.get(team_id=BIG)
    assert before is not None
    assert Seal([newest]).open(kept.sealed)["bot_token"] == before.token


async def test_a_token_being_refreshed_is_not_sealed_anew_meanwhile(office: Office) -> None:
    await Installation.filter(team_id=BIG).update(refreshing_until=clock.now() + timedelta(seconds=30))
    before = (await Installation.get(team_id=BIG)).sealed
    keys = (Fernet.generate_key().decode(), *office.bot.desk.settings.encryption_keys)
    assert await another_process(office, encryption_keys=keys).access(BIG) is not None
    assert (await Installation.get(team_id=BIG)).sealed == before


# --- Enterprise Grid ---


async def test_R2_an_organisation_wide_install_speaks_in_its_workspaces_and_in_no_others(office: Office) -> None:
    await Installation.filter(team_id=SMALL).update(revoked_at=clock.now())
    await organisation_wide(office)
    assert await office.bot.installations.access(BIG) is not None
    assert await office.bot.installations.access(SMALL) is None


async def test_P3_a_workspace_that_the_organisation_takes_out_is_silent_until_it_is_let_in_again(
    office: Office,
) -> None:
    await organisation_wide(office)
    office.slack.faults.add({"method": "auth.teams.list", "kind": "error", "times": 2})  # the event's word has to do
    seen = []
    for kind in ("team_access_revoked", "team_access_granted"):
        await in_organisation(office, {"type": kind, "team_ids": [BIG]})
        seen.append(await office.bot.installations.access(BIG) is not None)
    assert seen == [False, True]


async def test_P3_an_organisation_that_takes_kassor_out_silences_its_workspaces_and_not_the_others(
    office: Office,
) -> None:
    await organisation_wide(office)
    hours_pass(office, 1)
    await in_organisation(office, {"type": "app_uninstalled", "event_ts": str(clock.now().timestamp())})
    assert [await office.bot.installations.access(each) is not None for each in (BIG, SMALL)] == [False, True]
    assert not (await Workspace.get(id=BIG)).installed


async def in_organisation(office: Office, event: dict[str, object]) -> None:
    """Slack sends an event to the organisation's install: the workspace is not named in `authorizations`."""
    made = office.slack.sender._envelope(office.slack.state.workspaces[BIG], event)
    made["enterprise_id"] = ORG
    made["authorizations"][0] |= {"enterprise_id": ORG, "team_id": None, "is_enterprise_install": True}
    assert await office.slack.sender._delivered(made)
    await office.heard()


async def test_P3_a_person_of_an_organisation_wide_install_counts_when_they_join(office: Office) -> None:
    await organisation_wide(office)
    before = await office.members()
    office.joins("U0NEWBIE1")
    await in_organisation(office, {"type": "team_join", "user": {"id": "U0NEWBIE1"}})
    assert await office.members() == before + 1


# --- somebody has the database ---


async def test_a_stolen_database_holds_no_token_and_nothing_that_opens_one(rotating: Office) -> None:
    """Every row of every table is read; what is looked for is really used, and only the keys outside open it."""
    settings = rotating.bot.desk.settings
    sealed = (await Installation.get(team_id=BIG)).sealed
    inside = Seal(list(settings.encryption_keys)).open(sealed)
    looked_for = [inside["bot_token"], inside["bot_refresh_token"], *settings.encryption_keys]
    looked_for += [settings.slack_client_secret, settings.slack_signing_secret, settings.stripe_api_key]
    tables = {name: await model.all().values() for name, model in Tortoise.apps["kassor"].items()}
    assert len(tables["Installation"]) >= 2
    assert [
        (name, secret[:6]) for name, rows in tables.items() for secret in looked_for if str(secret) in str(rows)
    ] == []
    with pytest.raises(CannotOpen):
        Seal([Fernet.generate_key().decode()]).open(sealed)
