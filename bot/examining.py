"""What Slack says of our tokens, channels and staff: asked by `kassor doctor`. Nothing here shows a token.

Nothing is changed either, but for a token about to expire: it is refreshed, as by any process that needs one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.installations import MARGIN, Installations
from bot.manifest import SCOPES
from domain import clock
from domain.config import Settings
from domain.records import Installation, Workspace

TIMEOUT = 8  # seconds a call
AT_ONCE = 5  # workspaces


@dataclass(frozen=True)
class TokenFacts:
    """One workspace's token as Slack sees it.

    `problem` is Slack's error; "sealed" when our key is gone; "unrefreshed" when it has expired and no new one can be had, for the
    reason in `why`; None when it works. `expires_at` is set when it works and should have been refreshed by now.
    """

    team_id: str
    name: str
    problem: str | None
    missing: tuple[str, ...] = ()  # scopes of the manifest that are not granted
    superfluous: tuple[str, ...] = ()
    scopes_are_known: bool = False
    said_at: datetime | None = None  # Slack's clock, whole seconds
    why: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class PlaceFacts:
    """A channel as the bot sees it."""

    name: str
    is_joined: bool
    is_archived: bool
    is_private: bool


@dataclass(frozen=True)
class PersonFacts:
    """Somebody listed as staff."""

    name: str
    is_active: bool


class Examiner:
    """Asks Slack. Raises OSError-like connection errors (aiohttp.ClientError, TimeoutError) where Slack is away."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._installations = Installations(settings, self._client(None), _nobody_waits)

    def _client(self, token: str | None) -> AsyncWebClient:
        return AsyncWebClient(
            token=token,
            base_url=self._settings.slack_api_url,
            timeout=TIMEOUT,
            session=self._session,
            retry_handlers=[],
        )

    async def tokens(self) -> list[TokenFacts]:
        """Every workspace's token, tried: the environment's, or each installation's that was not revoked."""
        if self._installations.is_single:
            return [await self._tried("", "", self._settings.slack_bot_token or "")]
        gate = asyncio.Semaphore(AT_ONCE)
        teams = await Workspace.filter(installed=True).order_by("id").values_list("id", flat=True)
        names = dict(await Workspace.all().values_list("id", "name"))

        async def one(team: str) -> TokenFacts:
            async with gate:
                return await self._stored(team, names.get(team, team))

        return list(await asyncio.gather(*(one(str(team)) for team in teams)))

    async def _stored(self, team: str, name: str) -> TokenFacts:
        """An installation's token: refreshed if it has to be, then tried."""
        before = await self._installations.serving(team)
        try:
            access = await self._installations.access(team)
        except SlackApiError as error:
            return TokenFacts(team, name, "unrefreshed", why=str(error.response.get("error")))
        except (aiohttp.ClientError, TimeoutError) as error:
            return TokenFacts(team, name, "unrefreshed", why=type(error).__name__)
        if access is None:
            refused = before is not None and await Installation.filter(id=before.id, revoked_at__isnull=False).exists()
            return TokenFacts(team, name, "unrefreshed" if refused else "sealed", why="its refresh token was refused")
        found, after = await self._tried(team, name, access.token), await self._installations.serving(team)
        if after is not None and after.expires_at is not None and after.expires_at - clock.now() <= MARGIN:
            return replace(found, expires_at=after.expires_at)
        return found

    async def _tried(self, team: str, name: str, token: str) -> TokenFacts:
        try:
            told = await self._client(token).auth_test()
        except SlackApiError as error:
            return TokenFacts(team, name, str(error.response.get("error")))
        headers = {key.lower(): value for key, value in told.headers.items()}
        granted = {each.strip() for each in headers.get("x-oauth-scopes", "").split(",") if each.strip()}
        return TokenFacts(
            str(told["team_id"]),
            str(told["team"]),
            None,
            missing=tuple(each for each in SCOPES if each not in granted) if granted else (),
            superfluous=tuple(sorted(granted - set(SCOPES))),
            scopes_are_known=bool(granted),
            said_at=_date(headers.get("date")),
        )

    async def place(self, channel: str) -> PlaceFacts | None:
        """A channel, seen from whichever workspace it is in; None when no token sees it."""
        for client in await self._clients():
            try:
                found: dict[str, Any] = (await client.conversations_info(channel=channel))["channel"]
            except SlackApiError:
                continue
            return PlaceFacts(
                str(found.get("name", channel)),
                bool(found.get("is_member")),
                bool(found.get("is_archived")),
                bool(found.get("is_private")),
            )
        return None

    async def person(self, user: str) -> PersonFacts | None:
        """A member, seen from whichever workspace they are in; None when no token sees them."""
        for client in await self._clients():
            try:
                found: dict[str, Any] = (await client.users_info(user=user))["user"]
            except SlackApiError:
                continue
            return PersonFacts(
                str(found.get("real_name") or found.get("name") or user),
                not (found.get("deleted") or found.get("is_bot")),
            )
        return None

    async def _clients(self) -> list[AsyncWebClient]:
        if self._installations.is_single:
            return [self._client(self._settings.slack_bot_token)]
        teams = await Workspace.filter(installed=True).order_by("id").values_list("id", flat=True)
        found = []
        for team in teams:
            with suppress(SlackApiError, aiohttp.ClientError, TimeoutError):  # said by `tokens`
                found.append(await self._installations.access(str(team)))
        return [self._client(access.token) for access in found if access is not None]


@asynccontextmanager
async def examining(settings: Settings) -> AsyncIterator[Examiner]:
    """An examiner, its connections closed at the end. The database is open already where installations come from OAuth."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        yield Examiner(settings, session)


async def _nobody_waits(_: str) -> None:
    """Nothing is installed from here."""


def _date(said: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(said or "").astimezone(UTC)
    except (TypeError, ValueError):
        return None
