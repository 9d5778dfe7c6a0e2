"""The doctor against a whole sandbox: what is wrong is named, with how to mend it, and no secret is said."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from cli.doctor.finding import Finding, State
from cli.doctor.rounds import examine, report
from cli.proof import proof
from cli.sandbox_client import SandboxClient
from cli.stripe_setup import set_up
from domain.config import load
from domain.rules.catalogue import SHIPPED
from tests.acceptance.conftest import running_sandbox
from webhooks.interests import INTERESTS

Environment = dict[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment of an operator whose Slack and Stripe are a sandbox's; the database is each test's own."""
    with running_sandbox(tmp_path_factory.mktemp("doctor") / "sandbox.log") as address:
        yield asyncio.run(_environment(address))


async def _environment(address: str) -> Environment:
    async with SandboxClient(address) as client:
        await client.wait_until_ready(30)
        given = (await client.state())["credentials"]
        port = int(address.rpartition(":")[2])
        people = await client.people(0)
        state = await client.state()
    channels = {each["name"]: each["id"] for each in state["workspaces"][0]["channels"]}
    return {
        "SLACK_SIGNING_SECRET": given["slack_signing_secret"],
        "SLACK_BOT_TOKEN": given["slack_bot_token"],
        "SLACK_API_URL": f"{address}/api/",
        "STRIPE_API_KEY": given["stripe_api_key"],
        "STRIPE_WEBHOOK_SECRETS": given["stripe_webhook_secret"],
        "STRIPE_API_URL": f"http://127.0.0.1:{port + 1}",
        "KASSOR_PUBLIC_URL": f"http://127.0.0.1:{port + 2}",
        "KASSOR_SALES_CHANNEL": next(id_ for name, id_ in channels.items() if "sales" in name),
        "KASSOR_SUPPORT_CHANNEL": next(id_ for name, id_ in channels.items() if "support" in name),
        "KASSOR_AUDIT_CHANNEL": next(id_ for name, id_ in channels.items() if "audit" in name),
        "KASSOR_SALES_STAFF": people[0].id,
    }


def of(findings: list[Finding], subject: str) -> list[Finding]:
    """The findings about something."""
    return [each for each in findings if each.subject.startswith(subject)]


def only_wrong(findings: list[Finding]) -> list[str]:
    """What must be mended, but for the shape of the sandbox's own signing secret, which is plainly none of Slack's."""
    return [each.subject for each in findings if each.state is State.WRONG and each.subject != "signing secret"]


async def test_a_working_installation_has_nothing_wrong(world: Environment, database_url: str) -> None:
    found = await examine(world | {"DATABASE_URL": database_url})
    assert only_wrong(found) == []
    for subject in ("database", "Slack ", "public address", "webhook events", "catalogue", "sales channel", "clock"):
        assert of(found, subject), subject
        assert all(each.state is State.OK for each in of(found, subject)), of(found, subject)


async def test_what_no_api_tells_is_called_unknown_and_says_where_a_person_looks(
    world: Environment, database_url: str
) -> None:
    (found,) = of(await examine(world | {"DATABASE_URL": database_url}), "failed payments")
    assert found.state is State.UNKNOWN
    assert "Revenue recovery" in found.mend


async def test_a_database_that_is_not_there_is_not_made(world: Environment, tmp_path: Path) -> None:
    found = await examine(world | {"DATABASE_URL": f"sqlite://{tmp_path}/none.db"})
    assert of(found, "database")[0].state is State.WRONG
    assert "kassor migrate" in of(found, "database")[0].mend
    assert not (tmp_path / "none.db").exists()


