"""Every input's worst day: a clear error, nothing changed, nothing lost. The tests share a sandbox and run in order."""

import hashlib
import hmac
import io
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from cli.sandbox_client import Person, SandboxClient, element, elements, texts

Json = dict[str, Any]


async def cast(sandbox: SandboxClient) -> tuple[Person, Person]:
    """An English speaker who will be billing owner, and another."""
    english = [person for person in await sandbox.people() if person.locale.startswith("en")]
    return english[0], english[1]


async def objects(sandbox: SandboxClient, kind: str) -> list[Json]:
    everything = await sandbox.get_from(await sandbox.stripe_url(), "/control/objects")
    return list(everything.get(kind, {}).values())


async def answer_to(sandbox: SandboxClient, who: Person, command: str, text: str) -> str:
    """What somebody privately reads after a command."""
    before = len(await sandbox.said_to(who))
    outcome = await sandbox.command(who, command, text)
    assert outcome["ok"], outcome
    said = await sandbox.said_to(who)
    assert len(said) > before, "nothing was said"
    return texts(said[-1])


async def seats_at_stripe(sandbox: SandboxClient) -> int:
    live = [each for each in await objects(sandbox, "subscription") if each["status"] == "active"]
    return int(live[0]["items"]["data"][0]["quantity"])


# --- before anything is bought ---


