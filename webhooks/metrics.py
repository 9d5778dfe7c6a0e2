"""`GET /metrics`: counters and the state of the queues, as Prometheus reads them. Numbers only; no id or name."""

import hmac
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from tortoise.connection import get_connection

from domain import clock, copies
from domain.config import Settings
from domain.metrics import AGE, COPIES_DUE, DEPTH, OLDEST_COPY, PAST_DUE, REGISTRY
from domain.queue import QueueItem, QueueState
from domain.records import Event, Notice

_QUEUES: tuple[tuple[str, type[QueueItem]], ...] = (("inbox", Event), ("outbox", Notice))

_OWED = (
    "SELECT invoice.currency AS currency, SUM(invoice.amount_remaining) AS owed FROM subscription "
    "JOIN invoice ON invoice.subscription_id = subscription.id AND invoice.status = 'open' "
    "WHERE subscription.past_due_since IS NOT NULL AND subscription.is_live GROUP BY invoice.currency"
)


def routes(settings: Settings) -> list[web.RouteDef]:
    """The route. Where KASSOR_API_TOKENS are set, whoever asks shows one."""

    async def handle(request: web.Request) -> web.Response:
        if settings.api_tokens and not _shows_one(request.headers.get("Authorization", ""), settings.api_tokens):
            return web.json_response(
                {"error": "a bearer token is needed"}, status=401, headers={"WWW-Authenticate": "Bearer"}
            )
        try:
            await _look()
        except Exception:  # noqa: BLE001 - whatever it is, the collector asks again
            return web.json_response(
                {"error": "the database does not answer"}, status=503, headers={"Retry-After": "5"}
            )
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics", handle)]


def _shows_one(header: str, tokens: tuple[str, ...]) -> bool:
    scheme, _, given = header.partition(" ")
    # Each is compared, found or not: how long it takes tells nothing.
    matches = [hmac.compare_digest(token.encode(), given.strip().encode()) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)


async def _look() -> None:
    """Read the queues. What is done is not counted: that would be a look at millions of rows."""
    now = clock.now()
    for name, model in _QUEUES:
        waiting = model.filter(state=QueueState.QUEUED)
        oldest = (
            await waiting.filter(available_at__lte=now).order_by("available_at").first().values_list("available_at")
        )
        DEPTH.labels(name, "due").set(await waiting.filter(available_at__lte=now).count())
        DEPTH.labels(name, "later").set(await waiting.filter(available_at__gt=now).count())
        DEPTH.labels(name, "buried").set(await model.filter(state=QueueState.BURIED).count())
        AGE.labels(name).set(_seconds(now, oldest))
    OLDEST_COPY.set(await copies.age_of_oldest())
    COPIES_DUE.set(await copies.number_due())
    PAST_DUE.clear()
    for row in await get_connection("default").execute_query_dict(_OWED):
        PAST_DUE.labels(row["currency"]).set(int(row["owed"]))


def _seconds(now: datetime, oldest: tuple[datetime] | None) -> float:
    return (now - oldest[0]).total_seconds() if oldest else 0.0
