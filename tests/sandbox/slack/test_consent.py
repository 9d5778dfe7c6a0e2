"""The page on which somebody lets an app in: what it says, to whom, and where its two answers lead."""

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from sandbox.slack import scopes
from sandbox.slack.consent_words import GROUPS, SCOPES, WORDS, language_of
from tests.sandbox.slack.town import Town

BACK = "http://127.0.0.1:1/back?from=slack"
ASKED = "chat:write,users:read,groups:read,commands,moon:land"


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"}) as opened:
        yield opened


def address(town: Town) -> str:
    return f"{town.world.slack.base_url}/oauth/v2/authorize"


def question(town: Town, **more: str) -> dict[str, str]:
    client = town.world.credentials.client_id
    return {"client_id": client, "redirect_uri": BACK, "scope": ASKED, "state": 'a"b&c', **more}


async def shown(town: Town, browser: aiohttp.ClientSession, **more: str) -> str:
    async with browser.get(address(town), params=question(town, **more)) as response:
        assert response.status == 200
        return await response.text()


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


async def answered(town: Town, browser: aiohttp.ClientSession, page: str, answer: str) -> dict[str, list[str]]:
    """Press one of the two buttons; what the app is told."""
    data = {**fields(page), "answer": answer}
    async with browser.post(address(town), data=data, allow_redirects=False) as response:
        assert response.status == 302
        back = urlsplit(response.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK.partition("?")[0]
    return parse_qs(back.query)


async def test_it_says_who_asks_for_which_workspace_and_for_what_in_sentences(
    town: Town, browser: aiohttp.ClientSession
) -> None:
    page = await shown(town, browser, team="T1PIXEL01")
    assert '<html lang="sv">' in page
    assert "<h1>Kassör ber om åtkomst till arbetsytan Pixelbryggan</h1>" in page
    see, do = page.split("<h2>")[1:]
    assert see.startswith("Vad kommer Kassör att kunna se?")
    assert do.startswith("Vad kommer Kassör att kunna göra?")
    assert [SCOPES[scope][2]["sv"] in see for scope in ("users:read", "groups:read")] == [True, True]
    assert [SCOPES[scope][2]["sv"] in do for scope in ("chat:write", "commands")] == [True, True]
    assert "<code>moon:land</code>" in do


async def test_allow_gives_a_code_that_is_good_once_for_that_workspace(
    town: Town, browser: aiohttp.ClientSession
) -> None:
    told = await answered(town, browser, await shown(town, browser, team="T1PIXEL01"), "allow")
    assert (told["state"], told["from"]) == (['a"b&c'], ["slack"])
    credentials = town.world.credentials
    granted = await town.client.oauth_v2_access(
        client_id=credentials.client_id, client_secret=credentials.client_secret, code=told["code"][0]
    )
    assert (granted["team"]["name"], granted["scope"]) == ("Pixelbryggan", ASKED)


async def test_cancel_lets_nobody_in_and_says_so(town: Town, browser: aiohttp.ClientSession) -> None:
    told = await answered(town, browser, await shown(town, browser), "cancel")
    assert told == {"error": ["access_denied"], "state": ['a"b&c'], "from": ["slack"]}
    assert town.world.slack.state.codes == {}


async def test_another_workspace_is_a_link_that_keeps_the_question(town: Town, browser: aiohttp.ClientSession) -> None:
    page = await shown(town, browser)
    assert fields(page)["team"] == "T0FJALL01"
    [link] = [unescape(each) for each in re.findall(r'<a href="([^"]*)"', page) if "T1PIXEL01" in each]
    async with browser.get(f"{address(town)}{link}") as response:
        assert fields(await response.text()) == question(town, team="T1PIXEL01")


async def test_an_organisation_can_be_chosen_where_there_is_one(town: Town, browser: aiohttp.ClientSession) -> None:
    assert "organisation" not in await shown(town, browser)
    await town.happens("organisation_formed", name="Nord & vik")
    page = await shown(town, browser, team="E0NORDVIK")
    assert "<h1>Kassör ber om åtkomst till hela organisationen Nord &amp; vik</h1>" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"client_id": "another"}, "invalid_client_id"),
        ({"redirect_uri": "javascript:alert(1)"}, "bad_redirect_uri"),
    ],
)
async def test_an_address_that_asks_for_nothing_is_refused(
    town: Town, browser: aiohttp.ClientSession, wrong: dict[str, str], said: str
) -> None:
    async with browser.get(address(town), params=question(town, **wrong)) as response:
        assert response.status == 400
        assert f"<code>{said}</code>" in await response.text()


def test_every_permission_that_a_method_or_an_event_needs_has_a_sentence_in_each_language() -> None:
    needed = {scope for any_of in (*scopes.METHODS.values(), *scopes.EVENTS.values()) for scope in any_of}
    assert needed - SCOPES.keys() == set()
    for kind, group, sentences in SCOPES.values():
        assert kind in {"view", "do"}
        assert group in GROUPS
        assert sentences.keys() == WORDS.keys()
    for language in WORDS:
        said = [sentences[language] for _, _, sentences in SCOPES.values()]
        assert len(set(said)) == len(said)


def test_the_words_are_the_same_in_each_language() -> None:
    assert len({frozenset(words) for words in WORDS.values()}) == 1
    assert [language_of(each) for each in ("sv", "en-GB,sv", "de,sv;q=0.5", "", "de")] == ["sv", "en", "sv", "en", "en"]
