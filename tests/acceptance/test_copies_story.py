"""Copies for finance (I6), through Slack's own surface: chosen, sent beside the owner's, refused to others, stopped; in order."""

from typing import Any

import pytest

from cli.sandbox_client import Person, SandboxClient, element, elements, texts
from tests.acceptance.test_bad_input import answer_to
from tests.acceptance.test_forged import press
from tests.acceptance.test_people_story import copies, happens, press_in_dm, told, upgrade, who

PICKER = "kassor.copies.members"
Json = dict[str, Any]


async def save(sandbox: SandboxClient, owner: Person, *users: str) -> Json:
    """Say who gets copies, in the modal in front."""
    view = (await sandbox.views(owner))[-1]
    outcome = await sandbox.submit(owner, view, {"members": {PICKER: list(users)}})
    if outcome["ok"] and not outcome.get("errors"):
        for shown in reversed(await sandbox.views(owner)):
            await sandbox.post("/control/close", user=owner.id, view_id=shown["id"])
    return outcome


async def gained(sandbox: SandboxClient, before: dict[str, int]) -> dict[str, int]:
    """Who has got how many copies since."""
    now = {person.id: len(await copies(sandbox, person)) for person in await sandbox.people()}
    return {key: count - before.get(key, 0) for key, count in now.items() if count != before.get(key, 0)}


async def counts(sandbox: SandboxClient) -> dict[str, int]:
    return {person.id: len(await copies(sandbox, person)) for person in await sandbox.people()}


async def test_I6_the_owner_names_finance_and_what_is_wrong_with_others_is_said_on_the_field(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    await upgrade(sandbox, cast.alice, "premium monthly 20 @bjorn")
    await sandbox.command(cast.bjorn, "/fakturering", "kopior @carin")
    view = (await sandbox.views(cast.bjorn))[-1]
    assert "Fakturakopior" in texts(view)
    assert element(view, PICKER)["initial_users"] == [cast.carin.id]
    outcome = await save(sandbox, cast.bjorn, cast.carin.id, "U0GUEST19", "U0STATUS1", "U0GONE020", cast.bjorn.id)
    said = outcome["errors"]["members"]
    wrong = ("är gäst", "är en app", "är inaktiverad", "får ändå varje faktura")
    assert [word for word in wrong if word not in said] == []
    assert "<@" not in said
    assert await told(sandbox, cast.carin, "kopia av varje faktura") == []
    assert (await save(sandbox, cast.bjorn, cast.carin.id, cast.david.id))["ok"]
    assert len(await told(sandbox, cast.carin, "kopia av varje faktura", "Stoppa kopiorna")) == 1
    assert len(await told(sandbox, cast.david, "a copy of every invoice", "Stop these copies")) == 1


async def test_I1_I6_at_the_renewal_the_owner_and_each_recipient_get_exactly_one_in_their_own_language(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    before = await counts(sandbox)
    await sandbox.move_clock(until="next_renewal")
    await sandbox.move_clock(days=3)  # working hours, and whatever would come twice
    assert await gained(sandbox, before) == {cast.bjorn.id: 1, cast.carin.id: 1, cast.david.id: 1}
    [swedish] = await told(sandbox, cast.carin, "Det här är en kopia till dig", cast.bjorn.id)
    [english] = await told(sandbox, cast.david, "This is a copy for you", cast.bjorn.id)
    for copy, view in ((swedish, "Visa fakturan"), (english, "View the invoice")):
        assert view in texts(copy)
        assert {each["action_id"] for each in elements(copy)} == {"kassor.invoice.open", "kassor.copies.stop"}


async def test_I6_R33_an_admin_and_a_recipient_choose_nobody(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    said = await answer_to(sandbox, cast.alice, "/billing", "copies @alice")
    assert "can choose who gets copies" in said
    assert cast.bjorn.id in said
    mine = await answer_to(sandbox, cast.david, "/billing", "copies @alice")
    assert "You get copies of the invoices of" in mine
    assert await sandbox.views(cast.alice) + await sandbox.views(cast.david) == []


async def test_I6_R33_a_stranger_with_this_ones_ids_stops_and_opens_nothing(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    stranger = (await sandbox.people(1))[0]
    row = element((await told(sandbox, cast.carin, "Det här är en kopia till dig"))[0], "kassor.copies.stop")["value"]
    for actor in (stranger, cast.alice):
        assert await press(sandbox, actor, "kassor.copies.stop", row) == 200
    await sandbox.settled()
    assert await told(sandbox, cast.bjorn, "vill inte ha fler kopior") == []


async def test_I6_a_recipient_stops_the_copies_in_the_message_and_the_owner_hears_of_it(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    copy = (await told(sandbox, cast.david, "This is a copy for you"))[0]
    after = await press_in_dm(sandbox, cast.david, copy, "kassor.copies.stop")
    assert "You get no more copies" in texts(after)
    assert [each for each in elements(after) if each["action_id"] == "kassor.copies.stop"] == []
    assert len(await told(sandbox, cast.bjorn, "vill inte ha fler kopior", cast.david.id)) == 1


async def test_I6_the_recipients_stay_when_billing_is_handed_over_and_the_new_owner_reads_who_they_are(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    await sandbox.command(cast.bjorn, "/billing-owner", "@alice")
    await sandbox.press(cast.bjorn, (await sandbox.said_to(cast.bjorn))[-1], "kassor.owner.confirm")
    await sandbox.settled()
    became = await told(sandbox, cast.alice, "These get copies of the invoices too", cast.carin.id)
    assert len(became) == 1
    await sandbox.press(cast.alice, became[0], "kassor.go.copies", channel="dm")
    view = (await sandbox.views(cast.alice))[-1]
    assert element(view, PICKER)["initial_users"] == [cast.carin.id]


async def test_I6_removed_at_the_next_renewal_only_the_owner_gets_one(sandbox: SandboxClient) -> None:
    cast = await who(sandbox)
    assert (await save(sandbox, cast.alice))["ok"]
    assert len(await told(sandbox, cast.carin, "inga fler kopior")) == 1
    before = await counts(sandbox)
    await sandbox.move_clock(until="next_renewal")
    await sandbox.move_clock(days=3)
    assert await gained(sandbox, before) == {cast.alice.id: 1}


async def test_I6_P1_a_recipient_who_leaves_slack_gets_no_more_and_the_owner_is_told_once(
    sandbox: SandboxClient,
) -> None:
    cast = await who(sandbox)
    await sandbox.command(cast.alice, "/billing", "copies @david @carin")
    assert (await save(sandbox, cast.alice, cast.carin.id, cast.david.id))["ok"]
    await happens(sandbox, "deactivated", user=cast.david.id)
    await sandbox.move_clock(days=2)
    assert len(await told(sandbox, cast.alice, "no longer active in Slack and gets no more copies")) == 1
    before = await counts(sandbox)
    await sandbox.move_clock(until="next_renewal")
    await sandbox.move_clock(days=3)
    assert await gained(sandbox, before) == {cast.alice.id: 1, cast.carin.id: 1}


@pytest.mark.parametrize("name", ["alice", "carin"])
async def test_I6_help_lists_the_word_for_the_owner_alone(sandbox: SandboxClient, name: str) -> None:
    cast = await who(sandbox)
    reader = getattr(cast, name)
    said = await answer_to(sandbox, reader, "/billing", "help")
    assert ("copies`" in said or "kopior`" in said) is (name == "alice")
