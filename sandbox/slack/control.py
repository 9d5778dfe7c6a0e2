"""The sandbox's control handles at Slack's port: JSON in, JSON out, and a clear 4xx for anything else."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.slack.state import APP_ID, APP_NAME, SlackError
from sandbox.stripe.control import ask_for_fault, waiting_faults
from sandbox.wrong import ControlError

if TYPE_CHECKING:
    from sandbox.world import World

Json = dict[str, Any]
COMMANDS = (
    ("/billing", "[upgrade | seats | owner | invoices | help]", "Billing: plan, seats, invoices"),
    ("/upgrade", "[plan] [monthly | yearly] [seats]", "Upgrade to a paid plan"),
    ("/seats", "[+5 | 25]", "Add or remove seats"),
    ("/billing-owner", "[@colleague]", "Hand over billing"),
    (
        "/fakturering",
        "[uppgradera | platser | ansvarig | fakturor | hjälp]",
        "Fakturering: abonnemang, platser, fakturor",
    ),
    ("/uppgradera", "[abonnemang] [månadsvis | årsvis] [platser]", "Uppgradera till ett betalabonnemang"),
    ("/platser", "[+5 | 25]", "Lägg till eller ta bort platser"),
    ("/betalningsansvarig", "[@kollega]", "Lämna över faktureringen"),
)


class Control:
    """The handles, over a World."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.slack = world.slack

    def routes(self) -> list[web.RouteDef]:
        """Every handle."""
        post = self._posted
        return [
            web.get("/control/state", self._state),
            web.get("/control/messages", self._messages),
            web.get("/control/views", self._views),
            web.get("/control/requests", self._requests),
            web.get("/control/inside", self._inside),
            web.get("/control/live", self._live),
            web.post("/control/command", post(self._command)),
            web.post("/control/message", post(self._message)),
            web.post("/control/action", post(self._action)),
            web.post("/control/submit", post(self._submit)),
            web.post("/control/close", post(self._close)),
            web.post("/control/suggest", post(self._suggest)),
            web.post("/control/open_home", post(self._open_home)),
            web.post("/control/event", post(self._event)),
            web.post("/control/faults", post(self._faults)),
            web.post("/control/limits", post(self._limits)),
            web.post("/control/clock", post(self._clock)),
            web.post("/control/kassor", post(self._kassor)),
            web.post("/control/caption", post(self._caption)),
        ]

    def _posted(self, verb: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await verb(await _body(request)))
            except ControlError as error:
                return _refused(error)
            except SlackError as error:
                said = "; ".join(error.messages) or error.error
                return web.json_response(
                    {"error": error.error, "why": said, "next": "see Slack's reference"}, status=400
                )

        return handle

    # --- looking ---

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self.state())

    def state(self) -> Json:
        """Everything, as JSON."""
        slack, world = self.slack.state, self.world
        return {
            "ready": world.ready,
            "now": world.clock.now().isoformat(),
            "clock_offset": world.clock.offset,
            "moving": world.moving,
            "caption": world.caption,
            "viewers": world.viewers,
            "credentials": {
                "slack_bot_token": next(iter(slack.workspaces.values())).bot_token,
                "slack_signing_secret": world.credentials.signing_secret,
                "slack_client_id": world.credentials.client_id,
                "slack_client_secret": world.credentials.client_secret,
                "stripe_api_key": world.credentials.stripe_api_key,
                "stripe_webhook_secret": world.credentials.stripe_webhook_secret,
            },
            "urls": {"slack": self.slack.base_url, "stripe": world.stripe.base_url, "kassor": world.kassor_url},
            "kassor": {"pid": world.kassor.pid if world.kassor else None, "started_here": world.kassor is not None},
            "workspaces": [
                {
                    "id": workspace.id,
                    "name": workspace.name,
                    "domain": workspace.domain,
                    "bot_token": workspace.bot_token,
                    "installed": workspace.installed,
                    "users": [
                        {
                            "id": user.id,
                            "name": user.name,
                            "real_name": user.real_name,
                            "email": user.email,
                            "locale": user.locale,
                            "tz": user.tz,
                            "is_bot": user.is_bot,
                            "is_restricted": user.is_restricted,
                            "deleted": user.deleted,
                            "is_admin": user.is_admin,
                            "avatar_color": user.colour,
                            "initials": user.initials,
                        }
                        for user in workspace.users.values()
                    ],
                    "channels": [
                        {
                            "id": channel.id,
                            "name": channel.name,
                            "purpose": channel.purpose,
                            "is_private": channel.is_private,
                            "is_archived": channel.is_archived,
                            "members": channel.members,
                            "latest": slack.latest(channel.id),
                        }
                        for channel in workspace.channels.values()
                    ],
                    "usergroups": [
                        {
                            "id": group.id,
                            "handle": group.handle,
                            "name": group.name,
                            "users": group.users,
                            "disabled": bool(group.deleted_at),
                        }
                        for group in workspace.usergroups.values()
                    ],
                    "app": {"user_id": workspace.bot_user_id, "bot_id": workspace.bot_id},
                }
                for workspace in slack.workspaces.values()
            ],
            "organisations": [asdict(each) for each in slack.organisations.values()],
            "dms": [{"id": dm, "user": user, "workspace": slack.user(user).team_id} for user, dm in slack.dms.items()],
            "talks": [
                {"id": dm, "users": pair.split(), "latest": slack.latest(dm)} for pair, dm in slack.talks.items()
            ],
            "app": {
                "name": APP_NAME,
                "app_id": APP_ID,
                "commands": [{"command": c, "usage_hint": hint, "description": text} for c, hint, text in COMMANDS],
            },
            "channels": {
                "sales": world.credentials.sales_channel,
                "support": world.credentials.support_channel,
                "audit": world.credentials.audit_channel,
            },
            "sales_staff": list(world.credentials.sales_staff),
            "stripe": _stripe_summary(world.stripe.account.objects),
            "milestones": _milestones(world.stripe.account.objects, len(slack.files)),
            "faults": {"slack": self.slack.faults.as_json(), "stripe": waiting_faults(world.stripe.account)},
        }

    async def _messages(self, request: web.Request) -> web.Response:
        try:
            user_id = _user(request)
            channel = request.query.get("channel", "dm")
            state = self.slack.state
            workspace = state.workspace_of(user_id)
            if channel in {"dm", state.dms.get(user_id)}:
                channel = state.dm(user_id)
            elif channel in workspace.users:
                channel = state.between(user_id, channel)
            elif channel not in workspace.channels or user_id not in workspace.channels[channel].members:
                raise ControlError(
                    f"{user_id} is not in a channel {channel!r}", "GET /control/state lists channels", 404
                )
        except SlackError as error:
            return _refused(ControlError(error.error, "GET /control/state lists users", 404))
        except ControlError as error:
            return _refused(error)
        shown = [
            {name: value for name, value in message.items() if name not in {"_state", "ephemeral_to"}}
            | {"ephemeral": bool(message.get("ephemeral"))}
            for message in state.seen_by(user_id, channel)
        ]
        return web.json_response({"channel": channel, "messages": shown})

    async def _views(self, request: web.Request) -> web.Response:
        try:
            user_id = _user(request)
            self.slack.state.user(user_id)
        except SlackError as error:
            return _refused(ControlError(error.error, "GET /control/state lists users", 404))
        except ControlError as error:
            return _refused(error)
        state = self.slack.state
        return web.json_response({"stack": state.views.get(user_id, []), "home": state.homes.get(user_id)})

    async def _requests(self, request: web.Request) -> web.Response:
        try:
            last, after = int(request.query.get("last", "2000")), int(request.query.get("after", "0"))
        except ValueError:
            return _refused(ControlError("last and after are whole numbers", "such as ?last=100&after=7"))
        calls = self.world.journal.as_json(after=after)
        return web.json_response({"requests": calls[-last:] if last > 0 else []})

    async def _inside(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await self.world.inside(int(request.query.get("last", "50"))))
        except ValueError:
            return _refused(ControlError("last is no whole number", "such as ?last=50"))
        except ControlError as error:
            return _refused(error)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        """Says {"changed": true} whenever something shown has changed."""
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        changed = self.slack.state.listen()
        teller = asyncio.create_task(_tell(socket, changed))
        self.world.viewers += 1
        try:
            async for _ in socket:
                pass  # the page says nothing; this notices when it goes
        finally:
            self.world.viewers -= 1
            teller.cancel()
            self.slack.state.unlisten(changed)
        return socket

    # --- doing ---

    async def _caption(self, body: Json) -> Json:
        """What a guided walk is doing; without a text the page is itself again."""
        text = str(body.get("text") or "")[:300]
        number = (self.world.caption or {}).get("number", 0) + 1
        told = {"number": number, "text": text, "user": body.get("user"), "channel": body.get("channel")}
        self.world.caption = told if text else None
        self.slack.state.changed()
        return {"ok": True}

    async def _command(self, body: Json) -> Json:
        user, channel, command, text = (str(body.get(name) or "") for name in ("user", "channel", "command", "text"))
        return await self._then_settle(await self.slack.acting.command(user, channel, command, text))

    async def _message(self, body: Json) -> Json:
        user_id, text = str(body.get("user")), str(body.get("text") or "")
        workspace = self.slack.acting.person(user_id)
        if not 1 <= len(text) <= 12_000:
            raise ControlError("a message has 1 to 12,000 characters", "write something shorter")
        channel = str(body.get("channel") or "dm")
        state = self.slack.state
        if channel in {"dm", state.dms.get(user_id)}:
            place = state.dm(user_id)
            message = state.post(place, {"user": user_id, "text": text})
            event = {"type": "message", "channel_type": "im", "channel": place, "user": user_id, "text": text}
            self.slack.sender.event_soon(workspace, event | {"ts": message["ts"], "team": workspace.id})
        elif channel in workspace.users:
            message = state.post(state.between(user_id, channel), {"user": user_id, "text": text})
        elif channel in workspace.channels and user_id in workspace.channels[channel].members:
            message = state.post(channel, {"user": user_id, "text": text})
        else:
            raise ControlError(f"{user_id} is not in a channel {channel!r}", "GET /control/state lists channels", 404)
        return await self._then_settle({"ok": True, "ts": message["ts"]})

    async def _action(self, body: Json) -> Json:
        return await self._then_settle(await self.slack.acting.action(str(body.get("user")), body))

    async def _submit(self, body: Json) -> Json:
        values = body.get("values") or {}
        if not isinstance(values, dict) or not all(isinstance(part, dict) for part in values.values()):
            raise ControlError("values must be {block_id: {action_id: value}}", "GET /control/views shows the ids")
        done = await self.slack.acting.submit(str(body.get("user")), str(body.get("view_id")), values)
        return await self._then_settle(done)

    async def _close(self, body: Json) -> Json:
        done = await self.slack.acting.close(
            str(body.get("user")), str(body.get("view_id")), everything=body.get("all") is True
        )
        return await self._then_settle(done)

    async def _suggest(self, body: Json) -> Json:
        return await self.slack.acting.suggest(str(body.get("user")), body)

    async def _open_home(self, body: Json) -> Json:
        user_id = str(body.get("user"))
        workspace = self.slack.acting.person(user_id)
        state = self.slack.state
        event: Json = {"type": "app_home_opened", "user": user_id, "channel": state.dm(user_id), "tab": "home"}
        if user_id in state.homes:
            event["view"] = state.homes[user_id]
        ok = workspace.installed and await self.slack.sender.event(workspace, event)
        return await self._then_settle({"ok": ok})

    async def _event(self, body: Json) -> Json:
        if body.get("type") in {"app_reinstalled", "app_installed"}:
            workspace = body.get("workspace") or next(iter(self.slack.state.workspaces))
            if workspace not in self.slack.state.workspaces:
                raise ControlError(f"there is no workspace {workspace!r}", "GET /control/state lists them", 404)
            await self.world.install_in(workspace)
            return await self._then_settle({"ok": True, "workspace": workspace})
        return await self._then_settle(self.slack.happenings.happen(body))

    async def _faults(self, body: Json) -> Json:
        if body.get("at") == "stripe":  # the page's way to Stripe's own handle, at another port
            ask_for_fault(self.world.stripe.account, body)
        else:
            self.slack.faults.add(body)
        self.slack.state.changed()
        return {"ok": True}

    async def _limits(self, body: Json) -> Json:
        limits = self.slack.api.limits
        limits.set(body)
        return {"ok": True, "on": limits.on, "history": limits.history}

    async def _clock(self, body: Json) -> Json:
        return await self.world.move_clock(body)

    async def _kassor(self, body: Json) -> Json:
        if body.get("do") != "kill":
            raise ControlError(f"can't {body.get('do')!r}", 'the one thing to do is "kill": without a goodbye')
        if self.world.kassor is None:
            raise ControlError("Kassör was not started by this sandbox", "kill it where it was started")
        await self.world.kassor.kill()
        return await self._then_settle({"ok": True, "pid": self.world.kassor.pid})

    async def _then_settle(self, outcome: Json) -> Json:
        await self.world.settle()
        return outcome


