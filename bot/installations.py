"""Where Kassör is installed, and the token it speaks with there: from the environment for one workspace, by OAuth for many.

An organisation-wide install (Enterprise Grid) is one row with an `enterprise_id` and no `team_id`; it serves every workspace of
that organisation that has none of its own, and each of them is a workspace of its own here (R2).

Slack may hand out tokens that expire (`expires_at`). Whoever needs one that soon will, refreshes it first, a request or a message
due at night alike. A refresh token works once, so one process at a time may use it: whoever moves `refreshing_until` has it, and
writes what Slack gave only over the very `sealed` it read; everybody else goes on with the old token, which lives until it expires.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import Logger, getLogger
from typing import Any

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from tortoise.expressions import Q

from bot import organisation
from bot.seal import CannotOpen, Seal
from domain import clock, directory
from domain.config import Settings
from domain.records import Installation, OAuthState, Workspace

log = getLogger("kassor.installations")
STATE_LASTS = timedelta(minutes=10)
MARGIN = timedelta(hours=2)  # before a token of 12 hours expires: Slack may be away a while and nobody notices
REFRESHING = timedelta(seconds=30)  # one process tries; after that, or a failure, another may
LOOKS = 20  # for a token that another process is fetching
LOOK_EVERY = 0.25  # seconds
NOT_LET_IN = "team_access_not_granted"
_REFUSED = {"invalid_refresh_token", "token_revoked", "token_expired", "account_inactive"}  # no later try goes better


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
        self._client_id, self._client_secret = settings.slack_client_id or "", settings.slack_client_secret or ""
        self._single = settings.slack_bot_token if settings.slack_client_id is None else None
        self._client = client
        self._known: Access | None = None  # of the one workspace, when there is one token

    @property
    def logger(self) -> Logger:
        """Where Bolt would log."""
        return log

    async def async_save(self, installation: SlackInstallation) -> None:
        """Remember an installation; installing again replaces the token and wakes what waited (P3)."""
        seal = self._seal
        assert seal is not None  # config demands keys when there is OAuth
        enterprise = installation.enterprise_id or ""
        team = "" if installation.is_enterprise_install else installation.team_id or ""
        sealed = seal.close(
            {
                "bot_token": installation.bot_token,
                "bot_refresh_token": installation.bot_refresh_token,
                "bot_id": installation.bot_id,
                "bot_user_id": installation.bot_user_id,
                "scopes": installation.bot_scopes,
            }
        )
        # The SDK counts from the machine's clock; ours may be the sandbox's.
        at = installation.bot_token_expires_at
        await Installation.update_or_create(
            enterprise_id=enterprise,
            team_id=team,
            defaults={
                "installer_user_id": installation.user_id or "",
                "sealed": sealed,
                "installed_at": clock.now(),
                "expires_at": clock.now() + timedelta(seconds=at - time.time()) if at else None,
                "refreshing_until": None,
                "revoked_at": None,
            },
        )
        if team:
            await self.granted(team, enterprise or None, name=installation.team_name or team)
            return
        await self._begin_in(enterprise, installation.bot_token or "")

    async def _begin_in(self, enterprise_id: str, token: str) -> None:
        """Be in every workspace that the organisation lets its install into, as Slack lists them; where it can't be asked, in those
        that had Kassör before, and its refusals tell the rest.
        """
        known = {each.id: each.name for each in await Workspace.filter(enterprise_id=enterprise_id)}
        try:
            there = await organisation.admitted(self._client, token)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("the workspaces of %s could not be listed: %s", enterprise_id, type(error).__name__)
            there = known
        for team_id, name in there.items():
            await self.granted(team_id, enterprise_id, name=name)
        for team_id in known.keys() - there.keys():
            await self.withdrawn(team_id)

    async def names_in(self, enterprise_id: str) -> dict[str, str]:
        """What the workspaces are called that the organisation lets its install into; empty when Slack can't be asked."""
        try:
            access = await self.access_to_organisation(enterprise_id)
            return {} if access is None else await organisation.admitted(self._client, access.token)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("the workspaces of %s could not be listed: %s", enterprise_id, type(error).__name__)
            return {}

    async def granted(self, team_id: str, enterprise_id: str | None, *, name: str) -> None:
        """Kassör may speak in a workspace: by its own install, or because its organisation's reaches it now (P3)."""
        await directory.ensure_workspace(team_id, name=name, enterprise_id=enterprise_id)
        await directory.set_installed(team_id, installed=True)
        await self._on_installed(team_id)

    async def access(self, team_id: str) -> Access | None:
        """How to speak in a workspace; None where Kassör isn't installed (any more).

        Raises what the call to Slack raised, or TimeoutError, when the token has expired and no new one can be had right now.
        """
        if self._single is not None:
            own = await self.own()
            return own if own.team_id == team_id else None
        return await self._access(team_id, lambda: self.serving(team_id))

    async def access_to_organisation(self, enterprise_id: str) -> Access | None:
        """How to answer Slack when it speaks of an organisation and no workspace of it. Raises as `access` does."""
        return await self._access(
            "", lambda: Installation.get_or_none(team_id="", enterprise_id=enterprise_id, revoked_at=None)
        )

    async def _access(self, team_id: str, look: Callable[[], Awaitable[Installation | None]]) -> Access | None:
        found = await look()
        for _ in range(LOOKS):
            opened = await self._opened(found) if found is not None else None
            if found is None or opened is None:
                return None
            if found.expires_at is None or clock.now() < found.expires_at - MARGIN:
                return _access(team_id, opened)
            if await self._take_refresh(found):
                fresh = await self._refresh(found, opened)
                if fresh is not None:
                    return _access(team_id, fresh)
            elif clock.now() < found.expires_at:
                return _access(team_id, opened)
            else:
                await asyncio.sleep(LOOK_EVERY)
            found = await look()
        raise TimeoutError("another process is fetching a token")

    async def serving(self, team_id: str) -> Installation | None:
        """The workspace's own install before its organisation's; the latter only where the organisation lets it in."""
        if not team_id:
            return None
        live = Installation.filter(revoked_at=None).order_by("-installed_at")
        own = await live.filter(team_id=team_id).first()
        if own is not None:
            return own
        known = await Workspace.get_or_none(id=team_id)
        if known is None or not known.enterprise_id or not known.installed:
            return None
        return await live.filter(team_id="", enterprise_id=known.enterprise_id).first()

    async def _opened(self, found: Installation) -> dict[str, Any] | None:
        """What is sealed; sealed anew with the newest key when an older one opened it, so that keys can be let go."""
        if self._seal is None:
            return None
        try:
            opened = self._seal.open(found.sealed)
        except CannotOpen:
            where = found.team_id or found.enterprise_id
            log.error("the token of %s was sealed with a key that KASSOR_ENCRYPTION_KEYS no longer has", where)  # noqa: TRY400 - a traceback says nothing more
            return None
        if not self._seal.is_newest(found.sealed):
            fresh = self._seal.close(opened)
            free = _nobody_refreshes()  # whoever refreshes writes over the very text they read
            if await Installation.filter(free, id=found.id, sealed=found.sealed).update(sealed=fresh):
                found.sealed = fresh
        return opened

    # --- tokens that expire ---

    async def _take_refresh(self, found: Installation) -> bool:
        """Compare and swap: of all processes that see a token about to expire, one asks for the next."""
        mine = Installation.filter(_nobody_refreshes(), id=found.id, sealed=found.sealed, revoked_at=None)
        return bool(await mine.update(refreshing_until=clock.now() + REFRESHING))

    async def _refresh(self, found: Installation, opened: dict[str, Any]) -> dict[str, Any] | None:
        """Exchange the refresh token. Slack away: the old token while it lives, else what the call raised.

        None when Slack refused it (which revokes the install, P3), or when somebody installed again meanwhile.
        """
        assert found.expires_at is not None  # as `_access` found it
        assert self._seal is not None  # it opened what is passed here
        try:
            told = await self._client.oauth_v2_access(
                client_id=self._client_id,
                client_secret=self._client_secret,
                grant_type="refresh_token",
                refresh_token=opened.get("bot_refresh_token") or "",
            )
        except Exception as error:
            where = found.team_id or found.enterprise_id
            code = str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
            log.warning("the token of %s could not be refreshed: %s", where, code)
            if code in _REFUSED:
                if await Installation.filter(id=found.id, sealed=found.sealed).update(revoked_at=clock.now()):
                    await self._fell_silent(found)
                return None
            if clock.now() < found.expires_at:
                return opened
            raise
        fresh = opened | {"bot_token": told["access_token"], "bot_refresh_token": told.get("refresh_token")}
        lasts = told.get("expires_in")
        kept = await Installation.filter(id=found.id, sealed=found.sealed).update(
            sealed=self._seal.close(fresh),
            expires_at=clock.now() + timedelta(seconds=int(lasts)) if lasts else None,
            refreshing_until=None,
        )
        return fresh if kept else None

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

        The workspace's own install ends; where it has none, its organisation's does, for every workspace that lives by it. `before`
        is when that happened, where Slack said so: news that comes late takes nothing from who has installed it again.
        """
        if self._single is not None and await self._is_taken(self._single):
            return  # nobody wrote down since when there is this token; the one before it was taken back
        found = await self.serving(team_id)
        if found is None:
            await directory.set_installed(team_id, installed=False)
        else:
            await self._end(found, before)

    async def _is_taken(self, token: str) -> bool:
        try:
            await self._client.auth_test(token=token)
        except (SlackApiError, aiohttp.ClientError, TimeoutError):
            return False
        return True

    async def _end(self, found: Installation, before: datetime | None) -> None:
        """It is over, unless it is a newer one, or somebody installs it again at this very moment."""
        if before is not None and found.installed_at > before:
            return
        this = Installation.filter(id=found.id, installed_at=found.installed_at, revoked_at=None)
        if await this.update(revoked_at=clock.now()):
            await self._fell_silent(found)

    async def refused(self, team_id: str, code: str, *, since: datetime | None = None) -> None:
        """Slack refuses the token there: an organisation may have taken one workspace out (`code`), else the install is over.

        `since` is when the token was taken out to be used. A long work may outlive one that is exchanged every twelve hours.
        """
        if code == NOT_LET_IN:
            await self.withdrawn(team_id)
        elif code != "token_expired" or not await self._has_fresh(team_id):
            await self.revoke(team_id, before=since)

    async def _has_fresh(self, team_id: str) -> bool:
        found = await self.serving(team_id)
        return found is not None and found.expires_at is not None and clock.now() < found.expires_at

    async def revoke_organisation(self, enterprise_id: str, *, before: datetime | None = None) -> None:
        """The organisation-wide install was taken out; a workspace's own install stays."""
        found = await Installation.get_or_none(team_id="", enterprise_id=enterprise_id, revoked_at=None)
        if found is not None:
            await self._end(found, before)

    async def withdrawn(self, team_id: str) -> None:
        """The organisation no longer lets its install into a workspace; one of the workspace's own stays."""
        if not await Installation.filter(team_id=team_id, revoked_at=None).exists():
            await directory.set_installed(team_id, installed=False)

    async def _fell_silent(self, ended: Installation) -> None:
        """Where nobody speaks for us now. A workspace whose own install ended may still be served by its organisation's."""
        silent = (
            Workspace.filter(id=ended.team_id) if ended.team_id else Workspace.filter(enterprise_id=ended.enterprise_id)
        )
        for each in await silent:
            if await self.serving(each.id) is None:
                await directory.set_installed(each.id, installed=False)

    async def serves_organisation(self, enterprise_id: str) -> bool:
        """Whether Kassör is installed for a whole Enterprise Grid organisation."""
        return await Installation.filter(team_id="", enterprise_id=enterprise_id, revoked_at=None).exists()


