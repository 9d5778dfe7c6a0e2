"""From what Slack names (ids) to our records, always within the person's own workspace."""

from bot import people
from bot.visit import Visit
from domain import directory
from domain.actions.common import live_subscription, subscription_in, subscription_of
from domain.records import Customer, Member, Scope, Subscription
from domain.rules.refusals import OwnerNotEligible


async def subscription(visit: Visit, subscription_id: str | None = None) -> Subscription:
    """The subscription a button names, or the one the person means without naming. Raises NotSubscribed."""
    if subscription_id:
        return await subscription_in(visit.actor, subscription_id)
    return await subscription_of(visit.actor)


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
    """The whole, then the user groups the person is in that have no plan of their own."""
    whole = await directory.whole(visit.team_id)
    teams = await Scope.filter(workspace_id=visit.team_id, slack_ref__startswith="S").order_by("name")
    mine = [
        team for team in teams if await directory.is_in(team, visit.actor) and await live_subscription(team) is None
    ]
    return [whole, *mine]
