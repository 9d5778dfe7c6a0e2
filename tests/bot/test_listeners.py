"""Who may do what: every command, button, menu, form and event, sent as Slack signs it, by everyone who could send it (R33).

`listeners.txt` is the table, read by a person: what each gets for an answer. `done` is an answer of its own (a page, a form, a
question), a name is the refusal, and `PaymentsAway` means that it was theirs to do: no Stripe is behind this office. An event that
nobody waits for `changes` what is known of the first workspace, where something has happened unheard, or is only `heard`. What is
sent: `sent.py`. To write the table anew, and then read what changed: `KASSOR_WRITE=1 pytest tests/bot/test_listeners.py`.
"""

import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from tortoise.models import Model

from bot import people
from bot.words import Words
from domain import clock, directory, logs
from domain.config import Settings
from domain.records import (
    Admin,
    AuditEntry,
    DeskRequest,
    Installation,
    Member,
    Quote,
    Scope,
    ScopeMember,
    Subscription,
    Workspace,
)
from tests.acceptance.conftest import ROOT
from tests.acceptance.test_bad_input import slack_headers
from tests.bot.builders import BUILDERS, as_view
from tests.bot.conftest import BIG, SMALL, Office, subscribed
from tests.bot.sent import CHANNEL, EVERYTHING, GROUP, GUEST, KEY, MEMBER, OWNER, Sent
from tests.bot.specimens import ORDINARY
from tests.sandbox.stripe.shop import free_port

Json = dict[str, Any]
TABLE = ROOT / "tests" / "bot" / "listeners.txt"
ADMIN = "U0CARIN03"
WHO = {  # the owner comes last: only they may change anything
    "admin": (BIG, ADMIN),
    "member": (BIG, MEMBER),
    "guest": (BIG, GUEST),
    "stranger": (BIG, "U0NOBODY0"),
    "elsewhere": (SMALL, "U1TOVE003"),
    "owner": (BIG, OWNER),
}
MIRRORS: dict[type[Model], str] = {  # of what Slack tells by itself, and whose each row is
    Workspace: "id",
    Member: "workspace_id",
    Scope: "workspace_id",
    ScopeMember: "scope__workspace_id",
    Installation: "team_id",
}
Mirror = dict[type[Model], list[Json]]


