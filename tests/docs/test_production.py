"""Somebody who has never seen Kassör follows `docs/production.md` on a fresh machine, word by word, against a Slack and a Stripe of
this machine: at the end `kassor doctor` finds nothing wrong, and `/billing` is answered."""

import asyncio
import json
import re
import shutil
import stat
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.sandbox_client import SandboxClient, texts
from sandbox.clock import WorldClock
from sandbox.world import World, kassor_environment
from tests.acceptance.conftest import ROOT, three_free_ports, until_ready
from tests.docs.pages import document, section, type_in, typed
from tests.postgres import Postgres
from tests.sandbox.stripe.shop import free_port

PAGE = document("production.md")
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # as Slack's look
SOURCE = ("bot", "cli", "domain", "sandbox", "scheduler", "webhooks")
FILES = ("pyproject.toml", "requirements.lock", "README.md", "LICENSE")
READS = ". /etc/kassor/kassor.env"


@dataclass
class Machine:
    """A fresh machine: where the page says /opt/kassor and /etc/kassor it has folders of its own."""

    home: Path
    address: str  # for https://billing.example.com
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source, self.etc, self.opt = self.home / "source", self.home / "etc", self.home / "opt"
        for folder in (self.source, self.etc, self.opt, self.home / "bin"):
            folder.mkdir()
        for name in SOURCE:
            shutil.copytree(ROOT / name, self.source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, self.source)
        (self.home / "bin" / "python3").symlink_to(Path(sys.base_prefix) / "bin" / Path(sys.executable).resolve().name)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell begins with. No package is fetched: what the lock names is here already, and pip checks that it is that."""
        path = f"{self.opt}/kassor/bin:{self.home}/bin:/usr/bin:/bin"
        return {"PATH": path, "HOME": str(self.home), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def set(self, **more: str) -> None:
        """Write settings down."""
        self.settings |= more
        file = self.etc / "kassor.env"
        file.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        file.write_text("".join(f"{name}='{value}'\n" for name, value in self.settings.items()))

    def here(self, line: str) -> str:
        """A line of the page, as it is typed on this machine."""
        for theirs, ours in (
            ("/opt/kassor", f"{self.opt}/kassor"),
            ("/etc/kassor", str(self.etc)),
            ("https://billing.example.com", self.address),
            ('"Example Ltd"', "Fjällvind"),
        ):
            line = line.replace(theirs, ours)
        return line

    async def types(self, line: str, *, well: bool = True) -> str:
        """Type a line where the settings have been read; what it printed. It must go well."""
        reads = f"set -a; {self.here(READS)}; set +a; " if self.settings else ""
        done = await asyncio.to_thread(type_in, reads + self.here(line), self.source, self.environment)
        assert (done.returncode == 0) is well, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def make_python_know_what_is_locked(self) -> None:
        """The packages of this test's own environment, in the new one: what an index would have brought."""
        [packages] = self.opt.glob("kassor/lib/python*/site-packages")
        (packages / "fetched.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for old in [*packages.glob("setuptools*"), *packages.glob("pkg_resources")]:
            shutil.rmtree(old)  # what Python 3.11 puts there by itself; pip would have replaced it


@asynccontextmanager
async def neighbours(folder: Path) -> AsyncIterator[World]:
    """A Slack where nothing is installed and a Stripe where nothing is set up."""
    async with AsyncExitStack() as stack:
        clock = WorldClock(folder / "clock")
        stack.callback(clock.close)
        port = three_free_ports()
        world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock)
        stack.push_async_callback(world.stop)
        await world.start()
        world.slack.sender._secret = SIGNING_SECRET.encode()
        world.stripe.account.objects["webhook_endpoint"].clear()
        yield world


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database(migrated=False) as url:
        yield url


def processes() -> list[str]:
    """What `deploy.md` says to start."""
    found = re.findall(r"^\| `(?:web|worker|scheduler)`: `([^`]+)`", document("deploy.md"), re.MULTILINE)
    assert len(found) == 3
    return found


def found_wrong(said: str) -> set[str]:
    """What the doctor calls wrong."""
    return {re.split(r"\s{2,}", line)[1] for line in said.splitlines() if line.startswith("wrong")}


