"""The ledger: each thing once, with what made it happen, and words for it in the audit channel."""

import ast
import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from bot.views.notices import audit_line
from bot.words import Words
from domain import audit, sync
from domain.actions import admins, cancel, owner, seats
from domain.config import Settings
from domain.desk import Desk
from domain.records import AuditEntry, Notice
from domain.rules.catalogue import Catalogue
from tests.domain.conftest import Town, settle
from tests.domain.test_never import calls, sources

SOURCES = {"slack", "stripe", "scheduler", "console"}


def desk_of(settings: Settings, catalogue: Catalogue, channel: str | None = "C1") -> Desk:
    own = replace(settings, audit_channel=channel)
    return Desk(own, catalogue, payments=None)  # type: ignore[arg-type]  # a record asks nobody


async def test_the_same_fact_learned_many_ways_at_once_is_one_entry_and_one_line(
    database: str, settings: Settings, catalogue: Catalogue
) -> None:
    scope, members = await settle("T1", 1)
    desk = desk_of(settings, catalogue)
    await asyncio.gather(
        *(audit.record(desk, scope=scope, actor=members[0], verb="upgraded", dedup_key="upgraded:1") for _ in range(6))
    )
    assert await AuditEntry.all().count() == 1
    assert [(each.channel, each.kind) for each in await Notice.all()] == [("C1", "audit")]


async def test_without_an_audit_channel_it_is_on_record_all_the_same(
    database: str, settings: Settings, catalogue: Catalogue
) -> None:
    scope, _ = await settle("T1", 1)
    await audit.record(desk_of(settings, catalogue, None), scope=scope, actor=None, verb="ended", dedup_key="x")
    assert (await AuditEntry.all().count(), await Notice.all().count()) == (1, 0)


async def test_what_did_not_happen_after_all_is_not_on_record(
    database: str, settings: Settings, catalogue: Catalogue
) -> None:
    scope, _ = await settle("T1", 1)

    async def cut_off() -> None:
        async with in_transaction():
            await audit.record(desk_of(settings, catalogue), scope=scope, actor=None, verb="ended", dedup_key="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await cut_off()
    assert (await AuditEntry.all().count(), await Notice.all().count()) == (0, 0)


async def test_people_are_named_for_what_they_did_and_nobody_for_what_stripe_did(town: Town) -> None:
    ada = town.members[0]
    live = await town.upgraded(interval="month")
    await town.confirm(await seats.offer_seats(town.desk, ada, subscription=live, seats=15))
    live = await cancel.cancel(town.desk, ada, subscription=await live.get(id=live.id))
    live = await cancel.resume(town.desk, ada, subscription=live)
    await admins.set_admins(town.desk, ada, subscription=live, members=[town.members[2]])
    await owner.hand_over(town.desk, ada, subscription=live, to=town.members[1])
    town.stripe.account.faults.decline_next_renewal = 1
    town.clock.move_to(live.current_period_end)
    town.move(hours=2)
    for _ in range(3):
        await town.stripe.process_due()
    await sync.subscription(town.desk, live.id)
    found = {entry.verb: entry for entry in await AuditEntry.all()}
    by_ada = ("upgraded", "seats_changed", "cancel_scheduled", "resumed", "admin_appointed", "handed_over")
    assert [(verb, found[verb].source, found[verb].actor_id) for verb in by_ada] == [
        (verb, "slack", ada.id) for verb in by_ada
    ]
    assert (found["payment_failed"].source, found["payment_failed"].actor_id) == ("stripe", None)
    assert found["seats_changed"].before["seats"] == 10
    assert found["seats_changed"].after["seats"] == 15
    assert found["handed_over"].after == {"owner": town.members[1].slack_user_id}


def literals(node: ast.expr) -> set[str]:
    """The texts an expression can be, as far as they are written there."""
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def recorded(argument: str) -> set[str]:
    """Every text that the product gives `audit.record` as an argument."""
    return set().union(
        *(
            literals(keyword.value)
            for _, tree in sources()
            for call in calls(tree, "record")
            for keyword in call.keywords
            if keyword.arg == argument
        )
    )


def test_every_entry_says_it_came_from_slack_stripe_the_scheduler_or_the_console() -> None:
    assert recorded("source") <= SOURCES


@pytest.mark.parametrize("verb", sorted(recorded("verb")))
@pytest.mark.parametrize("locale", ["sv-SE", "en-US"])
def test_every_verb_has_words_in_the_audit_channel(verb: str, locale: str, catalogue: Catalogue) -> None:
    entry: Any = SimpleNamespace(verb=verb, source="slack", before=None, after=None, reference=None)
    desk = Desk(None, catalogue, payments=None)  # type: ignore[arg-type]  # words look at the catalogue alone
    said = audit_line(Words(locale), desk, entry, actor="U1", scope="Fjällvind").text
    assert "_" not in said
    assert locale != "sv-SE" or verb not in said
