"""*Add to Slack* as somebody's browser shows it: the page, the way there and back, and each way it can go wrong."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot import install_pages
from bot.manifest import SCOPES
from bot.pages import HEADERS, reader
from bot.words import Words
from domain.records import Installation, OAuthState
from tests.bot.conftest import BIG, Office

SWEDISH = {"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.8"}


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


async def begun(office: Office, browser: aiohttp.ClientSession) -> tuple[str, dict[str, str]]:
    """The address of Slack's page, and the cookie that belongs to it."""
    address = f"{office.slack.sender.app_url}/slack/install/start"
    async with browser.get(address, allow_redirects=False) as response:
        return response.headers["Location"], {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}


async def allowed(browser: aiohttp.ClientSession, asked: str) -> str:
    """Yes, on Slack's page; the query it sends back with."""
    async with browser.get(f"{asked}&team={BIG}&approve=1", allow_redirects=False) as response:
        return response.headers["Location"].partition("?")[2]


async def back(
    office: Office, browser: aiohttp.ClientSession, query: str, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    address = f"{office.slack.sender.app_url}/slack/oauth_redirect?{query}"
    async with browser.get(address, headers=headers) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.text()


async def test_the_page_says_every_permission_with_its_reason_and_begins_nothing(
    office: Office, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{office.slack.sender.app_url}/slack/install", headers=SWEDISH) as response:
        page = await response.text()
        assert "Set-Cookie" not in response.headers
    assert '<html lang="sv">' in page
    assert "Lägg till i Slack" in page
    assert [scope for scope in SCOPES if f"<dt>{scope}</dt>" not in page] == []
    assert await OAuthState.all().count() == 0


async def test_it_ends_on_a_page_that_opens_kassor_in_that_workspace(
    office: Office, browser: aiohttp.ClientSession
) -> None:
    asked, cookie = await begun(office, browser)
    status, page = await back(office, browser, await allowed(browser, asked), cookie | SWEDISH)
    assert status == 200
    assert "Kassör är på plats i Fjällvind" in page
    assert f"&amp;team={BIG}" in page
    assert "xoxb" not in page


async def test_no_on_slacks_page_is_taken_calmly(office: Office, browser: aiohttp.ClientSession) -> None:
    _, cookie = await begun(office, browser)
    status, page = await back(office, browser, "error=access_denied", cookie)
    assert status == 200
    assert "nothing has changed" in page


async def test_a_state_works_once(office: Office, browser: aiohttp.ClientSession) -> None:
    asked, cookie = await begun(office, browser)
    query = await allowed(browser, asked)
    assert (await back(office, browser, query, cookie))[0] == 200
    status, page = await back(office, browser, query, cookie)
    assert status == 401
    assert "opened twice" in page


async def test_a_state_older_than_ten_minutes_is_over(office: Office, browser: aiohttp.ClientSession) -> None:
    asked, cookie = await begun(office, browser)
    query = await allowed(browser, asked)
    office.a_day_passes()
    before = (await Installation.get(team_id=BIG)).installed_at
    status, page = await back(office, browser, query, cookie)
    assert (status, (await Installation.get(team_id=BIG)).installed_at) == (401, before)
    assert "ten minutes" in page


async def test_another_browser_can_not_finish_it(office: Office, browser: aiohttp.ClientSession) -> None:
    asked, _ = await begun(office, browser)
    status, page = await back(office, browser, await allowed(browser, asked))
    assert status == 400
    assert "another browser" in page


async def test_a_code_that_slack_does_not_know_installs_nothing(office: Office, browser: aiohttp.ClientSession) -> None:
    asked, cookie = await begun(office, browser)
    state = next(each for each in (await allowed(browser, asked)).split("&") if each.startswith("state="))
    before = (await Installation.get(team_id=BIG)).sealed
    status, page = await back(office, browser, f"code=forged&{state}", cookie)
    assert (status, (await Installation.get(team_id=BIG)).sealed) == (401, before)
    assert "used already" in page


async def test_slack_away_is_said_and_nothing_is_half_done(office: Office, browser: aiohttp.ClientSession) -> None:
    asked, cookie = await begun(office, browser)
    query = await allowed(browser, asked)
    before = (await Installation.get(team_id=BIG)).sealed
    office.slack.faults.add({"method": "auth.test", "kind": "error", "error": "internal_error"})
    status, page = await back(office, browser, query, cookie)
    assert (await Installation.get(team_id=BIG)).sealed == before
    assert status >= 400
    assert "Start again" in page


async def test_slacks_own_refusal_is_shown_without_markup(office: Office, browser: aiohttp.ClientSession) -> None:
    status, page = await back(office, browser, "error=unapproved_scope%3Cscript%3E")
    assert status == 200
    assert "unapproved_scope" in page
    assert "<script" not in page


def test_the_policy_names_the_one_style_there_is_and_a_page_has_nothing_else_that_could_run() -> None:
    for page in (
        install_pages.before(Words("sv")),
        install_pages.failed(Words("en"), "x"),
        install_pages.too_often(Words("sv")),
    ):
        (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in HEADERS["Content-Security-Policy"]
        assert re.findall(r"<script|<form|<iframe|\sstyle=|\son[a-z]+=|src=|url\(", page) == []


def test_a_workspaces_name_is_not_markup_on_its_page() -> None:
    page = install_pages.installed(Words("sv"), where="<b>Fjäll</b>", app_id="A1", team_id="T1")
    assert "<b>" not in page


def test_a_whole_organisation_is_told_who_chooses_its_workspaces() -> None:
    page = install_pages.installed_widely(Words("en"), where="Fjäll AB", app_id="A1", enterprise_id="E1")
    assert "chooses the workspaces" in page
    assert 'href="https://app.slack.com/manage/E1/integrations/profile/A1/workspaces/add"' in page


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("sv", "sv"),
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("de,sv;q=0.5,en;q=0.9", "en"),
        ("en;q=0.1, sv ; q=0.2", "sv"),
        ("sv;q=0", "en"),
        ("svan,en", "en"),
        ("sv;q=nan," * 5_000, "en"),
    ],
)
def test_a_browser_is_answered_in_the_best_language_it_takes(header: str, language: str) -> None:
    assert reader(header).language == language
