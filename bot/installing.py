"""*Add to Slack*: our page, Slack's, and back. The `state` works once, for ten minutes, in the browser that began."""

import logging
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import install_pages, manifest
from bot.installations import Installations, States
from bot.pages import HEADERS, reader
from bot.words import Words
from domain.config import Settings

log = logging.getLogger("kassor.installing")


class Installing:
    """The routes of an installation by OAuth."""

    def __init__(self, settings: Settings, client: AsyncWebClient, installations: Installations) -> None:
        slack = urlsplit(settings.slack_api_url)
        self.flow = AsyncOAuthFlow(
            client=client,
            settings=AsyncOAuthSettings(
                client_id=settings.slack_client_id or "",
                client_secret=settings.slack_client_secret or "",
                scopes=list(manifest.SCOPES),
                redirect_uri=settings.public_url + install_pages.BACK,
                authorization_url=f"{slack.scheme}://{slack.netloc}/oauth/v2/authorize",
                install_page_rendering_enabled=False,
                callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
                installation_store=installations,
                state_store=States(),
            ),
        )

    def routes(self) -> list[web.RouteDef]:
        """The page, the way to Slack's, and the way back."""
        return [
            web.get(install_pages.AGAIN, _show),
            web.get(install_pages.START, self._start),
            web.get(install_pages.BACK, self._back),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        return await to_aiohttp_response(await self.flow.handle_installation(_get(request)))

    async def _back(self, request: web.Request) -> web.Response:
        try:
            return await to_aiohttp_response(await self.flow.handle_callback(_get(request)))
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("an installation was not finished: %s", type(error).__name__)
            t = reader(request.headers.get("Accept-Language", ""))
            return await to_aiohttp_response(_page(install_pages.failed(t, "slack_away"), 502))


def _get(request: web.Request) -> AsyncBoltRequest:
    return AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))


def too_often(request: web.Request) -> web.Response:
    """429, as people read it; when to come again is the caller's to add."""
    shown = install_pages.too_often(reader(request.headers.get("Accept-Language", "")))
    return web.Response(text=shown, status=429, content_type="text/html", headers=HEADERS)


async def _show(request: web.Request) -> web.Response:
    t = reader(request.headers.get("Accept-Language", ""))
    return web.Response(text=install_pages.before(t), content_type="text/html", headers=HEADERS)


async def _succeeded(told: AsyncSuccessArgs) -> BoltResponse:
    made = told.installation
    t, app_id = _reader(told.request), made.app_id or ""
    if made.is_enterprise_install:
        where, enterprise_id = made.enterprise_name or "Slack", made.enterprise_id or ""
        shown = install_pages.installed_widely(t, where=where, app_id=app_id, enterprise_id=enterprise_id)
    else:
        shown = install_pages.installed(t, where=made.team_name or "Slack", app_id=app_id, team_id=made.team_id or "")
    answer = _page(shown, 200)
    assert told.settings.state_utils is not None  # Bolt makes one where none is given
    answer.headers["set-cookie"] = [told.settings.state_utils.build_set_cookie_for_deletion()]
    return answer


async def _failed(told: AsyncFailureArgs) -> BoltResponse:
    log.info("an installation was not finished: %s", ascii(told.reason)[:80])
    return _page(install_pages.failed(_reader(told.request), told.reason), told.suggested_status_code)


def _reader(request: AsyncBoltRequest) -> Words:
    return reader(",".join(request.headers.get("accept-language", [])))


def _page(text: str, status: int) -> BoltResponse:
    return BoltResponse(status=status, body=text, headers={"Content-Type": "text/html; charset=utf-8", **HEADERS})
