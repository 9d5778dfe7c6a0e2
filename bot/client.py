"""Slack's own client, watched: every call counted and timed by its method and how it ended, and part of what is being done.

Bolt makes clients of its own for each request; listeners are given this one instead (`bot.visit.listening`).
"""

import asyncio
import time
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.delivery import answers
from domain import spans
from domain.metrics import SLACK_CALLS


class Client(AsyncWebClient):
    """Speaks in one workspace. No automatic retries: a post that timed out may have arrived, and our own queue decides."""

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        """As its parent's. Raises SlackApiError, aiohttp.ClientError, TimeoutError."""
        began, outcome = time.monotonic(), "failed"
        try:
            with spans.span(f"slack {api_method}"):
                told = await super().api_call(api_method, **how)
            outcome = "ok"
        except SlackApiError as error:
            outcome = answers.code(error) or str(answers.status(error))
            raise
        except (aiohttp.ClientError, TimeoutError, asyncio.CancelledError):
            outcome = "unreachable"
            raise
        finally:
            SLACK_CALLS.labels(api_method, outcome).observe(time.monotonic() - began)
        return told
