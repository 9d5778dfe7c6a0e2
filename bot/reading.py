"""Reading every workspace again once a day (P2): what events told is enough until one is missed, and then counts drift for ever.

What is due is a row: a workspace whose list was read more than a day ago. Whoever moves its `members_read_at` from the value they
saw has it for a while, so that several workers read each once; a worker that dies gives it back by the time passing. One workspace
is read at a time, and Slack's own `Retry-After` decides how fast.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import people, welcome
from bot.delivery.answers import TOKEN_GONE
from domain import clock, directory, queue, upkeep
from domain.desk import Desk
from domain.records import Notice, Scope, Subscription, Watermark, Workspace
from domain.records.people import ScopeKind
from domain.rules.refusals import PaymentsAway, ScopeUnknown
from domain.upkeep import teams

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.reading")
DAY = timedelta(days=1)
LEASE = timedelta(minutes=15)  # then somebody else may try
NEVER_READ = timedelta(minutes=10)  # after an installation whose first reading failed
LOOK_EVERY = 60.0  # seconds
BREATH = 2.0  # seconds between two workspaces
SHOWN = 20  # ids in a line of the log


async def run(bot: "BotApp", stop: asyncio.Event) -> None:
    """Read what is due until `stop` is set."""
    while not stop.is_set():
        try:
            found = await read_one(bot)
        except Exception:
            log.exception("what is due to be read can't be found; trying again soon")
            found = False
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BREATH if found else LOOK_EVERY)


async def read_due(bot: "BotApp") -> int:
    """Read everything that is due, one after the other; returns how many workspaces."""
    number = 0
    while await read_one(bot):
        number += 1
    return number


async def read_one(bot: "BotApp") -> bool:
    """Read the workspace that has waited longest, if any is due. False when none is."""
    team_id = await _take()
    if team_id is None:
        return False
    with bot.busy():
        since = clock.now()
        client = await bot.client_for(team_id)
        if client is None:
            log.info("%s is not read: Kassör can't speak there", team_id)
            return True
        try:
            await read(bot.desk, client, team_id)
        except SlackApiError as error:
            await _failed(bot, team_id, error, since)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("who is in %s could not be read: %s; tried again in a while", team_id, type(error).__name__)
    return True


async def read(desk: Desk, client: AsyncWebClient, team_id: str) -> list[str]:
    """Read who is in a workspace and in its teams; a line for each thing that was mended, logged too. Raises SlackApiError."""
    known = await Workspace.get_or_none(id=team_id)
    before = await _team_sizes(desk, team_id)
    mended = await people.read_everybody(client, team_id)
    lines = (
        _lines(mended) if known is not None and known.members_read_at is not None else []
    )  # the first time all is new
    await welcome.greet(team_id)
    try:
        lines += await _read_teams(desk, client, team_id)
    except (SlackApiError, aiohttp.ClientError, TimeoutError):
        # The people alone are read: all of it comes again in a while, not in a day.
        read = Workspace.filter(id=team_id, members_read_at__not_isnull=True)
        await read.update(members_read_at=clock.now() - DAY + LEASE)
        raise
    after = await _team_sizes(desk, team_id)
    lines += [f"{ref} has {after[ref]} members, not {size}" for ref, size in before.items() if after[ref] != size]
    for line in lines:
        log.warning("mended in %s: %s", team_id, line)
    with suppress(PaymentsAway):  # the tick looks again
        await upkeep.people_changed(desk, team_id)
    queue.nudge(Notice)
    return lines


async def _team_sizes(desk: Desk, team_id: str) -> dict[str, int]:
    scopes = await Scope.filter(workspace_id=team_id, kind=ScopeKind.TEAM).order_by("slack_ref")
    sizes = await directory.members_in_each(scopes, desk.catalogue)
    return {scope.slack_ref: sizes[scope.id] for scope in scopes}


async def _read_teams(desk: Desk, client: AsyncWebClient, team_id: str) -> list[str]:
    """Every user group, and the channels that have a plan of their own. A line for each paying team that is gone."""
    lines = []
    there = await people.read_groups(client, team_id)
    paying = set(
        await Subscription.filter(is_live=True, scope__workspace_id=team_id).values_list("scope_id", flat=True)
    )
    for scope in await Scope.filter(workspace_id=team_id, kind=ScopeKind.TEAM).order_by("slack_ref"):
        if scope.slack_ref.startswith("S"):
            gone = scope.slack_ref not in there
        else:
            gone = scope.id in paying and not await _read_channel(client, team_id, scope)
        if gone and await teams.is_gone(desk, scope):
            lines.append(f"{scope.slack_ref} is no longer there")
    return lines


async def _read_channel(client: AsyncWebClient, team_id: str, scope: Scope) -> bool:
    try:
        await people.hear(client, scope)
        await people.team(client, team_id, scope.slack_ref, patient=True)
    except ScopeUnknown:
        return False
    except SlackApiError as error:
        if people.retry_after(error) is not None:
            raise
        # One channel Slack won't tell of must not keep the others from being mended.
        log.warning("who is in channel %s could not be read: %s", scope.slack_ref, error.response.get("error"))
    return True


def _lines(mended: directory.Mended) -> list[str]:
    found = (("not known", mended.new), ("changed", mended.changed), ("no longer there", mended.gone))
    return [
        f"{len(ids)} {what}: {', '.join(sorted(ids)[:SHOWN])}{' …' if len(ids) > SHOWN else ''}"
        for what, ids in found
        if ids
    ]


async def _take() -> str | None:
    """The workspace that has waited longest is ours for `LEASE`; None when none is due."""
    now = clock.now()
    installed = Workspace.filter(installed=True)
    for fresh in await installed.filter(members_read_at=None, created_at__lte=now - NEVER_READ):
        if await _hold_new(fresh.id, now):
            return fresh.id
    while due := await installed.filter(members_read_at__lte=now - DAY).order_by("members_read_at").first():
        if await _hold(due.id, due.members_read_at, now - DAY + LEASE):
            return due.id
    return None


async def _hold_new(team_id: str, now: datetime) -> bool:
    """One never read stays so until it is, since nothing may be priced before: a watermark stands in for its moment."""
    name = f"reading:{team_id}"
    made = Watermark(id=name, at=now - LEASE)
    await Watermark.bulk_create([made], ignore_conflicts=True)
    mark = await Watermark.get(id=name)
    return mark.at <= now - LEASE and bool(await Watermark.filter(id=name, at=mark.at).update(at=now))


async def _hold(team_id: str, seen: datetime | None, until: datetime) -> bool:
    """Compare and swap: only one of several workers that saw the same moment gets it."""
    return bool(await Workspace.filter(id=team_id, members_read_at=seen).update(members_read_at=until))


async def _failed(bot: "BotApp", team_id: str, error: SlackApiError, since: datetime) -> None:
    """`since`: when it began, with a token that may have been replaced while so much was read."""
    code = str(error.response.get("error"))
    if code in TOKEN_GONE:
        await bot.installations.refused(team_id, code, since=since)
        log.warning("%s is not read: Slack took the token back (%s)", team_id, code)
        return
    wait = people.retry_after(error)
    if wait is not None:
        await Workspace.filter(id=team_id, members_read_at__not_isnull=True).update(
            members_read_at=clock.now() - DAY + timedelta(seconds=max(wait, 1.0))
        )
    log.warning("who is in %s could not be read: %s; tried again in a while", team_id, code)