@pytest.fixture
async def settings(settings: Settings) -> AsyncIterator[Settings]:
    """Stripe is away, and says so at once."""

    async def away(_: web.Request) -> web.Response:
        return web.json_response({"error": {"type": "api_error"}}, status=503, headers={"Stripe-Should-Retry": "false"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", away)
    runner, port = web.AppRunner(application, access_log=None), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield replace(settings, stripe_api_url=f"http://127.0.0.1:{port}")
    await runner.cleanup()


async def post(office: Office, body: Json) -> tuple[int, str]:
    """Signed, over HTTP, as Slack posts it; the answer's status and text."""
    if body.get("type") == "event_callback":
        raw, kind = json.dumps(body).encode(), "application/json"
    else:
        raw = urlencode(body if "command" in body else {"payload": json.dumps(body)}).encode()
        kind = "application/x-www-form-urlencoded"
    headers = slack_headers("signing-secret", raw) | {"Content-Type": kind}
    url = f"{office.slack.sender.app_url}/slack/events"
    async with aiohttp.ClientSession() as session, session.post(url, data=raw, headers=headers) as response:
        return response.status, await response.text()


def outcome(sent: Sent, caplog: pytest.LogCaptureFixture, *, changes: bool) -> str:
    """What came of the last thing sent, as the log has it; of an event nobody waits for, whether it `changes` anything known."""
    said = [record.getMessage() for record in caplog.records]
    refused = [line.rpartition(" ")[2] for line in said if line.startswith("the answer is no:")]
    if any(record.levelno >= logging.ERROR for record in caplog.records):
        return "broken"
    if refused:
        return refused[-1]
    if sent.kind == "menu" or any(": done in" in line for line in said):
        return "done"
    if sent.kind == "event":
        return "changes" if changes else "heard"
    return "nothing"


async def mirrored(team: str) -> Mirror:
    """All that is known of a workspace from Slack."""
    return {model: await model.filter(**{whose: team}).order_by("id").values() for model, whose in MIRRORS.items()}


@contextmanager
def unheard(office: Office) -> Iterator[None]:
    """Everybody has moved, somebody is out of each team, and nothing of it was told: events are asked about, not believed."""
    home = office.slack.state.workspaces[BIG]
    zones = {user.id: user.tz for user in home.users.values()}
    for user in home.users.values():
        user.tz = "Asia/Tokyo"
    channel, group = home.channels[CHANNEL].members.pop(), home.usergroups[GROUP].users.pop()
    yield
    home.channels[CHANNEL].members.append(channel)
    home.usergroups[GROUP].users.append(group)
    for user in home.users.values():
        user.tz = zones[user.id]


async def put_back(rows: Mirror, now: Mirror) -> None:
    """Whatever an event has changed is as it was, for the next one."""
    for model, known in rows.items():
        there = {row["id"]: row for row in now[model]}
        await model.filter(id__in=there.keys() - {row["id"] for row in known}).delete()
        for row in known:
            if row["id"] not in there:
                await model.create(**row)
            elif there[row["id"]] != row:
                await model.filter(id=row["id"]).update(**{name: row[name] for name in row if name != "id"})


async def standing() -> list[Any]:
    """Everything that only the owner may change."""
    return [
        await Subscription.all().values_list("id", "owner_id", "seats", "plan", "status", "cancel_at"),
        await Admin.all().values_list("member_id", "until"),
        await Quote.all().values_list("id", "state"),
        await AuditEntry.all().count(),
    ]


async def paying(office: Office) -> Subscription:
    """Björn pays for the workspace, Carin is admin, an offer is open and so is a request; #design is a team nobody pays for."""
    client = await office.bot.client_for(BIG)
    assert client is not None
    await people.team(client, BIG, CHANNEL)
    scope = await directory.whole(BIG)
    owner, admin = await Member.get(slack_user_id=OWNER), await Member.get(slack_user_id=ADMIN)
    live = await subscribed(scope, owner)
    now = clock.now()
    await Admin.create(scope=scope, member=admin, since=now)
    await Quote.create(
        id=KEY, kind="seats", applies="now", scope=scope, subscription_id=live.id, requester=owner, plan="premium",
        interval="year", seats=25, seats_asked=25, currency="sek", due_now=100, lines=[], next_total=100, before={},
        offered_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    await DeskRequest.create(
        id=KEY, desk="sales", topic="adjust", scope=scope, requester=owner, asked_at=now,
        facts={"subscription": live.id, "plan": "premium", "seats": 25, "interval": "year", "currency": "sek", "text": ""},
    )  # fmt: skip
    return live


async def test_R33_who_may_do_what(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    live = await paying(office)
    caplog.set_level(logging.DEBUG)
    logs.hush()
    before, lines, changed, leaked = await standing(), [], [], []
    known = {team: await mirrored(team) for team in (BIG, SMALL)}
    for who, (team, user) in WHO.items():
        for sent in EVERYTHING:
            caplog.clear()
            state = office.slack.state
            trigger, key = state.new_trigger(user), state.new_response_url(user, "C0FORGED")
            url = f"{office.slack.base_url}/response/{key}"
            if who == "owner":  # whatever was done before
                await Subscription.filter(id=live.id).update(owner_id=live.owner_id)
            with unheard(office) if sent.kind == "event" else nullcontext():
                status, answer = await post(office, sent.body(team, user, trigger, url, live))
                await office.heard()
            changes = False
            for each, rows in known.items() if sent.kind == "event" else ():
                if (now := await mirrored(each)) != rows:
                    changes |= each == BIG
                    await put_back(rows, now)
            secrets = (key, "signing-secret", "sk_test_kassor", *(each.bot_token for each in state.workspaces.values()))
            leaked += [
                f"{record.name}: {record.getMessage()[:200]}"
                for record in caplog.records
                for secret in secrets
                if secret in record.getMessage()
            ]
            lines.append((sent, who, outcome(sent, caplog, changes=changes) if status == 200 else str(status)))
            if who == "elsewhere" and (changes or any(name in answer for name in ("llvind", "esign", live.id))):
                changed.append(f"{sent.name} reaches the first workspace")
            if who != "owner" and await standing() != before:
                changed.append(f"{sent.name} by {who}")
                before = await standing()
    assert changed == []
    assert leaked == []  # tokens, secrets and answering addresses are never logged, at any level
    found = table(lines)
    if os.environ.get("KASSOR_WRITE"):
        TABLE.write_text(found, encoding="utf-8")
    assert found == TABLE.read_text(encoding="utf-8"), "read what changed, then write the table anew (see above)"


def table(lines: list[tuple[Sent, str, str]]) -> str:
    """The answers in columns."""
    order = ["owner", *[who for who in WHO if who != "owner"]]
    told = {(sent, who): answer for sent, who, answer in lines}
    rows = [["", *order], *([f"{each.kind} {each.name}", *(told[each, who] for who in order)] for each in EVERYTHING)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(order) + 1)]
    return "".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def test_the_table_names_everything_that_can_be_sent_and_nothing_breaks() -> None:
    """A new command, button or form is in the table, and nothing that can be sent ends in an apology or finds nobody."""
    told = TABLE.read_text(encoding="utf-8")
    assert [line.split("  ")[0] for line in told.splitlines()[1:]] == [
        f"{each.kind} {each.name}" for each in EVERYTHING
    ]
    assert not re.findall(r"\bbroken\b|\bnothing\b|\b\d{3}\b", told)


async def test_every_listener_of_the_app_is_in_the_table(office: Office) -> None:
    """Each line of the table is one listener's, and none of the app's listeners is without a line."""
    live = await paying(office)
    listeners = office.bot._app._async_listeners  # Bolt tells nobody else
    heard: set[int] = set()
    several = {}
    for sent in EVERYTHING:
        asked = AsyncBoltRequest(mode="socket_mode", body=sent.body(BIG, OWNER, "1", "https://slack.example", live))
        found = [each for each in listeners if await each.async_matches(req=asked, resp=BoltResponse(status=200))]
        heard |= {id(each) for each in found}
        if len(found) != 1:
            several[f"{sent.kind} {sent.name}"] = len(found)
    assert several == {}
    assert [each.ack_function.__name__ for each in listeners if id(each) not in heard] == []


def test_everything_that_is_shown_to_be_pressed_is_in_the_table() -> None:
    t = Words("en-US")
    shown = {
        re.sub(r"which\.\d+", "which.0", action_id)
        for build in BUILDERS.values()
        for _, made in build(t, ORDINARY)
        for block in as_view(t, made)["blocks"]
        for action_id in pressable(block)
    }
    assert len(shown) > 40
    assert shown - {each.name for each in EVERYTHING if each.kind in {"button", "menu"}} == set()


def pressable(block: Json) -> list[str]:
    """The action ids that Slack sends when something in a block is pressed or chosen."""
    parts = [*block.get("elements", []), block.get("accessory") or {}]
    parts += [block["element"]] if block.get("dispatch_action") else []
    return [part["action_id"] for part in parts if part.get("action_id")]
