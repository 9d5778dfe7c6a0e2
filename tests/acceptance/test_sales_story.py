"""An invoice plan with sales, told by date, through Slack's surface alone; and what two desks do on their worst days.

The tests share a sandbox and run in order: Fjällvind buys by invoice, the smaller Pixelbryggan asks and is cut off.
"""

import asyncio
from typing import Any

from cli.sandbox_client import Person, SandboxClient, element, elements, texts

Json = dict[str, Any]
SALES, SUPPORT = "C0SALES001", "C0SUPPORT1"


async def somebody(sandbox: SandboxClient, user_id: str, workspace: int = 0) -> Person:
    return next(person for person in await sandbox.people(workspace) if person.id == user_id)


async def cast(sandbox: SandboxClient) -> tuple[Person, Person, Person, Person]:
    """Carin, who buys, in Swedish; Priya, who sits in the sales channel without being sales; Nils and Olivia, who are."""
    ids = ("U0CARIN03", "U0PRIYA16", "U0NILS014", "U0OLIVE15")
    carin, priya, nils, olivia = [await somebody(sandbox, user_id) for user_id in ids]
    return carin, priya, nils, olivia


async def objects(sandbox: SandboxClient, kind: str) -> list[Json]:
    everything = await sandbox.get_from(await sandbox.stripe_url(), "/control/objects")
    return list(everything.get(kind, {}).values())


async def top(sandbox: SandboxClient, who: Person) -> Json:
    """The modal in front of somebody."""
    return (await sandbox.views(who))[-1]


async def latest(sandbox: SandboxClient, who: Person, channel: str) -> Json:
    """The newest message a whole channel sees."""
    return [message for message in await sandbox.messages(who, channel) if not message.get("ephemeral")][-1]


async def refused_with_door(sandbox: SandboxClient, who: Person, command: str, text: str) -> Json:
    """A command is refused, and the refusal's button opens the sales form: the form."""
    await sandbox.command(who, command, text)
    said = (await sandbox.said_to(who))[-1]
    await sandbox.press(who, said, "kassor.go.sales")
    return await top(sandbox, who)


async def approve(sandbox: SandboxClient, who: Person, values: Json | None = None) -> str:
    """Open the newest request's terms and agree to them; what the modal says then."""
    await sandbox.press(who, await latest(sandbox, who, SALES), "kassor.desk.approve", SALES)
    await sandbox.submit(who, await top(sandbox, who), values)
    await sandbox.settled()
    return texts(await top(sandbox, who))


def priced(plan: str, price: str) -> Json:
    """What is written in the field for a plan's price."""
    return {f"price_{plan}": {"kassor.terms.price": price}}


async def news(sandbox: SandboxClient, who: Person) -> str:
    """All that somebody has been told in their DM."""
    return "\n".join(texts(message) for message in await sandbox.messages(who)).replace("\u00a0", " ")


async def test_R17_a_question_to_support_is_one_click_away_and_answered_in_slack_once(sandbox: SandboxClient) -> None:
    *_, nils, olivia = await cast(sandbox)
    grace = await somebody(sandbox, "U0GRACE07")
    await sandbox.command(grace, "/upgrade", "premium yearly 20")
    await sandbox.press(grace, (await sandbox.said_to(grace))[-1], "kassor.go.support")
    await sandbox.submit(grace, await top(sandbox, grace), {"text": {"kassor.support.text": "Why *20*?"}})
    assert "Sent to support" in texts(await top(sandbox, grace))
    await sandbox.settled()
    asked = await latest(sandbox, nils, SUPPORT)
    assert "Why *20*?" in texts(asked)
    assert "SEK" not in texts(asked)
    for who in (nils, olivia):
        await sandbox.press(who, asked, "kassor.desk.answer", SUPPORT)
    await sandbox.submit(nils, await top(sandbox, nils), {"words": {"kassor.desk.words": "Because of sizes"}})
    await sandbox.submit(olivia, await top(sandbox, olivia), {"words": {"kassor.desk.words": "No idea"}})
    assert f"<@{nils.id}> answered it already" in texts(await top(sandbox, olivia))
    await sandbox.settled()
    assert elements(await latest(sandbox, nils, SUPPORT)) == []
    told = await news(sandbox, grace)
    assert f"<@{nils.id}> at support has answered" in told
    assert "Because of sizes" in told
    assert "No idea" not in told


