"""A database is lost and restored from a backup, by the words of `docs/backup.md`: the records become what Stripe says, and every
invoice copy is there once."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.manifest import EVENTS
from cli.sandbox_client import Person, SandboxClient, texts
from cli.wiring import pushed_catalogue
from domain.config import load
from domain.database import opened
from domain.records import Invoice, Subscription
from sandbox.world import World, kassor_environment
from tests.acceptance.conftest import ROOT, three_free_ports, until_ready
from tests.acceptance.hands import copies, named, upgrade
from tests.chaos.counts import FULL
from tests.clock import a_clock
from tests.docs.pages import Environment, console, document, section, type_in, typed
from tests.postgres import Postgres

EVENING = 20  # o'clock UTC: nobody in the cast's Sweden is at work, so copies wait for the morning


@dataclass
class Installation:
    """One process of Kassör on a database that can be lost."""

    folder: Path
    environment: Environment
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.folder / "kassor.log").open("ab") as out:
            command = (sys.executable, "-m", "cli", "serve")
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=self.environment, stdout=out, stderr=out
            )
        await until_ready(f"http://127.0.0.1:{self.environment['PORT']}")

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def type_in(self, *lines: str) -> str:
        """Type what a document says; everything it printed."""
        said = ""
        for line in lines:
            done = await asyncio.to_thread(type_in, line, self.folder, self.environment)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said += done.stdout
        return said


@asynccontextmanager
async def installed(folder: Path, database_url: str, path: str) -> AsyncIterator[tuple[World, Installation]]:
    """A world, and a Kassör beside it that is installed there."""
    async with AsyncExitStack() as stack:
        clock = a_clock(folder)
        stack.callback(clock.close)
        port = three_free_ports()
        world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock, subscribed=EVENTS)
        stack.push_async_callback(world.stop)
        await world.start()
        environment = {"PATH": path, **kassor_environment(world)} | {
            "DATABASE_URL": database_url,
            "KASSOR_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        }
        await pushed_catalogue(load(environment))
        kassor = Installation(folder, environment)
        stack.push_async_callback(kassor.kill)
        await kassor.start()
        await world.install()
        yield world, kassor


@dataclass
class Kind:
    """Which of the document's words are for this kind of database, and how it is lost."""

    name: str
    url: str
    postgres: Postgres | None

    def back_up(self) -> list[str]:
        """The document's line for this database."""
        return [line for line in typed(section(document("backup.md"), "Backing up")) if self._mine(line)]

    def restore(self) -> list[str]:
        """The document's lines for this database, and those for both."""
        lines = typed(section(document("backup.md"), "Restoring"))
        return [line for line in lines if self._mine(line) or line.startswith(("kassor migrate", "kassor reconcile"))]

    async def lose(self, folder: Path) -> None:
        """The disk is gone."""
        if self.postgres is not None:
            await self.postgres.wipe(self.url)
        for end in ("", "-wal", "-shm"):
            (folder / f"kassor.db{end}").unlink(missing_ok=True)

    def _mine(self, line: str) -> bool:
        is_postgres = line.startswith("pg_")
        is_file = line.startswith(("kassor backup", "rm ", "cp "))
        return is_postgres if self.postgres is not None else is_file


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.skipif(not FULL, reason="as long as PostgreSQL's: KASSOR_CHAOS=full")),
        "postgres",
    ]
)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        yield Kind("sqlite", f"sqlite://{tmp_path}/kassor.db", None)
        return
    server: Postgres = request.getfixturevalue("postgres")
    if not (server.programs / "pg_restore").exists():
        pytest.skip("THIS POSTGRESQL BRINGS NO pg_dump AND pg_restore: RESTORING IS NOT TESTED HERE")
    with server.database(migrated=False) as url:
        yield Kind("postgres", url, server)


async def said_to(sandbox: SandboxClient, who: Person) -> list[str]:
    """Every direct message of somebody."""
    return [texts(message) for message in await sandbox.messages(who) if not message.get("ephemeral")]


async def until(world: World, moment: datetime) -> None:
    """Let time pass."""
    await world.move_clock({"days": (moment - world.clock.now()).total_seconds() / 86_400})


async def renewed(world: World) -> None:
    """It is two hours after the next renewal, at night: its invoice is final and its copy waits for the morning."""
    ends = [
        item["current_period_end"]
        for each in world.stripe.account.objects["subscription"].values()
        for item in each["items"]["data"]
    ]
    await until(world, datetime.fromtimestamp(min(ends), world.clock.now().tzinfo) + timedelta(hours=2))


async def equals_stripe(world: World, database_url: str) -> None:
    """What is on record of money is what Stripe says."""
    theirs = world.stripe.account.objects
    async with opened(database_url):
        ours = {each.id: each for each in await Subscription.all()}
        assert set(ours) == set(theirs["subscription"])
        for key, each in theirs["subscription"].items():
            [item] = each["items"]["data"]
            assert (ours[key].status, ours[key].seats) == (each["status"], item["quantity"])
            assert ours[key].current_period_end.timestamp() == item["current_period_end"]
        known = {each.id: (each.status, each.total) for each in await Invoice.all()}
    assert known == {key: (each["status"], each["total"]) for key, each in theirs["invoice"].items()}


@pytest.mark.timeout(180)
async def test_I2_a_lost_database_comes_back_from_its_backup_and_no_copy_is_lost_or_doubled(
    kind: Kind, tmp_path: Path
) -> None:
    path = console(tmp_path / "bin")
    if kind.postgres is not None:
        path = f"{kind.postgres.programs}:{path}"
    async with (
        installed(tmp_path, kind.url, path) as (world, kassor),
        SandboxClient(world.slack.base_url) as sandbox,
    ):
        now = world.clock.now()
        evening = now.replace(hour=EVENING, minute=0, second=0, microsecond=0)
        await until(world, evening + timedelta(days=int(evening < now)))
        owner = await named(sandbox, "Björn")
        await upgrade(sandbox, owner, "premium monthly 20")
        assert await copies(sandbox, owner) == [], "the first copy waits for the morning"
        await kassor.type_in(*kind.back_up())

        await until(world, world.clock.now() + timedelta(days=1))  # the first copy goes: the backup has it waiting
        await renewed(world)
        await until(world, world.clock.now() + timedelta(days=1))  # the second: the backup knows nothing of it
        await sandbox.command(owner, "/seats", "25")
        await sandbox.press(owner, (await sandbox.said_to(owner))[-1], "kassor.quote.accept")
        await sandbox.settled()
        assert len(await copies(sandbox, owner)) >= 2
        await renewed(world)  # the third is due, and not sent
        before, had = await said_to(sandbox, owner), await copies(sandbox, owner)

        await kassor.kill()
        await kind.lose(tmp_path)
        said = await kassor.type_in(*kind.restore())
        assert "looked for in Slack" in said
        await kassor.start()
        await until(world, world.clock.now() + timedelta(days=2))

        await equals_stripe(world, kind.url)
        now_has = await copies(sandbox, owner)
        assert now_has[: len(had)] == had
        [third] = now_has[len(had) :]
        newest = list(world.stripe.account.objects["invoice"].values())[-1]
        assert newest["number"] in third
        assert max(Counter(now_has).values()) == 1
        more = (await said_to(sandbox, owner))[len(before) :]
        assert len(more) == 1, f"told once more: {more}"
        others = [each["number"] for each in world.stripe.account.objects["invoice"].values() if each is not newest]
        assert [number for number in others if number in more[0]] == [], "called missed, though they were sent"
