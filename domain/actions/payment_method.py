"""Billing information and payment method: Stripe's own pages for exactly that (R27, R52, R53). Nothing of it passes through us."""

from domain.actions.common import check_owner
from domain.desk import Desk
from domain.records import Member, Subscription
from domain.rules.refusals import ManuallyInvoiced


async def edit_link(desk: Desk, actor: Member, *, subscription: Subscription) -> str:
    """Where the owner switches between card and PayPal. The address is theirs alone.

    Raises NotOwner, ManuallyInvoiced (nothing is ever drawn from a method kept there), PaymentsAway.
    """
    await check_owner(actor, subscription, "billing_information")
    if subscription.is_manually_invoiced:
        raise ManuallyInvoiced(asked="payment")
    return await _link(desk, actor, subscription, "payment_method_update")


async def billing_information_link(desk: Desk, actor: Member, *, subscription: Subscription) -> str:
    """Where the owner updates name, address and VAT number. Raises NotOwner, PaymentsAway."""
    await check_owner(actor, subscription, "billing_information")
    return await _link(desk, actor, subscription, None)


async def _link(desk: Desk, actor: Member, subscription: Subscription, flow: str | None) -> str:
    language = actor.locale.partition("-")[0]
    back = f"{desk.settings.return_url}?done=1&lang={language}"
    return await desk.payments.portal_link(subscription.customer_id, return_url=back, flow=flow, locale=language)
