"""A Slack and a Stripe that say yes to everything, as fast as told: what Kassör talks to while something else is measured.

Run as `python -m benchmarks.neighbours PORT SLACK_MS STRIPE_MS`: Slack's API at /api/, Stripe's at /v1/, response URLs at /respond.
"""

import asyncio
import sys
from itertools import count
from typing import Any

from aiohttp import web

Json = dict[str, Any]
_number = count(1)
PERIOD = {"start": 1_795_000_000, "end": 1_826_536_000}


def _slack(method: str, given: Json) -> Json:
    view = {"id": f"V{next(_number)}", "hash": "1.a", "type": "modal", "private_metadata": ""}
    answers: dict[str, Json] = {
        "auth.test": {
            "team_id": "T1",
            "team": "Bench",
            "url": "https://bench.slack.com/",
            "user_id": "UBOT",
            "bot_id": "B1",
        },
        "conversations.open": {"channel": {"id": f"D{given.get('users', '')}"}},
        "conversations.info": {"channel": {"id": given.get("channel", ""), "is_member": True}},
        "chat.postMessage": {"channel": given.get("channel", ""), "ts": f"{1_795_000_000 + next(_number)}.000100"},
        "views.open": {"view": view},
        "views.push": {"view": view},
        "views.update": {"view": view},
        "views.publish": {"view": view},
    }
    return {"ok": True, **answers.get(method, {})}


def _stripe(path: str) -> Json:
    line = {
        "id": "il_1",
        "object": "line_item",
        "amount": 12_500,
        "currency": "sek",
        "description": "Premium",
        "period": PERIOD,
    }
    if path.endswith("/invoices/create_preview"):
        return {
            "id": "upcoming_in_1",
            "object": "invoice",
            "currency": "sek",
            "amount_due": 12_500,
            "total": 12_500,
            "subtotal": 12_500,
            "starting_balance": 0,
            "total_taxes": [],
            "total_discount_amounts": [],
            "lines": {"object": "list", "data": [line], "has_more": False},
        }
    if path.startswith("/v1/customers/"):
        return {
            "id": path.rsplit("/", 1)[1],
            "object": "customer",
            "currency": "sek",
            "metadata": {},
            "invoice_settings": {},
        }
    return {"object": "list", "data": [], "has_more": False, "url": path}


def application(slack_ms: float, stripe_ms: float) -> web.Application:
    """Both neighbours."""

    async def slack(request: web.Request) -> web.Response:
        body = await request.json() if request.content_type == "application/json" else await request.post()
        given = {**request.query, **body}  # Slack takes arguments either way, and its own client uses both
        await asyncio.sleep(slack_ms / 1000)
        return web.json_response(_slack(request.match_info["method"], given))

    async def stripe(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(stripe_ms / 1000)
        return web.json_response(_stripe(request.path), headers={"Request-Id": f"req_{next(_number)}"})

    async def respond(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes(
        [
            web.route("*", "/api/{method}", slack),
            web.route("*", "/v1/{path:.*}", stripe),
            web.post("/respond", respond),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(
        application(float(sys.argv[2]), float(sys.argv[3])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
    )
