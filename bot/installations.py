"""Where Kassör is installed, and the token it speaks with there: from the environment for one workspace, by OAuth for many."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import Logger, getLogger

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.seal import CannotOpen, Seal
from domain import clock, directory
from domain.config import Settings
from domain.records import Installation, OAuthState

log = getLogger("kassor.installations")
STATE_LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class Access:
    """The right to speak in one workspace."""

    team_id: str
    token: str
    bot_id: str | None
    bot_user_id: str | None


class Installations(AsyncInstallationStore):
    """Every installation. Bolt saves into it after OAuth; listeners and the outbox ask it for tokens."""

    def __init__(
        self, settings: Settings, client: AsyncWebClient, on_installed: Callable[[str], Awaitable[None]]
    ) -> None:
        self._on_installed = on_installed
        self._seal = Seal(settings.encryption_keys) if settings.encryption_keys else None
        self._single = settings.slack_bot_token if settings.slack_client_id is None else None
        self._client = client
        self._known: Access | None = None  # of the one workspace, when there is one token

    @property
    def logger(self) -> Logger:
        """Where Bolt would log."""
        return log

    async def async_save(self, installation: SlackInstallation) -> None:
        """Remember an installation; installing again replaces the token and wakes what waited (P3)."""
        team, assertion = installation.team_id or "", self._seal
        assert assertion is not None  # config demands keys when there is OAuth
        sealed = assertion.close(
            {
                "bot_token": installation.bot_token,
                "bot_id": installation.bot_id,
                "bot_user_id": installation.bot_user_id,
                "scopes": installation.bot_scopes,
            }
        )
        await Installation.update_or_create(
            enterprise_id=installation.enterprise_id or "",
            team_id=team,
            defaults={
                "installer_user_id": installation.user_id or "",
                "sealed": sealed,
                "installed_at": clock.now(),
                "revoked_at": None,
            },
        )
        await directory.ensure_workspace(
            team, name=installation.team_name or team, enterprise_id=installation.enterprise_id
        )
        await directory.set_installed(team, installed=True)
        await self._on_installed(team)

    async def access(self, team_id: str) -> Access | None:
        """How to speak in a workspace; None where Kassör isn't installed (any more)."""
        if self._single is not None:
            own = await self.own()
            return own if own.team_id == team_id else None
        found = await Installation.filter(team_id=team_id, revoked_at=None).order_by("-installed_at").first()
        if found is None or self._seal is None:
            return None
        try:
            opened = self._seal.open(found.sealed)
        except CannotOpen:
            log.error("the token of %s was sealed with a key that KASSOR_ENCRYPTION_KEYS no longer has", team_id)  # noqa: TRY400 - a traceback says nothing more
            return None
        return Access(team_id, opened["bot_token"], opened.get("bot_id"), opened.get("bot_user_id"))

    async def own(self) -> Access:
        """The one workspace of SLACK_BOT_TOKEN, as Slack names it. Raises SlackApiError."""
        if self._known is None:
            told = await self._client.auth_test(token=self._single)
            self._known = Access(told["team_id"], self._single or "", told.get("bot_id"), told.get("user_id"))
            await directory.ensure_workspace(told["team_id"], name=told["team"], domain=told["url"])
            await directory.set_installed(told["team_id"], installed=True)
        return self._known

    @property
    def is_single(self) -> bool:
        """Whether one token from the environment is all there is."""
        return self._single is not None

    async def revoke(self, team_id: str, *, before: datetime | None = None) -> None:
        """Slack took the token back (P3): billing goes on, messages wait.

        `before` is when that happened, where Slack said so: news that comes late takes nothing from who has installed it again.
        """
        held = Installation.filter(team_id=team_id, revoked_at=None)
        if before is not None and await held.filter(installed_at__gt=before).exists():
            return
        await held.update(revoked_at=clock.now())
        await directory.set_installed(team_id, installed=False)


class Authorize(AsyncAuthorize):
    """For Bolt: whose token answers a request. None where Kassör isn't installed."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    async def __call__(
        self, *, enterprise_id: str | None = None, team_id: str | None = None, **_: object
    ) -> AuthorizeResult | None:
        """The token of the workspace the request comes from."""
        found = await self._installations.access(team_id) if team_id else None
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=found.token,
            bot_id=found.bot_id,
            bot_user_id=found.bot_user_id,
        )


class States(AsyncOAuthStateStore):
    """One-time `state`s of installs under way, in the database: any web process may finish what another began."""

    @property
    def logger(self) -> Logger:
        """Where Bolt would log."""
        return log

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """A new state."""
        state = secrets.token_urlsafe(32)
        await OAuthState.create(id=state, expires_at=clock.now() + STATE_LASTS)
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether it was ours and still good; it never is again."""
        return bool(await OAuthState.filter(id=state, expires_at__gt=clock.now()).delete())
