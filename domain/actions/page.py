"""The billing page as one person may see it (R33–R37): money for the owner alone, the plan's name for everybody."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain import directory
from domain.actions.common import live_subscription
from domain.desk import Desk
from domain.records import Admin, Customer, Invoice, Member, Scope, Subscription
from domain.records.people import ScopeKind
from domain.rules.refusals import NotInScope

Role = Literal["owner", "admin", "member"]


@dataclass(frozen=True)
class BillingPage:
    """What to show. Everything below `owner_name` is None or empty for anybody but the owner."""

    scope: Scope
    role: Role
    members: int
    plan: str  # the free plan's key when nothing is paid for
    interval: str | None = None
    owner: str | None = None  # Slack user id
    owner_name: str | None = None
    owner_is_gone: bool = False
    subscription: Subscription | None = None
    next_total: int | None = None  # minor units, before tax and discounts
    payment_method: str | None = None
    invoices: list[Invoice] = field(default_factory=list)
    has_more_invoices: bool = False

    @property
    def next_at(self) -> datetime | None:
        """When the next invoice comes; None when it ends by then."""
        found = self.subscription
        return found.current_period_end if found is not None and found.cancel_at is None else None


FIRST_INVOICES = 5


async def page(desk: Desk, actor: Member, *, scope: Scope) -> BillingPage:
    """The page of a scope for somebody in it. Raises NotInScope; never asks Stripe."""
    live = await live_subscription(scope)
    if not await directory.is_in(scope, actor) and (live is None or live.owner_id != actor.id):
        raise NotInScope(scope=scope.name if scope.workspace_id == actor.workspace_id else "")
    members = await directory.members_in(scope, desk.catalogue)
    if live is None:
        return BillingPage(scope, "member", members, desk.catalogue.free.key)
    owner = await Member.get(id=live.owner_id)
    about = {"owner": owner.slack_user_id, "owner_name": owner.name, "owner_is_gone": not owner.is_active}
    if owner.id != actor.id:
        admin = await Admin.filter(scope_id=scope.id, member_id=actor.id, until=None).exists()
        role: Role = "admin" if admin else "member"
        return BillingPage(scope, role, members, live.plan, live.interval.value, **about)  # type: ignore[arg-type]  # as named
    customer = await Customer.get_or_none(id=live.customer_id)
    found = Invoice.filter(scope_id=scope.id, finalized_at__not_isnull=True).exclude(status="void")
    invoices = await found.order_by("-finalized_at", "-created_at").limit(FIRST_INVOICES + 1)
    return BillingPage(
        scope,
        "owner",
        members,
        live.plan,
        live.interval.value,
        **about,  # type: ignore[arg-type]  # as named
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


async def scopes_of(actor: Member) -> list[Scope]:
    """The whole, then the teams the member belongs to, or owns, that have or had a subscription (R37)."""
    whole = await directory.whole(actor.workspace_id)
    teams = await Scope.filter(
        workspace_id=actor.workspace_id, kind=ScopeKind.TEAM, subscriptions__is_live=True
    ).distinct()
    mine = []
    for team in teams:
        live = await live_subscription(team)
        if await directory.is_in(team, actor) or (live is not None and live.owner_id == actor.id):
            mine.append(team)
    return [whole, *sorted(mine, key=lambda team: team.name)]
