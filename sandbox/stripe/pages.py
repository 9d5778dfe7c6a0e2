"""placeholder until pages land"""

from aiohttp import web

from sandbox.stripe.account import Account


def routes(account: Account) -> list[web.RouteDef]:
    return []