@pytest.mark.timeout(180)
async def test_following_the_page_word_by_word_leads_to_a_working_installation(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "machine").mkdir()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(neighbours(tmp_path / "world"))
        given = kassor_environment(world) | {"SLACK_SIGNING_SECRET": SIGNING_SECRET}
        machine = Machine(tmp_path / "machine", world.kassor_url)
        key = await install(machine)
        machine.set(
            DATABASE_URL=database_url,
            KASSOR_PUBLIC_URL=machine.address,
            KASSOR_ENCRYPTION_KEYS=key,
            # What only this machine needs: the neighbours are not at their usual addresses.
            **{name: given[name] for name in ("PORT", "SLACK_API_URL", "STRIPE_API_URL")},
        )
        assert "KASSOR_ENCRYPTION_KEYS  set" in await read_settings(machine)

        [line] = typed(section(PAGE, "2. The Slack app"))
        manifest = json.loads(await machine.types(line))
        assert manifest["settings"]["event_subscriptions"]["request_url"] == f"{machine.address}/slack/events"
        named = re.findall(r"`((?:SLACK|KASSOR)_[A-Z_]+)`", section(PAGE, "2. The Slack app"))
        machine.set(**{name: given[name] for name in named if name != "SLACK_BOT_TOKEN"})

        machine.set(STRIPE_API_KEY=given["STRIPE_API_KEY"])
        await set_up_stripe(machine)

        migrate, doctor, again = typed(section(PAGE, "4. Start"))
        await machine.types(migrate)
        unseen = {"sales channel", "support channel", "audit channel", "sales staff"}
        assert found_wrong(await machine.types(doctor, well=False)) == {"public address", "Slack", *unseen}
        for command in processes():
            port = machine.settings["PORT"] if command.endswith("web") else str(free_port())
            child = await asyncio.create_subprocess_exec(
                *command.split(),
                env=machine.environment | machine.settings | {"PORT": port},
                cwd=machine.home,
                stdout=(out := (tmp_path / "kassor.log").open("ab")),
                stderr=out,
            )
            out.close()
            stack.push_async_callback(child.wait)
            stack.callback(child.terminate)
        await until_ready(machine.address)
        await world.install_in("T0FJALL01")
        assert found_wrong(await machine.types(again)) == set()

        client = await stack.enter_async_context(SandboxClient(world.slack.base_url))
        assert "Upgrade" in await billing(client)
        [story] = typed(section(PAGE, "5. The first upgrade"))
        assert "Fjällvind" in await machine.types(story)


async def install(machine: Machine) -> str:
    """Section 1, up to the key, which is returned."""
    venv, *fetch, path, key, reads, settings = typed(section(PAGE, "1. Install"))
    await machine.types(venv)
    machine.make_python_know_what_is_locked()
    for line in fetch:
        await machine.types(line)
    await machine.types(path)
    assert (machine.opt / "kassor" / "bin" / "kassor").exists()
    assert READS in reads
    assert settings == "kassor settings"
    return (await machine.types(key)).strip()


async def read_settings(machine: Machine) -> str:
    return re.sub(r" +", "  ", await machine.types(typed(section(PAGE, "1. Install"))[-1]))


async def set_up_stripe(machine: Machine) -> None:
    """Section 3: each command in its order, and what it prints written down."""
    for line in typed(section(PAGE, "3. Stripe")):
        if line.startswith("kassor catalogue") and "KASSOR_CATALOGUE" not in machine.settings:
            shutil.copy(machine.source / "domain" / "rules" / "catalogue.toml", machine.etc)
            machine.set(KASSOR_CATALOGUE=str(machine.etc / "catalogue.toml"))
        said = await machine.types(line)
        secret = re.search(r"whsec_\S+", said)
        if secret:
            machine.set(STRIPE_WEBHOOK_SECRETS=secret[0])


async def billing(client: SandboxClient) -> str:
    """What somebody reads after `/billing`, a signed request."""
    who = (await client.people())[0]
    outcome = await client.command(who, "/billing")
    assert outcome["ok"], outcome
    async with asyncio.timeout(15):
        while not (said := await client.said_to(who)):  # noqa: ASYNC110 - it is said in another process
            await asyncio.sleep(0.1)
    return texts(said[-1])
