"""From what Slack names (ids) to our records, always within the person's own workspace."""

from uuid import UUID

from bot import people
from bot.visit import Visit
from domain import directory
from domain.actions.common import live_subscription, subscription_in, subscription_of
from domain.records import Customer, Member, Scope, Subscription
from domain.records.people import ScopeKind
from domain.rules.refusals import OwnerNotEligible, ScopeUnknown


async def subscription(visit: Visit, subscription_id: str | None = None) -> Subscription:
    """The subscription a button names, the team's whose channel a command was typed in, or the one the person means.

    Raises NotSubscribed, SeveralSubscriptions.
    """
    wanted = subscription_id or visit.meant
    if wanted:
        return await subscription_in(visit.actor, wanted)
    here = await team_here(visit)
    live = await live_subscription(here) if here else None
    return live or await subscription_of(visit.actor)


async def team_here(visit: Visit) -> Scope | None:
    """The paying team in whose channel a command was typed, for those who have to do with it (R37)."""
    channel = str(visit.body.get("channel_id") or "") if visit.body.get("command") else ""
    if not channel:
        return None
    found = await Scope.get_or_none(workspace_id=visit.team_id, slack_ref=channel, kind=ScopeKind.TEAM)
    live = await live_subscription(found) if found else None
    if found is None or live is None:
        return None
    return found if live.owner_id == visit.actor.id or await directory.is_in(found, visit.actor) else None


async def team(visit: Visit, slack_ref: str) -> Scope:
    """The team of a user group or channel that was named; its members are read only while it is new. Raises ScopeUnknown."""
    known = await Scope.get_or_none(workspace_id=visit.team_id, slack_ref=slack_ref)
    return known or await people.team(visit.client, visit.team_id, slack_ref)


async def scope(visit: Visit, scope_id: str) -> Scope:
    """A scope of the person's own workspace by its id, as buttons carry it. Raises ScopeUnknown."""
    try:
        found = await Scope.get_or_none(id=UUID(scope_id), workspace_id=visit.team_id)
    except ValueError:
        found = None
    if found is None:
        raise ScopeUnknown(asked=scope_id[:40])
    return found


async def scope_of(found: Subscription) -> Scope:
    """What a subscription covers."""
    return await Scope.get(id=found.scope_id)


async def colleague(visit: Visit, user_id: str) -> Member:
    """Somebody of the workspace by their Slack id. Raises OwnerNotEligible for one that isn't there."""
    found = await people.member(visit.client, visit.team_id, user_id)
    if found is None:
        raise OwnerNotEligible(member=user_id, name="", reason="unknown")
    return found


async def payment_method(scope: Scope) -> str | None:
    """What a scope pays with, as it may be shown."""
    customer = await Customer.get_or_none(scope_id=scope.id)
    return customer.payment_method_label if customer else None


async def upgradable(visit: Visit) -> list[Scope]:
    """The whole, then the user groups the person is in that have no plan of their own, by name."""
    whole = await directory.whole(visit.team_id)
    mine = Scope.filter(
        workspace_id=visit.team_id, slack_ref__startswith="S", memberships__member_id=visit.actor.id
    ).order_by("name")
    paying = await Subscription.filter(is_live=True, scope__workspace_id=visit.team_id).values_list(
        "scope_id", flat=True
    )
    return [whole, *[team for team in await mine if team.id not in set(paying)]]