async def test_a_migration_that_was_not_done_is_named(world: Environment, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    found = await examine(world | {"DATABASE_URL": f"sqlite://{tmp_path}/empty.db"})
    assert "0001_initial" in of(found, "database")[0].says


@pytest.mark.parametrize(
    ("change", "subject", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-no-such"}, "Slack", "invalid_auth"),
        ({"STRIPE_API_KEY": "sk_test_no_such"}, "Stripe", "refuses"),
        ({"KASSOR_SALES_CHANNEL": "C0NOSUCH"}, "sales channel", "C0NOSUCH"),
        ({"KASSOR_SALES_STAFF": "U0NOSUCH"}, "sales staff", "U0NOSUCH"),
        ({"KASSOR_PUBLIC_URL": "http://127.0.0.1:1"}, "public address", "does not answer"),
        ({"SLACK_SIGNING_SECRET": "another-secret"}, "public address", "no Kassör with these settings"),
        ({"KASSOR_SALES_STAFF": ""}, "KASSOR_SALES_STAFF", "nobody can decide"),
        ({"KASSOR_ENCRYPTION_KEYS": "short"}, "settings", "KASSOR_ENCRYPTION_KEYS"),
    ],
)
async def test_each_thing_that_is_wrong_is_named_and_mended(
    world: Environment, sqlite_template: Path, change: Environment, subject: str, says: str
) -> None:
    found = await examine(world | {"DATABASE_URL": f"sqlite://{sqlite_template}"} | change)
    wrong = [each for each in of(found, subject) if each.state is State.WRONG]
    assert any(says in each.says for each in wrong), found
    assert all(each.mend for each in wrong)


async def test_a_price_that_is_not_in_stripe_is_named(
    world: Environment, sqlite_template: Path, tmp_path: Path
) -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    (tmp_path / "other.toml").write_text(shipped.replace("12_500", "13_000"), encoding="utf-8")
    changes = {"DATABASE_URL": f"sqlite://{sqlite_template}", "KASSOR_CATALOGUE": str(tmp_path / "other.toml")}
    found = of(await examine(world | changes), "catalogue")
    assert {each.says.split()[0] for each in found} == {
        "kassor_premium_month_sek_13000",
        "kassor_premium_year_sek_130000",
    }
    assert {each.mend for each in found} == {"Run `kassor catalogue push`."}


async def test_no_secret_is_ever_said(world: Environment, sqlite_template: Path) -> None:
    said: list[str] = []
    for change in ({}, {"SLACK_BOT_TOKEN": "xoxb-no-such-token"}, {"STRIPE_API_KEY": "sk_test_no_such_key"}):
        environment = world | {"DATABASE_URL": f"sqlite://{sqlite_template}"} | change
        found = await examine(environment)
        for as_json in (True, False):
            report(found, said.append, as_json=as_json)
        for name in ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS"):
            assert environment[name] not in "\n".join(said), name


@pytest.mark.parametrize(
    ("address", "in_front", "states"),
    [
        ("https://kassor.example", "0", [State.UNKNOWN]),
        ("https://kassor.example", "1", [State.OK]),
        ("http://127.0.0.1:1", "0", []),
    ],
)
async def test_an_address_of_https_has_a_proxy_in_front_that_must_be_known_of(
    world: Environment, sqlite_template: Path, address: str, in_front: str, states: list[State]
) -> None:
    changes = {"KASSOR_PUBLIC_URL": address, "KASSOR_TRUSTED_PROXIES": in_front}
    found = of(await examine(world | {"DATABASE_URL": f"sqlite://{sqlite_template}"} | changes), "proxies")
    assert [each.state for each in found] == states


def test_unknown_is_no_failure_and_wrong_is() -> None:
    unknown, wrong = Finding("a", State.UNKNOWN, "x", "y"), Finding("b", State.WRONG, "x", "y")
    said: list[str] = []
    assert report([unknown], said.append, as_json=True)
    assert json.loads(said[0])["ok"] is True
    assert not report([unknown, wrong], said.append, as_json=False)


def test_a_word_that_slack_might_sign_gets_no_proof() -> None:
    assert proof("secret", "v0:1531420618:token=x&command=/billing") is None
    assert proof("secret", "a" * 24) != proof("another", "a" * 24)


async def test_stripe_setup_makes_the_endpoint_once_with_exactly_our_events_and_says_its_secret_once(
    world: Environment, sqlite_template: Path
) -> None:
    """Run twice, and once more after somebody switched an event off: one endpoint, one secret."""
    environment = world | {
        "DATABASE_URL": f"sqlite://{sqlite_template}",
        "KASSOR_PUBLIC_URL": "https://kassor.example",
    }
    settings, said = load(environment), []
    await set_up(settings, said.append, dry_run=True, new=False, as_json=False)
    assert not any("whsec_" in line for line in said)
    assert (await _endpoints(environment)) == []
    for _ in range(2):
        await set_up(settings, said.append, dry_run=False, new=False, as_json=False)
    assert sum("whsec_" in line for line in said) == 1
    (made,) = await _endpoints(environment)
    assert set(made["enabled_events"]) == set(INTERESTS)
    assert made["api_version"]
    assert [each.state for each in of(await examine(environment), "webhook")] == [State.OK, State.OK]
    await _post(environment, f"/v1/webhook_endpoints/{made['id']}", {"enabled_events[0]": "invoice.paid"})
    findings = of(await examine(environment), "webhook events")
    assert findings[0].state is State.WRONG
    assert "customer.subscription.updated" in findings[0].says
    await set_up(settings, said.append, dry_run=False, new=False, as_json=False)
    assert set((await _endpoints(environment))[0]["enabled_events"]) == set(INTERESTS)


async def _endpoints(environment: Environment) -> list[dict[str, object]]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {environment['STRIPE_API_KEY']}"}) as session,
        session.get(f"{environment['STRIPE_API_URL']}/v1/webhook_endpoints") as answer,
    ):
        listed = (await answer.json())["data"]
    return [each for each in listed if each["url"].startswith(environment["KASSOR_PUBLIC_URL"])]


async def _post(environment: Environment, path: str, form: Environment) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {environment['STRIPE_API_KEY']}"}) as session,
        session.post(f"{environment['STRIPE_API_URL']}{path}", data=form) as answer,
    ):
        assert answer.status == 200, await answer.text()
