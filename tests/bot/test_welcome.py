"""Whoever installs Kassör hears from it first, once, and is told what to do."""

from datetime import timedelta

import pytest

from bot import welcome
from bot.delivery import Outbox
from cli.sandbox_client import elements, texts
from domain import directory
from domain.notices import NoticeKind
from domain.records import Installation, Notice
from tests.bot.conftest import BIG, SMALL, Office, subscribed
from tests.bot.test_installations import installed


async def welcomed(team_id: str) -> list[str]:
    """The Slack ids of those who are welcomed in a workspace."""
    found = await Notice.filter(kind=NoticeKind.WELCOME.value, workspace_id=team_id).prefetch_related("member")
    return [each.member.slack_user_id for each in found if each.member is not None]


async def test_P3_who_installed_it_is_welcomed_once_however_often_it_is_installed(office: Office) -> None:
    installer = (await Installation.get(team_id=BIG)).installer_user_id
    await office.install(BIG)
    await office.bot.read_soon(BIG)
    assert await welcomed(BIG) == [installer]
    assert await welcomed(SMALL) == [(await Installation.get(team_id=SMALL)).installer_user_id]


async def test_whoever_adds_it_to_slack_in_their_browser_finds_the_welcome_in_their_dm(office: Office) -> None:
    await Notice.all().delete()
    assert await installed(office, SMALL) == 200
    await office.heard()
    await Outbox(office.bot).send_due()
    installer = next(each for each in office.slack.state.workspaces[SMALL].users.values() if each.is_admin)
    [message] = office.slack.state.seen_by(installer.id, office.slack.state.dm(installer.id))
    assert "Det var du som installerade mig" in texts(message)
    assert [each["action_id"] for each in elements(message)] == ["kassor.go.page", "kassor.go.help"]


async def test_whoever_installed_it_is_welcomed_though_slack_would_not_tell_of_the_teams(office: Office) -> None:
    await Notice.all().delete()
    office.slack.faults.add({"method": "usergroups.list", "kind": "error"})
    await office.bot.read_soon(SMALL)
    assert await welcomed(SMALL) == [(await Installation.get(team_id=SMALL)).installer_user_id]


async def test_an_old_installation_is_welcomed_no_more(office: Office) -> None:
    await Notice.all().delete()
    office.clock.move_to(office.clock.now() + timedelta(days=2))
    await welcome.greet(BIG)
    assert await welcomed(BIG) == []


async def test_P3_where_somebody_has_had_a_plan_nobody_is_welcomed_again(office: Office) -> None:
    await Notice.all().delete()
    owner = await directory.member(BIG, "U0ALICE01")
    assert owner is not None
    await subscribed(await directory.whole(BIG), owner)
    await welcome.greet(BIG)
    assert await welcomed(BIG) == []


@pytest.mark.parametrize("installer", ["U0NOBODY1", "U0GUEST19", "U0GONE020"])
async def test_an_installer_who_may_not_act_is_not_written_to(office: Office, installer: str) -> None:
    await Notice.all().delete()
    await Installation.filter(team_id=BIG).update(installer_user_id=installer)
    await welcome.greet(BIG)
    assert await welcomed(BIG) == []