@pytest.mark.parametrize(
    ("command", "text", "reads"),
    [
        ("/billing", "upgarde", "Did you mean *upgrade*"),
        ("/billing", "xyzzy", "Try one of these"),
        ("/upgrade", "premum yearly 20", "Did you mean *Premium*"),
        ("/upgrade", "premium yaerly 20", "Did you mean *yearly*"),
        ("/upgrade", "platinum-deluxe yearly 20", "platinum-deluxe"),
        ("/upgrade", "enterprise yearly 20", "no listed price"),
        ("/upgrade", "premium yearly 0", "never a plan for fewer than two"),
        ("/upgrade", "premium yearly 1", "never a plan for fewer than two"),
        ("/upgrade", "premium yearly -3", "never a plan for fewer than two"),
        ("/upgrade", "premium yearly 5", "18 members need a seat"),
        ("/upgrade", "premium yearly 1000000000000", "largest listed size is 5,000"),
        ("/upgrade", "premium yearly 2x", "no number of seats"),
        ("/upgrade", f"premium yearly {'9' * 300}", "no number of seats"),
        ("/seats", "many", "no number of seats"),
        ("/seats", "25", "no paid plan here"),
        ("/billing-owner", "", "no paid plan here"),
        ("/upgrade", "<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_in_words_and_changes_nothing(
    sandbox: SandboxClient, command: str, text: str, reads: str
) -> None:
    who, _ = await cast(sandbox)
    assert reads in await answer_to(sandbox, who, command, text)
    assert await objects(sandbox, "checkout.session") == []


async def test_a_swede_is_refused_in_swedish(sandbox: SandboxClient) -> None:
    swede = next(person for person in await sandbox.people() if person.locale.startswith("sv"))
    assert "Menade du *platser*" in await answer_to(sandbox, swede, "/fakturering", "platsr")


@pytest.mark.parametrize(
    ("kind", "reads"),
    [
        ("is_bot", "is an app"),
        ("is_restricted", "is a guest"),
        ("deleted", "is deactivated"),
        ("elsewhere", "Nobody like that"),
    ],
)
async def test_R26_who_cannot_be_billing_owner_is_refused(sandbox: SandboxClient, kind: str, reads: str) -> None:
    who, _ = await cast(sandbox)
    home, other = (await sandbox.state())["workspaces"]
    there = other["users"] if kind == "elsewhere" else [user for user in home["users"] if user[kind]]
    user_id = there[0]["id"]
    assert reads in await answer_to(sandbox, who, "/upgrade", f"premium yearly 20 <@{user_id}>")
    assert await objects(sandbox, "checkout.session") == []


async def test_R26_the_modal_says_it_on_the_field_and_keeps_what_was_chosen(sandbox: SandboxClient) -> None:
    who, _ = await cast(sandbox)
    guest = next(user for user in (await sandbox.state())["workspaces"][0]["users"] if user["is_restricted"])
    await sandbox.command(who, "/upgrade", "business monthly")
    view = (await sandbox.views(who))[-1]
    outcome = await sandbox.submit(who, view, {"owner": {"kassor.upgrade.owner": guest["id"]}})
    assert "guest" in outcome["errors"]["owner"]
    kept = (await sandbox.views(who))[-1]["state"]["values"]
    assert kept["plan"]["kassor.upgrade.plan"]["selected_option"]["value"] == "business"
    await sandbox.post("/control/close", user=who.id, view_id=view["id"])


async def test_a_guest_cannot_upgrade(sandbox: SandboxClient) -> None:
    home = (await sandbox.state())["workspaces"][0]
    guest = next(user for user in home["users"] if user["is_restricted"])
    person = Person(guest["id"], guest["real_name"], guest["locale"], home["id"])
    assert await answer_to(sandbox, person, "/upgrade", "premium yearly 20")
    assert await objects(sandbox, "checkout.session") == []


# --- what arrives over the wire ---


def slack_headers(secret: str, body: bytes, *, age: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def stripe_headers(secret: str, body: bytes, *, age: int = 0) -> dict[str, str]:
    stamp = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={stamp},v1={digest}"}


async def send(sandbox: SandboxClient, path: str, body: bytes, headers: dict[str, str]) -> int:
    kassor = (await sandbox.state())["urls"]["kassor"]
    async with sandbox.session.post(f"{kassor}{path}", data=io.BytesIO(body), headers=headers) as response:
        return response.status


EVENT = b'{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"message"}}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        slack_headers("somebody else's secret", EVENT),
        slack_headers("sandbox", EVENT) | {"X-Slack-Request-Timestamp": "yesterday"},
        slack_headers("sandbox", EVENT) | {"X-Slack-Signature": "v0=ö"},
    ],
    ids=["missing", "forged", "no time", "no hex"],
)
async def test_a_request_without_slacks_signature_is_401(sandbox: SandboxClient, headers: dict[str, str]) -> None:
    assert await send(sandbox, "/slack/events", EVENT, headers) == 401


@pytest.mark.parametrize("age", [600, -600])
async def test_a_stale_slack_signature_is_401(sandbox: SandboxClient, age: int) -> None:
    secret = (await sandbox.state())["credentials"]["slack_signing_secret"]
    assert await send(sandbox, "/slack/events", EVENT, slack_headers(secret, EVENT, age=age)) == 401


async def test_a_signed_slack_body_that_is_no_json_is_400_and_a_huge_one_413(sandbox: SandboxClient) -> None:
    secret = (await sandbox.state())["credentials"]["slack_signing_secret"]
    for body, status in ((b"{not json", 400), (b"x" * (1024 * 1024 + 1), 413)):
        assert await send(sandbox, "/slack/events", body, slack_headers(secret, body)) == status


async def test_a_webhook_without_stripes_signature_is_400(sandbox: SandboxClient) -> None:
    secret = (await sandbox.state())["credentials"]["stripe_webhook_secret"]
    body = json.dumps({"id": "evt_x", "object": "event", "type": "invoice.paid", "created": 1}).encode()
    refused = [
        {"Content-Type": "application/json"},
        stripe_headers("whsec_somebody_else", body),
        stripe_headers(secret, body, age=600),
        stripe_headers(secret, body, age=-600),
        stripe_headers(secret, body) | {"Stripe-Signature": "t=now,v1=0"},
    ]
    assert [await send(sandbox, "/stripe/webhooks", body, headers) for headers in refused] == [400] * len(refused)


async def test_webhooks_that_are_no_events_are_refused_by_kind(sandbox: SandboxClient) -> None:
    secret = (await sandbox.state())["credentials"]["stripe_webhook_secret"]
    cases = [
        (b"{not json", 400),
        (b"[]", 400),
        (b'{"id":"evt_1","type":"invoice.paid"}', 400),
        (b'{"id":7,"type":"invoice.paid","created":1}', 400),
        (b"x" * (1024 * 1024 + 1), 413),
    ]
    assert [await send(sandbox, "/stripe/webhooks", body, stripe_headers(secret, body)) for body, _ in cases] == [
        status for _, status in cases
    ]
    body = b"{}"
    assert (
        await send(sandbox, "/stripe/webhooks", body, stripe_headers(secret, body) | {"Content-Type": "text/plain"})
        == 415
    )
    kassor = (await sandbox.state())["urls"]["kassor"]
    async with sandbox.session.get(f"{kassor}/stripe/webhooks") as response:
        assert response.status == 405


async def test_an_event_of_an_unknown_type_or_customer_is_taken_and_changes_nothing(sandbox: SandboxClient) -> None:
    secret = (await sandbox.state())["credentials"]["stripe_webhook_secret"]
    now = int(time.time())
    for number, (kind, thing) in enumerate(
        [("something.new", {"id": "x_1"}), ("customer.updated", {"id": "cus_unknown"}), ("invoice.paid", {"id": None})]
    ):
        event = {
            "id": f"evt_unknown_{number}",
            "object": "event",
            "type": kind,
            "created": now,
            "data": {"object": thing},
        }
        body = json.dumps(event).encode()
        assert await send(sandbox, "/stripe/webhooks", body, stripe_headers(secret, body)) == 200
    await sandbox.settled()
    people = await sandbox.people()
    assert [await sandbox.messages(person) for person in people[:3]] == [
        [message for message in await sandbox.messages(person) if message["ephemeral"]] for person in people[:3]
    ]


# --- a subscription, and then things go wrong ---


async def test_a_subscription_to_go_wrong_with(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    await answer_to(sandbox, owner, "/upgrade", "premium yearly 20")
    offer = (await sandbox.said_to(owner))[-1]
    await sandbox.press(owner, offer, "kassor.quote.accept")
    session = (await objects(sandbox, "checkout.session"))[-1]
    stripe = await sandbox.stripe_url()
    assert (await sandbox.post(f"/control/pay/{session['id']}", base=stripe, outcome="declined"))["ok"] is False
    assert (
        await objects(sandbox, "subscription") == []
        or (await objects(sandbox, "subscription"))[-1]["status"] != "active"
    )
    assert (await sandbox.post(f"/control/pay/{session['id']}", base=stripe, outcome="paid"))["ok"] is True
    await sandbox.settled()
    assert await seats_at_stripe(sandbox) == 20


async def test_an_upgrade_while_one_is_live_names_the_owner(sandbox: SandboxClient) -> None:
    owner, other = await cast(sandbox)
    said = await answer_to(sandbox, other, "/upgrade", "business yearly 20")
    assert "already has Premium" in said
    assert owner.id in said
    assert len([each for each in await objects(sandbox, "checkout.session") if each["status"] == "open"]) == 0


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("0", "never a plan for fewer than two"),
        ("1", "never a plan for fewer than two"),
        ("-3", "18 members need a seat"),
        ("−3", "18 members need a seat"),
        ("10", "18 members need a seat"),
        ("20", "like that already"),
        ("many", "no number of seats"),
        ("1000000000000", "largest listed size"),
    ],
)
async def test_M2_seats_that_cannot_be_are_refused(sandbox: SandboxClient, text: str, reads: str) -> None:
    owner, _ = await cast(sandbox)
    assert reads in await answer_to(sandbox, owner, "/seats", text)
    assert await seats_at_stripe(sandbox) == 20


