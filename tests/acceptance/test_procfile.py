"""The Procfile as a platform runs it: `release` once, two of each process on PostgreSQL, a router in front, and any one of them
killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from cryptography.fernet import Fernet

from bot.manifest import EVENTS
from cli.sandbox_client import SandboxClient
from cli.tour import STEPS, Journey
from cli.wiring import pushed_catalogue
from domain.config import load
from sandbox.world import World, kassor_environment
from tests.acceptance.conftest import ROOT, three_free_ports, until_ready
from tests.chaos.counts import chance, count
from tests.clock import a_clock
from tests.postgres import Postgres
from tests.sandbox.stripe.shop import free_port

Environment = dict[str, str]


def procfile() -> dict[str, list[str]]:
    """Each process type's command; `kassor` is this tree's."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    found = {}
    for line in lines:
        name, _, command = line.partition(": ")
        program, *words = command.split()
        assert program == "kassor", line
        found[name] = [sys.executable, "-m", "cli", *words]
    return found


@dataclass
class Dyno:
    """One process of a type, on a port of its own."""

    kind: str
    environment: Environment
    log: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *procfile()[self.kind],
                cwd=ROOT,
                env=self.environment | {"PORT": str(self.port)},
                stdout=out,
                stderr=out,
            )

    async def kill(self) -> None:
        """kill -9, and started again, as a platform does."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        await self.start()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 15)


@dataclass
class Fleet:
    """Everything the Procfile names, twice, behind one address."""

    dynos: list[Dyno]

    @property
    def pid(self) -> int | None:
        """Of the first that serves."""
        first = self.dynos[0].process
        return first.pid if first is not None else None

    async def kill(self) -> None:
        """Both that serve, one after the other: the tour's crash."""
        for dyno in self.of("web"):
            await dyno.kill()
            await self.ready()

    def of(self, kind: str) -> list[Dyno]:
        return [dyno for dyno in self.dynos if dyno.kind == kind]

    async def ready(self) -> None:
        for dyno in self.of("web"):
            await until_ready(f"http://127.0.0.1:{dyno.port}")


@asynccontextmanager
async def router(port: int, ports: list[int]) -> AsyncIterator[None]:
    """What stands in front: each connection goes to the next process that takes it."""
    turn = cycle(ports)
    under_way: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            try:
                theirs, ours = await asyncio.open_connection("127.0.0.1", next(turn))
            except OSError:
                await asyncio.sleep(0.1)
                continue
            await asyncio.gather(pipe(reader, ours), pipe(theirs, writer))
            return
        writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(connect(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def released(environment: Environment) -> int:
    """The release step's exit code."""
    process = await asyncio.create_subprocess_exec(*procfile()["release"], cwd=ROOT, env=environment)
    return await process.wait()


class Platform(World):
    """A world in front of several: what one process has begun is not known to the next, so each is asked to settle."""

    fleet: Fleet | None = None

    async def settle(self) -> datetime | None:
        async with aiohttp.ClientSession() as session:
            for dyno in self.fleet.of("web") if self.fleet else []:
                with suppress(aiohttp.ClientError):
                    await session.post(f"http://127.0.0.1:{dyno.port}/control/settle", json={})
        return await super().settle()


@asynccontextmanager
async def running(database_url: str, folder: Path) -> AsyncIterator[tuple[World, Fleet]]:
    async with AsyncExitStack() as stack:
        clock = a_clock(folder)
        stack.callback(clock.close)
        port = three_free_ports()
        world = Platform(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock, subscribed=EVENTS)
        stack.push_async_callback(world.stop)
        await world.start()
        environment = {"PATH": os.environ["PATH"], **kassor_environment(world)} | {
            "DATABASE_URL": database_url,
            "KASSOR_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        }
        await pushed_catalogue(load(environment))
        assert await asyncio.gather(released(environment), released(environment)) == [0, 0], "two releases at once"
        kinds = [kind for kind in procfile() if kind != "release"]
        fleet = Fleet([Dyno(kind, environment, folder / f"{kind}.{n}.log") for kind in kinds for n in (1, 2)])
        await stack.enter_async_context(router(port + 2, [dyno.port for dyno in fleet.of("web")]))
        try:
            for dyno in fleet.dynos:
                await dyno.start()
            await fleet.ready()
            world.kassor = world.fleet = fleet
            await world.install()
            yield world, fleet
        finally:
            codes = await asyncio.gather(*(dyno.stop() for dyno in fleet.dynos))
        assert set(codes) == {0}, "a process did not end by itself when it was told to"


async def next_version(url: str) -> None:
    """What the release of a version after this one may do, by `docs/deploy.md`: while this one serves, every table gets columns."""
    connection = await asyncpg.connect(url)
    try:
        tables = [
            each[0] for each in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        assert "notice" in tables
        for table in tables:
            await connection.execute(f'ALTER TABLE "{table}" ADD COLUMN of_the_next VARCHAR(8)')
            await connection.execute(f'ALTER TABLE "{table}" ADD COLUMN of_the_next_too INT NOT NULL DEFAULT 7')
        await connection.execute("CREATE INDEX of_the_next ON notice (of_the_next) WHERE of_the_next IS NOT NULL")
        await connection.execute("CREATE TABLE thing_of_the_next (id INT PRIMARY KEY)")
        await connection.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('kassor', '9999_of_the_next', now())"
        )
    finally:
        await connection.close()


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """An empty database: the release step makes it what it has to be."""
    with postgres.database(migrated=False) as url:
        yield url


@pytest.mark.timeout(600)
async def test_the_journey_holds_on_two_of_each_process_while_any_one_is_killed_and_the_next_version_migrates(
    database_url: str, tmp_path: Path
) -> None:
    dice = chance("procfile")
    said: list[str] = []
    async with running(database_url, tmp_path) as (world, fleet), SandboxClient(world.slack.base_url) as client:
        journey = Journey(client, say=said.append)
        victims = cycle(fleet.dynos)
        for number, (title, step) in enumerate(STEPS):
            if number == len(STEPS) // 2:
                await next_version(database_url)
                assert await released(fleet.dynos[0].environment) == 0, "a release that was rolled back"
            for _ in range(count(1, 3)):
                await next(victims).kill()
                await asyncio.sleep(dice.uniform(0, 0.3))
            said.append(title)
            await step(journey)
    assert len(said) > len(STEPS)
