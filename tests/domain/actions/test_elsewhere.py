"""Upgraded the wrong one: whoever is billing owner elsewhere is stopped with both names, and can cancel it from here (R9, R10)."""

from typing import Any

import pytest

from bot.people import facts_of
from domain import directory, sync
from domain.actions import cancel, upgrade
from domain.records import AuditEntry, Member, Quote, Scope, Subscription
from domain.rules import refusals as no
from tests.domain.conftest import Town, make_team, person, settle


async def other_workspace(count: int = 3, **facts: Any) -> tuple[Scope, list[Member]]:
    """Another workspace, its first members the same people by e-mail; `facts` are the first's there."""
    scope, members = await settle("T2", count)
    if facts:
        members[0] = await directory.upsert_member("T2", person(1, **facts))
    return scope, members


async def offer(town: Town, scope: Scope, actor: Member, owner: Member | None = None) -> Quote:
    return await upgrade.offer(town.desk, actor, scope=scope, plan="premium", interval="year", owner=owner)


@pytest.mark.parametrize("email", ["person1@example.com", "PERSON1@Example.COM", " Person1@example.com "])
async def test_R10_the_same_e_mail_in_any_case_is_stopped_with_both_names(town: Town, email: str) -> None:
    live = await town.upgraded()
    scope, members = await other_workspace(email=email)
    with pytest.raises(no.LiveElsewhere) as refused:
        await offer(town, scope, members[0])
    assert refused.value == no.LiveElsewhere(
        scope="Workspace T2", elsewhere="Workspace T1", elsewhere_subscription=live.id
    )


async def test_R10_an_owner_elsewhere_is_stopped_even_when_a_colleague_is_to_own(town: Town) -> None:
    await town.upgraded()
    scope, members = await other_workspace()
    with pytest.raises(no.LiveElsewhere):
        await offer(town, scope, members[0], owner=members[1])


async def test_R10_a_colleague_who_owns_elsewhere_is_refused_without_naming_where(town: Town) -> None:
    await town.upgraded(by=town.members[0])
    scope, members = await other_workspace()
    with pytest.raises(no.OwnerNotEligible) as refused:
        await offer(town, scope, members[1], owner=members[0])
    assert refused.value.reason == "owner_elsewhere"
    assert "T1" not in str(refused.value.facts())


async def test_R10_a_scheduled_cancellation_is_enough(town: Town) -> None:
    live = await town.upgraded()
    await cancel.cancel(town.desk, town.members[0], subscription=live)
    scope, members = await other_workspace()
    assert (await offer(town, scope, members[0])).due_now > 0


async def test_R10_the_same_stripe_customer_is_stopped_whatever_the_e_mail(town: Town) -> None:
    live = await town.upgraded()
    scope, members = await other_workspace(email="else@example.com")
    await Subscription.filter(id=live.id).update(customer_id="cus_shared")
    await sync.new_customer(scope, "cus_shared")
    with pytest.raises(no.LiveElsewhere):
        await offer(town, scope, members[0])


async def test_R10_somebody_without_an_e_mail_is_nobody_elsewhere(town: Town) -> None:
    await town.upgraded()
    await directory.upsert_member("T1", person(1, email=None))
    scope, members = await other_workspace(email=None)
    assert (await offer(town, scope, members[0])).due_now > 0


async def test_R10_a_team_and_another_team_of_one_workspace_are_not_elsewhere(town: Town) -> None:
    await town.upgraded(scope=await make_team(town, town.members[:3], "S001"), seats=3)
    second = await make_team(town, town.members[:2], "S002")
    assert (await offer(town, second, town.members[0])).due_now > 0


async def test_R10_one_bought_elsewhere_between_the_offer_and_the_button_stops_it(town: Town) -> None:
    scope, members = await other_workspace()
    quote = await offer(town, scope, members[0])
    await town.upgraded()
    with pytest.raises(no.LiveElsewhere):
        await upgrade.accept(town.desk, members[0], quote.id)


async def test_R10_the_wrong_one_is_cancelled_from_here_and_its_owner_told_there(town: Town) -> None:
    live = await town.upgraded()
    scope, members = await other_workspace(email="PERSON1@example.com")
    ended = await cancel.cancel_elsewhere(town.desk, members[0], live.id)
    assert ended.cancel_at == ended.current_period_end
    told = await town.told("cancel_scheduled")
    assert [(notice.workspace_id, notice.owner_of_id) for notice in told] == [("T1", live.id)]
    entry = await AuditEntry.get(verb="cancel_scheduled")
    assert (entry.workspace_id, entry.actor_id) == ("T1", town.members[0].id)
    assert (await offer(town, scope, members[0])).due_now > 0


async def test_R10_pressed_twice_it_is_cancelled_once(town: Town) -> None:
    live = await town.upgraded()
    _, members = await other_workspace()
    await cancel.cancel_elsewhere(town.desk, members[0], live.id)
    await cancel.cancel_elsewhere(town.desk, members[0], live.id)
    assert len(await town.told("cancel_scheduled")) == 1


async def test_R10_an_overdue_one_elsewhere_ends_now(town: Town) -> None:
    live = await town.upgraded(interval="month")
    town.stripe.account.faults.decline_next_renewal = 1
    await town.let_pass(days=31, hours=2)
    _, members = await other_workspace()
    ended = await cancel.cancel_elsewhere(town.desk, members[0], live.id)
    assert (ended.is_live, town.objects("invoice")[-1]["status"]) == (False, "void")


@pytest.mark.parametrize(
    "facts",
    [
        {"email": "other@example.com"},
        {"email": None},
        {"email": "person1@example.com", "is_guest": True},
        {"email": "person1@example.com", "is_bot": True},
        {"email": "person1@example.com", "is_deactivated": True},
    ],
)
async def test_R10_nobody_but_the_owners_own_self_can_cancel_it_from_elsewhere(
    town: Town, facts: dict[str, Any]
) -> None:
    live = await town.upgraded()
    _, members = await other_workspace(**facts)
    with pytest.raises((no.NotSubscribed, no.ActorNotEligible)):
        await cancel.cancel_elsewhere(town.desk, members[0], live.id)
    assert (await town.fresh(live)).cancel_at is None


def test_R10_an_e_mail_that_nobody_has_confirmed_proves_nothing() -> None:
    told = {"id": "U1", "name": "mallory", "profile": {"email": "person1@example.com"}}
    assert facts_of(told | {"is_email_confirmed": False}).email is None
    assert facts_of(told | {"is_email_confirmed": True}).email == "person1@example.com"


async def test_R10_an_owner_who_has_left_over_there_cannot_be_acted_for(town: Town) -> None:
    live = await town.upgraded()
    _, members = await other_workspace()
    await directory.upsert_member("T1", person(1, is_deactivated=True))
    with pytest.raises(no.NotSubscribed):
        await cancel.cancel_elsewhere(town.desk, members[0], live.id)


@pytest.mark.parametrize("asked", ["sub_nothing", "", "' OR 1=1 --"])
async def test_R10_an_id_that_is_nothing_looks_like_somebody_elses(town: Town, asked: str) -> None:
    await town.upgraded()
    _, members = await other_workspace()
    with pytest.raises(no.NotSubscribed) as refused:
        await cancel.cancel_elsewhere(town.desk, members[0], asked)
    assert refused.value.scope == ""


async def test_R33_the_one_here_is_not_cancelled_this_way(town: Town) -> None:
    live = await town.upgraded()
    with pytest.raises(no.NotSubscribed):
        await cancel.cancel_elsewhere(town.desk, town.members[0], live.id)
