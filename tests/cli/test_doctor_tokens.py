"""What the doctor says of tokens that expire: while they can be refreshed, when they can't, and when it is too late."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from bot.examining import Examiner
from cli.doctor.finding import Finding, State, Tools
from cli.doctor.slack import tokens
from domain.config import Settings
from domain.records import Installation
from domain.rules.catalogue import Catalogue
from tests.bot.conftest import BIG, Office, open_office
from tests.bot.test_installations import hours_pass, installed


@pytest.fixture
async def office(database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Office]:
    """Installed by OAuth with token rotation, in one workspace of the two."""
    del database
    async with open_office(settings, catalogue, tmp_path) as there:
        there.slack.oauth.rotates = True
        assert await installed(there, BIG) == 200
        await there.bot.read_soon(BIG)
        yield there


async def said(office: Office) -> Finding:
    """The finding about that workspace."""
    async with aiohttp.ClientSession() as session:
        settings = office.bot.desk.settings
        nobody = cast("Any", None)
        tools = Tools(settings, Examiner(settings, session), nobody, session, (), database_is_good=True)
        found = {each.subject: each for each in await tokens(tools)}
    return found["Slack Fjällvind"]


async def test_a_token_that_can_be_refreshed_is_and_all_is_well(office: Office) -> None:
    for hours in (1, 11, 13):
        hours_pass(office, hours)
        assert (await said(office)).state is State.OK, hours


async def test_one_about_to_expire_that_slack_does_not_refresh_is_said_with_the_time_left(office: Office) -> None:
    office.slack.faults.add({"method": "oauth.v2.access", "kind": "error", "times": 5})
    hours_pass(office, 11)
    found = await said(office)
    assert (found.state, "expires in 60 minutes" in found.says) == (State.WRONG, True), found
    assert "/slack/install" in found.mend


async def test_one_that_has_expired_is_said_with_slacks_reason_and_hides_no_other(office: Office) -> None:
    office.slack.faults.add({"method": "oauth.v2.access", "kind": "error", "error": "bad_client_secret", "times": 5})
    hours_pass(office, 13)
    found = await said(office)
    assert (found.state, "has expired" in found.says, "bad_client_secret" in found.says) == (State.WRONG, True, True)


async def test_a_refused_refresh_token_is_not_taken_for_a_lost_key(office: Office) -> None:
    office.slack.faults.add(
        {"method": "oauth.v2.access", "kind": "error", "error": "invalid_refresh_token", "times": 1}
    )
    hours_pass(office, 11)
    found = await said(office)
    assert found.state is State.WRONG
    assert "key" not in found.says
    assert "refused" in found.says


async def test_a_key_that_is_gone_is_still_called_so(office: Office) -> None:
    await Installation.filter(team_id=BIG).update(sealed="gAAAAAB")
    assert "a key that is gone" in (await said(office)).says


async def test_a_token_that_never_expires_is_never_about_to(office: Office) -> None:
    await Installation.filter(team_id=BIG).update(expires_at=None)
    office.clock.move_to(office.clock.now() + timedelta(hours=5))
    assert (await said(office)).state is State.OK
