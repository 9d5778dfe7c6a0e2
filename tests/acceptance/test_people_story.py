"""People come and go (P1–P3, M2, M6, R28), through Slack's own surface. One organisation's years, told in order."""

import json
from typing import Any

from cli.sandbox_client import Person, SandboxClient, element, elements, texts
from cli.tour import digits, invoice_files
from tests.acceptance.test_bad_input import objects, send, slack_headers

Json = dict[str, Any]


class People:
    """Who takes part, found anew by each test: they share a sandbox."""

    def __init__(self, everyone: list[Person]) -> None:
        by_id = {person.id: person for person in everyone}
        self.everyone = everyone
        self.alice, self.bjorn, self.carin, self.david = (
            by_id.get(name) for name in ("U0ALICE01", "U0BJORN02", "U0CARIN03", "U0DAVID04")
        )


async def who(sandbox: SandboxClient) -> Any:
    """The cast by name; Any, since some of them leave on the way."""
    return People(await sandbox.people())


async def direct(sandbox: SandboxClient, person: Person) -> list[Json]:
    """The direct messages Kassör has sent somebody, oldest first."""
    return [message for message in await sandbox.messages(person) if not message.get("ephemeral")]


async def told(sandbox: SandboxClient, person: Person, *words: str) -> list[Json]:
    """The direct messages with all these words in them."""
    return [each for each in await direct(sandbox, person) if all(word in texts(each) for word in words)]


async def copies(sandbox: SandboxClient, person: Person) -> list[str]:
    return invoice_files(await direct(sandbox, person))


async def happens(sandbox: SandboxClient, kind: str, **about: Any) -> Json:
    outcome: Json = await sandbox.post("/control/event", type=kind, **about)
    return outcome


async def press_in_dm(sandbox: SandboxClient, person: Person, message: Json, action_id: str) -> Json:
    """Press a button on a direct message; what the message says after it."""
    outcome = await sandbox.press(person, message, action_id, channel="dm")
    assert outcome["ok"], outcome
    return next(each for each in await sandbox.messages(person) if each["ts"] == message["ts"])


async def seats(sandbox: SandboxClient) -> int:
    live = [each for each in await objects(sandbox, "subscription") if each["status"] == "active"]
    return int(live[0]["items"]["data"][0]["quantity"])


async def change_seats(sandbox: SandboxClient, owner: Person, number: int) -> None:
    await sandbox.command(owner, "/seats", str(number))
    await sandbox.press(owner, (await sandbox.said_to(owner))[-1], "kassor.quote.accept")


async def upgrade(sandbox: SandboxClient, by: Person, text: str) -> None:
    """Say it, confirm it, pay it."""
    await sandbox.command(by, "/upgrade", text)
    await sandbox.press(by, (await sandbox.said_to(by))[-1], "kassor.quote.accept")
    session = (await objects(sandbox, "checkout.session"))[-1]
    stripe = await sandbox.stripe_url()
    paid = await sandbox.post(f"/control/pay/{session['id']}", base=stripe, method="card", outcome="paid")
    assert paid["ok"], paid
    await sandbox.settled()


# --- R28 ---