async def _tell(socket: web.WebSocketResponse, changed: asyncio.Event) -> None:
    while not socket.closed:
        await changed.wait()
        await asyncio.sleep(0.05)  # several changes at once are one
        changed.clear()
        try:
            await socket.send_json({"changed": True})
        except ConnectionError:
            return


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text() or "{}")
    except (ValueError, UnicodeDecodeError):
        raise ControlError("the body is not JSON", "send a JSON object") from None
    if not isinstance(body, dict):
        raise ControlError("the body is not a JSON object", "send {…}")
    return body


def _user(request: web.Request) -> str:
    if not request.query.get("user"):
        raise ControlError("no user given", "add ?user=U…; GET /control/state lists them")
    return str(request.query["user"])


def _refused(error: ControlError) -> web.Response:
    return web.json_response(error.answer, status=error.status)


def _milestones(objects: dict[str, dict[str, Json]], copies: int) -> Json:
    """What has been tried in this world, for the page's list of things to try."""
    events, methods = objects.get("event", {}).values(), objects.get("payment_method", {}).values()
    return {
        "copies": copies,
        "declined": any(event["type"] == "invoice.payment_failed" for event in events),
        "paypal": any(method["type"] == "paypal" for method in methods),
    }


def _stripe_summary(objects: dict[str, dict[str, Json]]) -> Json:
    shown = {
        "customer": ("id", "name", "email"),
        "subscription": ("id", "customer", "status"),
        "invoice": ("id", "number", "status", "total", "currency", "customer"),
        "checkout.session": ("id", "status", "payment_status", "url"),
    }
    return {
        kind: [{name: found.get(name) for name in names} for found in objects.get(kind, {}).values()]
        for kind, names in shown.items()
    }
