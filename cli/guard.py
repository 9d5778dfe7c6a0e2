"""What every answer carries that a browser could be shown, whichever route gave it, and also where there is no route.

Each handler is wrapped once, when the routes are made. It is no middleware and no signal of the application: the doors of Stripe
and Slack (`SIGNED`), where every microsecond is somebody's second, stay exactly what they are. They answer signed POSTs of
machines, in JSON; every other method on their paths is answered here.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from itertools import groupby

from aiohttp import web
from multidict import CIMultiDict

from cli.limits import Addresses, Limit
from domain.config import Settings

log = logging.getLogger("kassor.guard")
SIGNED = ("/stripe/webhooks", "/slack/events")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A year, for this host alone: what else stands under its domain is not ours to decide.
ONLY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TooOften = Callable[[web.Request], web.Response]


class Guard:
    """Makes guarded routes of bare ones. `limits`: path → how often, and what whoever asks more often is shown."""

    def __init__(self, settings: Settings, limits: dict[str, tuple[Limit, TooOften]]) -> None:
        self._headers = HEADERS | (ONLY_HTTPS if settings.public_url.startswith("https://") else {})
        self._addresses = Addresses(settings.trusted_proxies)
        self._limits = limits

    def routes(self, bare: Iterable[web.RouteDef], *, beside: Iterable[str] = ()) -> list[web.RouteDef]:
        """Those routes; 405 for every other method on their paths and on those `beside`; 404 for everything else."""
        found: list[web.RouteDef] = []
        for path, group in groupby(bare, lambda each: each.path):
            routes = list(group)
            found += [web.route(each.method, path, self._wrapped(each.handler, path), **each.kwargs) for each in routes]
            methods = {each.method for each in routes}
            if "*" not in methods:
                found.append(web.route("*", path, self._wrapped(_not_by(methods), path)))
        found += [web.route("*", path, self._wrapped(_not_by({"POST"}), path)) for path in beside]
        found.append(web.route("*", "/{anywhere:.*}", self._wrapped(_nowhere, "*")))
        return found

    def _wrapped(self, handler: Handler, path: str) -> Handler:
        limit, too_often = self._limits.get(path, (None, None))

        async def answer(request: web.Request) -> web.StreamResponse:
            if limit is not None and too_often is not None and (wait := limit.wait(self._addresses.of(request))):
                response: web.StreamResponse = too_often(request)
                response.headers["Retry-After"] = str(wait)
                return self._sealed(response)
            try:
                return self._sealed(await handler(request))
            except web.HTTPException as told:
                self._add(told.headers)
                raise
            except Exception:
                log.exception("%s could not be answered", path)
                return self._sealed(refused(HTTPStatus.INTERNAL_SERVER_ERROR))

        return answer

    def _sealed(self, response: web.StreamResponse) -> web.StreamResponse:
        self._add(response.headers)
        return response

    def _add(self, headers: CIMultiDict[str]) -> None:
        """What the answer itself decided stays: a page knows what it loads."""
        for name, value in self._headers.items():
            headers.setdefault(name, value)


def refused(status: HTTPStatus, headers: dict[str, str] | None = None) -> web.Response:
    """A plain refusal, for a machine."""
    return web.json_response({"error": status.phrase.lower()}, status=status, headers=headers)


def _not_by(methods: set[str]) -> Handler:
    allowed = sorted(methods | ({"HEAD"} if "GET" in methods else set()))

    async def not_by_this_method(_: web.Request) -> web.Response:
        return refused(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": ", ".join(allowed)})

    return not_by_this_method


async def _nowhere(_: web.Request) -> web.Response:
    return refused(HTTPStatus.NOT_FOUND)
