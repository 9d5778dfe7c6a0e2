"""The look-up over real HTTP (E1), as a vendor's product meets it; the same words as docs/entitlements.md."""

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from multidict import CIMultiDictProxy
from tortoise.connection import get_connection

from domain.config import Settings, SettingsError, load
from domain.desk import Desk
from domain.records import Member, Scope
from domain.rules.catalogue import Catalogue
from tests.acceptance.conftest import ROOT
from tests.cli.test_console import GOOD
from tests.domain.conftest import settle
from tests.domain.test_entitlements import subscribed, team_of
from tests.sandbox.stripe.shop import free_port
from webhooks import entitlements

TOKEN = "vendor-token-one"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEYS = {"workspace", "member", "plan", "plan_name", "features", "source", "valid_until", "why_not"}


@pytest.fixture
async def whole(database: str) -> Scope:
    del database
    return (await settle("T1", 3))[0]


def desk_with(settings: Settings, catalogue: Catalogue, *tokens: str) -> Desk:
    own = replace(settings, api_tokens=tokens)
    return Desk(own, catalogue, payments=None)  # type: ignore[arg-type]  # the look-up never asks Stripe


async def serve(desk: Desk) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.add_routes(entitlements.routes(desk))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, f"http://127.0.0.1:{port}"


@pytest.fixture
async def url(whole: Scope, settings: Settings, catalogue: Catalogue) -> AsyncIterator[str]:
    del whole
    runner, address = await serve(desk_with(settings, catalogue, "vendor-token-two", TOKEN))
    yield address
    await runner.cleanup()


async def ask(
    url: str, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, CIMultiDictProxy[str], Any]:
    given = BEARER if headers is None else headers
    async with ClientSession() as session, session.request(method, f"{url}{path}", headers=given) as response:
        text = await response.text()
        return response.status, response.headers, json.loads(text) if text else None


ADDRESS = "/v1/entitlements/T1/U001"


async def test_E1_the_answer_has_its_promised_keys_and_no_money(url: str, whole: Scope) -> None:
    owner = await Member.get(workspace_id="T1", slack_user_id="U001")
    team = await team_of([owner])
    await subscribed(team, owner, "business")
    status, headers, body = await ask(url, ADDRESS)
    assert status == 200
    assert set(body) == KEYS
    assert (body["workspace"], body["member"], body["plan"], body["plan_name"]) == (
        "T1",
        "U001",
        "business",
        "Business",
    )
    assert body["source"] == {"kind": "team", "scope": str(team.id), "name": "Team S1", "standing": "active"}
    assert set(body["features"]) == {"en", "sv"}
    assert headers["Content-Type"].startswith("application/json")
    assert not {"amount", "email", "price", "invoice", "owner"} & set(re.findall(r"\w+", json.dumps(body)))
    assert (await ask(url, "/v1/entitlements/T1/U002"))[2]["plan"] == "basic"


async def test_E1_a_copy_is_asked_about_and_never_stale(url: str, whole: Scope) -> None:
    owner = await Member.get(workspace_id="T1", slack_user_id="U001")
    _, first, _ = await ask(url, ADDRESS)
    assert first["Cache-Control"] == "private, no-cache"
    assert re.fullmatch(r'"[0-9a-f]{32}"', first["ETag"])
    known = BEARER | {"If-None-Match": first["ETag"]}
    status, headers, body = await ask(url, ADDRESS, known)
    assert (status, body, headers["ETag"]) == (304, None, first["ETag"])
    assert (await ask(url, ADDRESS, BEARER | {"If-None-Match": f'"other", W/{first["ETag"]}'}))[0] == 304
    live = await subscribed(whole, owner)
    status, second, body = await ask(url, ADDRESS, known)  # at once, with no wait for anything to expire
    assert (status, body["plan"], second["ETag"] != first["ETag"]) == (200, "premium", True)
    await live.filter(id=live.id).update(is_live=False)
    assert (await ask(url, ADDRESS, BEARER | {"If-None-Match": second["ETag"]}))[2]["plan"] == "basic"


async def test_E1_two_processes_give_the_same_answer_and_the_same_tag(
    url: str, settings: Settings, catalogue: Catalogue
) -> None:
    runner, other = await serve(desk_with(settings, catalogue, TOKEN))
    try:
        assert (await ask(url, ADDRESS))[1]["ETag"] == (await ask(other, ADDRESS))[1]["ETag"]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong-token-xx"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer å"},
        {"Authorization": "Bearer " + "x" * 7000},
    ],
)
async def test_E1_without_a_token_nobody_is_let_in(url: str, header: dict[str, str]) -> None:
    status, headers, body = await ask(url, ADDRESS, header)
    assert (status, body["error"]) == (401, "unauthorized")
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert headers["Cache-Control"] == "no-store"
    assert (await ask(url, "/v1/entitlements/T9/U9", header))[0] == 401  # who is there is not told either


async def test_E1_a_token_in_the_address_is_no_token(url: str) -> None:
    assert (await ask(url, f"{ADDRESS}?access_token={TOKEN}&token={TOKEN}", {}))[0] == 401


