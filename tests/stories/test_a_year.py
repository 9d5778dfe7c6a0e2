"""Whole stories by date, through Slack: a workspace's first year; monthly → annual mid-month; leaving and staying; a trial."""

from tests.stories.story import Story, amount


async def test_a_workspaces_first_year(story: Story) -> None:
    """R1, R4, R25, R28, R31, R35, M1, M2, M3, I1: from Basic to the second year."""
    # The first day: Alice, on Basic, sees what an upgrade would give, and buys Premium for a month.
    assert "Fjällvind* is on Basic" in await story.home_of("Alice")
    offer = await story.upgrades("Alice", "premium monthly 20")
    assert "2,500.00" in offer.replace("\u00a0", " ")
    assert await story.terms() == ("premium", "month", 20)
    assert "You are billing owner" in await story.reads("Alice")
    assert await story.buttons_in_home("David") & {"kassor.go.seats", "kassor.go.invoice"} == set()
    # Three months go by: a copy each, and nobody else gets any.
    for _ in range(3):
        await story.until_renewal()
    assert len(await story.copies("Alice")) == 3 + 1  # the first month's too
    assert await story.copies("David") == []
    # The fourth month: five more seats in the middle of it, charged to the minor unit.
    await story.days_pass(12)
    await story.says("Alice", "/seats", "+5")
    shown = amount(await story.button("Alice", "kassor.quote.accept"))
    await story.presses("Alice", "kassor.quote.accept")
    assert (await story.invoices())[-1] == ("subscription_update", "paid", shown)
    # Then Business, yearly: at once, with credit for what was not used.
    await story.days_pass(3)
    said = await story.says("Alice", "/billing", "plan business yearly")
    assert "Credit for unused time" in said
    shown = amount(await story.button("Alice", "kassor.quote.accept"))
    await story.presses("Alice", "kassor.quote.accept")
    assert (await story.invoices())[-1] == ("subscription_update", "paid", shown)
    assert await story.terms() == ("business", "year", 25)
    # Summer: she hands billing over to Björn, who reads Swedish.
    await story.days_pass(60)
    assert len(await story.copies("Alice")) == 1  # the new year's
    await story.says("Alice", "/billing-owner", f"@{await story.sandbox.handle_of(story.people['Björn'])}")
    await story.presses("Alice", "kassor.owner.confirm")
    assert "Du är betalningsansvarig för Fjällvind" in await story.reads("Björn")
    assert "Only the billing owner" in await story.says("Alice", "/seats", "30")
    # Autumn: fewer seats from the next year on, nothing charged now; then the second year begins.
    await story.says("Björn", "/platser", "20")
    bills = len(await story.invoices())
    await story.presses("Björn", "kassor.quote.accept")
    assert len(await story.invoices()) == bills
    assert await story.terms() == ("business", "year", 25)
    await story.until_renewal()
    assert await story.terms() == ("business", "year", 20)
    assert (await story.invoices())[-1] == ("subscription_cycle", "paid", 20 * 275_000)
    assert len(await story.copies("Björn")) == 1
    assert await story.copies("Alice") == []


async def test_M3_monthly_to_annual_in_the_middle_of_a_month(story: Story) -> None:
    await story.upgrades("David", "premium monthly 20")
    await story.days_pass(15)
    await story.says("David", "/billing", "plan yearly")
    shown = amount(await story.button("David", "kassor.quote.accept"))
    assert 2_500_000 - 250_000 < shown < 2_500_000  # a year, less what is left of the month
    await story.presses("David", "kassor.quote.accept")
    assert await story.terms() == ("premium", "year", 20)
    assert [bill for bill in await story.invoices() if bill[0] == "subscription_update"] == [
        ("subscription_update", "paid", shown)
    ]
    began = await story.today()
    await story.until_renewal()
    assert (await story.today() - began).days >= 364  # the year began with the change


async def test_R46_cancelled_then_resumed_and_cancelled_for_good(story: Story) -> None:
    await story.upgrades("Grace", "premium monthly 20")
    await story.presses_in_home("Grace", "kassor.go.cancel")
    assert "is cancelled. Everything works until" in await story.reads("Grace")
    assert "It ends on" in await story.home_of("Grace")
    await story.days_pass(10)
    await story.presses_in_home("Grace", "kassor.go.resume")
    assert "goes on" in await story.reads("Grace")
    await story.until_renewal()
    assert (await story.invoices())[-1][:2] == ("subscription_cycle", "paid")
    await story.presses_in_home("Grace", "kassor.go.cancel")
    bills = len(await story.invoices())
    await story.days_pass(33)
    assert len(await story.invoices()) == bills
    assert {each["status"] for each in await story.objects("subscription")} == {"canceled"}
    assert "Fjällvind* is on Basic" in await story.home_of("David")
    # R48: nothing was lost, and a later upgrade finds it.
    await story.upgrades("Grace", "premium yearly 20")
    said = await story.says("Grace", "/billing", "invoices")
    assert said.count("Send me a copy") == 3
    assert len({each["customer"] for each in await story.objects("subscription")}) == 1


async def test_R45_a_trial_that_is_cancelled_is_never_charged(story: Story) -> None:
    said = await story.says("Klara", "/uppgradera", "business årsvis 20")
    assert "Gratis i 30 dagar" in said.replace("\u00a0", " ")
    await story.presses("Klara", "kassor.quote.accept")
    await story.pays()
    assert (await story.live())["status"] == "trialing"
    await story.days_pass(27.5)  # three days before the end, in working hours
    assert "Provperioden med Business" in await story.reads("Klara")
    await story.presses_in_home("Klara", "kassor.go.cancel")
    await story.days_pass(30)
    assert {each["status"] for each in await story.objects("subscription")} == {"canceled"}
    assert sum(total for _, _, total in await story.invoices()) == 0
    assert await story.objects("charge") == []
    # Once a scope: the next time it is paid from the first day.
    said = await story.says("Klara", "/uppgradera", "business årsvis 20")
    assert "Gratis" not in said
