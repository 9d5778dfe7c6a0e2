"""Second recipients of the copies (I6): chosen by the owner alone, each told, each able to stop."""

import asyncio
from collections.abc import Sequence

import pytest

from domain import directory, upkeep
from domain.actions import owner, recipients
from domain.records import AuditEntry, CopyRecipient, Member, Notice, Subscription
from domain.rules import refusals as no
from tests.domain.conftest import Town, make_team, person, settle


async def current(live: Subscription) -> set[int]:
    return set(await CopyRecipient.filter(subscription_id=live.id, until=None).values_list("member_id", flat=True))


async def told(kind: str) -> list[int | None]:
    return sorted(await Notice.filter(kind=kind).values_list("member_id", flat=True))


async def choose(town: Town, live: Subscription, members: Sequence[Member]) -> recipients.RecipientsChanged:
    return await recipients.choose(town.desk, town.members[0], subscription=live, members=members)


async def test_I6_the_owner_chooses_who_gets_copies_and_each_new_and_former_one_is_told(town: Town) -> None:
    live = await town.upgraded()
    _, *others = town.members
    await choose(town, live, others[:2])
    changed = await choose(town, live, others[1:3])
    assert [member.id for member in changed.added] == [others[2].id]
    assert [member.id for member in changed.removed] == [others[0].id]
    assert await current(live) == {others[1].id, others[2].id}
    assert await told("copies_begun") == [each.id for each in others[:3]]
    assert await told("copies_over") == [others[0].id]
    assert await AuditEntry.filter(verb="recipient_added").count() == 3
    assert await AuditEntry.filter(verb="recipient_removed").count() == 1


async def test_I6_R48_who_gets_copies_no_more_stays_on_record(town: Town) -> None:
    live = await town.upgraded()
    await choose(town, live, town.members[1:2])
    await choose(town, live, [])
    row = await CopyRecipient.get(subscription_id=live.id)
    assert row.until is not None


async def test_I6_one_is_added_and_removed_alone_and_saying_it_again_tells_nothing(town: Town) -> None:
    live = await town.upgraded()
    boss, finance, *_ = town.members
    added = [await recipients.add(town.desk, boss, subscription=live, member=finance) for _ in range(2)]
    removed = [await recipients.remove(town.desk, boss, subscription=live, member=finance) for _ in range(2)]
    assert (added, removed) == ([True, False], [True, False])
    assert (await told("copies_begun"), await told("copies_over")) == ([finance.id], [finance.id])


async def test_I6_R33_nobody_but_the_owner_handles_recipients(town: Town) -> None:
    live = await town.upgraded()
    other = town.members[1]
    tries = [
        recipients.listing(other, subscription=live),
        recipients.choose(town.desk, other, subscription=live, members=[other]),
        recipients.add(town.desk, other, subscription=live, member=other),
        recipients.remove(town.desk, other, subscription=live, member=other),
    ]
    for each in tries:
        with pytest.raises(no.NotOwner) as refused:
            await each
        assert refused.value.asked == "copies"
    assert await current(live) == set()


async def test_I6_an_owner_of_another_workspace_finds_nothing_here(town: Town) -> None:
    live = await town.upgraded()
    _, [stranger, *_] = await settle("T2", 2, first=90)
    with pytest.raises(no.NotSubscribed) as refused:
        await recipients.choose(town.desk, stranger, subscription=live, members=[stranger])
    assert refused.value.scope == ""


async def test_I6_bots_guests_and_who_has_left_get_no_copies(town: Town) -> None:
    live = await town.upgraded()
    for number, reason in enumerate(("bot", "guest", "deactivated"), start=30):
        wrong = await directory.upsert_member(town.workspace, person(number, **{f"is_{reason}": True}))
        with pytest.raises(no.RecipientNotEligible) as refused:
            await choose(town, live, [town.members[1], wrong])
        assert refused.value.reason == reason
    assert await current(live) == set()
    assert await told("copies_begun") == []


async def test_I6_somebody_of_another_workspace_is_not_even_named(town: Town) -> None:
    live = await town.upgraded()
    _, [stranger, *_] = await settle("T2", 2, first=90)
    with pytest.raises(no.RecipientNotEligible) as refused:
        await choose(town, live, [stranger])
    assert (refused.value.reason, refused.value.name) == ("unknown", "")


