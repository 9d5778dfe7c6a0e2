"""The local Slack as a server: Web API, uploads, OAuth, response addresses, the page, and the controls."""

import asyncio
import json
from collections.abc import Collection
from pathlib import Path

from aiohttp import web

from sandbox.clock import WorldClock
from sandbox.journal import Exchange, Journal
from sandbox.slack.acting import Acting
from sandbox.slack.faults import SLOW_SECONDS, Faults
from sandbox.slack.happenings import Happenings
from sandbox.slack.oauth import OAuth
from sandbox.slack.sender import Sender
from sandbox.slack.sockets import Sockets
from sandbox.slack.state import SlackError, SlackState
from sandbox.slack.talk_api import TalkApi
from sandbox.slack.web_api import WebApi

WEB = Path(__file__).resolve().parent.parent / "web"
UPLOAD = "upload"  # what faults call the sending of a file's bytes
_LARGEST = 64 * 1024 * 1024


class SlackServer:
    """One local Slack, bound on 127.0.0.1. `app_url` is the app's base address; `subscribed`: the events in its manifest.

    `app_token`: its app-level token; given, Socket Mode is on.
    """

    def __init__(
        self,
        *,
        clock: WorldClock,
        journal: Journal,
        port: int,
        app_url: str,
        signing_secret: str,
        client: tuple[str, str],
        subscribed: Collection[str] | None = None,
        app_token: str | None = None,
    ) -> None:
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}"
        self.journal = journal
        self.state = SlackState(clock)
        self.faults = Faults()
        self.sockets = Sockets(self.base_url, app_token) if app_token is not None else None
        self.sender = Sender(
            *(self.state, journal, app_url, signing_secret, self.base_url),
            faults=self.faults,
            sockets=self.sockets,
            subscribed=subscribed,
        )
        self.talk = TalkApi(self.state, self.base_url)
        self.oauth = OAuth(self.state, *client)
        self.api = WebApi(self.state, journal, self.talk, self.oauth, self.faults, self.sockets)
        self.acting = Acting(self.state, self.sender, self.talk)
        self.happenings = Happenings(self.state, self.sender)
        self._runner: web.AppRunner | None = None

    async def start(self, more: list[web.RouteDef]) -> None:
        """Listen; `more` are the control handles' routes. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=_LARGEST)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self.api.handle),
                web.post("/upload/{file}", self._upload),
                web.get("/files/{file}", self._file),
                web.post("/response/{key}", self._response),
                web.get("/oauth/v2/authorize", self.oauth.authorize),
                web.post("/oauth/v2/authorize", self.oauth.authorize),
                *([] if self.sockets is None else [web.get("/link/", self.sockets.link)]),
                web.get("/", self._page),
                web.get("/favicon.ico", self._icon),
                web.static("/static", WEB),
                *more,
            ]
        )
        await self.sender.start()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Stop listening and sending."""
        await self.sender.stop()
        if self.sockets is not None:
            await self.sockets.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})

    async def _icon(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(WEB / "icon.svg")

    async def _upload(self, request: web.Request) -> web.Response:
        upload = self.state.uploads.get(request.match_info["file"])
        if upload is None:
            return web.Response(status=404, text="no such upload")
        fault = self.faults.next_for(UPLOAD)
        if fault is not None and fault.kind != "timeout_after":
            await asyncio.sleep(SLOW_SECONDS if fault.kind == "timeout_before" else 0)
            return web.Response(status=500, text="the upload failed")
        if request.content_type.startswith("multipart/"):
            part = await (await request.multipart()).next()
            upload.content = await part.read() if part is not None and hasattr(part, "read") else b""
        else:
            upload.content = await request.read()
        if fault is not None:
            await asyncio.sleep(SLOW_SECONDS)
        return web.Response(text=f"OK - {len(upload.content)}")

    async def _file(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file"]
        file = self.state.files.get(file_id)
        if file is None:
            return web.Response(status=404, text="no such file")
        kind = "attachment" if request.query.get("download") else "inline"
        name = file["name"].replace('"', "")
        headers = {"Content-Disposition": f'{kind}; filename="{name}"'}
        return web.Response(body=self.state.file_contents[file_id], content_type=file["mimetype"], headers=headers)

    async def _response(self, request: web.Request) -> web.Response:
        text = await request.text()
        status, said = 200, "ok"
        try:
            self.acting.respond(request.match_info["key"], json.loads(text))
        except SlackError as error:
            status, said = (404 if error.error in {"expired_url", "used_url"} else 400), error.error
        except ValueError:
            status, said = 400, "invalid_payload"
        headers = dict(request.headers)
        self.journal.record(Exchange("kassor", "slack", "POST", str(request.url), headers, text, status, said, 0.0))
        return web.Response(status=status, text=said)
