"""A team pays for itself, then another on another plan, then their whole organisation upgrades (R8, R13, M4). By date, in order."""

from typing import Any

from cli.sandbox_client import Person, SandboxClient, texts

Json = dict[str, Any]
DESIGN, DATA = "S0DESIGN1", "S0DATA001"


async def member_of(sandbox: SandboxClient, team: str) -> Person:
    """The first member of a user group."""
    state = await sandbox.state()
    group = next(each for each in state["workspaces"][0]["usergroups"] if each["id"] == team)
    members = group.get("users") or group.get("members")
    return next(person for person in await sandbox.people() if person.id == members[0])


async def outsider(sandbox: SandboxClient) -> Person:
    """Somebody in neither team."""
    return (await sandbox.people())[0]


async def objects(sandbox: SandboxClient, kind: str) -> list[Json]:
    everything = await sandbox.get_from(await sandbox.stripe_url(), "/control/objects")
    return list(everything.get(kind, {}).values())


async def buy(sandbox: SandboxClient, who: Person, text: str) -> Json:
    """`/upgrade …`, the button, and Stripe's page; the subscription that came of it."""
    await sandbox.command(who, "/upgrade", text)
    offer = (await sandbox.said_to(who))[-1]
    await sandbox.press(who, offer, "kassor.quote.accept")
    session = (await objects(sandbox, "checkout.session"))[-1]
    paid = await sandbox.post(f"/control/pay/{session['id']}", base=await sandbox.stripe_url(), outcome="paid")
    assert paid["ok"], paid
    await sandbox.settled()
    return (await objects(sandbox, "subscription"))[-1]


async def test_R8_R13_a_team_gets_a_plan_of_its_own_and_everybody_else_stays_on_basic(sandbox: SandboxClient) -> None:
    designer = await member_of(sandbox, DESIGN)
    made = await buy(sandbox, designer, f"premium yearly 5 <!subteam^{DESIGN}>")
    assert (made["status"], made["items"]["data"][0]["quantity"]) == ("active", 5)
    assert "Basic" in texts(await sandbox.home(await outsider(sandbox)))


async def test_R13_another_team_chooses_another_plan(sandbox: SandboxClient) -> None:
    await sandbox.move_clock(days=60)
    analyst = await member_of(sandbox, DATA)
    made = await buy(sandbox, analyst, f"premium monthly 3 <!subteam^{DATA}>")
    assert (made["status"], made["items"]["data"][0]["quantity"]) == ("active", 3)
    live = [each for each in await objects(sandbox, "subscription") if each["status"] == "active"]
    assert len({each["customer"] for each in live}) == 2


async def test_M4_the_organisation_upgrades_and_the_teams_plans_end_with_credit_for_the_rest(
    sandbox: SandboxClient,
) -> None:
    await sandbox.move_clock(days=10)
    alice = await outsider(sandbox)
    whole = await buy(sandbox, alice, "premium monthly 20")
    states = {each["id"]: each["status"] for each in await objects(sandbox, "subscription")}
    assert states.pop(whole["id"]) == "active"
    assert set(states.values()) == {"canceled"}
    balances = {each["id"]: each["balance"] for each in await objects(sandbox, "customer")}
    credit = -balances.pop(whole["customer"])
    assert credit > 5 * 125_000 * 290 // 365
    assert set(balances.values()) == {0}


async def test_M4_the_teams_owners_read_what_became_of_their_plans_each_in_their_language(
    sandbox: SandboxClient,
) -> None:
    for team in (DESIGN, DATA):
        owner = await member_of(sandbox, team)
        words = "outnyttjad tid" if owner.locale.startswith("sv") else "for unused time is taken off the next invoice"
        told = [message for message in await sandbox.messages(owner) if words in texts(message)]
        assert len(told) == 1


async def test_M4_the_organisations_next_invoice_is_paid_with_the_credit(sandbox: SandboxClient) -> None:
    charged = sum(each["amount"] for each in await objects(sandbox, "charge") if each["paid"])
    await sandbox.move_clock(until="next_renewal")
    renewal = (await objects(sandbox, "invoice"))[-1]
    assert (renewal["status"], renewal["total"], renewal["amount_paid"]) == ("paid", 20 * 12_500, 0)
    assert sum(each["amount"] for each in await objects(sandbox, "charge") if each["paid"]) == charged


async def test_M4_R12_no_team_can_upgrade_while_the_organisation_has_a_plan(sandbox: SandboxClient) -> None:
    designer = await member_of(sandbox, DESIGN)
    await sandbox.command(designer, "/upgrade", f"premium yearly 5 <!subteam^{DESIGN}>")
    assert "Premium" in texts((await sandbox.said_to(designer))[-1])
    live = [each for each in await objects(sandbox, "subscription") if each["status"] == "active"]
    assert len(live) == 1


async def test_M4_the_same_news_five_times_over_changes_nothing(sandbox: SandboxClient) -> None:
    designer = await member_of(sandbox, DESIGN)

    async def everything() -> tuple[object, ...]:
        balances = [(each["id"], each["balance"]) for each in await objects(sandbox, "customer")]
        return balances, len(await objects(sandbox, "invoice")), len(await sandbox.messages(designer))

    before = await everything()
    await sandbox.post("/control/redeliver", base=await sandbox.stripe_url(), all=True, times=5, shuffle=True)
    await sandbox.settled()
    assert await everything() == before
