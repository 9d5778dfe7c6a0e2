"""`kassor sandbox`: the world (a local Slack and a local Stripe) in this process, Kassör in a child of its own beside it.

Kassör is started as an operator would start it, from environment variables alone, so that killing it is a true crash and
starting it again a true restart. It is watched over: should it end by itself, it is started again.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.fernet import Fernet

from bot.manifest import EVENTS
from cli.wiring import pushed_catalogue
from domain.config import load
from sandbox.clock import WorldClock
from sandbox.keeping import CannotKeep, Folder
from sandbox.world import World, kassor_environment

READY_WITHIN = 30.0  # seconds
RESTARTS = 100  # then something is so wrong that trying on helps nobody


class KassorProcess:
    """Kassör as a child process, started again whenever it ends before `stop`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._spawned = asyncio.Event()
        self._url = f"http://127.0.0.1:{environment['PORT']}"

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and keep it running. Raises RuntimeError, with its last words, when it isn't ready in time."""
        await self._spawn()
        self._watch = asyncio.create_task(self._keep_running(), name="watch kassor")
        await self.wait_until_ready()

    async def kill(self) -> None:
        """`kill -9`: no goodbye. It is started again at once; returns when the new one is ready."""
        killed = self.pid
        if killed is not None:
            self._spawned.clear()
            os.kill(killed, signal.SIGKILL)
            await self._spawned.wait()
        await self.wait_until_ready()

    async def stop(self) -> None:
        """End it politely; harder when it doesn't listen."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def wait_until_ready(self) -> None:
        """Until `/readyz` says so. Raises RuntimeError with the end of its log."""
        async with aiohttp.ClientSession() as session:
            for _ in range(int(READY_WITHIN / 0.1)):
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"{self._url}/readyz") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise RuntimeError(f"Kassör did not become ready. The end of {self._log}:\n{self._log.read_text()[-2000:]}")

    async def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "serve"),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on, in order
            )
        self._spawned.set()

    async def _keep_running(self) -> None:
        for _ in range(RESTARTS):
            assert self._process is not None
            await self._process.wait()
            await asyncio.sleep(0.2)
            await self._spawn()


async def run(
    *,
    port: int,
    database_url: str | None,
    keep: Path | None = None,
    reset: bool = False,
    begins: datetime | None = None,
    socket_mode: bool = False,
) -> None:
    """A sandbox at `port`, until SIGINT or SIGTERM, which end it cleanly while it opens too. Raises SystemExit with the reason.

    `keep`: the folder its world is kept in, to be gone on with at the next start; `reset`: begin it anew there.
    `begins`: the world's time at first, now by default. `socket_mode`: Slack sends nothing over HTTP.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    taken = [each for each in range(port, port + 3) if not _is_free(each)]
    if taken:
        ports = f"port {taken[0]} is" if len(taken) == 1 else f"ports {' and '.join(map(str, taken))} are"
        raise SystemExit(
            f"The sandbox needs three ports, {port} to {port + 2}, and {ports} taken. Choose others with --port."
        )
    async with AsyncExitStack() as stack:
        kept = _kept_folder(stack, keep, reset=reset)
        folder = kept.path if kept else Path(stack.enter_context(_temporary_folder()))
        if begins and (folder / "clock").exists():
            raise SystemExit(
                f"The world in {folder} has a time of its own. Leave out --begins, or begin it anew with --reset."
            )
        opening = open_sandbox(stack, folder, port, database_url, kept, begins=begins, socket_mode=socket_mode)
        if await _opened(stop, opening):
            print(_welcome(port, folder, kept=kept is not None), flush=True)
            await stop.wait()
        print("\nClosing the sandbox.", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):  # all is closed: nothing may take the 0 from it while Python goes
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="kassor-sandbox-", ignore_cleanup_errors=True)


def _kept_folder(stack: AsyncExitStack, keep: Path | None, *, reset: bool) -> Folder | None:
    """The folder to keep the world in, taken until `stack` ends. Raises SystemExit."""
    if keep is None:
        if reset:
            raise SystemExit("--reset begins a kept world anew: say which with --keep.")
        return None
    try:
        folder = Folder(keep.resolve())
    except CannotKeep as problem:
        raise SystemExit(str(problem)) from None
    except OSError as error:
        raise SystemExit(f"The world can't be kept in {keep}: {error.strerror}.") from None
    stack.callback(folder.close)
    if reset:
        folder.forget()
    return folder


async def _opened(stop: asyncio.Event, opening: Coroutine[Any, Any, None]) -> bool:
    """Open, unless somebody stops it meanwhile. Raises SystemExit for a port taken just now or a Kassör that won't start."""
    work, stopped = asyncio.create_task(opening), asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not work.done():
        work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        return False
    except OSError as error:
        raise SystemExit(f"The sandbox can't open its ports: {error.strerror}.") from None
    except (RuntimeError, CannotKeep) as error:
        raise SystemExit(str(error)) from None
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def open_sandbox(
    stack: AsyncExitStack,
    folder: Path,
    port: int,
    database_url: str | None,
    kept: Folder | None = None,
    *,
    begins: datetime | None = None,
    socket_mode: bool = False,
) -> None:
    """The world and Kassör beside it, closed with `stack`. Raises OSError for a port that is taken, RuntimeError, CannotKeep.

    `kept`: the folder the world is kept in; the one found there goes on. `begins`: what time it is in a new one.
    """
    clock = WorldClock(folder / "clock", begins=begins)
    stack.callback(clock.close)
    world = World(
        port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock, subscribed=EVENTS, socket_mode=socket_mode
    )
    found = kept.read(world) if kept else False
    stack.push_async_callback(world.stop)
    if kept:
        stack.callback(kept.write, world)  # once Kassör has said its last
    await world.start()
    environment = os.environ | kassor_environment(world)
    environment |= {
        "DATABASE_URL": database_url or f"sqlite://{folder}/kassor.db",
        "KASSOR_ENCRYPTION_KEYS": _key(folder / "key"),
        "KASSOR_API_TOKENS": "sandbox-token",
        "PYTHONUNBUFFERED": "1",
    }
    await pushed_catalogue(load(environment))
    kassor = KassorProcess(environment, folder / "kassor.log")
    stack.push_async_callback(kassor.stop)
    await kassor.start()
    world.kassor = kassor
    await (world.open() if found else world.install())
    if kept:
        stack.push_async_callback(_ended, asyncio.create_task(kept.keep(world), name="keep the world"))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _key(path: Path) -> str:
    """What Kassör encrypts with, the same for as long as its database is kept."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(Fernet.generate_key())
    return path.read_text()


def _welcome(port: int, folder: Path, *, kept: bool) -> str:
    keeping = f"\n    Kept in     {folder}\n" if kept else ""
    return f"""
  Kassör's sandbox is open.

    Workspace   http://127.0.0.1:{port}       Slack, with a cast of people to be
    Stripe      http://127.0.0.1:{port + 1}       what Stripe knows
    Kassör      http://127.0.0.1:{port + 2}       its log: {folder / "kassor.log"}
{keeping}
  Open the workspace and type /upgrade. Ctrl-C closes everything.
"""
