"""Kassör asks for exactly the permissions it uses: each is needed, and what it does needs no other."""

import ast
import re

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.install_pages import permissions
from bot.manifest import EVENTS, SCOPES, manifest
from bot.words import Words
from sandbox.slack import consent_words, scopes
from sandbox.slack.state import SlackError
from tests.acceptance.conftest import ROOT
from tests.bot.conftest import BIG, Office
from tests.bot.test_installations import installed

# What Slack lets nobody do without, and no method or event names: typing commands, and the addresses in users.list.
ELSEWHERE = {"commands", "users:read.email"}
FREE = {"auth.test", "auth.teams.list", "oauth.v2.access", "views.open", "views.push", "views.update", "views.publish"}


def called() -> set[str]:
    """Every Web API method that the bot's code names, by Slack's name for it."""
    known = {name for name in vars(AsyncWebClient) if not name.startswith("_") and name != "api_call"}
    return {
        _slacks_name(node.attr)
        for path in (ROOT / "bot").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in known
    } | {
        method
        for path in (ROOT / "bot").rglob("*.py")
        for method in re.findall(r'api_call\(\s*"([\w.]+)"', path.read_text(encoding="utf-8"))
    }


def _slacks_name(name: str) -> str:
    return name.replace("_", ".")


def test_the_bot_calls_methods_that_the_table_can_judge() -> None:
    assert len(called()) > 15
    assert called() - set(scopes.METHODS) == FREE


def test_nothing_kassor_calls_or_hears_needs_more_than_it_asks_for() -> None:
    needs = {name: scopes.METHODS[name] for name in called() - FREE}
    needs |= {name: scopes.EVENTS[name] for name in EVENTS if name in scopes.EVENTS}
    assert [name for name, any_of in needs.items() if not set(any_of) & set(SCOPES)] == []


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope not in ELSEWHERE])
def test_a_permission_is_asked_for_because_something_fails_without_it(scope: str) -> None:
    users = [scopes.METHODS[name] for name in called() - FREE] + [scopes.EVENTS.get(name, ()) for name in EVENTS]
    assert any(set(any_of) & set(SCOPES) == {scope} for any_of in users)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_each_permission_has_a_reason_of_its_own(language: str) -> None:
    reasons = permissions(Words(language))
    assert set(reasons) == set(SCOPES)
    assert len(set(reasons.values())) == len(SCOPES)


def test_slacks_page_has_a_sentence_for_each() -> None:
    assert set(SCOPES) - consent_words.SCOPES.keys() == set()


async def test_slack_refuses_what_was_not_asked_for(office: Office) -> None:
    assert await installed(office, BIG) == 200
    client = await office.bot.client_for(BIG)
    assert client is not None
    assert office.slack.state.granted[BIG] == set(SCOPES)
    office.slack.state.granted[BIG] = frozenset(SCOPES) - {"users:read"}
    with pytest.raises(Exception, match="missing_scope"):
        await client.users_list()


def test_a_method_without_a_permission_is_anybodys() -> None:
    scopes.check("auth.test", frozenset())
    with pytest.raises(SlackError):
        scopes.check("chat.postMessage", frozenset({"users:read"}))


def test_by_socket_mode_the_manifest_holds_no_address() -> None:
    made = manifest(None, socket_mode=True)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "http" not in str(made)
    assert made["oauth_config"]["scopes"] == manifest("https://kassor.example")["oauth_config"]["scopes"]
    assert made["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)
