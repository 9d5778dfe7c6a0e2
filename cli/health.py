"""`GET /healthz` and `GET /readyz`: does the process answer, and can it do its work?

Ready is who has a database that answers and is as new as this version; a worker whose loops run; a scheduler that ticks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from aiohttp import web
from tortoise.connection import get_connection

from cli.proof import proof
from domain.config import Settings
from domain.database import missing_migrations

FRESH = 1.0  # seconds an answer about the database is good for: however often somebody asks, it is asked this often
LONGEST = 5.0  # seconds the database may take

Sign = Callable[[], str | None]  # why a part of the process does no work, None as long as it does


def routes(settings: Settings, signs: Sequence[Sign] = ()) -> list[web.RouteDef]:
    """Both routes; nobody has to show who they are. `signs` say whether the process's own work goes on."""
    health = _Health(settings, signs)
    return [web.get("/healthz", health.alive), web.get("/readyz", health.ready)]


class _Health:
    def __init__(self, settings: Settings, signs: Sequence[Sign]) -> None:
        self._secret = settings.slack_signing_secret
        self._signs = signs
        self._turn = asyncio.Lock()
        self._looked_at = float("-inf")
        self._why: str | None = None
        self._is_migrated = False

    async def alive(self, request: web.Request) -> web.Response:
        """The process answers; to a `word` with its proof, so that `kassor doctor` knows that it is this Kassör."""
        sealed = proof(self._secret, request.query.get("word", ""))
        return web.json_response({"ok": True, "proof": sealed} if sealed else {"ok": True})

    async def ready(self, _: web.Request) -> web.Response:
        """The process can do its work: now, or within the last second as far as the database is concerned."""
        async with self._turn:
            if time.monotonic() - self._looked_at >= FRESH:
                self._why = await self._of_the_database()
                self._looked_at = time.monotonic()
        why = self._why or next(filter(None, (sign() for sign in self._signs)), None)
        return web.json_response({"ok": False, "why": why}, status=503) if why else web.json_response({"ok": True})

    async def _of_the_database(self) -> str | None:
        try:
            async with asyncio.timeout(LONGEST):
                await get_connection("default").execute_query("SELECT 1")
                if not self._is_migrated and await missing_migrations():
                    return "the database is not migrated"  # requests go to the version before, whose schema this is
        except Exception:  # noqa: BLE001 - whatever it is, we are not ready
            return "the database does not answer"
        self._is_migrated = True  # nothing ever goes back beneath a version that runs
        return None
