"""Seat usage (R33, R36): bought, used and free, who uses a seat, and who doesn't count and why. For the billing owner alone."""

from dataclasses import dataclass

from domain import directory
from domain.actions.common import check_owner
from domain.desk import Desk
from domain.records import Member, Scope, Subscription
from domain.records.people import ScopeKind

PAGE = 30


@dataclass(frozen=True)
class SeatUsage:
    """A page of the people who use a seat, by name, and the numbers of all. `page` counts from 0.

    `guests` is None where guests need a seat too: they are among the people then (R5).
    """

    scope: Scope
    subscription: Subscription
    used: int
    people: list[Member]
    page: int
    pages: int
    guests: int | None
    bots: int
    deactivated: int

    @property
    def free(self) -> int:
        """Seats nobody uses; negative when members have outgrown them (M6)."""
        return int(self.subscription.seats - self.used)


async def usage(desk: Desk, actor: Member, *, subscription: Subscription, page: int = 0) -> SeatUsage:
    """Who uses the seats. A page beyond the last is the last. Raises ActorNotEligible, NotOwner, NotSubscribed."""
    await check_owner(actor, subscription, "usage")
    scope = await Scope.get(id=subscription.scope_id)
    counted = directory.counted(scope, desk.catalogue)
    used = await counted.count()
    pages = max(1, -(-used // PAGE))
    page = min(max(0, page), pages - 1)
    people = await counted.order_by("name", "slack_user_id").offset(page * PAGE).limit(PAGE)
    everybody = Member.filter(workspace_id=scope.workspace_id)
    if scope.kind == ScopeKind.TEAM:
        everybody = everybody.filter(teams__scope_id=scope.id)
    deactivated = await everybody.filter(is_deactivated=True, is_bot=False).count()
    bots = await everybody.filter(is_bot=True, is_deactivated=False).count()
    guests = await everybody.filter(is_guest=True, is_bot=False, is_deactivated=False).count()
    uncounted = None if desk.catalogue.count_guests else guests
    return SeatUsage(scope, subscription, used, people, page, pages, uncounted, bots, deactivated)