async def test_R14_several_teams_are_asked_for_and_declined_with_words_that_reach_whoever_asked(
    sandbox: SandboxClient,
) -> None:
    *_, olivia = await cast(sandbox)
    james = await somebody(sandbox, "U0JAMES10")
    view = await refused_with_door(sandbox, james, "/upgrade", "enterprise yearly 20")
    await sandbox.act(james, "kassor.sales.topic", view_id=view["id"], value="several_teams")
    view = await top(sandbox, james)
    teams = [each["value"] for each in element(view, "kassor.sales.teams")["options"]]
    assert len(teams) == 2
    wrong = await sandbox.submit(james, view, {"teams": {"kassor.sales.teams": teams[:1]}})
    assert "two teams or more" in wrong["errors"]["channels"]
    await sandbox.submit(james, await top(sandbox, james), {"teams": {"kassor.sales.teams": teams}})
    assert "Sent to sales" in texts(await top(sandbox, james))
    await sandbox.settled()
    asked = await latest(sandbox, olivia, SALES)
    assert "Data, Design" in texts(asked)
    await sandbox.press(olivia, asked, "kassor.desk.decline", SALES)
    await sandbox.submit(olivia, await top(sandbox, olivia), {"words": {"kassor.desk.words": "Next year, perhaps"}})
    await sandbox.settled()
    assert elements(await latest(sandbox, olivia, SALES)) == []
    assert "Next year, perhaps" in await news(sandbox, james)
    assert await objects(sandbox, "subscription") == []


async def test_R24_a_team_in_a_channel_is_picked_in_the_form(sandbox: SandboxClient) -> None:
    *_, olivia = await cast(sandbox)
    ebba = await somebody(sandbox, "U0EBBA005")
    view = await refused_with_door(sandbox, ebba, "/uppgradera", "enterprise årsvis 20")
    await sandbox.act(ebba, "kassor.sales.scope", view_id=view["id"], value="channel")
    view = await top(sandbox, ebba)
    await sandbox.submit(ebba, view, {"channel": {"kassor.sales.channel": SALES}})
    assert "#sales-desk" in texts(await top(sandbox, ebba))  # she isn't in it
    view = await refused_with_door(sandbox, ebba, "/uppgradera", "enterprise årsvis 20")
    await sandbox.act(ebba, "kassor.sales.scope", view_id=view["id"], value="channel")
    await sandbox.submit(ebba, await top(sandbox, ebba), {"channel": {"kassor.sales.channel": "C0DESIGN1"}})
    await sandbox.settled()
    asked = await latest(sandbox, olivia, SALES)
    assert "#design" in texts(asked)
    await sandbox.press(olivia, asked, "kassor.desk.decline", SALES)
    await sandbox.post("/control/faults", method="chat.update", kind="error", times=1)
    await sandbox.submit(olivia, await top(sandbox, olivia), {"words": {"kassor.desk.words": "Too few"}})
    await sandbox.settled()
    assert elements(await latest(sandbox, olivia, SALES)) == []  # put right when the answer was delivered


async def test_S1_R16_a_swede_is_led_from_a_refusal_to_sales_and_hears_at_once_that_it_was_sent(
    sandbox: SandboxClient,
) -> None:
    carin, *_ = await cast(sandbox)
    view = await refused_with_door(sandbox, carin, "/uppgradera", "enterprise årsvis 20")
    assert view["title"]["text"] == "Kontakta säljarna"
    await sandbox.act(carin, "kassor.sales.topic", view_id=view["id"], value="pay_by_invoice")
    view = await top(sandbox, carin)
    wrong = await sandbox.submit(
        carin, view, {"seats": {"kassor.sales.seats": "19"}, "plan": {"kassor.sales.plan": "premium"}}
    )
    assert "minst 20 platser" in wrong["errors"]["seats"]
    await sandbox.submit(
        carin,
        await top(sandbox, carin),
        {"seats": {"kassor.sales.seats": "25"}, "text": {"kassor.sales.text": "Märk fakturan <!channel> 4711"}},
    )
    assert "Skickat till säljarna" in texts(await top(sandbox, carin))
    await sandbox.settled()


async def test_S1_the_request_reaches_the_sales_channel_without_a_price(sandbox: SandboxClient) -> None:
    carin, _, nils, _ = await cast(sandbox)
    asked = await latest(sandbox, nils, SALES)
    said = texts(asked)
    assert f"<@{carin.id}>" in said
    assert "Premium" in said
    assert "25" in said
    assert "4711" in said
    assert "<!channel>" not in said
    assert "kr" not in said.replace("Märk", "")
    assert "SEK" not in said


async def test_S1_it_is_not_sent_twice(sandbox: SandboxClient) -> None:
    carin, priya, nils, _ = await cast(sandbox)
    before = len(await sandbox.messages(nils, SALES))
    view = await refused_with_door(sandbox, priya, "/upgrade", "enterprise yearly 20")
    await sandbox.act(priya, "kassor.sales.topic", view_id=view["id"], value="pay_by_invoice")
    await sandbox.submit(priya, await top(sandbox, priya))
    said = texts(await top(sandbox, priya))
    assert f"<@{carin.id}> asked sales for that" in said
    await sandbox.settled()
    assert len(await sandbox.messages(nils, SALES)) == before


