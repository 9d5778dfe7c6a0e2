"""The pages a person opens at Stripe: paying, the customer portal, an invoice."""

from aiohttp import web

from sandbox.stripe.account import Account


def routes(account: Account) -> list[web.RouteDef]:
    """The hosted pages."""
    del account
    return []
