"""Asking sales (S1): pay by invoice (R24), a quote (R16), several teams (R14), changes of an invoiced plan (R38, R43).

A request is a record before it is a message, and there is never a second open one about the same thing.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices
from domain.actions.common import check_actor, check_owner
from domain.actions.upgrade import check_elsewhere, check_may_upgrade, check_not_covered, check_owner_of
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Customer, DeskRequest, Member, Scope, Subscription
from domain.records.people import ScopeKind
from domain.records.requests import Desk as Which
from domain.records.requests import RequestState, Topic
from domain.rules import policy
from domain.rules.plans import find_plan
from domain.rules.refusals import (
    ChangeInProgress,
    DeskClosed,
    InvoiceNeedsYear,
    NothingToChange,
    NotInScope,
    NotSubscribed,
    OwnerNotEligible,
    PaidByCard,
    RequestOpen,
    ScopeUnknown,
    SeatsBelowMembers,
    SeatsTooMany,
    TeamsTooFew,
)

MOST_SEATS = 100_000
MOST_TEXT = 2_000  # characters of what somebody writes to a desk
MOST_TEAMS = 8  # of one request; sales sees a field for each
CHANGES = frozenset({Topic.ADJUST, Topic.CANCEL})
PENDING = Q(state=RequestState.OPEN) | Q(state=RequestState.APPROVED, carried_out_at=None)


async def ask(
    desk: Desk,
    actor: Member,
    *,
    scope: Scope,
    topic: Topic,
    plan: str | None = None,
    seats: int | None = None,
    interval: str = "year",
    owner: Member | None = None,
    teams: Sequence[Scope] = (),
    subscription: Subscription | None = None,
    text: str = "",
) -> DeskRequest:
    """Put a request to sales on record, and in their channel. `owner` None means the actor, `seats` None what fits.

    `teams` are for several_teams, `subscription` for adjust and cancel. Raises ActorNotEligible, NotInScope, AlreadySubscribed,
    OwnerNotEligible, LiveElsewhere, NotOwner, NotSubscribed, PaidByCard, UnknownPlan, InvoiceNeedsYear, SeatsBelowMembers,
    SeatsTooMany, ScopeUnknown, TeamsTooFew, NothingToChange, RequestOpen, DeskClosed.
    """
    check_actor(actor)
    text = text.strip()[:MOST_TEXT]
    if topic in CHANGES:
        if subscription is None:
            raise NotSubscribed(scope=scope.name if scope.workspace_id == actor.workspace_id else "")
        facts = await _check_change(desk, actor, topic, subscription, plan=plan, seats=seats, text=text)
        scope = await Scope.get(id=subscription.scope_id)
    elif topic == Topic.SEVERAL_TEAMS:
        facts = await _check_teams(desk, actor, teams, plan=plan, seats=seats, owner=owner or actor)
        scope = await directory.whole(actor.workspace_id)
    else:
        facts = await _check_new(
            desk, actor, scope, topic, plan=plan, seats=seats, interval=interval, owner=owner or actor
        )
    if desk.settings.sales_channel is None:
        raise DeskClosed(desk=Which.SALES.value)
    return await _put(desk, actor, scope, topic, facts | {"text": text})


async def check_may_ask(
    desk: Desk, actor: Member, *, topic: Topic, scope: Scope, subscription: Subscription | None
) -> None:
    """Whether a form for it is worth opening. Raises what `ask` raises about the person and the scope."""
    check_actor(actor)
    if topic in CHANGES:
        if subscription is None:
            raise NotSubscribed(scope="")
        await _check_invoiced_owner(actor, topic, subscription)
    elif topic == Topic.SEVERAL_TEAMS:
        await check_not_covered(await directory.whole(actor.workspace_id))
    else:
        await check_may_upgrade(actor, scope)
    if desk.settings.sales_channel is None:
        raise DeskClosed(desk=Which.SALES.value)


async def open_requests(actor: Member, scope: Scope) -> list[DeskRequest]:
    """What the actor has asked either desk about a scope and is not settled yet, oldest first."""
    found = DeskRequest.filter(PENDING, requester_id=actor.id, scope_id=scope.id)
    return await found.order_by("asked_at").prefetch_related("scope", "requester", "decided_by")


async def _check_new(
    desk: Desk,
    actor: Member,
    scope: Scope,
    topic: Topic,
    *,
    plan: str | None,
    seats: int | None,
    interval: str,
    owner: Member,
) -> dict[str, Any]:
    await check_may_upgrade(actor, scope)
    level = find_plan(desk.catalogue, plan or "")
    await check_owner_of(scope, owner)
    check_email(owner)
    await check_elsewhere(scope, actor, owner)
    members = await directory.members_in(scope, desk.catalogue)
    if not members:
        raise ScopeUnknown(asked=scope.name)
    least = desk.catalogue.invoice_from_seats
    wanted = seats if seats is not None else max(members, least)
    check_seats(desk, wanted, members)
    if topic == Topic.PAY_BY_INVOICE and (interval != "year" or wanted < least):
        raise InvoiceNeedsYear(smallest=least)
    return {
        "plan": level.key,
        "seats": wanted,
        "interval": "year",
        "owner": owner.slack_user_id,
        "owner_name": owner.name,
        "currency": await _currency(desk, scope),
    }


async def _check_teams(
    desk: Desk, actor: Member, teams: Sequence[Scope], *, plan: str | None, seats: int | None, owner: Member
) -> dict[str, Any]:
    chosen = {team.id: team for team in teams}
    if not 2 <= len(chosen) <= MOST_TEAMS:
        raise TeamsTooFew
    for team in chosen.values():
        if team.workspace_id != actor.workspace_id or team.kind != ScopeKind.TEAM:
            raise ScopeUnknown(asked="")
    if not any([await directory.is_in(team, actor) for team in chosen.values()]):
        raise NotInScope(scope=", ".join(team.name for team in chosen.values()))
    counted = {team.id: await directory.members_in(team, desk.catalogue) for team in chosen.values()}
    for team in chosen.values():
        await check_not_covered(team)
        await check_elsewhere(team, actor, owner)
        if not counted[team.id]:
            raise ScopeUnknown(asked=team.name)
    level = find_plan(desk.catalogue, plan or "")
    policy.check_new_owner(
        member=owner.slack_user_id,
        name=owner.name,
        is_bot=owner.is_bot,
        is_guest=owner.is_guest,
        is_deactivated=owner.is_deactivated,
        in_scope=any([await directory.is_in(team, owner) for team in chosen.values()]),
        is_owner=False,
    )
    check_email(owner)
    wanted = seats if seats is not None else max(sum(counted.values()), desk.catalogue.invoice_from_seats)
    check_seats(desk, wanted, sum(counted.values()))
    if wanted < desk.catalogue.invoice_from_seats:
        raise InvoiceNeedsYear(smallest=desk.catalogue.invoice_from_seats)
    return {
        "plan": level.key,
        "seats": wanted,
        "interval": "year",
        "owner": owner.slack_user_id,
        "owner_name": owner.name,
        "currency": desk.catalogue.default_currency,
        "teams": [{"id": str(team.id), "name": team.name} for team in chosen.values()],
    }


async def _check_change(
    desk: Desk,
    actor: Member,
    topic: Topic,
    subscription: Subscription,
    *,
    plan: str | None,
    seats: int | None,
    text: str,
) -> dict[str, Any]:
    await _check_invoiced_owner(actor, topic, subscription)
    facts: dict[str, Any] = {"subscription": subscription.id, "interval": "year", "currency": subscription.currency}
    if topic == Topic.CANCEL:
        if subscription.cancel_at is not None:
            raise _nothing_to_change(subscription)
        return facts | {"plan": subscription.plan, "seats": subscription.seats}
    level = plan if plan in {None, subscription.plan} else find_plan(desk.catalogue, plan).key
    wanted = seats if seats is not None else subscription.seats
    if (level or subscription.plan, wanted) == (subscription.plan, subscription.seats) and not text:
        raise _nothing_to_change(subscription)
    scope = await Scope.get(id=subscription.scope_id)
    check_seats(desk, wanted, await directory.members_in(scope, desk.catalogue))
    if wanted != subscription.seats and wanted < desk.catalogue.invoice_from_seats:
        raise InvoiceNeedsYear(smallest=desk.catalogue.invoice_from_seats)
    return facts | {"plan": level or subscription.plan, "seats": wanted}


async def _check_invoiced_owner(actor: Member, topic: Topic, subscription: Subscription) -> None:
    await check_owner(actor, subscription, "cancel" if topic == Topic.CANCEL else "seats")
    if not subscription.is_manually_invoiced:
        raise PaidByCard(scope=(await Scope.get(id=subscription.scope_id)).name)


def _nothing_to_change(subscription: Subscription) -> NothingToChange:
    return NothingToChange(plan=subscription.plan, interval=subscription.interval.value, seats=subscription.seats)


def check_seats(desk: Desk, wanted: int, members: int) -> None:
    """A number of seats agreed with sales: any whole number, but never below the members (R7). Raises the Seats… refusals."""
    if wanted < members:
        smallest = desk.catalogue.size_for(members) or members
        raise SeatsBelowMembers(asked=wanted, members=members, smallest=smallest)
    if wanted > MOST_SEATS:
        raise SeatsTooMany(asked=wanted, largest=MOST_SEATS)


def check_email(owner: Member) -> None:
    """Stripe sends no invoice to somebody without an address. Raises OwnerNotEligible."""
    if not owner.email:
        raise OwnerNotEligible(member=owner.slack_user_id, name=owner.name, reason="no_email")


async def _currency(desk: Desk, scope: Scope) -> str:
    customer = await Customer.get_or_none(scope_id=scope.id)
    return (customer.currency if customer else None) or desk.catalogue.default_currency


async def _put(desk: Desk, actor: Member, scope: Scope, topic: Topic, facts: dict[str, Any]) -> DeskRequest:
    """The record, the message and the audit, or none of them."""
    same = DeskRequest.filter(scope_id=scope.id, desk=Which.SALES, topic=topic.value)
    # Two people at the same moment count the same earlier requests, make the same id, and one of them is second.
    key = uuid5(UUID(str(scope.id)), f"{topic.value}:{await same.count()}")
    await _check_none_open(scope, topic)
    try:
        async with in_transaction():
            made = await DeskRequest.create(
                id=key,
                desk=Which.SALES,
                topic=topic.value,
                scope=scope,
                requester=actor,
                facts=facts,
                asked_at=clock.now(),
            )
            await tell_the_desk(desk, made, workspace_id=scope.workspace_id)
            shown = {name: facts[name] for name in ("plan", "interval", "seats") if name in facts}
            await audit.record(
                desk,
                scope=scope,
                actor=actor,
                verb="sales_asked",
                after=shown | {"topic": topic.value},
                reference=str(made.id),
                dedup_key=f"request:{made.id}",
            )
    except IntegrityError:
        await _check_none_open(scope, topic)
        raise ChangeInProgress(scope=scope.name) from None
    made.scope, made.requester = scope, actor
    return made


async def _check_none_open(scope: Scope, topic: Topic) -> None:
    found = DeskRequest.filter(PENDING, scope_id=scope.id, desk=Which.SALES, topic=topic.value)
    known = await found.first().prefetch_related("requester")
    if known is not None:
        raise RequestOpen(
            topic=topic.value,
            scope=scope.name,
            by=known.requester.slack_user_id,
            at=known.asked_at.isoformat(),
            state=known.state.value,
        )


async def tell_the_desk(desk: Desk, request: DeskRequest, *, workspace_id: str, failed: bool = False) -> None:
    """The message in the desk's channel; a second one when what was approved could not be carried out (`failed`)."""
    channel = desk.settings.sales_channel if request.desk == Which.SALES else desk.settings.support_channel
    if channel is None:
        return
    await notices.tell(
        NoticeKind.DESK_REQUEST,
        workspace_id=workspace_id,
        facts={"request": str(request.id), "failed": failed},
        dedup_key=f"request:{request.id}:failed" if failed else f"request:{request.id}",
        channel=channel,
    )