async def test_I6_the_owner_gets_the_copies_anyway(town: Town) -> None:
    live = await town.upgraded()
    with pytest.raises(no.RecipientNotEligible) as refused:
        await choose(town, live, [town.members[0]])
    assert refused.value.reason == "owner"


async def test_I6_finance_need_not_be_on_the_team_that_pays(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    live = await town.upgraded(scope=team, seats=3)
    await choose(town, live, [town.members[6]])
    assert await current(live) == {town.members[6].id}


async def test_I6_at_most_ten_get_copies_also_when_two_are_added_at_once(town: Town) -> None:
    live = await town.upgraded(seats=15)
    more = [await directory.upsert_member(town.workspace, person(number)) for number in range(40, 52)]
    with pytest.raises(no.TooManyRecipients) as refused:
        await choose(town, live, more[:11])
    assert refused.value.most == 10
    await choose(town, live, more[:9])
    outcome = await asyncio.gather(
        *(recipients.add(town.desk, town.members[0], subscription=live, member=each) for each in more[9:]),
        return_exceptions=True,
    )
    assert sorted(str(type(each).__name__) for each in outcome) == ["TooManyRecipients", "TooManyRecipients", "bool"]
    assert len(await current(live)) == 10


async def test_I6_added_many_times_at_once_somebody_is_a_recipient_once(town: Town) -> None:
    live = await town.upgraded()
    boss, finance, *_ = town.members
    outcome = await asyncio.gather(
        *(recipients.add(town.desk, boss, subscription=live, member=finance) for _ in range(5))
    )
    assert sorted(outcome) == [False, False, False, False, True]
    assert await told("copies_begun") == [finance.id]


async def test_I6_a_recipient_stops_the_copies_and_the_owner_hears_of_it_once(town: Town) -> None:
    live = await town.upgraded()
    await choose(town, live, town.members[1:2])
    row = await CopyRecipient.get(subscription_id=live.id)
    for _ in range(2):
        await recipients.stop(town.desk, town.members[1], recipient_id=str(row.id))
    assert await current(live) == set()
    [notice] = await Notice.filter(kind="recipient_gone")
    assert (notice.owner_of_id, notice.facts["left"]) == (live.id, False)


async def test_I6_nobody_stops_what_comes_to_somebody_else(town: Town) -> None:
    live = await town.upgraded()
    await choose(town, live, town.members[1:2])
    row = await CopyRecipient.get(subscription_id=live.id)
    for forged in (str(row.id), "", "0", "-1", "x", "١", "9" * 40):
        with pytest.raises(no.NotRecipient):
            await recipients.stop(town.desk, town.members[2], recipient_id=forged)
    assert await current(live) == {town.members[1].id}


async def test_I6_P1_a_recipient_who_leaves_or_becomes_a_guest_gets_no_more_and_the_owner_is_told_once(
    town: Town,
) -> None:
    live = await town.upgraded()
    await choose(town, live, town.members[1:4])
    await directory.upsert_member(town.workspace, person(2, is_deactivated=True))
    await directory.upsert_member(town.workspace, person(3, is_guest=True))
    for _ in range(2):
        await upkeep.people_changed(town.desk, town.workspace)
    assert await current(live) == {town.members[3].id}
    told = await Notice.filter(kind="recipient_gone").order_by("created_at")
    assert [(each.facts["member"], each.facts["left"]) for each in told] == [("U002", True), ("U003", True)]


async def test_I6_R30_the_recipients_stay_and_the_new_owner_is_told_who_they_are(town: Town) -> None:
    live = await town.upgraded()
    await choose(town, live, town.members[1:3])
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
    became = (await Notice.filter(kind="became_owner").order_by("-created_at"))[0]
    assert became.facts["recipients"] == ["U003"]
    fresh = await Subscription.get(id=live.id)
    assert [each.id for each in await recipients.listing(town.members[1], subscription=fresh)] == [town.members[2].id]


async def test_I6_who_hands_billing_over_at_that_moment_adds_nobody(town: Town) -> None:
    live = await town.upgraded()
    await owner.hand_over(town.desk, town.members[0], subscription=live, to=town.members[1])
    with pytest.raises(no.NotOwner):  # their page still holds the subscription as it was
        await choose(town, await Subscription.get(id=live.id), town.members[2:3])
    assert await current(live) == set()
