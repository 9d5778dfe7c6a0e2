"""The yardstick of acknowledging: Bolt over aiohttp as its documentation has it, checking signatures, with listeners that only ack.

Run as `python -m benchmarks.bare_bolt PORT`.
"""

import re
import sys
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from benchmarks.slack_load import SIGNING_SECRET


async def authorize(**_: Any) -> AuthorizeResult:
    """One token, without asking anybody."""
    return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-bench", bot_id="B1", bot_user_id="UBOT")


def application() -> web.Application:
    """The smallest Bolt app."""
    bolt = AsyncApp(authorize=authorize, signing_secret=SIGNING_SECRET)  # type: ignore[arg-type]  # as bot/app.py

    async def only_ack(ack: AsyncAck) -> None:
        await ack()

    bolt.command(re.compile(".*"))(only_ack)
    bolt.action(re.compile(".*"))(only_ack)
    bolt.view(re.compile(".*"))(only_ack)
    bolt.event("app_home_opened")(only_ack)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app = web.Application()
    app.add_routes([web.post("/slack/events", handle)])
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
