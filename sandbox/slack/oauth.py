"""Installing the app: the page that asks, and the exchange of a code for a token."""

import secrets
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.cast import Organisation, Workspace
from sandbox.slack import consent
from sandbox.slack.consent_words import language_of
from sandbox.slack.state import APP_ID, SlackError, SlackState

Json = dict[str, Any]

TOKEN_SECONDS = 43_200  # twelve hours


class OAuth:
    """`/oauth/v2/authorize` and `oauth.v2.access`."""

    def __init__(self, state: SlackState, client_id: str, client_secret: str) -> None:
        self.state = state
        self._client = (client_id, client_secret)
        self._scopes: dict[str, str] = {}  # by code
        self._by: dict[str, str] = {}  # by code: who said yes
        self.rotates = False  # whether the app has token rotation on: then every token lasts twelve hours
        self._refreshing: dict[str, tuple[str, str]] = {}  # a refresh token, good once → whose, scopes
        self.granted: dict[str, str] = {}  # by token: what X-OAuth-Scopes says with every answer

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Ask whether the app may come in, and where; `team=…&approve=1` answers yes at once, as the page's form does (POST).

        `user=…` says who does; without it, the first administrator.
        """
        given = await request.post() if request.method == "POST" else request.query
        query = {name: value for name, value in given.items() if isinstance(value, str)}
        language = language_of(request.headers.get("Accept-Language", ""))
        if query.get("client_id") != self._client[0]:
            return consent.refused(language, "invalid_client_id")
        if not query.get("redirect_uri", "").startswith(("http://", "https://")):
            return consent.refused(language, "bad_redirect_uri")
        team, answer = query.get("team", ""), query.pop("answer", "")
        if answer == "cancel":
            raise web.HTTPFound(_back_to(query, error="access_denied"))
        if (query.pop("approve", "") == "1" or answer == "allow") and self._whose(team) is not None:
            code = secrets.token_urlsafe(24)
            self.state.codes[code] = team
            self._scopes[code] = query.get("scope", "")
            self._by[code] = query.pop("user", "")
            raise web.HTTPFound(_back_to(query, code=code))
        places = self.state.places()
        return consent.page(language, places=places, chosen=self._whose(team) or places[0], query=query)

    def access(self, arguments: Json, basic: tuple[str, str] | None) -> Json:
        """Exchange a code, or a refresh token, once. Raises SlackError bad_client_secret, invalid_code, invalid_refresh_token."""
        client = basic or (str(arguments.get("client_id")), str(arguments.get("client_secret")))
        if not secrets.compare_digest(":".join(client), ":".join(self._client)):
            raise SlackError("bad_client_secret")
        if arguments.get("grant_type") == "refresh_token":
            return self._refreshed(str(arguments.get("refresh_token")))
        code = str(arguments.get("code"))
        team = self.state.codes.pop(code, None)
        if team is None:
            raise SlackError("invalid_code")
        whose = self._whose(team)
        assert whose is not None  # a code is only given for somebody
        whose.installed = True
        if whose.bot_token in self.state.revoked:  # a dead token never lives again: a new one for the new installation
            whose.bot_token = f"xoxb-sandbox-{whose.domain}-{secrets.token_hex(6)}"
        self.state.changed()
        home = whose if isinstance(whose, Workspace) else self.state.workspaces[whose.workspaces[0]]
        installer = next(user.id for user in home.users.values() if user.is_admin)
        scope = self._scopes.pop(code, "")
        self.state.granted[team] = frozenset(scope.split(","))
        return self._granted(whose, scope) | {"authed_user": {"id": self._by.pop(code, "") or installer}}

    def _whose(self, id_: str) -> Workspace | Organisation | None:
        return self.state.workspaces.get(id_) or self.state.organisations.get(id_)

    def _refreshed(self, refresh_token: str) -> Json:
        """The next token for a refresh token; the old token goes on until it expires."""
        team, scope = self._refreshing.pop(refresh_token, ("", ""))
        whose = self._whose(team)
        if whose is None or whose.bot_token in self.state.revoked:
            raise SlackError("invalid_refresh_token")
        return self._granted(whose, scope)

    def _granted(self, whose: Workspace | Organisation, scope: str) -> Json:
        """The answer: of an organisation `team` is null, and `enterprise` says which it is."""
        rotating: Json = {}
        if self.rotates:
            whose.bot_token = f"xoxe.xoxb-sandbox-{whose.domain}-{secrets.token_hex(6)}"
            until = self.state.clock.now().timestamp() + TOKEN_SECONDS
            self.state.expiring[whose.bot_token] = (whose.id, until)
            next_one = f"xoxe-1-sandbox-{secrets.token_hex(12)}"
            self._refreshing[next_one] = (whose.id, scope)
            rotating = {"refresh_token": next_one, "expires_in": TOKEN_SECONDS}
        self.granted[whose.bot_token] = scope
        wide = isinstance(whose, Organisation)
        organisation = whose if isinstance(whose, Organisation) else self.state.organisation_of(whose)
        return {
            "ok": True,
            "access_token": whose.bot_token,
            **rotating,
            "token_type": "bot",
            "scope": scope,
            "bot_user_id": whose.bot_user_id,
            "app_id": APP_ID,
            "team": None if wide else {"id": whose.id, "name": whose.name},
            "enterprise": {"id": organisation.id, "name": organisation.name} if organisation else None,
            "is_enterprise_install": wide,
        }


def _back_to(query: dict[str, str], **told: str) -> str:
    """The app's own address, with what it is told and the `state` it gave."""
    address = query["redirect_uri"]
    return f"{address}{'&' if '?' in address else '?'}{urlencode({**told, 'state': query.get('state', '')})}"