async def test_S1_somebody_who_is_not_sales_presses_and_is_refused_in_private(sandbox: SandboxClient) -> None:
    _, priya, nils, _ = await cast(sandbox)
    asked = await latest(sandbox, priya, SALES)
    for action_id in ("kassor.desk.approve", "kassor.desk.decline"):
        await sandbox.press(priya, asked, action_id, SALES)
        assert "Only the sales staff" in texts((await sandbox.said_to(priya, SALES))[-1])
    assert "Only the sales staff" not in "".join(texts(each) for each in await sandbox.messages(nils, SALES))
    assert element(await latest(sandbox, nils, SALES), "kassor.desk.approve")
    assert await objects(sandbox, "subscription") == []


async def test_S1_R24_two_of_sales_press_and_one_decides(sandbox: SandboxClient) -> None:
    carin, _, nils, olivia = await cast(sandbox)
    asked = await latest(sandbox, nils, SALES)
    await sandbox.press(olivia, asked, "kassor.desk.decline", SALES)
    await sandbox.press(nils, asked, "kassor.desk.approve", SALES)
    terms = await top(sandbox, nils)
    assert element(terms, "kassor.terms.price")["initial_value"] == "1250,00"
    for plan, price in (("business", "2750,00"), ("premium", "1250,00")):
        await sandbox.act(nils, "kassor.terms.plan", view_id=terms["id"], value=plan)
        assert element(await top(sandbox, nils), "kassor.terms.price")["initial_value"] == price
    wrong = await sandbox.submit(nils, await top(sandbox, nils), priced("premium", "gratis"))
    assert "gratis" in wrong["errors"]["price_premium"]
    await sandbox.submit(nils, await top(sandbox, nils), priced("premium", "1 100"))
    await sandbox.settled()
    assert f"<@{carin.id}>" in texts(await top(sandbox, nils))
    await sandbox.submit(olivia, await top(sandbox, olivia), {"words": {"kassor.desk.words": "Sorry"}})
    assert f"<@{nils.id}> approved it already" in texts(await top(sandbox, olivia))
    after = await latest(sandbox, nils, SALES)
    assert elements(after) == []
    assert f"*Approved* by <@{nils.id}>" in texts(after)
    assert "1 100" not in texts(after).replace("\u00a0", " ")


async def test_R24_the_subscription_is_invoiced_and_its_invoice_reaches_the_owner_with_its_due_date(
    sandbox: SandboxClient,
) -> None:
    carin, _, _, _ = await cast(sandbox)
    (live,) = await objects(sandbox, "subscription")
    assert (live["collection_method"], live["days_until_due"]) == ("send_invoice", 30)
    assert live["items"]["data"][0]["quantity"] == 25
    (invoice,) = await objects(sandbox, "invoice")
    assert (invoice["status"], invoice["total"]) == ("open", 25 * 110_000)
    assert 29 * 86_400 < invoice["due_date"] - invoice["created"] <= 30 * 86_400
    await sandbox.move_clock(days=3)  # her working hours come
    told = await news(sandbox, carin)
    assert "Säljarna har sagt ja" in told
    assert "ska vara betald senast" in told
    assert "27 500,00 kr" in told
    assert "Sorry" not in told
    files = [message for message in await sandbox.messages(carin) if message.get("files")]
    assert len(files) == 1


