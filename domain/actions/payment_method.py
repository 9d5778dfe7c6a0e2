"""Billing information and payment method: Stripe's own pages for exactly that (R27, R52, R53). Nothing of it passes through us."""

from domain.actions.common import check_owner
from domain.desk import Desk
from domain.records import Member, Subscription


async def edit_link(desk: Desk, actor: Member, *, subscription: Subscription) -> str:
    """Where the owner switches between card and PayPal. The address is theirs alone. Raises NotOwner, PaymentsAway."""
    return await _link(desk, actor, subscription, "payment_method_update")


async def billing_information_link(desk: Desk, actor: Member, *, subscription: Subscription) -> str:
    """Where the owner updates name, address and VAT number. Raises NotOwner, PaymentsAway."""
    return await _link(desk, actor, subscription, None)


async def _link(desk: Desk, actor: Member, subscription: Subscription, flow: str | None) -> str:
    await check_owner(actor, subscription, "billing_information")
    return await desk.payments.portal_link(
        subscription.customer_id,
        return_url=f"{desk.settings.public_url}/slack/return?done=1",
        flow=flow,
        locale=actor.locale.partition("-")[0],
    )
