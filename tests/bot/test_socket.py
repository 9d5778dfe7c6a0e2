"""Socket Mode on its bad days: connections that break, answers that are lost, two processes, a token that is wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import make_app
from domain.config import Settings
from domain.rules.catalogue import Catalogue
from sandbox.slack.sockets import Sockets
from tests.bot.conftest import BIG, Office, open_office

TOKEN = "xapp-1-A0KASSOR01-test"
ALICE = "U0ALICE01"


@asynccontextmanager
async def holding(office: Office) -> AsyncIterator[asyncio.Event]:
    """Kassör holds a connection; yields what stops it."""
    stop = asyncio.Event()
    before = sockets(office).connections
    held = asyncio.create_task(office.bot.run_socket(stop))
    try:
        await until(office, before + 1)
        yield stop
    finally:
        stop.set()
        await held


def sockets(office: Office) -> Sockets:
    assert office.slack.sockets is not None
    return office.slack.sockets


async def until(office: Office, connections: int) -> None:
    async with asyncio.timeout(15):
        while sockets(office).connections != connections:  # noqa: ASYNC110 - a test waits
            await asyncio.sleep(0.02)


async def refreshed(office: Office) -> None:
    await sockets(office).refresh()
    async with asyncio.timeout(10):
        while sockets(office).opened < 2 or sockets(office).connections != 1:  # noqa: ASYNC110 - a test waits
            await asyncio.sleep(0.02)


@pytest.fixture
async def office(database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Office]:
    del database
    async with open_office(settings, catalogue, tmp_path, app_token=TOKEN) as there:
        yield there


async def asks(office: Office) -> int:
    """Alice asks for the menu; the status of the answer."""
    home = office.slack.state.workspaces[BIG]
    ack, _ = await office.slack.sender.command(home, ALICE, "C0GENERAL", "/billing", "")
    return ack.status


def deliveries(office: Office, event: str) -> list[str]:
    """The note of each delivery of an event: empty, or which retry it was."""
    return [
        each["note"]
        for each in office.slack.journal.as_json()
        if each["method"] == "SOCKET" and f'"type": "{event}"' in each["request_body"]
    ]


async def test_a_command_is_answered_over_the_connection(office: Office) -> None:
    async with holding(office):
        assert await asks(office) == 200


async def test_with_nobody_connected_a_command_is_not_taken(office: Office) -> None:
    assert await asks(office) == 0


async def test_an_event_whose_acknowledgement_was_lost_comes_again_and_counts_once(office: Office) -> None:
    before = await office.members()
    async with holding(office):
        sockets(office).lose_acks(1)
        await office.happens("member_joined", name="Ny Kollega")
        assert await office.members() == before + 1
    assert deliveries(office, "team_join")[:2] == ["", "retry 1: timeout"]


async def test_a_connection_that_breaks_is_opened_again(office: Office) -> None:
    async with holding(office):
        sockets(office).drop()
        await until(office, 1)
        assert await asks(office) == 200
        assert sockets(office).opened == 2


async def test_when_slack_asks_for_a_new_connection_nothing_is_lost(office: Office) -> None:
    async with holding(office):
        await refreshed(office)
        assert await asks(office) == 200


async def test_two_processes_share_what_arrives_and_each_thing_is_done_once(office: Office) -> None:
    before = await office.members()
    async with holding(office), holding(office):
        for number in range(4):
            await office.happens("member_joined", name=f"Ny {number}")
    assert await office.members() == before + 4
    assert deliveries(office, "team_join") == ["", "", "", ""]


async def test_what_is_under_way_when_kassor_stops_is_still_acknowledged(office: Office) -> None:
    async with holding(office) as stop:
        asked = asyncio.create_task(asks(office))
        async with asyncio.timeout(5):
            while office.bot.idle():  # noqa: ASYNC110 - a test waits
                await asyncio.sleep(0)
        stop.set()
        assert await asked == 200


async def test_a_wrong_app_token_is_said_without_it_and_the_rest_goes_on(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    desk = replace(office.bot.desk, settings=replace(office.bot.desk.settings, slack_app_token="xapp-wrong-secret"))
    bot, stop = make_app(desk), asyncio.Event()
    with caplog.at_level(logging.DEBUG):
        held = asyncio.create_task(bot.run_socket(stop))
        async with asyncio.timeout(5):
            while "gives no connection" not in caplog.text:  # noqa: ASYNC110 - a test waits
                await asyncio.sleep(0.02)
        stop.set()
        await held
        await bot.close()
    assert "invalid_auth" in caplog.text
    assert "wrong-secret" not in caplog.text


async def test_neither_bodies_nor_tickets_reach_the_log(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="kassor.socket"):
        async with holding(office):
            assert await asks(office) == 200
            await refreshed(office)
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("kassor"))
    assert "ticket" not in ours
    assert ALICE not in ours
