"""The billing page as one person may see it (R33–R37): money for the owner alone, the plan's name for everybody."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from domain import directory
from domain.actions.common import live_subscription
from domain.actions.invoices import finalised
from domain.actions.owner import claimants
from domain.actions.sales import open_requests
from domain.desk import Desk
from domain.records import Admin, Customer, DeskRequest, Invoice, Member, Scope, Subscription
from domain.records.people import ScopeKind
from domain.records.requests import RequestState
from domain.rules.refusals import NotInScope, Refusal

Role = Literal["owner", "admin", "member", "guest"]
FIRST_INVOICES = 3


@dataclass(frozen=True)
class BillingPage:
    """What to show. Everything from `subscription` on is None or empty for anybody but the owner."""

    scope: Scope
    role: Role
    members: int
    plan: str  # the free plan's key when nothing is paid for
    interval: str | None = None
    owner: str | None = None  # Slack user id
    owner_name: str | None = None
    owner_is_gone: bool = False
    claimable: str | None = None  # the subscription an admin may take over, its owner having left (P1)
    covered_by: str | None = None  # of a team: the organisation whose plan it has (R12)
    is_first_time: bool = False  # nobody here has ever had a plan
    was_owner: bool = False  # of a plan that has ended: its invoices are still theirs to see (R48)
    requests: list[DeskRequest] = field(default_factory=list)  # open at sales or support: one's own, the owner's all
    subscription: Subscription | None = None
    next_total: int | None = None  # minor units; before tax and discounts unless `next_is_exact`
    next_is_exact: bool = False  # Stripe's own preview (M1)
    payment_method: str | None = None
    invoices: list[Invoice] = field(default_factory=list)
    has_more_invoices: bool = False

    @property
    def may_claim(self) -> bool:
        """Whether the reader may take over billing."""
        return self.claimable is not None

    @property
    def is_team(self) -> bool:
        """A team's own page, not the whole's."""
        return self.scope.kind == ScopeKind.TEAM

    @property
    def next_at(self) -> datetime | None:
        """When the next invoice comes; None when it ends by then."""
        found = self.subscription
        return found.current_period_end if found is not None and found.cancel_at is None else None


async def page(desk: Desk, actor: Member, *, scope: Scope) -> BillingPage:
    """The page of a scope for somebody in it. Raises NotInScope; never asks Stripe."""
    live = await live_subscription(scope)
    if not await directory.is_in(scope, actor) and (live is None or live.owner_id != actor.id):
        raise NotInScope(scope=scope.name if scope.workspace_id == actor.workspace_id else "")
    members = await directory.members_in(scope, desk.catalogue)
    if live is None:
        return await _without_plan(desk, actor, scope, members)
    if live.owner_id == actor.id and actor.is_active:
        return await _owned(desk, actor, scope, members, live)
    return await _about(actor, scope, members, live)


async def _without_plan(desk: Desk, actor: Member, scope: Scope, members: int) -> BillingPage:
    """Nothing is paid for here; a team may be covered by its organisation (R12)."""
    if scope.kind == ScopeKind.TEAM:
        whole = await directory.whole(scope.workspace_id)
        covering = await live_subscription(whole)
        if covering is not None:
            about = await _about(actor, whole, members, covering)
            return replace(about, scope=scope, covered_by=whole.name, claimable=None)
    last = await Subscription.filter(scope_id=scope.id).order_by("-started_at").first()
    ever = last is not None or await Subscription.filter(scope__workspace_id=scope.workspace_id).exists()
    return BillingPage(
        scope,
        "member" if actor.is_active else "guest",
        members,
        desk.catalogue.free.key,
        is_first_time=not ever,
        was_owner=last is not None and last.owner_id == actor.id and actor.is_active,
        requests=await open_requests(actor, scope),
    )


async def _about(actor: Member, scope: Scope, members: int, live: Subscription) -> BillingPage:
    """Plan and owner's name (R35); for an admin whose owner is gone, the way to take over (P1)."""
    owner = await Member.get(id=live.owner_id)
    is_admin = actor.is_active and await Admin.filter(scope_id=scope.id, member_id=actor.id, until=None).exists()
    role: Role = "guest" if not actor.is_active else "admin" if is_admin else "member"
    may_claim = not owner.is_active and actor.id in {each.id for each in await claimants(live)}
    return BillingPage(
        scope,
        role,
        members,
        live.plan,
        live.interval.value,
        owner=owner.slack_user_id,
        owner_name=owner.name,
        owner_is_gone=not owner.is_active,
        claimable=live.id if may_claim else None,
        requests=await open_requests(actor, scope),
    )


async def _owned(desk: Desk, actor: Member, scope: Scope, members: int, live: Subscription) -> BillingPage:
    customer = await Customer.get_or_none(id=live.customer_id)
    invoices = await finalised(scope).limit(FIRST_INVOICES + 1)
    return BillingPage(
        scope,
        "owner",
        members,
        live.plan,
        live.interval.value,
        owner=actor.slack_user_id,
        owner_name=actor.name,
        requests=await DeskRequest.filter(scope_id=scope.id, state=RequestState.OPEN).order_by("asked_at"),
        subscription=live,
        next_total=_next_total(desk, live),
        payment_method=customer.payment_method_label if customer else None,
        invoices=invoices[:FIRST_INVOICES],
        has_more_invoices=len(invoices) > FIRST_INVOICES,
    )


def _next_total(desk: Desk, live: Subscription) -> int:
    """The renewal at list price, with a change that waits for it."""
    if live.next_at is None or live.next_plan is None or live.next_interval is None or live.next_seats is None:
        return int(live.unit_amount * live.seats)
    plan = desk.catalogue.plan(live.next_plan)
    if plan is None or live.currency not in plan.price:
        return int(live.unit_amount * live.next_seats)
    return desk.catalogue.seat_price(plan, live.next_interval, live.currency).amount * live.next_seats


async def with_next_invoice(desk: Desk, found: BillingPage) -> BillingPage:
    """The owner's page with Stripe's own figure of the next invoice (M1); as it was while Stripe doesn't say."""
    live = found.subscription
    if live is None or found.next_at is None:
        return found
    try:
        total = await desk.payments.next_invoice(live.id, live.schedule_id if live.next_at else None)
    except Refusal:
        return found
    return found if total is None else replace(found, next_total=total, next_is_exact=True)


async def scopes_of(actor: Member) -> list[Scope]:
    """The whole, then the teams with a plan of their own that the member owns, then those they belong to, by name (R37)."""
    whole = await directory.whole(actor.workspace_id)
    teams = Scope.filter(workspace_id=actor.workspace_id, kind=ScopeKind.TEAM).order_by("name", "id")
    owned = await teams.filter(subscriptions__is_live=True, subscriptions__owner_id=actor.id)
    joined = await teams.filter(subscriptions__is_live=True, memberships__member_id=actor.id)
    return [whole, *{team.id: team for team in [*owned, *joined]}.values()]
