"""What sales answers a request (S1): by its staff alone, in its own channel, and once."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from tortoise.transactions import in_transaction

from domain import audit, clock, directory, notices
from domain.actions.common import check_actor, quote_expiry
from domain.actions.sales import CHANGES, MOST_TEXT, check_seats
from domain.actions.upgrade import check_not_covered
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments.facts import PriceFacts, SubscriptionFacts
from domain.records import DeskRequest, Member, Scope, Subscription
from domain.records.quotes import QuoteState
from domain.records.requests import Desk as Which
from domain.records.requests import RequestState, Topic
from domain.rules.plans import find_plan
from domain.rules.refusals import (
    DaysOutOfRange,
    InvoiceNeedsYear,
    NothingWritten,
    NotStaff,
    NotSubscribed,
    PriceNotANumber,
    QuoteOver,
    RequestDecided,
    RequestGone,
    SeatsTooFew,
)

MOST_DAYS = 120  # until an invoice is due
MOST_A_SEAT = 99_999_999  # minor units: Stripe's own bound on a price
MOST_A_YEAR = 999_999_999_999  # and on an invoice
SMALLEST = 2  # there is never a plan for one (R7)


@dataclass(frozen=True)
class Terms:
    """What is agreed. `unit_amount` is minor units a seat and year; `seats` by the id of each scope it is for.

    A change of a plan that is invoiced already has a price of its own, as `price_change` found it: `due_now` is what its invoice
    says, in minor units, worked out for `proration_date`, seconds since 1970.
    """

    plan: str
    seats: dict[str, int]
    unit_amount: int
    currency: str
    days_until_due: int
    proration_date: int | None = None
    due_now: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For the request's `answer`."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """What `as_json` wrote."""
        return cls(**stored)


@dataclass(frozen=True)
class Part:
    """One scope a request is about, and how many seats it would have."""

    scope: str  # its id
    name: str
    members: int
    seats: int


@dataclass(frozen=True)
class Proposal:
    """What the form for the terms begins with; `unit_amount` None when the plan has no listed price."""

    plan: str
    parts: tuple[Part, ...]
    unit_amount: int | None
    currency: str
    days_until_due: int


def check_staff(desk: Desk, actor: Member, channel: str | None) -> None:
    """Only those listed as sales staff decide, and only in the sales channel (S1). Raises ActorNotEligible, NotStaff."""
    check_actor(actor)
    listed = actor.slack_user_id in desk.settings.sales_staff
    if not listed or channel is None or channel != desk.settings.sales_channel:
        raise NotStaff(desk=Which.SALES.value)


async def find(request_id: str | UUID, which: Which) -> DeskRequest:
    """A request of that desk, whatever its state. Raises RequestGone."""
    try:
        key = request_id if isinstance(request_id, UUID) else UUID(request_id)
    except ValueError:
        raise RequestGone from None
    found = await DeskRequest.get_or_none(id=key, desk=which).prefetch_related(
        "scope__workspace", "requester", "decided_by"
    )
    if found is None:
        raise RequestGone
    return found


async def scopes_of(request: DeskRequest) -> list[Scope]:
    """What a request is about: its scope, or each of its teams (R14), in the order they were chosen."""
    if request.topic != Topic.SEVERAL_TEAMS:
        return [request.scope]
    teams = await Scope.filter(id__in=[team["id"] for team in request.facts["teams"]])
    known = {str(team.id): team for team in teams}
    return [known[team["id"]] for team in request.facts["teams"]]


async def may_decide(desk: Desk, actor: Member, request_id: str | UUID, *, channel: str | None) -> DeskRequest:
    """An open request, for somebody who may decide it. Raises NotStaff, RequestGone, RequestDecided."""
    check_staff(desk, actor, channel)
    request = await find(request_id, Which.SALES)
    if request.state != RequestState.OPEN:
        raise _decided(request)
    return request


async def propose(
    desk: Desk, actor: Member, request_id: str | UUID, *, channel: str | None, plan: str | None = None
) -> tuple[DeskRequest, Proposal]:
    """An open request and the terms to begin from: what was asked for, or another `plan`, at the listed or present price.

    Raises NotStaff, RequestGone, RequestDecided, NotSubscribed.
    """
    request = await may_decide(desk, actor, request_id, channel=channel)
    facts = request.facts
    wanted, currency = plan or facts["plan"], facts["currency"]
    level, amount = desk.catalogue.plan(wanted), None
    if level is not None and currency in level.price:
        amount = desk.catalogue.seat_price(level, "year", currency).amount
    if request.topic in CHANGES:
        live = await _live(request)
        amount = live.unit_amount if wanted == live.plan else amount
    parts = []
    for scope in await scopes_of(request):
        members = await directory.members_in(scope, desk.catalogue)
        several = request.topic == Topic.SEVERAL_TEAMS
        seats = max(members, SMALLEST) if several else max(facts["seats"], members)
        parts.append(Part(str(scope.id), scope.name, members, seats))
    short = facts["seats"] - sum(part.seats for part in parts)
    if short > 0 and parts:  # the seats asked for beyond the teams' members go to the first
        parts[0] = Part(parts[0].scope, parts[0].name, parts[0].members, parts[0].seats + short)
    return request, Proposal(wanted, tuple(parts), amount, currency, desk.catalogue.invoice_due_days)


async def check_terms(
    desk: Desk, actor: Member, request_id: str | UUID, terms: Terms, *, channel: str | None
) -> DeskRequest:
    """Whether these terms could be agreed to, without asking Stripe. Raises what `approve` raises."""
    request = await may_decide(desk, actor, request_id, channel=channel)
    await _check_terms(desk, request, terms)
    return request


async def price_change(
    desk: Desk, actor: Member, request_id: str | UUID, terms: Terms, *, channel: str | None
) -> Terms:
    """The terms of a change with Stripe's own preview of what is invoiced for it at once (M1).

    Raises what `approve` raises, PaymentsAway, PaymentsRefused.
    """
    request = await check_terms(desk, actor, request_id, terms, channel=channel)
    live = await _live(request)
    found = await desk.payments.subscription(live.id)
    if found is None:
        raise NotSubscribed(scope=request.scope.name)
    moment = clock.now().replace(microsecond=0)
    due_now = await invoiced_now(desk, terms, found, terms.seats[str(live.scope_id)], moment)
    return replace(terms, proration_date=int(moment.timestamp()), due_now=due_now)


async def invoiced_now(desk: Desk, terms: Terms, found: SubscriptionFacts, seats: int, moment: datetime) -> int:
    """What a change to the terms invoices at once when it is counted from `moment`. Minor units."""
    price = await price_of(desk, terms, found)
    if (found.price_id, found.seats) == (price.id, seats):
        return 0
    return (await desk.payments.preview_change(found.id, found.item_id, price, seats, moment)).due_now


async def price_of(desk: Desk, terms: Terms, found: SubscriptionFacts) -> PriceFacts:
    """The agreed price a seat: the one they have, or one made for the agreement."""
    if (found.plan, found.unit_amount) == (terms.plan, terms.unit_amount):
        return PriceFacts(found.price_id, found.plan, found.interval, found.currency, found.unit_amount)
    return await desk.payments.agreed_price(find_plan(desk.catalogue, terms.plan), terms.currency, terms.unit_amount)


async def approve(
    desk: Desk, actor: Member, request_id: str | UUID, terms: Terms | None, *, channel: str | None
) -> DeskRequest:
    """Agree, on `terms` (None to a cancellation): a local commit, which `agreed.carry_out` then carries out.

    Raises NotStaff, RequestGone, RequestDecided (by whom and how), QuoteOver (a change whose price nobody has seen, or too long
    ago), and what is wrong with the terms: UnknownPlan, SeatsBelowMembers, SeatsTooFew, SeatsTooMany, InvoiceNeedsYear,
    PriceNotANumber, DaysOutOfRange, AlreadySubscribed, NotSubscribed.
    """
    request = await may_decide(desk, actor, request_id, channel=channel)
    if request.topic == Topic.CANCEL:
        await _live(request)
        answer: dict[str, Any] = {}
    elif terms is None:
        raise RequestGone
    else:
        await _check_terms(desk, request, terms)
        if request.topic == Topic.ADJUST:
            _check_price_seen(desk, terms)
        answer = {"terms": terms.as_json()}
    return await _decide(desk, actor, request, RequestState.APPROVED, answer)


async def decline(desk: Desk, actor: Member, request_id: str | UUID, words: str, *, channel: str | None) -> DeskRequest:
    """Say no, with a few words to whoever asked. Raises NotStaff, RequestGone, RequestDecided, NothingWritten."""
    request = await may_decide(desk, actor, request_id, channel=channel)
    if not words.strip():
        raise NothingWritten
    return await _decide(desk, actor, request, RequestState.DECLINED, {"words": words.strip()[:MOST_TEXT]})


def _check_price_seen(desk: Desk, terms: Terms) -> None:
    if terms.due_now is None or terms.proration_date is None:
        raise QuoteOver(state="unknown")
    if clock.now() - clock.from_timestamp(terms.proration_date) > quote_expiry(desk):
        raise QuoteOver(state=QuoteState.EXPIRED.value)


async def _check_terms(desk: Desk, request: DeskRequest, terms: Terms) -> None:
    if request.topic not in CHANGES or terms.plan != request.facts["plan"]:
        find_plan(desk.catalogue, terms.plan)
    if request.topic in CHANGES:
        await _live(request)
    scopes = await scopes_of(request)
    if set(terms.seats) != {str(scope.id) for scope in scopes} or terms.currency != request.facts["currency"]:
        raise RequestGone
    for scope in scopes:
        seats = terms.seats[str(scope.id)]
        check_seats(desk, seats, await directory.members_in(scope, desk.catalogue))
        if seats < SMALLEST:
            raise SeatsTooFew(asked=seats, smallest=SMALLEST)
        if request.topic not in CHANGES:
            await check_not_covered(scope)
    total = sum(terms.seats.values())
    if total < desk.catalogue.invoice_from_seats:
        raise InvoiceNeedsYear(smallest=desk.catalogue.invoice_from_seats)
    if not 0 < terms.unit_amount <= MOST_A_SEAT or terms.unit_amount * max(terms.seats.values()) > MOST_A_YEAR:
        raise PriceNotANumber(asked=str(terms.unit_amount))
    if not 1 <= terms.days_until_due <= MOST_DAYS:
        raise DaysOutOfRange(asked=str(terms.days_until_due), most=MOST_DAYS)


async def _live(request: DeskRequest) -> Subscription:
    live = await Subscription.get_or_none(id=request.facts["subscription"], is_live=True)
    if live is None:
        raise NotSubscribed(scope=request.scope.name)
    return live


def _decided(request: DeskRequest) -> RequestDecided:
    assert request.decided_by is not None  # nobody else ends a request
    assert request.decided_at is not None
    return RequestDecided(
        by=request.decided_by.slack_user_id, state=request.state.value, at=request.decided_at.isoformat()
    )


async def _decide(
    desk: Desk, actor: Member, request: DeskRequest, state: RequestState, answer: dict[str, Any]
) -> DeskRequest:
    """Compare and swap: of two who press at once, one decides and the other is told by whom. Raises RequestDecided."""
    async with in_transaction():
        won = await DeskRequest.filter(id=request.id, state=RequestState.OPEN).update(
            state=state, decided_by_id=actor.id, decided_at=clock.now(), answer=answer
        )
        if won:
            await audit.record(
                desk,
                scope=request.scope,
                actor=actor,
                verb="request_approved" if state == RequestState.APPROVED else "request_declined",
                after={"topic": request.topic},
                reference=str(request.id),
                dedup_key=f"request:{request.id}:{state.value}",
            )
            if state != RequestState.APPROVED:  # what is approved is told when it is carried out
                await tell_requester(request)
    fresh = await find(request.id, request.desk)
    if not won:
        raise _decided(fresh)
    return fresh


async def tell_requester(request: DeskRequest) -> None:
    """How it ended, to whoever asked."""
    await notices.tell(
        NoticeKind.REQUEST_DECIDED,
        workspace_id=request.scope.workspace_id,
        facts={"request": str(request.id)},
        dedup_key=f"request:{request.id}:decided",
        member=request.requester,
    )
