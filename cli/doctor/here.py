"""What can be looked at on this machine: the database, the settings' shapes, time zones."""

import os
import re
import sqlite3
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asyncpg import PostgresError
from tortoise.exceptions import BaseORMException

from cli.doctor.finding import Finding, Tools, ok, unknown, wrong
from domain.config import Settings
from domain.database import missing_migrations, opened
from domain.records import Subscription


def _file(database_url: str) -> str:
    return database_url.removeprefix("sqlite://").partition("?")[0]


async def database(settings: Settings) -> Finding:
    """Whether it can be read, and its migrations are done. A SQLite file that isn't there is not made."""
    kind = "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"
    file = _file(settings.database_url)
    if kind == "SQLite" and not os.path.isfile(file):  # noqa: ASYNC240 - a look at the disk, before anything else runs
        return wrong("database", f"There is no database at {file} yet.", "Run `kassor migrate`, or set DATABASE_URL.")
    try:
        async with opened(settings.database_url):
            missing = await missing_migrations()
            if missing:
                return wrong(
                    "database",
                    f"{kind}: {len(missing)} migrations are not done: {', '.join(missing)}.",
                    "Run `kassor migrate`; it is safe while Kassör runs.",
                )
            live = await Subscription.filter(is_live=True).count()
    except (OSError, sqlite3.Error, BaseORMException, PostgresError) as error:
        return wrong(
            "database",
            f"{kind} can't be read ({type(error).__name__}).",
            "See that DATABASE_URL is right, that the server runs, and that its user may read and write.",
        )
    return ok("database", f"{kind}, every migration done; live subscriptions: {live}.")


async def several_processes(tools: Tools) -> list[Finding]:
    """SQLite is for one process on one machine."""
    if tools.settings.database_url.startswith("postgres"):
        return [ok("processes", "PostgreSQL: any number of web, worker and scheduler processes.")]
    return [ok("processes", "SQLite: one `kassor serve` at a time; `kassor move` leads to PostgreSQL.")]


async def signing_secret(tools: Tools) -> list[Finding]:
    """Slack's signing secret is 32 hexadecimal digits; the sandbox's is plainly none."""
    secret = tools.settings.slack_signing_secret
    if re.fullmatch(r"[0-9a-f]{32}", secret) or tools.settings.is_sandbox:
        return [ok("signing secret", "SLACK_SIGNING_SECRET has the right shape.")]
    return [
        wrong(
            "signing secret",
            "SLACK_SIGNING_SECRET is not 32 hexadecimal digits: every request from Slack would be refused.",
            "Copy Signing Secret (not Client Secret, not Verification Token) from your Slack app, Basic Information.",
        )
    ]


async def encryption(tools: Tools) -> list[Finding]:
    """Tokens from OAuth are sealed."""
    count = len(tools.settings.encryption_keys)
    if tools.settings.slack_client_id is None:
        return [ok("encryption", "One workspace by SLACK_BOT_TOKEN: no token is stored.")]
    return [
        ok(
            "encryption",
            f"Tokens are stored encrypted; keys: {count}. Keep them in your backups, apart from the database.",
        )
    ]


async def proxies(tools: Tools) -> list[Finding]:
    """Kassör speaks no TLS itself: where its address is https, something of the operator's stands in front."""
    settings = tools.settings
    if not settings.public_url.startswith("https://"):
        return []
    if settings.trusted_proxies:
        return [ok("proxies", f"{settings.trusted_proxies} in front: clients are told apart by what it writes down.")]
    return [
        unknown(
            "proxies",
            "One stands in front, as KASSOR_PUBLIC_URL is https, and KASSOR_TRUSTED_PROXIES is 0: all its clients share one limit.",
            "Set it to how many of yours add to X-Forwarded-For; 1, nearly always.",
        )
    ]


async def time_zones(_: Tools) -> list[Finding]:
    """Copies go out in working hours, wherever people are (I3)."""
    try:
        for name in ("Europe/Stockholm", "America/Los_Angeles", "Asia/Tokyo"):
            ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return [wrong("time zones", "There is no time zone data.", "Install the Python package tzdata.")]
    return [ok("time zones", "Time zone data is there.")]


async def desks(tools: Tools) -> list[Finding]:
    """The channels people are led to are set, and somebody may decide."""
    settings, found = tools.settings, []
    for name, value, what in (
        ("KASSOR_SALES_CHANNEL", settings.sales_channel, "requests for invoices, quotes and several teams are refused"),
        ("KASSOR_SUPPORT_CHANNEL", settings.support_channel, "nobody can contact support from Slack"),
    ):
        if value is None:
            found.append(wrong(name, f"It is not set: {what}.", f"Set {name} to a channel's id (C…)."))
    if settings.audit_channel is None:
        found.append(
            unknown(
                "KASSOR_AUDIT_CHANNEL",
                "It is not set: changes are on record (`kassor audit`), and no channel hears of them.",
                "Set it to a channel's id if somebody should.",
            )
        )
    if not settings.sales_staff:
        found.append(
            wrong("KASSOR_SALES_STAFF", "It is empty: nobody can decide a sales request.", "List Slack user ids (U…).")
        )
    return found
