"""`kassor sandbox --keep FOLDER`: the world goes on where it was, even after a kill; and sandboxes side by side are strangers."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox_client import Json, Person, SandboxClient, texts
from sandbox.keeping import CannotKeep, Folder
from tests.acceptance.conftest import ROOT, three_free_ports
from tests.chaos.counts import FULL
from tests.cli.test_sandbox_ports import nobody_listens, wait_for

pytestmark = pytest.mark.skipif(not FULL, reason="half a minute of waiting: with KASSOR_CHAOS=full")

Process = subprocess.Popen[bytes]


def command(port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "cli", "sandbox", "--port", str(port), *more]


@contextmanager
def opened(port: int, log: Path, *more: str) -> Iterator[Process]:
    """A sandbox, open; ended with Ctrl-C afterwards where it still runs."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(port, *more), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        wait_for("is open", log, process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, log.read_text()


def killed(process: Process, port: int) -> None:
    """`kill -9`: no goodbye. Returns when its Kassör has noticed too."""
    process.kill()
    process.wait(10)
    deadline = time.monotonic() + 30
    while not all(nobody_listens(port + more) for more in range(3)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def an_upgrade(client: SandboxClient) -> tuple[Person, Person]:
    """A member pays for Premium; a colleague is the owner."""
    people = await client.people()
    member, owner = people[0], people[1]
    await client.command(member, "/upgrade")
    view = (await client.views(member))[-1]
    await client.submit(
        member, view, {"plan": {"kassor.upgrade.plan": "premium"}, "owner": {"kassor.upgrade.owner": owner.id}}
    )
    stripe = await client.stripe_url()
    session = list((await client.get_from(stripe, "/control/objects"))["checkout.session"])[-1]
    paid = await client.post(f"/control/pay/{session}", base=stripe, method="card", outcome="paid")
    assert paid["ok"], paid
    await client.settled()
    return member, owner


async def seen(client: SandboxClient, *people: Person) -> Json:
    """What Stripe has and what people read."""
    stripe = await client.get_from(await client.stripe_url(), "/control/objects")
    found: Json = {kind: stripe[kind] for kind in ("customer", "subscription", "invoice", "charge", "webhook_endpoint")}
    for person in people:
        found[person.id] = [(each["ts"], texts(each)) for each in await client.messages(person)]
    return found


@pytest.mark.timeout(180)
async def test_a_kept_world_goes_on_after_a_kill_and_after_a_goodbye(tmp_path: Path) -> None:
    port, log, folder = three_free_ports(), tmp_path / "log", tmp_path / "world"
    kept = ("--keep", str(folder))
    with opened(port, log, *kept) as process:
        async with SandboxClient(f"http://127.0.0.1:{port}") as client:
            member, owner = await an_upgrade(client)
            await client.move_clock(days=3)
            before, then = await seen(client, member, owner), (await client.state())["now"]
        await asyncio.sleep(2.5)  # the last change is a second old at most when it is written
        killed(process, port)
    with opened(port, log, *kept):
        async with SandboxClient(f"http://127.0.0.1:{port}") as client:
            assert await seen(client, member, owner) == before
            assert (await client.state())["now"] >= then
            await client.command(owner, "/seats", "30")
            offer = (await client.said_to(owner))[-1]
            assert "30" in texts(offer)  # Kassör knows its owner, its subscription and its token still
            mine = await seen(client, member, owner)
    with opened(port, log, *kept):
        async with SandboxClient(f"http://127.0.0.1:{port}") as client:
            assert await seen(client, member, owner) == mine
    with opened(port, log, *kept, "--reset"):
        async with SandboxClient(f"http://127.0.0.1:{port}") as client:
            assert "subscription" not in await client.get_from(await client.stripe_url(), "/control/objects")


@pytest.mark.timeout(120)
async def test_two_sandboxes_side_by_side_do_not_see_each_other(tmp_path: Path) -> None:
    one, other = three_free_ports(), three_free_ports()
    while other == one:
        other = three_free_ports()
    with opened(one, tmp_path / "one"), opened(other, tmp_path / "other"):
        async with (
            SandboxClient(f"http://127.0.0.1:{one}") as here,
            SandboxClient(f"http://127.0.0.1:{other}") as there,
        ):
            before = await there.get("/control/requests")
            member, _ = await an_upgrade(here)
            await here.move_clock(days=2)
            assert "subscription" not in await there.get_from(await there.stripe_url(), "/control/objects")
            assert await there.messages(member) == []
            assert (await there.state())["now"] < (await here.state())["now"]
            assert await there.get("/control/requests") == before


def test_a_folder_is_kept_by_one_sandbox_at_a_time(tmp_path: Path) -> None:
    first = Folder(tmp_path / "world")
    with pytest.raises(CannotKeep, match="Another sandbox is open"):
        Folder(tmp_path / "world")
    first.close()
    Folder(tmp_path / "world").close()


def test_what_somebody_else_keeps_in_a_folder_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "kassor.db").write_text("production")
    with pytest.raises(CannotKeep, match="something else"):
        Folder(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["kassor.db"]


class _Trap:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


@pytest.mark.parametrize("content", [b"", b"not a world", pickle.dumps(_Trap()), pickle.dumps({"form": 99, "port": 1})])
def test_a_file_that_is_no_world_is_refused_and_nothing_in_it_is_run(content: bytes, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "world")
    (folder.path / "world").write_bytes(content)
    world: Any = None
    with pytest.raises(CannotKeep, match="--reset starts it anew"):
        folder.read(world)
    folder.close()