async def test_R24_once_it_is_paid_its_copy_says_so_where_the_button_was(sandbox: SandboxClient) -> None:
    carin, _, _, _ = await cast(sandbox)
    (invoice,) = await objects(sandbox, "invoice")
    card = {"method": "card", "number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
    async with sandbox.session.post(invoice["hosted_invoice_url"], data=card) as page:
        assert page.status == 200
    await sandbox.settled()
    (copy,) = [message for message in await sandbox.messages(carin) if message.get("files")]
    assert [each["action_id"] for each in elements(copy)] == ["kassor.invoice.open", "kassor.go.invoices"]
    assert "*Betald* " in texts(copy)
    assert len(copy["files"]) == 1


async def test_R43_seats_are_adjusted_through_sales(sandbox: SandboxClient) -> None:
    carin, _, nils, _ = await cast(sandbox)
    view = await refused_with_door(sandbox, carin, "/platser", "30")
    assert element(view, "kassor.sales.seats")["initial_value"] == "25"
    await sandbox.submit(carin, view, {"seats": {"kassor.sales.seats": "+5"}})
    await sandbox.settled()
    shown = (await approve(sandbox, nils)).replace("\u00a0", " ")  # M1: what it would be invoiced at comes first
    assert "Faktureras nu: " in shown
    assert (await objects(sandbox, "subscription"))[0]["items"]["data"][0]["quantity"] == 25
    await sandbox.submit(nils, await top(sandbox, nils))
    await sandbox.settled()
    assert f"<@{carin.id}>" in texts(await top(sandbox, nils))
    (live,) = await objects(sandbox, "subscription")
    assert live["items"]["data"][0]["quantity"] == 30
    invoices = sorted(await objects(sandbox, "invoice"), key=lambda each: int(each["created"]))
    assert len(invoices) == 2
    assert 0 < invoices[-1]["total"] < 5 * 110_000
    assert str(invoices[-1]["amount_due"]) in "".join(letter for letter in shown if letter.isdigit())
    assert invoices[-1]["status"] == "open"


async def test_R38_it_is_cancelled_through_sales_and_ends_with_the_period(sandbox: SandboxClient) -> None:
    carin, _, nils, _ = await cast(sandbox)
    view = await refused_with_door(sandbox, carin, "/fakturering", "avsluta")
    assert "Avsluta abonnemanget" in texts(view)
    await sandbox.submit(carin, view)
    await sandbox.settled()
    await sandbox.press(nils, await latest(sandbox, nils, SALES), "kassor.desk.approve", SALES)
    await sandbox.settled()
    (live,) = await objects(sandbox, "subscription")
    assert live["cancel_at_period_end"] is True
    assert elements(await latest(sandbox, nils, SALES)) == []
    assert "upphör av sig självt" in await news(sandbox, carin)


async def test_S1_a_crash_between_approving_and_carrying_out_loses_nothing_and_sells_once(
    sandbox: SandboxClient,
) -> None:
    _, _, nils, _ = await cast(sandbox)
    anton, stripe = await somebody(sandbox, "U1ANTON01", 1), await sandbox.stripe_url()
    await sandbox.submit(anton, await refused_with_door(sandbox, anton, "/uppgradera", "enterprise årsvis 20"))
    await sandbox.settled()
    sold = len(await objects(sandbox, "subscription"))
    asked = texts(await latest(sandbox, nils, SALES))
    assert "Anton asks sales" in asked
    assert "*Workspace*\nPixelbryggan" in asked
    assert f"<@{anton.id}>" not in asked
    await sandbox.post("/control/faults", base=stripe, kind="api_error", times=60)
    said = await approve(sandbox, nils, priced("enterprise", "3000"))
    assert "Det är godkänt. Stripe svarar inte just nu" in said
    assert len(await objects(sandbox, "subscription")) == sold
    await sandbox.post("/control/faults", base=stripe, kind="api_error", times=0)
    await sandbox.post("/control/kassor", do="kill")
    await sandbox.move_clock(days=3)
    made = (await objects(sandbox, "subscription"))[sold:]
    assert [each["collection_method"] for each in made] == ["send_invoice"]
    answers = [each for each in await sandbox.messages(anton) if "Säljarna har sagt ja" in texts(each)]
    assert len(answers) == 1
    assert "60 000,00 kr" in await news(sandbox, anton)


async def test_S1_killed_while_it_is_being_carried_out_it_is_still_done_once(sandbox: SandboxClient) -> None:
    _, _, nils, _ = await cast(sandbox)
    anton = await somebody(sandbox, "U1ANTON01", 1)
    view = await refused_with_door(sandbox, anton, "/platser", "+5")
    await sandbox.submit(anton, view, {"seats": {"kassor.sales.seats": "40"}})
    await sandbox.settled()
    await sandbox.press(nils, await latest(sandbox, nils, SALES), "kassor.desk.approve", SALES)
    await sandbox.submit(nils, await top(sandbox, nils))  # the price is shown
    await sandbox.settled()
    submitting = asyncio.create_task(sandbox.submit(nils, await top(sandbox, nils)))
    await asyncio.sleep(0.05)
    await sandbox.post("/control/kassor", do="kill")
    await asyncio.gather(submitting, return_exceptions=True)
    await sandbox.move_clock(days=1)
    asked = await latest(sandbox, nils, SALES)
    if elements(asked):  # killed before it was decided, or before its message knew: pressing again settles which
        await sandbox.press(nils, asked, "kassor.desk.approve", SALES)
        if element_of_terms(await sandbox.views(nils)):
            for _ in range(2):  # the terms, then their price
                await sandbox.submit(nils, await top(sandbox, nils))
                await sandbox.settled()
        await sandbox.move_clock(days=1)
    assert elements(await latest(sandbox, nils, SALES)) == []
    seats = [each["items"]["data"][0]["quantity"] for each in await objects(sandbox, "subscription")]
    assert seats == [30, 40]
    bills = [each for each in await objects(sandbox, "invoice") if each["billing_reason"] == "subscription_update"]
    assert len(bills) == 2


def element_of_terms(views: list[Json]) -> bool:
    """Whether the form for the terms is open."""
    return bool(views) and any(each["action_id"] == "kassor.terms.price" for each in elements(views[-1]))
