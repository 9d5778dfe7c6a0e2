"""`kassor sandbox` says what stands in its way in one sentence, and Ctrl-C ends it cleanly whenever it comes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, three_free_ports


def started(port: int, log: Path) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "sandbox", "--port", str(port)],
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )


def wait_for(words: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while words not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)


def nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("which", [0, 1, 2], ids=["slack", "stripe", "kassor"])
def test_a_port_that_is_taken_is_named_in_one_clear_sentence(which: int, tmp_path: Path) -> None:
    port, log = three_free_ports(), tmp_path / "log"
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port + which))
        holder.listen()
        process = started(port, log)
        assert process.wait(60) == 1
    said = log.read_text().splitlines()
    assert said == [
        "Opening the sandbox…",
        f"The sandbox needs three ports, {port} to {port + 2}, and port {port + which} is taken. Choose others with --port.",
    ]


@pytest.mark.parametrize("seconds", [0, 1.0, 2.5])
def test_ctrl_c_while_it_opens_ends_it_with_0_and_leaves_nobody_behind(seconds: float, tmp_path: Path) -> None:
    port, log = three_free_ports(), tmp_path / "log"
    process = started(port, log)
    wait_for("Opening", log, process)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, log.read_text()
    for word in ("Traceback", "Unclosed", "Error", "never awaited", "Aborted"):
        assert word not in log.read_text()
    assert all(nobody_listens(port + more) for more in range(3))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_an_open_sandbox_closes_with_0_even_when_told_twice(number: signal.Signals, tmp_path: Path) -> None:
    port, log = three_free_ports(), tmp_path / "log"
    process = started(port, log)
    wait_for("is open", log, process)
    process.send_signal(number)
    time.sleep(0.1)
    if process.poll() is None:
        process.send_signal(number)
    assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert all(nobody_listens(port + more) for more in range(3))
