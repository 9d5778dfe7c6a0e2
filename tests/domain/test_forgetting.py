"""A workspace that has left is forgotten: no name anywhere in the database, and every invoice still adds up."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tortoise import Tortoise
from tortoise.connection import get_connection

from domain import clock, copies, directory, forgetting
from domain.actions import cancel
from domain.forgetting import NotYet, without
from domain.queue import QueueState
from domain.records import (
    AuditEntry,
    CopyRecipient,
    Customer,
    DeskRequest,
    Event,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Quote,
    Subscription,
    Workspace,
)
from domain.records.requests import Desk, RequestState, Topic
from domain.rules.refusals import AlreadySubscribed
from tests.domain.conftest import Town, make_team, settle


async def left(town: Town) -> Workspace:
    """The workspace after it bought, cancelled and removed the app."""
    await make_team(town, town.members[:3])
    live = await town.upgraded(interval="month")
    await copies.plan_due(town.desk)
    await Event.create(
        id="evt_1",
        type="customer.updated",
        created_at=clock.now(),
        received_at=clock.now(),
        available_at=clock.now(),
        state=QueueState.DONE,
        payload='{"email": "person1@example.com"}',
        lane=live.customer_id,
    )
    await cancel.cancel(town.desk, town.members[0], subscription=await town.fresh(live))
    await town.let_pass(days=32)
    await directory.set_installed("T1", installed=False)
    return await Workspace.get(id="T1")


async def everything() -> str:
    """All the text in the whole database, but the names of workspaces and teams."""
    found: list[str] = []
    for model in (Tortoise.apps or {})["kassor"].values():
        table = model._meta.db_table
        if table not in {"workspace", "scope"}:
            rows = await get_connection("default").execute_query_dict(f'SELECT * FROM "{table}"')  # noqa: S608 - our names
            found += [str(row) for row in rows]
    return "\n".join(found)


async def sums() -> list[Any]:
    """What bookkeeping needs of the invoices."""
    fields = ("id", "number", "status", "currency", "total", "tax", "amount_paid", "period_start", "created_at")
    return list(await Invoice.all().order_by("id").values_list(*fields))


async def test_R48_nothing_that_names_anybody_is_left_and_every_invoice_is(town: Town) -> None:
    workspace = await left(town)
    people = await Member.filter(workspace_id="T1")
    invoices, copied, entries = await sums(), await InvoiceCopy.all().count(), await AuditEntry.all().count()
    before = await everything()
    await forgetting.forget(workspace)
    after = await everything()
    for word in ("person1@example.com", "Person 1", "U001", "4242", "/invoice/"):
        assert word in before, word
        assert word not in after, word
    assert not any(each.slack_user_id in after or str(each.email) in after for each in people)
    assert (await sums(), await InvoiceCopy.all().count()) == (invoices, copied)
    assert await AuditEntry.all().count() == entries + 1
    (noted,) = await AuditEntry.filter(verb="forgotten")
    assert (noted.source, noted.actor_id) == ("console", None)


async def test_nobody_is_named_by_what_failed_was_asked_for_or_is_told_to_others(town: Town) -> None:
    """The corners: an offer refused because of its owner, a card that went, who else gets copies, whom a message asks to pay."""
    workspace = await left(town)
    live = await Subscription.get(scope__workspace_id="T1")
    told = AlreadySubscribed(scope="Design", plan="premium", owner="U001", owner_name="Person 1")
    await Quote.filter(subscription_id=live.id).update(failure=told.as_json())
    people = await Member.filter(workspace_id="T1").order_by("id")
    await CopyRecipient.create(subscription=live, member=people[3], added_by=people[0], since=clock.now())
    await Notice.filter(workspace_id="T1").update(asks=live.latest_invoice_id, slack_ts="1700000000.000100")
    gone = {"id": "pm_gone", "customer": None, "billing_details": {"name": "Person 1", "email": "person1@example.com"}}
    payload = {"data": {"object": gone, "previous_attributes": {"customer": live.customer_id}}}
    await Event.create(
        id="evt_2",
        type="payment_method.detached",
        created_at=clock.now(),
        received_at=clock.now(),
        available_at=clock.now(),
        state=QueueState.DONE,
        payload=json.dumps(payload),
        lane="pm_gone",
    )
    await forgetting.forget(workspace)
    after = await everything()
    found = [word for word in ("person1@example.com", "Person 1", "U001", "Person 4", "U004") if word in after]
    assert not found
    assert not await CopyRecipient.filter(until=None).exists()


@pytest.mark.parametrize("state", [RequestState.OPEN, RequestState.APPROVED])
async def test_what_somebody_asked_for_is_finished_before_its_words_are_forgotten(
    town: Town, state: RequestState
) -> None:
    workspace = await left(town)
    asked = await DeskRequest.create(
        id=uuid4(),
        desk=Desk.SALES,
        topic=Topic.QUOTE.value,
        scope=town.scope,
        requester=town.members[0],
        facts={"plan": "business", "seats": 10, "interval": "year", "currency": "sek", "text": "For Person 1"},
        state=state,
        asked_at=clock.now(),
        decided_at=clock.now(),
    )
    with pytest.raises(NotYet, match="has not finished with a request"):
        await forgetting.forget(workspace)
    assert (await DeskRequest.get(id=asked.id)).facts["text"] == "For Person 1"
    await DeskRequest.filter(id=asked.id).update(state=RequestState.DECLINED)
    await forgetting.forget(workspace)
    assert (await DeskRequest.get(id=asked.id)).facts == {}


async def test_a_look_changes_nothing(town: Town) -> None:
    workspace = await left(town)
    before = await everything()
    told = await forgetting.standing(workspace)
    assert told.obstacles == ()
    assert told.rows["member"] == 8
    assert await everything() == before


async def test_forgetting_again_does_no_harm(town: Town) -> None:
    workspace = await left(town)
    await forgetting.forget(workspace)
    kept = await sums()
    await forgetting.forget(workspace)
    assert await sums() == kept


async def test_nobody_else_is_forgotten(town: Town) -> None:
    scope, others = await settle("T2", 3, first=20)
    await town.upgraded(scope=scope, by=others[0], seats=3)
    await forgetting.forget(await left(town))
    assert {each.name for each in await Member.filter(workspace_id="T2")} == {"Person 20", "Person 21", "Person 22"}
    assert (await Customer.get(scope_id=scope.id)).email is not None


async def test_a_workspace_that_pays_or_has_the_app_is_not_forgotten(town: Town) -> None:
    await town.upgraded()
    with pytest.raises(NotYet) as refused:
        await forgetting.forget(await Workspace.get(id="T1"))
    assert [word for word in ("installed", "live") if not any(word in each for each in refused.value.obstacles)] == []
    assert (await Member.get(slack_user_id="U001")).name == "Person 1"


async def test_what_was_never_sent_never_is(town: Town) -> None:
    await forgetting.forget(await left(town))
    assert await Notice.exclude(state=QueueState.DONE).count() == 0
    assert await Subscription.filter(is_live=True).count() == 0


def test_only_whole_words_that_name_somebody_are_replaced() -> None:
    told = {"owner": "U001", "plan": "premium", "seats": 10, "people": ["U001", "U0011"]}
    assert without(told, frozenset({"U001"})) == {
        "owner": "forgotten",
        "plan": "premium",
        "seats": 10,
        "people": ["forgotten", "U0011"],
    }