def _nobody_refreshes() -> Q:
    return Q(refreshing_until=None) | Q(refreshing_until__lte=clock.now())


def _access(team_id: str, opened: dict[str, Any]) -> Access:
    return Access(team_id, opened["bot_token"], opened.get("bot_id"), opened.get("bot_user_id"))


class Authorize(AsyncAuthorize):
    """For Bolt: whose token answers a request. None where Kassör isn't installed."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    async def __call__(
        self, *, enterprise_id: str | None = None, team_id: str | None = None, **_: object
    ) -> AuthorizeResult | None:
        """The token of the workspace the request comes from.

        One never heard of, in an organisation that has Kassör, was let in without our hearing: it begins here. Of one that had
        been taken out Slack is asked first, since a request may be older than that.
        """
        if team_id and enterprise_id and await self._installations.serves_organisation(enterprise_id):
            known = await Workspace.get_or_none(id=team_id)
            if known is None or known.enterprise_id is None:
                name = known.name if known is not None else team_id
                await self._installations.granted(team_id, enterprise_id, name=name)
            elif not known.installed and known.enterprise_id == enterprise_id:
                there = await self._installations.names_in(enterprise_id)
                if team_id in there:
                    await self._installations.granted(team_id, enterprise_id, name=there[team_id])
        if team_id:
            found = await self._installations.access(team_id)
        else:
            found = await self._installations.access_to_organisation(enterprise_id) if enterprise_id else None
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
