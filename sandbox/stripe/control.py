"""The control handles at Stripe's port: pay without the page, faults, old events again, everything as JSON."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.stripe.errors import ApiError
from sandbox.stripe.payment import Payment
from sandbox.stripe.store import Store
from sandbox.stripe.webhooks import KINDS as WEBHOOK_FAULTS
from sandbox.wrong import ControlError

if TYPE_CHECKING:
    from sandbox.stripe.server import StripeServer

Object = dict[str, Any]
API_FAULTS = ("api_error", "rate_limited", "timeout")
FAULTS = (*WEBHOOK_FAULTS, *API_FAULTS, "decline_next_renewal")
_DECLINED, _ADDRESS = (
    "4000000000000002",
    {"country": "SE", "line1": "Storgatan 1", "postal_code": "111 22", "city": "Stockholm"},
)


def routes(server: "StripeServer") -> list[web.RouteDef]:
    """Every handle."""
    handles = _Handles(server)
    return [
        web.post("/control/pay/{session}", _answered(handles.pay)),
        web.post("/control/portal/{session}", _answered(handles.portal)),
        web.post("/control/faults", _answered(handles.faults)),
        web.post("/control/redeliver", _answered(handles.redeliver)),
        web.get("/control/objects", handles.objects),
    ]


def _answered(
    verb: Callable[[web.Request, Object], Awaitable[Object]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            try:
                body = json.loads(await request.text() or "{}")
            except ValueError:
                raise ControlError("the body is not JSON", "send a JSON object") from None
            if not isinstance(body, dict):
                raise ControlError("the body is not a JSON object", "send {…}")
            return web.json_response(await verb(request, body))
        except ControlError as wrong:
            return web.json_response(wrong.answer, status=wrong.status)
        except ApiError as error:
            return web.json_response(error.body, status=error.status)

    return handle


class _Handles:
    def __init__(self, server: "StripeServer") -> None:
        self._server = server
        self._store = server.account

    async def pay(self, request: web.Request, body: Object) -> Object:
        session_id = request.match_info["session"]
        if session_id not in self._store.objects.get("checkout.session", {}):
            raise ControlError(f"there is no checkout session {session_id!r}", "GET /control/objects lists them", 404)
        outcome = body.get("outcome", "paid")
        if outcome == "abandoned":
            await self._server.account.abandon_checkout(session_id)
        elif outcome in {"paid", "declined"}:
            payment = _payment(body, declined=outcome == "declined")
            result = await self._server.account.pay_checkout(
                session_id, payment, address=body.get("address") or _ADDRESS
            )
            await self._server.deliver_due_webhooks()
            session = self._store.objects["checkout.session"][session_id]
            made = {name: session[name] for name in ("subscription", "invoice", "setup_intent")}
            return {
                "ok": result.state == "paid",
                "outcome": result.state,
                "decline_code": result.decline_code,
                "message": result.message,
                **made,
            }
        else:
            raise ControlError(f"unknown outcome {outcome!r}", "one of paid, declined, abandoned")
        await self._server.deliver_due_webhooks()
        return {"ok": True, "outcome": outcome}

    async def portal(self, request: web.Request, body: Object) -> Object:
        session_id = request.match_info["session"]
        if self._server.account.portal_session(session_id) is None:
            raise ControlError(f"there is no portal session {session_id!r}", "GET /control/objects lists them", 404)
        payment = _payment(body, declined=body.get("outcome") == "declined")
        result = await self._server.account.save_portal_payment_method(session_id, payment)
        await self._server.deliver_due_webhooks()
        return {"ok": result.state == "paid", "outcome": result.state, "decline_code": result.decline_code}

    async def faults(self, _: web.Request, body: Object) -> Object:
        ask_for_fault(self._store, body)
        return {"ok": True}

    async def redeliver(self, _: web.Request, body: Object) -> Object:
        times = body.get("times", 1)
        if not isinstance(times, int) or not 1 <= times <= 1_000:
            raise ControlError("times must be a whole number from 1 to 1,000", "such as 5")
        if body.get("event"):
            events = [self._store.get("event", str(body["event"]))]
        elif body.get("all"):
            events = self._store.all("event")
        else:
            raise ControlError("say which event", '{"event": "evt_…"} or {"all": true}')
        count = self._server.webhooks.again(events, times=times, shuffle=bool(body.get("shuffle")))
        await self._server.deliver_due_webhooks()
        return {"ok": True, "deliveries": count}

    async def objects(self, _: web.Request) -> web.Response:
        return web.json_response(self._store.objects)


def ask_for_fault(store: Store, body: Object) -> None:
    """Let the next `times` calls, deliveries or renewals go wrong as `kind` says. Raises ControlError."""
    kind, times = body.get("kind"), body.get("times", 1)
    if kind not in FAULTS:
        raise ControlError(f"unknown kind {kind!r}", f"one of {', '.join(FAULTS)}")
    if not isinstance(times, int) or isinstance(times, bool) or not 0 <= times <= 10_000:
        raise ControlError("times must be a whole number from 0 to 10,000", "0 takes the fault back")
    faults = store.faults
    if kind == "decline_next_renewal":
        faults.decline_next_renewal = times
    elif kind in WEBHOOK_FAULTS:
        faults.webhooks[kind] = times
        faults.delay_seconds = int(body.get("seconds", faults.delay_seconds))
    else:
        faults.api[:] = [fault for fault in faults.api if fault["kind"] != kind]
        if times:
            faults.api.append({**body, "times": times})


def waiting_faults(store: Store) -> list[Object]:
    """The faults that have not happened yet, as `{kind, times}`."""
    counts = {"decline_next_renewal": store.faults.decline_next_renewal, **store.faults.webhooks}
    counts |= {fault["kind"]: fault["times"] for fault in store.faults.api}
    return [{"kind": kind, "times": times} for kind, times in counts.items() if times > 0]


def _payment(body: Object, *, declined: bool) -> Payment:
    method = body.get("method", "card")
    number = str(body.get("number") or (_DECLINED if declined else "4242424242424242"))
    if method in {"card", "paypal"}:
        return Payment(method, number=number, payer_email=body.get("email"), authenticated=not declined)
    raise ControlError(f"unknown method {method!r}", "one of card, paypal")
