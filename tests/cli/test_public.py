"""Every public route, found by walking the router: what each answer carries, and who is refused before any work is done."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, web
from cryptography.fernet import Fernet

from bot import pages
from bot.app import make_app
from cli import health, public, serve
from cli.guard import HEADERS, SIGNED
from domain.config import Settings
from domain.desk import Desk
from domain.payments import Payments
from domain.records.installations import OAuthState
from domain.rules.catalogue import Catalogue
from tests.acceptance.test_bad_input import EVENT, slack_headers, stripe_headers
from tests.clock import a_clock
from tests.sandbox.stripe.shop import free_port
from tests.webhooks.test_http import GOOD

FILLED = {"{workspace}": "T1", "{member}": "U1", "{anywhere}": "no/such/page"}
TOKEN = "a-token-of-the-vendor"
MACHINES = {("POST", path) for path in SIGNED}


@dataclass
class Street:
    """Kassör's public routes as `kassor serve web` serves them, and a browser that keeps no cookies."""

    url: str
    settings: Settings
    application: web.Application  # a twin of the one that answers, to be walked
    browser: ClientSession

    def routes(self) -> list[tuple[str, str]]:
        """Method and a path that leads there, of every route."""
        found = []
        for route in self.application.router.routes():
            assert route.resource is not None
            path = route.resource.canonical
            for name, value in FILLED.items():
                path = path.replace(name, value)
            assert "{" not in path, "give FILLED a value for it"
            found.append(("DELETE" if route.method == "*" else route.method, path))
        return found

    async def ask(self, method: str, path: str, **more: str) -> tuple[int, dict[str, str], str]:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        async with self.browser.request(method, self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, dict(answer.headers), await answer.text()


@asynccontextmanager
async def open_street(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Street]:
    world = a_clock(tmp_path)
    own = replace(
        settings,
        port=free_port(),
        slack_bot_token=None,
        slack_client_id="1.2",
        slack_client_secret="secret",
        slack_api_url="http://127.0.0.1:1/api/",
        stripe_api_url="http://127.0.0.1:1",
        encryption_keys=(Fernet.generate_key().decode(),),
        clock_file=world.path,  # it listens on this machine alone, and its routes are looked at too
    )
    payments = Payments(own, catalogue)
    desk = Desk(own, catalogue, payments)
    bot = make_app(desk)
    try:
        async with serve._listening(desk, bot), ClientSession(cookie_jar=DummyCookieJar()) as browser:
            yield Street(f"http://127.0.0.1:{own.port}", own, public.application(desk, bot), browser)
    finally:
        await bot.close()
        await payments.close()
        world.close()


@pytest.fixture(params=["http://127.0.0.1:1", "https://kassor.example"])
async def street(
    request: pytest.FixtureRequest, database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> AsyncIterator[Street]:
    del database
    async with open_street(replace(settings, public_url=request.param), catalogue, tmp_path) as found:
        yield found


@pytest.fixture
async def behind_a_proxy(
    database: str, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> AsyncIterator[Street]:
    del database
    async with open_street(replace(settings, trusted_proxies=1), catalogue, tmp_path) as found:
        yield found


@pytest.fixture
async def without_database(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> AsyncIterator[Street]:
    """No database is open at all: whoever gets as far as looking into one fails."""
    async with open_street(replace(settings, api_tokens=(TOKEN,)), catalogue, tmp_path) as found:
        yield found


# --- what every answer carries ---


async def test_every_route_there_is_carries_the_headers_and_a_new_one_can_not_be_forgotten(street: Street) -> None:
    walked = street.routes()
    assert len(walked) > 20
    for method, path in walked:
        status, headers, _ = await street.ask(method, path)
        if (method, path) in MACHINES:  # never a page: signed, by POST, and JSON whatever happens
            assert (status in {400, 401, 415}, headers["Content-Type"]) == (True, "application/json; charset=utf-8")
            continue
        for name in HEADERS:
            assert name in headers, f"{method} {path}: {name}"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store", path
        https = street.settings.public_url.startswith("https://")
        assert ("Strict-Transport-Security" in headers) == https, f"{method} {path}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/slack/installed", 404),
        ("GET", "/stripe/webhooks", 405),
        ("DELETE", "/slack/events", 405),
        ("POST", "/healthz", 405),
        ("POST", "/slack/install", 405),
        ("PUT", "/v1/entitlements/T1/U1", 405),
    ],
)
async def test_where_nothing_is_the_answer_carries_them_too(
    without_database: Street, method: str, path: str, status: int
) -> None:
    answered, headers, _ = await without_database.ask(method, path)
    assert answered == status
    assert headers.keys() >= HEADERS.keys()
    assert ("Allow" in headers) == (status == 405)


async def test_a_handler_that_fails_is_a_500_without_a_word_of_why(
    without_database: Street, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_: str) -> None:
        raise RuntimeError("sk_live_inside")

    monkeypatch.setattr(pages, "reader", breaks)
    status, headers, body = await without_database.ask("GET", "/slack/return")
    assert (status, body) == (500, '{"error": "internal server error"}')
    assert headers.keys() >= HEADERS.keys()
    assert "/slack/return could not be answered" in caplog.text


async def test_a_refusal_that_is_raised_carries_them_too(
    without_database: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: str) -> None:
        raise web.HTTPForbidden

    monkeypatch.setattr(pages, "reader", refuses)
    status, headers, _ = await without_database.ask("GET", "/slack/return")
    assert (status, headers.keys() >= HEADERS.keys()) == (403, True)


async def test_the_doors_of_stripe_and_slack_have_nothing_in_front_of_them(without_database: Street) -> None:
    """Not a wrapper, not a middleware, not a signal: what they cost is what they do."""
    application = without_database.application
    doors = {
        route.resource.canonical: getattr(route.handler, "__qualname__", "")
        for route in application.router.routes()
        if route.method == "POST" and route.resource is not None and route.resource.canonical in SIGNED
    }
    assert doors == {"/stripe/webhooks": "_Receiver.receive", "/slack/events": "BotApp._slack"}
    assert not application.middlewares
    assert not application.on_response_prepare


# --- how often ---


async def test_an_installation_begun_too_often_is_429_in_words_and_makes_no_row(street: Street) -> None:
    answers = [(await street.ask("GET", "/slack/install/start"))[0] for _ in range(25)]
    assert answers[:20] == [302] * 20
    assert answers.count(429) >= 3  # on a slow day one or two have come back
    assert await OAuthState.all().count() == answers.count(302)
    status, headers, page = await street.ask("GET", "/slack/oauth_redirect?code=x&state=y", Accept_Language="sv")
    assert (status, int(headers["Retry-After"]) >= 1) == (429, True)
    assert "vänta en minut" in page
    assert (await street.ask("GET", "/slack/install"))[0] == 200  # what costs nothing goes on


async def test_behind_a_proxy_each_client_has_its_own_share_and_can_not_forge_another(behind_a_proxy: Street) -> None:
    async def begun(passed: str) -> int:
        return (await behind_a_proxy.ask("GET", "/slack/install/start", X_Forwarded_For=passed))[0]

    assert 429 in [await begun(f"203.0.113.{number}, 192.0.2.1") for number in range(25)]
    assert await begun("192.0.2.2") == 302


async def test_numbers_for_anybody_are_counted_and_with_a_token_only_the_token_is(
    behind_a_proxy: Street, settings: Settings
) -> None:
    answers = await asyncio.gather(*(behind_a_proxy.ask("GET", "/metrics") for _ in range(30)))
    assert {status for status, _, _ in answers} == {200, 429}
    assert "/metrics" not in public.limits(replace(settings, api_tokens=("a-long-token",)))


async def test_however_often_somebody_asks_whether_we_are_ready_the_database_is_asked_once_a_second(
    without_database: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def counted(_: object) -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr(health._Health, "_of_the_database", counted)
    answers = await asyncio.gather(*(without_database.ask("GET", "/readyz") for _ in range(30)))
    assert {status for status, _, _ in answers} == {200}
    assert asked == 1


# --- before any work ---


@pytest.mark.parametrize("age", [0, 400], ids=["another secret", "too old"])
async def test_a_forged_request_never_gets_as_far_as_the_database(without_database: Street, age: int) -> None:
    """A right one does, as the last lines show: without a database it can't be answered well."""
    street = without_database

    async def post(path: str, body: bytes, headers: dict[str, str]) -> int:
        async with street.browser.post(street.url + path, data=body, headers=headers) as answer:
            return answer.status

    async def looked_up(token: str) -> int:
        return (await street.ask("GET", "/v1/entitlements/T1/U1", Authorization=f"Bearer {token}"))[0]

    stripe, slack = street.settings.stripe_webhook_secrets[0], street.settings.slack_signing_secret
    wrong = (stripe, slack) if age else ("whsec_stolen", "stolen")
    assert await post("/stripe/webhooks", GOOD, stripe_headers(wrong[0], GOOD, age=age)) == 400
    assert await post("/slack/events", EVENT, slack_headers(wrong[1], EVENT, age=age)) == 401
    assert await looked_up("a-token-of-nobody") == 401
    assert await post("/stripe/webhooks", GOOD, stripe_headers(stripe, GOOD)) == 503
    assert await post("/slack/events", EVENT, slack_headers(slack, EVENT)) >= 500
    assert await looked_up(TOKEN) == 503


async def test_a_head_that_dawdles_is_cut_off_however_steadily_it_drips(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "IDLE", 0.5)
    async with open_street(settings, catalogue, tmp_path) as street:
        reader, writer = await asyncio.open_connection("127.0.0.1", street.settings.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        since = time.monotonic()
        while not reader.at_eof() and time.monotonic() - since < 5:
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.sleep(0.05)
        assert time.monotonic() - since < 2
        writer.close()


async def test_a_body_from_slack_that_dawdles_is_408(without_database: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.app.SLOWEST", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", without_database.settings.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    assert b" 408 " in answer
    writer.close()


async def test_a_return_nobody_paid_for_changes_nothing(without_database: Street) -> None:
    """There is not even a database to change; the page says that Stripe has the last word."""
    status, _, page = await without_database.ask("GET", "/slack/return?done=1&session_id=cs_forged")
    assert status == 200
    assert "as soon as Stripe has confirmed it" in page


async def test_the_way_back_is_told_in_the_language_one_speaks_in_slack(without_database: Street) -> None:
    """Not in the browser's, which needn't be the same; what is no language of ours is left to the browser."""
    for asked, said in (("sv", "Klart"), ("en", "Done"), ("pl", "Done"), ("%3Cscript%3E", "Done"), ("..%2Fsv", "Done")):
        status, _, page = await without_database.ask("GET", f"/slack/return?done=1&lang={asked}")
        assert (status, f"<h1>{said}</h1>" in page) == (200, True)


async def test_in_production_there_are_no_handles(without_database: Street, catalogue: Catalogue) -> None:
    assert any("/control/" in path for _, path in without_database.routes())
    own = replace(without_database.settings, clock_file=None)
    payments = Payments(own, catalogue)
    bot = make_app(Desk(own, catalogue, payments))
    without_database.application = public.application(bot.desk, bot)
    assert not any("/control/" in path for _, path in without_database.routes())
    await bot.close()
    await payments.close()
