"""What happened to somebody's invoice: from whatever the operator has at hand to the answer, and to nobody else's story."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cli.customer.asked import tell
from cli.customer.meant import meant, nearest
from cli.customer.screen import console, screen
from cli.customer.story import story
from domain import copies, queue
from domain.config import Settings
from domain.records import Invoice, Member, Notice, Workspace
from tests.domain.conftest import Town, make_team, settle, town

Json = dict[str, Any]
__all__ = ["town"]  # the fixture


async def asked(town: Town, who: str) -> Json:
    """What the command says of somebody, for a program."""
    hits = await meant(town.desk.settings, who)
    scopes = hits[0].scopes if len(hits) == 1 or len({hit.scopes for hit in hits}) == 1 else ()
    stories = [await story(town.desk.settings, scope) for scope in scopes]
    return {"stories": stories, "keys": [hit.key for hit in hits], "nearest": await nearest(who)}


async def test_everything_at_hand_leads_to_the_same_story(town: Town) -> None:
    live = await town.upgraded()
    await Workspace.filter(id="T1").update(name="Fjällvind", domain="fjallvind")
    await town.read_again()
    invoice = await Invoice.get(scope_id=town.scope.id)
    intent = town.objects("payment_intent")[0]["id"]
    charge = town.objects("charge")[0]["id"]
    owner = town.members[0]
    keys = ("T1", "fjällvind", "FJALLVIND", owner.slack_user_id, owner.name, str(owner.email).upper(), live.customer_id)
    for key in (*keys, live.id, invoice.id, str(invoice.number), intent, charge, str(town.scope.id), "allvin"):
        told = await asked(town, key)
        assert [each["scope"]["id"] for each in told["stories"]] == [str(town.scope.id)], key


async def test_the_story_says_plan_owner_invoice_and_where_its_copy_is(town: Town) -> None:
    live = await town.upgraded(seats=10)
    await town.read_again()
    assert (await asked(town, "T1"))["stories"][0]["copy_of_this_period"]["planned"] is False
    await copies.plan_due(town.desk)
    (told,) = (await asked(town, live.id))["stories"]
    assert told["subscriptions"][0]["seats"] == 10
    assert told["subscriptions"][0]["owner"]["slack_user_id"] == "U001"
    assert told["copy_of_this_period"]["copy"]["state"] == "waiting"
    assert told["copy_of_this_period"]["copy"]["to"] == "Person 1 (U001)"
    notice = await Notice.get(kind="invoice_copy")
    await Notice.filter(id=notice.id).update(sent_to="U001")
    await queue.done([notice])
    (told,) = (await asked(town, live.id))["stories"]
    (copy,) = told["invoices"][0]["copies"]
    assert (copy["state"], copy["to"], copy["why"]) == ("sent", "Person 1 (U001)", None)
    assert told["invoices"][0]["stripe"].startswith("https://dashboard.stripe.com/test/invoices/in_")


async def test_a_copy_that_was_given_up_says_why(town: Town) -> None:
    await town.upgraded()
    await town.read_again()
    await copies.plan_due(town.desk)
    await queue.bury(await Notice.get(kind="invoice_copy"), "channel_not_found")
    told = (await asked(town, "T1"))["stories"][0]
    assert told["copy_of_this_period"]["copy"]["state"] == "buried"
    assert told["copy_of_this_period"]["copy"]["why"] == "channel_not_found"
    assert "invoice_copy" in {each["kind"] for each in told["notices"]}


async def test_a_sent_copy_names_who_got_it_also_after_billing_was_handed_over(town: Town) -> None:
    live = await town.upgraded()
    await town.read_again()
    await copies.plan_due(town.desk)
    notice = await Notice.get(kind="invoice_copy")
    await Notice.filter(id=notice.id).update(sent_to="U001")
    await queue.done([notice])
    live.owner_id = town.members[2].id
    await live.save(update_fields=["owner_id"])
    told = (await asked(town, "T1"))["stories"][0]
    assert told["subscriptions"][0]["owner"]["slack_user_id"] == "U003"
    assert told["copy_of_this_period"]["copy"]["to"] == "Person 1 (U001)"


async def test_a_name_that_several_have_is_a_list_of_ways_to_say_each(town: Town) -> None:
    await settle("T2", 3)
    told = await asked(town, "Person 1")
    assert told["stories"] == []
    assert told["keys"] == ["U001", "U001"]


async def test_a_misspelt_name_gets_the_nearest(town: Town) -> None:
    await Workspace.filter(id="T1").update(name="Fjällvind")
    told = await asked(town, "Fjälvnid")
    assert told["stories"] == []
    assert told["nearest"] == ["Fjällvind"]


async def test_a_team_of_a_workspace_is_its_own_story_and_its_workspaces_lists_both(town: Town) -> None:
    team = await make_team(town, town.members[:4])
    await town.upgraded(scope=team, seats=5)
    assert [each["scope"]["slack_ref"] for each in (await asked(town, "S001"))["stories"]] == ["S001"]
    assert [each["scope"]["slack_ref"] for each in (await asked(town, "T1"))["stories"]] == [None, "S001"]


async def test_nothing_of_another_workspace_is_in_the_story(town: Town) -> None:
    await town.upgraded()
    await town.read_again()
    scope, others = await settle("T2", 3, first=20)
    await town.upgraded(scope=scope, by=others[0], seats=3)
    await town.read_again()
    said = json.dumps((await asked(town, "T1"))["stories"])
    assert '"T2"' not in said
    assert "Person 20" not in said


async def test_the_screen_survives_names_that_would_move_the_cursor(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    live = await town.upgraded()
    await town.read_again()
    await Member.filter(id=live.owner_id).update(name="[red]Eve\x1b[2J\u202e")
    screen(console(), await story(town.desk.settings, town.scope.id))
    said = capsys.readouterr().out
    assert "[red]Eve?[2J?" in said
    assert "\x1b" not in said
    assert "This period's copy: none yet" in said


async def test_a_member_who_bought_nothing_leads_to_their_workspace(town: Town) -> None:
    told = await asked(town, "U005")
    assert [each["scope"]["id"] for each in told["stories"]] == [str(town.scope.id)]
    assert told["stories"][0]["subscriptions"] == []


async def test_the_command_opens_the_database_itself_and_says_when_nobody_is_meant(
    database_url: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    there = replace(settings, database_url=database_url)
    assert not await tell(there, "Nobody AB", said.append, as_json=False)
    assert "Nobody AB" in said[0]
    assert not await tell(there, "Nobody AB", said.append, as_json=True)
    assert json.loads(said[1])["stories"] == []
    assert capsys.readouterr().out == ""
