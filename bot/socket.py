"""Socket Mode: Slack's requests over a connection that Kassör opens itself, for those without a public address.

What arrives is handled by the same listeners as over HTTP, and acknowledged when they have: after the commit. A request that is not
acknowledged comes again, here or to another process: Slack gives each to one of up to ten connections, so several workers are
harmless. The app-level token proves who asks; the requests themselves carry no signature.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import aiohttp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.socket")
GOODBYE = 5.0  # seconds for what is under way, when stopping
AGAIN = 5.0  # seconds between attempts to connect


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """The SDK's own words, without what it would add: whole requests (DEBUG), and addresses that hold a ticket (errors)."""

    def log(self, level: int, msg: object, *args: object, **kwargs: object) -> None:
        """Only what is wrong, and no more than its first words."""
        if level >= logging.WARNING:
            self.logger.log(level, "socket mode: %s", str(msg).partition("(")[0].partition(":")[0].strip())

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        """Never for DEBUG."""
        return level > logging.DEBUG and self.logger.isEnabledFor(level)


class SocketMode:
    """One connection to Slack, opened again whenever it ends."""

    def __init__(self, bot: "BotApp", app_token: str) -> None:
        self._bot = bot
        self._app_token = app_token

    async def run(self, stop: asyncio.Event) -> None:
        """Hold the connection until `stop` is set; then what is under way is finished and acknowledged first."""
        client = SocketModeClient(
            app_token=self._app_token,
            web_client=self._bot.speaking(None),
            logger=_Quiet(log, {}),  # type: ignore[arg-type]  # an adapter has all that is called
        )
        client.socket_mode_request_listeners.append(self._take)
        connecting = asyncio.create_task(self._connect(client), name="connect to Slack")
        try:
            await stop.wait()
            async with asyncio.timeout(GOODBYE):
                while not self._bot.idle():  # noqa: ASYNC110 - the bot rings no bell when it is done
                    await asyncio.sleep(0.02)
        except TimeoutError:
            log.warning("requests were still under way; Slack sends those that can come again to another process")
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await client.close()  # type: ignore[no-untyped-call]  # the SDK's

    async def _connect(self, client: SocketModeClient) -> None:
        """The first connection; the SDK opens those after it."""
        while True:
            try:
                client.wss_uri = await client.issue_new_wss_url()
                await client.connect()  # type: ignore[no-untyped-call]  # the SDK's
            except Exception as error:  # noqa: BLE001 - whatever it is, it may be better in a while
                log.warning("Slack gives no connection for SLACK_APP_TOKEN: %s", _code(error))
                await asyncio.sleep(AGAIN)
            else:
                log.info("connected to Slack by Socket Mode")
                return

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        headers: dict[str, str | Sequence[str]] = {}
        if request.retry_attempt:
            headers = {
                "x-slack-retry-num": str(request.retry_attempt),
                "x-slack-retry-reason": request.retry_reason or "",
            }
        asked = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=headers)
        answer = await self._bot.dispatch(asked)
        if answer.status != 200:
            return  # as over HTTP: Slack learns that it was not taken
        try:
            await client.send_socket_mode_response(_acknowledged(request, answer))
        except (ConnectionError, aiohttp.ClientError, AttributeError):  # it ended meanwhile, or there is none yet again
            log.info("an answer found no connection; Slack sends its request again")


def _acknowledged(request: SocketModeRequest, answer: BoltResponse) -> SocketModeResponse:
    """The ack: with Bolt's answer as its payload, such as a modal's errors, where there is one."""
    if not answer.body:
        return SocketModeResponse(envelope_id=request.envelope_id)
    is_json = answer.first_headers().get("content-type", "").startswith("application/json")
    payload = json.loads(answer.body) if is_json else {"text": answer.body}
    return SocketModeResponse(envelope_id=request.envelope_id, payload=payload)


def _code(error: Exception) -> str:
    """What Slack called it; never an address, which may hold a ticket."""
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