async def test_E1_every_configured_token_opens_so_that_one_can_be_rotated_in(url: str) -> None:
    for header in ("Bearer vendor-token-two", f"bearer {TOKEN}", f"Bearer  {TOKEN}"):
        assert (await ask(url, ADDRESS, {"Authorization": header}))[0] == 200, header


async def test_E1_a_token_is_never_in_the_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await ask(url, ADDRESS)
    await ask(url, ADDRESS, {"Authorization": "Bearer wrong-token-xx"})
    assert TOKEN not in caplog.text
    assert "wrong-token" not in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/entitlements/T9/U001", 404, "unknown_workspace"),
        ("/v1/entitlements/T1/U999", 404, "unknown_member"),
        ("/v1/entitlements/x/U001", 400, "bad_id"),
        ("/v1/entitlements/T1/Ada", 400, "bad_id"),
        ("/v1/entitlements/T1/U00%2F1", 400, "bad_id"),
        ("/v1/entitlements/T1/U001%00", 400, "bad_id"),
        ("/v1/entitlements/T1/U001%0A", 400, "bad_id"),
        ("/v1/entitlements/T1/%E5%E4%F6", 400, "bad_id"),
        ("/v1/entitlements/T1/" + "U" * 500, 400, "bad_id"),
        ("/v1/entitlements/U001/T1", 400, "bad_id"),
    ],
)
async def test_E1_what_is_not_there_is_said_with_why_and_what_next(
    url: str, path: str, status: int, error: str
) -> None:
    found, _, body = await ask(url, path)
    assert (found, body["error"]) == (status, error)
    assert all(body[part] for part in ("what", "why", "next"))


async def test_E1_head_answers_without_a_body_and_other_verbs_are_405(url: str) -> None:
    status, headers, body = await ask(url, ADDRESS, method="HEAD")
    assert (status, body) == (200, None)
    assert headers["ETag"] == (await ask(url, ADDRESS))[1]["ETag"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        status, headers, body = await ask(url, ADDRESS, method=method)
        assert (status, headers["Allow"], body["error"]) == (405, "GET, HEAD", "method_not_allowed")


async def test_E1_with_no_token_set_the_door_says_so_and_lets_nobody_in(
    whole: Scope, settings: Settings, catalogue: Catalogue
) -> None:
    runner, address = await serve(desk_with(settings, catalogue))
    try:
        for headers in ({}, {"Authorization": "Bearer "}, BEARER):
            status, _, body = await ask(address, ADDRESS, headers)
            assert (status, body["error"]) == (503, "not_configured")
            assert "KASSOR_API_TOKENS" in body["next"]
    finally:
        await runner.cleanup()


async def test_E1_with_the_database_away_no_plan_is_made_up(url: str) -> None:
    await get_connection("default").execute_script("ALTER TABLE member RENAME TO member_away")
    status, headers, body = await ask(url, ADDRESS)
    assert (status, body["error"], headers["Retry-After"]) == (503, "away", "5")
    await get_connection("default").execute_script("ALTER TABLE member_away RENAME TO member")
    assert (await ask(url, ADDRESS))[0] == 200


@pytest.mark.parametrize("tokens", ["short", "long-enough-token,x", "with a space in it", "pässword-long-enough"])
def test_E1_a_token_that_could_be_guessed_or_not_be_sent_is_refused_at_the_start(tokens: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(GOOD | {"KASSOR_API_TOKENS": tokens})
    assert any(problem.startswith("KASSOR_API_TOKENS") for problem in refused.value.problems)
    assert tokens not in str(refused.value)


def examples(language: str) -> list[str]:
    """The code of docs/entitlements.md."""
    text = (ROOT / "docs" / "entitlements.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


async def test_E1_the_documents_answer_has_the_keys_of_the_real_one(url: str, whole: Scope) -> None:
    await subscribed(whole, await Member.get(workspace_id="T1", slack_user_id="U001"))
    documented = [json.loads(each) for each in examples("json")]
    _, _, body = await ask(url, ADDRESS)
    assert set(documented[0]) == set(body)
    assert set(documented[0]["source"]) == set(body["source"])
    assert set(documented[1]) == set((await ask(url, "/v1/entitlements/T1/U999"))[2])


async def test_E1_the_documents_python_runs_as_it_stands(url: str, whole: Scope) -> None:
    await subscribed(whole, await Member.get(workspace_id="T1", slack_user_id="U001"))
    code = examples("python")[0] + (
        f"\nreader = Entitlements({url!r}, {TOKEN!r})\n"
        "first = reader.plan('T1', 'U001')\n"
        "print(first, reader.plan('T1', 'U001'), reader.plan('T1', 'U999'), reader.not_modified)\n"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.split() == ["premium", "premium", "None", "1"], done.stderr


async def test_E1_the_documents_curl_asks_what_is_answered(url: str) -> None:
    command = examples("sh")[0]
    path = re.search(r"https://kassor\.example(/\S+?)[\s\"']", command)
    header = re.search(r'-H "(Authorization): (Bearer) \$KASSOR_TOKEN"', command)
    assert path, command
    assert header, command
    asked = re.sub(r"/T\w+/U\w+", "/T1/U001", path[1])
    assert (await ask(url, asked, {header[1]: f"{header[2]} {TOKEN}"}))[0] == 200
