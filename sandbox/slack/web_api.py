"""`ANY /api/{method}`: reads the arguments, finds the workspace by its token, lets faults happen, answers as Slack does."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import BasicAuth, web

from sandbox.cast import Organisation, Workspace
from sandbox.journal import Exchange, Journal
from sandbox.slack import arguments as accepted
from sandbox.slack import scopes
from sandbox.slack.faults import SLOW_SECONDS, Faults
from sandbox.slack.grid import Grid
from sandbox.slack.limits import Limits
from sandbox.slack.oauth import OAuth
from sandbox.slack.people_api import PeopleApi
from sandbox.slack.sockets import Sockets
from sandbox.slack.state import SlackError, SlackState
from sandbox.slack.talk_api import TalkApi

Json = dict[str, Any]
Method = Callable[[Workspace, Json], Json]


class WebApi:
    """Slack's Web API. Methods it doesn't have are refused as `unknown_method`."""

    def __init__(
        self,
        state: SlackState,
        journal: Journal,
        talk: TalkApi,
        oauth: OAuth,
        faults: Faults,
        sockets: Sockets | None = None,
    ) -> None:
        self._sockets = sockets
        self.state = state
        self.faults = faults
        self.limits = Limits()
        self._journal = journal
        self._oauth = oauth
        self._grid = Grid(state)
        people = PeopleApi(state)
        self.methods: dict[str, Method] = {
            "auth.test": people.auth_test,
            "auth.teams.list": people.auth_teams_list,
            "auth.revoke": self._revoke,
            "users.list": people.users_list,
            "users.info": people.users_info,
            "users.lookupByEmail": people.users_lookup_by_email,
            "users.conversations": people.users_conversations,
            "conversations.list": people.conversations_list,
            "conversations.info": people.conversations_info,
            "conversations.members": people.conversations_members,
            "conversations.open": people.conversations_open,
            "conversations.join": people.conversations_join,
            "conversations.history": people.conversations_history,
            "usergroups.list": people.usergroups_list,
            "usergroups.users.list": people.usergroups_users_list,
            "team.info": people.team_info,
            "bots.info": people.bots_info,
            "chat.postMessage": talk.chat_post_message,
            "chat.postEphemeral": talk.chat_post_ephemeral,
            "chat.update": talk.chat_update,
            "chat.delete": talk.chat_delete,
            "chat.getPermalink": talk.chat_get_permalink,
            "views.open": talk.views_open,
            "views.push": talk.views_push,
            "views.update": talk.views_update,
            "views.publish": talk.views_publish,
            "files.getUploadURLExternal": talk.files_get_upload_url_external,
            "files.completeUploadExternal": talk.files_complete_upload_external,
            "files.info": talk.files_info,
            "files.list": talk.files_list,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call, with its faults, in the journal."""
        started = time.perf_counter()
        method = request.match_info["method"]
        body = (await request.read()).decode(errors="replace")
        fault = self.faults.next_for(method)
        if fault is not None and fault.kind == "timeout_before":
            await asyncio.sleep(SLOW_SECONDS)
            return web.Response(status=504)
        headers: dict[str, str] = {}
        status = 200
        if fault is not None and fault.kind == "rate_limited":
            answer: Json = {"ok": False, "error": "ratelimited"}
            status, headers = 429, {"Retry-After": str(fault.retry_after)}
        elif fault is not None and fault.kind == "error":
            answer = {"ok": False, "error": fault.error}
            status = {"internal_error": 500, "service_unavailable": 503}.get(fault.error, 200)
        else:
            answer = await self._answer(method, request, body)
            if answer.get("error") == "ratelimited":
                status, headers = 429, {"Retry-After": str(answer.pop("retry_after"))}
        granted = self._oauth.granted.get(_bearer(request))
        if granted and answer["ok"]:
            headers["X-OAuth-Scopes"] = granted
        note = f"fault: {fault.kind}" if fault else ""
        self._note(request, body, status, answer, time.perf_counter() - started, note)
        if status == 503:  # from in front of Slack, whose words are no JSON
            return web.Response(
                status=503, text="<html><h1>503 Service Unavailable</h1></html>", content_type="text/html"
            )
        if fault is not None and fault.kind == "timeout_after":
            await asyncio.sleep(SLOW_SECONDS)
            return web.Response(status=504)
        return web.json_response(answer, status=status, headers=headers)

    def _note(self, request: web.Request, body: str, status: int, answer: Json, seconds: float, note: str) -> None:
        said = json.dumps(answer, ensure_ascii=False)
        address = str(request.url)
        exchange = Exchange(
            "kassor", "slack", request.method, address, dict(request.headers), body, status, said, seconds
        )
        exchange.note = note
        self._journal.record(exchange)

    async def _answer(self, method: str, request: web.Request, body: str) -> Json:
        try:
            arguments = await _arguments(request, body)
            if method == "api.test":
                return {"ok": True, "args": arguments}
            if method == "oauth.v2.access":
                accepted.check(method, arguments)
                return self._oauth.access(arguments, _basic(request))
            if method == "apps.connections.open":
                if self._sockets is None:
                    raise SlackError("socket_mode_not_enabled")
                return self._sockets.connections_open(_bearer(request))
            known = self.methods.get(method)
            if known is None:
                raise SlackError("unknown_method", req_method=method)
            token = str(arguments.pop("token", "") or "") or _bearer(request)
            if not token:
                raise SlackError("not_authed")
            whose = self.state.by_token(token)
            if isinstance(whose, Organisation):
                if method in self._grid.methods:
                    self.limits.check(whose.id, method, arguments)
                    accepted.check(method, arguments)
                    return self._grid.methods[method](whose, arguments)
                workspace = self._grid.workspace_for(whose, method, arguments)
            else:
                workspace = whose
            kinds = scopes.kinds_of(workspace, method, arguments)
            scopes.check(method, self.state.granted.get(whose.id), kinds)
            self.limits.check(workspace.id, method, arguments)
            accepted.check(method, arguments)
            return known(workspace, arguments)
        except SlackError as error:
            answer: Json = {"ok": False, "error": error.error, **error.more}
            if error.messages:
                answer |= {"errors": error.messages, "response_metadata": {"messages": error.messages}}
            return answer

    def _revoke(self, workspace: Workspace, _: Json) -> Json:
        self.state.revoked[workspace.bot_token] = "token_revoked"
        return {"ok": True, "revoked": True}


async def _arguments(request: web.Request, body: str) -> Json:
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            given = json.loads(body) if body else {}
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(given, dict):
            raise SlackError("json_not_object")
        arguments |= given
    elif body:
        arguments |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return arguments


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


def _basic(request: web.Request) -> tuple[str, str] | None:
    try:
        found = BasicAuth.decode(request.headers["Authorization"])
    except (KeyError, ValueError):
        return None
    return found.login, found.password
