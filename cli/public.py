"""Every public route of Kassör, and which of them are limited. Put together here, and walked by a test from here."""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

import webhooks.entitlements
import webhooks.metrics
import webhooks.receiver
from bot import install_pages, installing, pages
from bot.app import BotApp
from cli import health, inside, settle
from cli.guard import SIGNED, Guard, TooOften, refused
from cli.limits import Limit
from domain.config import Settings
from domain.desk import Desk

LARGEST = 2 * 1024 * 1024  # bytes of a body; each door has a lower bound of its own


def application(desk: Desk, bot: BotApp, signs: Sequence[health.Sign] = ()) -> web.Application:
    """What `web` serves; `signs` are those of the other work this process does."""
    found = web.Application(client_max_size=LARGEST)
    webhooks.receiver.attach(found, desk.settings)
    from_slack = bot.routes()
    found.add_routes([each for each in from_slack if each.path in SIGNED])
    bare = [each for each in from_slack if each.path not in SIGNED]
    bare += pages.routes()
    bare += webhooks.metrics.routes(desk.settings)
    bare += webhooks.entitlements.routes(desk)
    bare += health.routes(desk.settings, signs)
    if desk.settings.is_sandbox:
        bare += settle.routes(desk, bot)
        bare += inside.routes()
    found.add_routes(Guard(desk.settings, limits(desk.settings)).routes(bare, beside=SIGNED))
    return found


def telling(settings: Settings, signs: Sequence[health.Sign] = ()) -> web.Application:
    """What a process without public routes serves: its own numbers, and whether its work goes on (`signs`)."""
    found = web.Application()
    bare = webhooks.metrics.routes(settings) + health.routes(settings, signs)
    found.add_routes(Guard(settings, limits(settings)).routes(bare))
    return found


def limits(settings: Settings) -> dict[str, tuple[Limit, TooOften]]:
    """What does work for anybody who asks. An installation takes two requests; a collector asks a few times a minute.

    The entitlements look-up is not here: a wrong token is known before any work, and a limit would be a way to shut others out.
    """
    beginning = (Limit(burst=20, per_second=0.5), installing.too_often)
    found: dict[str, tuple[Limit, TooOften]] = {install_pages.START: beginning, install_pages.BACK: beginning}
    if not settings.api_tokens:  # with tokens, who asks is known before any work is done
        found["/metrics"] = (Limit(burst=20, per_second=1), _too_often)
    return found


def _too_often(_: web.Request) -> web.Response:
    return refused(HTTPStatus.TOO_MANY_REQUESTS)
