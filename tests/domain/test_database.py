"""Every constraint, asserted by violating it on a migrated database: SQLite and PostgreSQL alike."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import directory
from domain.database import migrate_database
from domain.directory import MemberFacts
from domain.records import (
    Admin,
    AuditEntry,
    CopyRecipient,
    Customer,
    Delivery,
    Event,
    Installation,
    Invoice,
    InvoiceCopy,
    Member,
    Notice,
    Quote,
    Scope,
    ScopeMember,
    Subscription,
    Workspace,
)
from domain.records.people import ScopeKind
from domain.records.quotes import QuoteState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def people(database: str) -> tuple[Scope, Member]:
    del database
    await directory.ensure_workspace("T1", name="One")
    member = await directory.upsert_member(
        "T1", MemberFacts("U1", "Ada", None, "en-GB", "UTC", is_bot=False, is_guest=False, is_deactivated=False)
    )
    return await directory.whole("T1"), member


def a_subscription(scope: Scope, owner: Member, **other: Any) -> dict[str, Any]:
    facts = {
        "id": f"sub_{uuid4().hex}",
        "scope_id": scope.id,
        "owner_id": owner.id,
        "customer_id": "cus_1",
        "status": "active",
        "is_live": True,
        "plan": "premium",
        "interval": "year",
        "seats": 10,
        "currency": "sek",
        "unit_amount": 125_000,
        "item_id": "si_1",
        "price_id": "price_1",
        "collection_method": "charge_automatically",
        "current_period_start": NOW,
        "current_period_end": NOW,
        "started_at": NOW,
    }
    return facts | other


def a_notice(**other: Any) -> dict[str, Any]:
    facts = {
        "id": uuid4(),
        "kind": "upgraded",
        "facts": {},
        "dedup_key": uuid4().hex,
        "workspace_id": "T1",
        "available_at": NOW,
        "created_at": NOW,
    }
    return facts | other


def a_quote(scope: Scope, member: Member, **other: Any) -> dict[str, Any]:
    facts = {
        "id": uuid4(),
        "kind": "seats",
        "applies": "now",
        "scope_id": scope.id,
        "requester_id": member.id,
        "plan": "premium",
        "interval": "year",
        "seats": 10,
        "seats_asked": 10,
        "currency": "sek",
        "due_now": 1,
        "lines": [],
        "next_total": 1,
        "offered_at": NOW,
        "expires_at": NOW,
    }
    return facts | other


async def refused(model: Any, facts: dict[str, Any]) -> None:
    """The database itself says no."""
    with pytest.raises(IntegrityError):
        async with in_transaction():
            await model.create(**facts)


async def test_at_most_one_live_subscription_a_scope(people: tuple[Scope, Member]) -> None:
    scope, owner = people
    await Subscription.create(**a_subscription(scope, owner))
    await Subscription.create(**a_subscription(scope, owner, is_live=False, status="canceled"))
    await refused(Subscription, a_subscription(scope, owner))


async def test_exactly_one_owner(people: tuple[Scope, Member]) -> None:
    scope, owner = people
    made = await Subscription.create(**a_subscription(scope, owner))
    with pytest.raises(IntegrityError):
        async with in_transaction() as connection:
            await connection.execute_script(f"UPDATE subscription SET owner_id = NULL WHERE id = '{made.id}'")  # noqa: S608 - an id of our own


async def test_at_most_one_copy_a_subscription_and_period(people: tuple[Scope, Member]) -> None:
    made = await Subscription.create(**a_subscription(*people))
    notice = await Notice.create(**a_notice())
    copy = {
        "subscription_id": made.id,
        "period_start": NOW,
        "invoice_id": "in_1",
        "notice_id": notice.id,
        "created_at": NOW,
    }
    await InvoiceCopy.create(**copy)
    await refused(InvoiceCopy, copy)


async def test_stripes_ids_are_unique(people: tuple[Scope, Member]) -> None:
    scope, owner = people
    other = await directory.ensure_scope("T1", slack_ref="S1", name="Team", kind=ScopeKind.TEAM)
    await Customer.create(id="cus_1", scope_id=scope.id)
    await refused(Customer, {"id": "cus_1", "scope_id": other.id})
    await refused(Customer, {"id": "cus_2", "scope_id": scope.id})
    facts = a_subscription(scope, owner)
    await Subscription.create(**facts)
    await refused(Subscription, facts | {"scope_id": other.id})
    event = {"id": "evt_1", "type": "x", "created_at": NOW, "received_at": NOW, "available_at": NOW, "payload": "{}"}
    await Event.create(**event)
    await refused(Event, event)
    invoice = {
        "id": "in_1",
        "scope_id": scope.id,
        "status": "paid",
        "collection_method": "charge_automatically",
        "currency": "sek",
        "total": 1,
        "amount_due": 1,
        "amount_paid": 1,
        "amount_remaining": 0,
        "period_start": NOW,
        "period_end": NOW,
        "created_at": NOW,
    }
    await Invoice.create(**invoice)
    await refused(Invoice, invoice)


async def test_at_most_one_accepted_quote_a_scope_and_one_quote_a_checkout_session(
    people: tuple[Scope, Member],
) -> None:
    await Quote.create(**a_quote(*people, state=QuoteState.ACCEPTED))
    await Quote.create(**a_quote(*people, state=QuoteState.OFFERED, checkout_session_id="cs_1"))
    await refused(Quote, a_quote(*people, state=QuoteState.ACCEPTED))
    await refused(Quote, a_quote(*people, checkout_session_id="cs_1"))


async def test_what_is_told_or_recorded_once_has_a_unique_key(people: tuple[Scope, Member]) -> None:
    scope, _ = people
    await Notice.create(**a_notice(dedup_key="k"))
    await refused(Notice, a_notice(dedup_key="k"))
    entry = {"at": NOW, "workspace_id": "T1", "scope_id": scope.id, "source": "slack", "verb": "v", "dedup_key": "k"}
    await AuditEntry.create(id=uuid4(), **entry)
    await refused(AuditEntry, {"id": uuid4()} | entry)
    await Delivery.create(id="Ev1", received_at=NOW)
    await refused(Delivery, {"id": "Ev1", "received_at": NOW})


async def test_people_scopes_and_installations_are_there_once(people: tuple[Scope, Member]) -> None:
    scope, member = people
    await refused(Member, {"workspace_id": "T1", "slack_user_id": "U1", "name": "Again"})
    await refused(
        Scope,
        {"id": uuid4(), "workspace_id": "T1", "slack_ref": "", "name": "x", "kind": "workspace", "created_at": NOW},
    )
    await ScopeMember.create(scope_id=scope.id, member_id=member.id)
    await refused(ScopeMember, {"scope_id": scope.id, "member_id": member.id})
    await Admin.create(scope_id=scope.id, member_id=member.id, since=NOW, until=NOW)
    await Admin.create(scope_id=scope.id, member_id=member.id, since=NOW)
    await refused(Admin, {"scope_id": scope.id, "member_id": member.id, "since": NOW})
    await Installation.create(team_id="T1", sealed="x", installed_at=NOW)
    await refused(Installation, {"team_id": "T1", "sealed": "y", "installed_at": NOW})


async def test_R48_what_others_refer_to_cannot_be_deleted(people: tuple[Scope, Member]) -> None:
    scope, owner = people
    await Subscription.create(**a_subscription(scope, owner))
    for gone in (Workspace.filter(id="T1"), Scope.filter(id=scope.id), Member.filter(id=owner.id)):
        with pytest.raises(IntegrityError):
            async with in_transaction():
                await gone.delete()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    asyncio.run(migrate_database(database_url))
    asyncio.run(migrate_database(database_url))


async def test_I6_somebody_is_recipient_of_a_subscription_once_at_a_time(people: tuple[Scope, Member]) -> None:
    scope, owner = people
    live = await Subscription.create(**a_subscription(scope, owner))
    facts = {"subscription_id": live.id, "member_id": owner.id, "added_by_id": owner.id, "since": NOW}
    await CopyRecipient.create(**facts, until=NOW)
    await CopyRecipient.create(**facts)
    await refused(CopyRecipient, facts)