async def test_R28_the_owner_chooses_admins_in_a_modal_and_what_is_wrong_is_said_on_the_field(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    await upgrade(sandbox, cast.alice, "premium yearly 20 @bjorn")
    became = (await told(sandbox, cast.bjorn, "betalningsansvarig"))[0]
    await sandbox.press(cast.bjorn, became, "kassor.go.admins", channel="dm")
    view = (await sandbox.views(cast.bjorn))[-1]
    assert "Administratörer" in texts(view)
    picked = [cast.carin.id, cast.david.id, "U0GUEST19", "U0STATUS1", "U0GONE020"]
    outcome = await sandbox.submit(cast.bjorn, view, {"members": {"kassor.admins.members": picked}})
    said = outcome["errors"]["members"]
    assert ("är gäst" in said, "är en app" in said, "är inaktiverad" in said) == (True, True, True), said
    assert "<@" not in said
    assert await told(sandbox, cast.carin, "administratör") == []
    outcome = await sandbox.submit(cast.bjorn, view, {"members": {"kassor.admins.members": picked[:2]}})
    assert outcome["ok"], outcome
    assert cast.carin.id in texts((await sandbox.views(cast.bjorn))[-1])
    assert len(await told(sandbox, cast.carin, "Fjällvind", "administratör")) == 1
    assert len(await told(sandbox, cast.david, "made you admin")) == 1


# --- P1 ---


async def test_P1_the_owner_leaves_and_the_admins_hear_of_it_at_once_in_their_language(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    await sandbox.move_clock(days=100)
    await happens(sandbox, "deactivated", user=cast.bjorn.id)
    assert len(await told(sandbox, cast.carin, "inte längre aktiv", "Ta över faktureringen")) == 1
    assert len(await told(sandbox, cast.david, "no longer active", "Take over billing")) == 1
    for other in cast.everyone:
        if other.id not in {cast.carin.id, cast.david.id, cast.bjorn.id}:
            assert await told(sandbox, other, "Take over") + await told(sandbox, other, "Ta över") == []


async def test_P1_an_owner_who_comes_back_is_owner_and_the_button_is_politely_stale(sandbox: SandboxClient) -> None:
    await happens(sandbox, "reactivated", user="U0BJORN02")
    cast = await who(sandbox)
    message = (await told(sandbox, cast.david, "Take over billing"))[0]
    after = await press_in_dm(sandbox, cast.david, message, "kassor.go.claim")
    assert "is billing owner and still here" in texts(after)
    await sandbox.command(cast.bjorn, "/seats", "25")
    assert element((await sandbox.said_to(cast.bjorn))[-1], "kassor.quote.accept")


async def test_P1_nobody_takes_over_from_an_owner_who_is_back_though_the_news_of_it_was_lost(
    sandbox: SandboxClient,
) -> None:
    await happens(sandbox, "deactivated", user="U0BJORN02")
    await sandbox.post("/control/faults", method="event:user_change", kind="drop", times=1)
    await happens(sandbox, "reactivated", user="U0BJORN02")
    cast = await who(sandbox)
    message = (await told(sandbox, cast.carin, "Ta över faktureringen"))[0]
    after = await press_in_dm(sandbox, cast.carin, message, "kassor.go.claim")
    assert f"<@{cast.bjorn.id}> är betalningsansvarig" in texts(after)


async def test_P1_the_first_admin_to_press_has_billing_and_the_second_reads_who(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    await sandbox.move_clock(days=1)
    await happens(sandbox, "deactivated", user=cast.bjorn.id)
    for_david = (await told(sandbox, cast.david, "Take over billing"))[-1]
    after = await press_in_dm(
        sandbox, cast.carin, (await told(sandbox, cast.carin, "Ta över faktureringen"))[-1], "kassor.go.claim"
    )
    assert "Du är nu betalningsansvarig" in texts(after)
    assert [each for each in elements(after) if each["action_id"] == "kassor.go.claim"] == []
    late = await press_in_dm(sandbox, cast.david, for_david, "kassor.go.claim")
    assert cast.carin.id in texts(late)
    customers = await objects(sandbox, "customer")
    assert customers[-1]["email"] == "carin@fjallvind.example"


async def test_R28_R33_a_former_owners_button_chooses_no_admins_and_says_who_can(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    old = (await told(sandbox, cast.carin, "Du har tagit över faktureringen"))[0]
    for giver, taker in ((cast.carin, "david"), (cast.david, "carin")):
        await sandbox.command(giver, "/billing-owner", f"@{taker}")
        await sandbox.press(giver, (await sandbox.said_to(giver))[-1], "kassor.owner.confirm")
        if giver is cast.carin:
            after = await press_in_dm(sandbox, cast.carin, old, "kassor.go.admins")
            assert await sandbox.views(cast.carin) == []
            assert "kan utse administratörer" in texts(after)
            assert cast.david.id in texts(after)


async def test_P1_I1_the_renewals_copy_goes_to_whoever_claimed_and_to_nobody_else(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    before = {person.id: len(await copies(sandbox, person)) for person in cast.everyone}
    await sandbox.move_clock(until="next_renewal")
    gained = {
        person.id: len(await copies(sandbox, person)) - before[person.id]
        for person in cast.everyone
        if len(await copies(sandbox, person)) != before[person.id]
    }
    assert gained == {cast.carin.id: 1}


# --- P3 ---


async def test_P3_uninstalled_over_a_renewal_billing_goes_on_and_the_copy_comes_once_after_reinstalling(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    invoices, before = len(await objects(sandbox, "invoice")), len(await copies(sandbox, cast.carin))
    await happens(sandbox, "app_uninstalled")
    await sandbox.move_clock(until="next_renewal")
    paid = [each["status"] for each in await objects(sandbox, "invoice")][invoices:]
    assert paid == ["paid"]
    assert len(await copies(sandbox, cast.carin)) == before
    await happens(sandbox, "app_installed")
    await sandbox.move_clock(days=1)  # working hours
    assert len(await copies(sandbox, cast.carin)) == before + 1
    await sandbox.move_clock(days=3)
    assert len(await copies(sandbox, cast.carin)) == before + 1


async def test_P3_news_of_the_uninstall_that_comes_late_takes_nothing_from_who_reinstalled(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    state = await sandbox.state()
    for kind in ("app_uninstalled", "tokens_revoked"):
        event = {"type": kind, "event_ts": "1700000000.000100", "tokens": {"oauth": [], "bot": ["U0KASSOR1"]}}
        body = {
            "type": "event_callback",
            "event_id": f"EvLATE{kind}",
            "team_id": state["workspaces"][0]["id"],
            "event": event,
        }
        raw = json.dumps(body).encode()
        assert (
            await send(
                sandbox,
                "/slack/events",
                raw,
                slack_headers(state["credentials"]["slack_signing_secret"], raw),
            )
            == 200
        )
    await sandbox.settled()
    before = len(await sandbox.said_to(cast.carin))
    await sandbox.command(cast.carin, "/billing")
    assert len(await sandbox.said_to(cast.carin)) == before + 1


# --- M6, M2, P2 ---


async def test_M6_members_outgrow_the_seats_and_one_click_leads_to_the_price_of_the_next_size(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    assert (len(cast.everyone), await seats(sandbox)) == (17, 20)
    for _ in range(4):
        await happens(sandbox, "member_joined")
    outgrown = await told(sandbox, cast.carin, "21 medlemmar och 20 platser")
    assert len(outgrown) == 1
    invoices = len(await objects(sandbox, "invoice"))
    offer = await press_in_dm(sandbox, cast.carin, outgrown[0], "kassor.seats.grow")
    assert (await seats(sandbox), len(await objects(sandbox, "invoice"))) == (20, invoices)  # nothing is charged by it
    shown = digits(element(offer, "kassor.quote.accept")["text"]["text"])
    await press_in_dm(sandbox, cast.carin, offer, "kassor.quote.accept")
    made = (await objects(sandbox, "invoice"))[invoices:]
    assert [str(each["amount_paid"]) for each in made] == [shown]
    assert await seats(sandbox) == 25


async def test_M6_a_click_after_people_have_left_again_says_how_it_is_today(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    new = [(await happens(sandbox, "member_joined"))["user"] for _ in range(5)]
    outgrown = (await told(sandbox, cast.carin, "26 medlemmar och 25 platser"))[0]
    await happens(sandbox, "deactivated", user=new[0])
    await happens(sandbox, "became_guest", user=new[1])
    after = await press_in_dm(sandbox, cast.carin, outgrown, "kassor.seats.grow")
    assert "24 medlemmar och 25 platser" in texts(after)
    assert [each for each in elements(after) if each["action_id"] == "kassor.quote.accept"] == []


async def test_M2_seats_down_then_members_join_before_the_renewal_and_it_stays_as_it_is(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    await change_seats(sandbox, cast.carin, 40)
    await change_seats(sandbox, cast.carin, 25)
    assert await seats(sandbox) == 40
    for _ in range(3):
        await happens(sandbox, "member_joined")
    await sandbox.move_clock(until="next_renewal")
    assert await seats(sandbox) == 40
    assert len(await told(sandbox, cast.carin, "skulle få 25 platser", "27 medlemmar", "kvar vid 40 platser")) == 1


async def test_P2_what_a_lost_event_would_have_told_is_known_a_day_later(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    await sandbox.move_clock(days=1.5)  # everybody has been read within the last half day
    await sandbox.post("/control/faults", method="event:team_join", kind="drop", times=1)
    new = (await happens(sandbox, "member_joined", name="Lost Event"))["user"]
    assert "27 av 40" in texts(await sandbox.home(cast.carin))
    await sandbox.move_clock(days=1.1)
    assert "28 av 40" in texts(await sandbox.home(cast.carin))
    await happens(sandbox, "deactivated", user=new)
    assert "27 av 40" in texts(await sandbox.home(cast.carin))


async def test_P2_a_new_name_language_or_address_is_used_from_then_on(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    await happens(sandbox, "profile_changed", user=cast.carin.id, locale="en-GB", email="carin.oberg@fjallvind.example")
    await happens(sandbox, "workspace_renamed", name="Nordanvind")
    assert "27 of 40" in texts(await sandbox.home(cast.carin))
    assert "Nordanvind" in texts(await sandbox.home(cast.carin))
    customers = await objects(sandbox, "customer")
    assert customers[-1]["email"] == "carin.oberg@fjallvind.example"


async def test_P2_a_paying_teams_group_is_disabled_and_enabled_again_and_its_plan_goes_on(
    sandbox: SandboxClient,
) -> None:
    people = await sandbox.people(1)
    anton, home = people[0], people[0].workspace
    users = [person.id for person in people]
    made = await happens(sandbox, "group_created", workspace=home, handle="crew", name="Crew", users=users)
    await upgrade(sandbox, anton, "premium yearly 5 @crew")
    live = [each for each in await objects(sandbox, "subscription") if each["status"] == "active"]
    for kind in ("group_disabled", "group_enabled", "group_disabled"):
        await happens(sandbox, kind, workspace=home, usergroup=made["usergroup"])
    assert len(await told(sandbox, anton, "Crew", "Jag ser inte längre")) == 1
    assert [each for each in await objects(sandbox, "subscription") if each["status"] == "active"] == live
    assert "4 av 5" in texts(await sandbox.home(anton))
