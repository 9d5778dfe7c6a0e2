"""A card that fails, by date and through Slack's own surface: mended by a new one, never mended, and left (M5).

The tests share a sandbox and run in order: one workspace's two years.
"""

import re
from typing import Any

from cli.sandbox_client import Person, SandboxClient, element, elements, texts

Json = dict[str, Any]
FAILS_LATER = "4000000000000341"  # saved without a word, refused at every charge


async def owner_of(sandbox: SandboxClient) -> Person:
    """An English speaker, who pays."""
    return next(person for person in await sandbox.people() if person.locale.startswith("en"))


async def objects(sandbox: SandboxClient, kind: str) -> list[Json]:
    everything = await sandbox.get_from(await sandbox.stripe_url(), "/control/objects")
    return list(everything.get(kind, {}).values())


async def upgrade(sandbox: SandboxClient, who: Person) -> None:
    """Premium by the month for everybody, paid by card."""
    await sandbox.command(who, "/upgrade", "premium monthly 20")
    offer = (await sandbox.said_to(who))[-1]
    await sandbox.press(who, offer, "kassor.quote.accept")
    session = (await objects(sandbox, "checkout.session"))[-1]
    paid = await sandbox.post(f"/control/pay/{session['id']}", base=await sandbox.stripe_url(), outcome="paid")
    assert paid["ok"], paid
    await sandbox.settled()


async def give_card(
    sandbox: SandboxClient, who: Person, message: Json, number: str, channel: str | None = None
) -> None:
    """Press *Change payment method*, follow the link, and save a card there."""
    await sandbox.press(who, message, "kassor.go.payment", channel=channel)
    session = (await objects(sandbox, "billing_portal.session"))[-1]
    saved = await sandbox.post(
        f"/control/portal/{session['id']}", base=await sandbox.stripe_url(), method="card", number=number
    )
    assert saved["ok"], saved
    await sandbox.settled()


async def last_with(sandbox: SandboxClient, who: Person, words: str) -> Json:
    """The newest direct message that says so."""
    found = [message for message in await sandbox.messages(who) if words in texts(message)]
    assert found, [texts(message)[:80] for message in await sandbox.messages(who)]
    return found[-1]


async def let_the_renewal_fail(sandbox: SandboxClient) -> None:
    await sandbox.post("/control/faults", base=await sandbox.stripe_url(), kind="decline_next_renewal", times=1)
    await sandbox.move_clock(until="next_renewal")


async def live(sandbox: SandboxClient) -> Json:
    """The newest subscription at Stripe."""
    return (await objects(sandbox, "subscription"))[-1]


async def test_M5_a_card_fails_and_the_owner_reads_until_when_all_works_and_what_mends_it(
    sandbox: SandboxClient,
) -> None:
    owner = await owner_of(sandbox)
    await upgrade(sandbox, owner)
    await let_the_renewal_fail(sandbox)
    assert (await live(sandbox))["status"] == "past_due"
    told = await last_with(sandbox, owner, "didn't go through")
    assert re.search(r"keeps working until \w+ \d+, \d{4}", texts(told)), texts(told)
    assert "2,500.00" in texts(told)
    assert [each["action_id"] for each in elements(told)] == ["kassor.go.payment", "kassor.invoice.open"]


async def test_M5_a_new_card_is_tried_at_once_and_all_is_well(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    told = await last_with(sandbox, owner, "didn't go through")
    charges = len(await objects(sandbox, "charge"))
    await give_card(sandbox, owner, told, "5555555555554444", channel="dm")
    made = (await objects(sandbox, "charge"))[charges:]
    assert [(each["paid"], each["amount"]) for each in made] == [(True, 250_000)]
    assert (await live(sandbox))["status"] == "active"
    assert "is paid" in texts(await last_with(sandbox, owner, "is paid"))
    [before] = [each for each in await sandbox.messages(owner) if each["ts"] == told["ts"]]
    assert elements(before) == []  # what happened stands where its buttons were
    assert "*Paid* on " in texts(before)


async def test_M5_the_same_news_five_times_over_charges_and_tells_nothing_more(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    before = len(await objects(sandbox, "charge")), len(await sandbox.messages(owner))
    await sandbox.post("/control/redeliver", base=await sandbox.stripe_url(), all=True, times=5, shuffle=True)
    await sandbox.settled()
    assert (len(await objects(sandbox, "charge")), len(await sandbox.messages(owner))) == before


async def test_M5_a_card_that_is_declined_too_is_told_and_all_keeps_working(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    await let_the_renewal_fail(sandbox)
    told = await last_with(sandbox, owner, "didn't go through")
    await give_card(sandbox, owner, told, FAILS_LATER, channel="dm")
    again = await last_with(sandbox, owner, "was declined too")
    assert re.search(r"keeps working until \w+ \d+, \d{4}", texts(again))
    await sandbox.move_clock(days=11)
    assert "Premium" in texts(await sandbox.home(owner))


async def test_M5_never_mended_it_ends_after_the_grace_and_everybody_is_on_basic(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    invoices = len(await objects(sandbox, "invoice"))
    await sandbox.move_clock(days=4)
    assert (await live(sandbox))["status"] == "canceled"
    assert [each["status"] for each in await objects(sandbox, "invoice")][-1] == "void"
    assert len(await objects(sandbox, "invoice")) == invoices
    told = texts(await last_with(sandbox, owner, "was never paid"))
    assert "Nothing is deleted" in told
    assert "is on Basic" in texts(await sandbox.home(owner))
    assert len([each for each in await sandbox.messages(owner) if "was never paid" in texts(each)]) == 1


async def test_M5_R48_upgrading_again_finds_the_invoices_of_before(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    await upgrade(sandbox, owner)
    assert len({each["customer"] for each in await objects(sandbox, "subscription")}) == 1
    await sandbox.command(owner, "/billing", "invoices")
    shown = texts((await sandbox.said_to(owner))[-1])
    assert shown.count("2,500.00") >= 3


async def test_M5_cancelling_while_overdue_says_so_first_ends_now_and_nothing_is_owed(sandbox: SandboxClient) -> None:
    owner = await owner_of(sandbox)
    await let_the_renewal_fail(sandbox)
    await sandbox.command(owner, "/billing")
    shown = (await sandbox.said_to(owner))[-1]
    leave = element(shown, "kassor.go.cancel")
    assert leave["text"]["text"] == "End the subscription now"
    assert "ends at once and nothing is owed" in texts(leave["confirm"])
    await sandbox.press(owner, shown, "kassor.go.cancel")
    await sandbox.settled()
    assert (await live(sandbox))["status"] == "canceled"
    assert [each["status"] for each in await objects(sandbox, "invoice")][-1] == "void"
    assert "Nothing is owed for it" in texts(await last_with(sandbox, owner, "has ended"))
    charges = len(await objects(sandbox, "charge"))
    await sandbox.move_clock(days=60)
    assert len(await objects(sandbox, "charge")) == charges
