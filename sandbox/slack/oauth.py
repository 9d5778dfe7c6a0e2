"""Installing the app: the page that asks, and the exchange of a code for a token."""

import html
import secrets
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.slack.state import APP_ID, SlackError, SlackState

Json = dict[str, Any]

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Install Kassör</title><style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui;display:grid;
place-items:center;min-height:100vh;margin:0}}main{{max-width:28rem;padding:2rem}}a{{display:inline-block;padding:.6rem 1.2rem;
margin:.3rem .3rem 0 0;border-radius:.5rem;background:#1f6f54;color:#fff;text-decoration:none;font-weight:600}}</style></head>
<body><main><h1>Kassör wants to join your workspace</h1><p>It asks for: {scopes}</p>{buttons}</main></body></html>"""


class OAuth:
    """`/oauth/v2/authorize` and `oauth.v2.access`."""

    def __init__(self, state: SlackState, client_id: str, client_secret: str) -> None:
        self.state = state
        self._client = (client_id, client_secret)
        self._scopes: dict[str, str] = {}  # by code

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Ask which workspace; `team=…&approve=1` answers yes at once."""
        query = request.query
        if query.get("client_id") != self._client[0] or not query.get("redirect_uri", "").startswith("http"):
            return web.Response(status=400, text="invalid_client_id or redirect_uri")
        team = query.get("team", "")
        if query.get("approve") == "1" and team in self.state.workspaces:
            code = secrets.token_urlsafe(24)
            self.state.codes[code] = team
            self._scopes[code] = query.get("scope", "")
            answer = urlencode({"code": code, "state": query.get("state", "")})
            raise web.HTTPFound(f"{query['redirect_uri']}?{answer}")
        buttons = "".join(
            f'<a href="?{html.escape(urlencode({**query, "team": workspace.id, "approve": "1"}))}">'
            f"Allow in {html.escape(workspace.name)}</a>"
            for workspace in self.state.workspaces.values()
        )
        scopes = html.escape(query.get("scope", "").replace(",", ", "))
        return web.Response(text=_PAGE.format(scopes=scopes, buttons=buttons), content_type="text/html")

    def access(self, arguments: Json, basic: tuple[str, str] | None) -> Json:
        """Exchange a code, once. Raises SlackError bad_client_secret, invalid_code."""
        client = basic or (str(arguments.get("client_id")), str(arguments.get("client_secret")))
        if not secrets.compare_digest(":".join(client), ":".join(self._client)):
            raise SlackError("bad_client_secret")
        code = str(arguments.get("code"))
        team = self.state.codes.pop(code, None)
        if team is None:
            raise SlackError("invalid_code")
        workspace = self.state.workspaces[team]
        workspace.installed = True
        if (
            workspace.bot_token in self.state.revoked
        ):  # a dead token never lives again: a new one for the new installation
            workspace.bot_token = f"xoxb-sandbox-{workspace.domain}-{secrets.token_hex(6)}"
        self.state.changed()
        installer = next(user.id for user in workspace.users.values() if user.is_admin)
        return {
            "ok": True,
            "access_token": workspace.bot_token,
            "token_type": "bot",
            "scope": self._scopes.pop(code, ""),
            "bot_user_id": workspace.bot_user_id,
            "app_id": APP_ID,
            "team": {"id": workspace.id, "name": workspace.name},
            "enterprise": None,
            "authed_user": {"id": installer},
            "is_enterprise_install": False,
        }