async def test_R7_a_number_between_sizes_is_rounded_up_and_said(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    assert "You asked for 23. Plans come in sizes, and 25 is the next." in await answer_to(
        sandbox, owner, "/seats", "23"
    )


async def test_R30_billing_cannot_be_handed_to_who_cannot_own_it(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    users = (await sandbox.state())["workspaces"][0]["users"]
    for user, reads in (
        (next(user for user in users if user["is_bot"]), "is an app"),
        (next(user for user in users if user["is_restricted"]), "is a guest"),
        (next(user for user in users if user["deleted"]), "is deactivated"),
        ({"id": owner.id}, "is billing owner already"),
        ({"id": "U0NOBODY00"}, "Nobody like that"),
    ):
        assert reads in await answer_to(sandbox, owner, "/billing-owner", f"<@{user['id']}>")


async def test_a_bare_name_opens_the_picker_and_is_never_guessed_at(sandbox: SandboxClient) -> None:
    owner, other = await cast(sandbox)
    await sandbox.command(owner, "/billing-owner", other.name.split()[0])
    view = (await sandbox.views(owner))[-1]
    assert element(view, "kassor.owner.member")["type"] == "users_select"
    await sandbox.post("/control/close", user=owner.id, view_id=view["id"])


async def test_M2_a_declined_card_leaves_the_seats_as_they_were(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    stripe = await sandbox.stripe_url()
    said = (await sandbox.command(owner, "/billing", "payment")) and (await sandbox.said_to(owner))[-1]
    portal = element(said, "kassor.stripe.open")["url"].rsplit("/", 1)[1]
    await sandbox.post(f"/control/portal/{portal}", base=stripe, number="4000000000000341")
    await answer_to(sandbox, owner, "/seats", "30")
    await sandbox.press(owner, (await sandbox.said_to(owner))[-1], "kassor.quote.accept")
    last = texts((await sandbox.said_to(owner))[-1])
    assert "bank said no" in last
    assert await seats_at_stripe(sandbox) == 20
    assert not [each for each in await objects(sandbox, "invoice") if each["status"] == "open"]
    await sandbox.post(f"/control/portal/{portal}", base=stripe, number="4242424242424242")


@pytest.mark.parametrize("kind", ["api_error", "rate_limited"])
async def test_stripe_away_when_the_price_is_asked_is_said_and_nothing_changes(
    sandbox: SandboxClient, kind: str
) -> None:
    owner, _ = await cast(sandbox)
    stripe = await sandbox.stripe_url()
    await sandbox.post("/control/faults", base=stripe, kind=kind, times=60)
    try:
        assert "Stripe doesn't answer right now" in await answer_to(sandbox, owner, "/seats", "25")
    finally:
        await sandbox.post("/control/faults", base=stripe, kind=kind, times=0)
    assert await seats_at_stripe(sandbox) == 20


async def test_M1_stripe_away_after_the_button_was_pressed_loses_nothing_and_charges_once(
    sandbox: SandboxClient,
) -> None:
    owner, _ = await cast(sandbox)
    stripe = await sandbox.stripe_url()
    await answer_to(sandbox, owner, "/seats", "25")
    offer = (await sandbox.said_to(owner))[-1]
    shown = "".join(part for part in element(offer, "kassor.quote.accept")["text"]["text"] if part.isdigit())
    invoices = len(await objects(sandbox, "invoice"))
    await sandbox.post("/control/faults", base=stripe, kind="api_error", times=60)
    try:
        await sandbox.press(owner, offer, "kassor.quote.accept")
        assert "what you confirmed is carried out" in texts((await sandbox.said_to(owner))[-1])
    finally:
        await sandbox.post("/control/faults", base=stripe, kind="api_error", times=0)
    await sandbox.move_clock(days=0.01)  # a quarter of an hour: the tick carries on what was cut off
    made = (await objects(sandbox, "invoice"))[invoices:]
    assert [(each["status"], str(each["amount_paid"])) for each in made] == [("paid", shown)]
    assert await seats_at_stripe(sandbox) == 25


async def test_a_button_pressed_twice_charges_once(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    await answer_to(sandbox, owner, "/seats", "30")
    offer = (await sandbox.said_to(owner))[-1]
    invoices = len(await objects(sandbox, "invoice"))
    quote = element(offer, "kassor.quote.accept")["value"]
    await sandbox.press(owner, offer, "kassor.quote.accept")
    await answer_to(sandbox, owner, "/seats", "30")  # it is so already, and says so
    assert len(await objects(sandbox, "invoice")) == invoices + 1
    assert quote


async def test_an_expired_offer_gets_a_fresh_price_instead_of_an_error(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    await answer_to(sandbox, owner, "/seats", "40")
    offer = (await sandbox.said_to(owner))[-1]
    invoices = len(await objects(sandbox, "invoice"))
    await sandbox.move_clock(days=2)
    await sandbox.press(owner, offer, "kassor.quote.accept")
    fresh = (await sandbox.said_to(owner))[-1]
    assert "The price has changed since you saw it" in texts(fresh)
    assert len(await objects(sandbox, "invoice")) == invoices
    assert await seats_at_stripe(sandbox) == 30
    assert element(fresh, "kassor.quote.accept")["value"] != element(offer, "kassor.quote.accept")["value"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited"},
        {"kind": "error", "error": "invalid_auth"},
        {"kind": "error", "error": "internal_error"},
        {"kind": "timeout_after"},
        {"kind": "timeout_before"},
    ],
    ids=lambda fault: str(fault.get("error") or fault["kind"]),
)
async def test_I2_a_message_slack_would_not_take_arrives_later_and_once(sandbox: SandboxClient, fault: Json) -> None:
    owner, _ = await cast(sandbox)
    before = [message["ts"] for message in await sandbox.messages(owner) if not message["ephemeral"]]
    await sandbox.post("/control/faults", method="chat.postMessage", times=1, **fault)
    for press in ("kassor.go.cancel", "kassor.go.resume"):
        home = await sandbox.home(owner)
        button = element(home, press)
        await sandbox.act(owner, press, view_id=home["id"], block_id=button["block_id"])
        for view in reversed(await sandbox.views(owner)):
            await sandbox.post("/control/close", user=owner.id, view_id=view["id"])
    await sandbox.move_clock(days=0.1)
    after = [message for message in await sandbox.messages(owner) if not message["ephemeral"]]
    new = [texts(message) for message in after if message["ts"] not in before]
    assert sum("is cancelled" in text for text in new) == 1, new
    assert sum("goes on" in text for text in new) == 1, new


async def test_buttons_of_somebody_elses_page_do_nothing(sandbox: SandboxClient) -> None:
    """R33: authorisation is checked in the action: a forged button value is refused."""
    owner, other = await cast(sandbox)
    await answer_to(sandbox, owner, "/seats", "40")
    offer = (await sandbox.said_to(owner))[-1]
    quote = element(offer, "kassor.quote.accept")["value"]
    state = await sandbox.state()
    payload = {
        "type": "block_actions",
        "team": {"id": other.workspace},
        "user": {"id": other.id, "team_id": other.workspace},
        "api_app_id": state["app"]["app_id"],
        "trigger_id": "1.2.forged",
        "response_url": f"{state['urls']['slack']}/response/none",
        "actions": [{"action_id": "kassor.quote.accept", "block_id": "quote", "type": "button", "value": quote}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    headers = slack_headers(state["credentials"]["slack_signing_secret"], body)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    assert await send(sandbox, "/slack/events", body, headers) == 200
    await sandbox.settled()
    assert await seats_at_stripe(sandbox) == 30


async def test_nothing_of_all_this_left_an_element_that_cannot_be_pressed(sandbox: SandboxClient) -> None:
    owner, _ = await cast(sandbox)
    assert elements(await sandbox.home(owner))
