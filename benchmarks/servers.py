"""The servers under the load, each a process of its own, and the load itself."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import SECRET
from domain.database import migrate_database

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(__file__).with_name("djstripe_site")
DJSTRIPE = ("dj-stripe==2.11.*", "gunicorn", "psycopg[binary]")
UUID = "00000000-0000-4000-8000-000000000001"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(database: str, port: int, **more: str) -> dict[str, str]:
    """Kassör's environment, with everything that is not under test pointing nowhere."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database,
        "PORT": str(port),
        "SLACK_SIGNING_SECRET": "benchmark",
        "SLACK_BOT_TOKEN": "xoxb-benchmark",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "STRIPE_API_KEY": "sk_test_benchmark",
        "STRIPE_API_URL": "http://127.0.0.1:9",
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "KASSOR_PUBLIC_URL": "https://kassor.example",
        "KASSOR_LOG_LEVEL": "WARNING",
        **more,
    }


@contextmanager
def process(command: list[str], port: int | None, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from when it listens until it is stopped; no port: it never does. Raises RuntimeError when it does not come up."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **how)
        try:
            deadline = time.monotonic() + 30
            while port is not None and not _listens(port):
                if child.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{command[:4]} did not start:\n{log.read()[-2000:].decode()}")
                time.sleep(0.05)
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def kassor(database: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`kassor serve web`, whole; yields the receiver's address."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "serve", "web"]
    with process(command, port, cwd=ROOT, env=settings(database, port)) as child:
        yield f"http://127.0.0.1:{port}/stripe/webhooks", child


@contextmanager
def reference(kind: str, database: str) -> Iterator[str]:
    """The reference receiver (`group`, `single` or `sqlite`)."""
    port = free_port()
    with process([sys.executable, "-m", "benchmarks.reference", kind, str(port), database], port, cwd=ROOT):
        yield f"http://127.0.0.1:{port}/stripe/webhooks"


@contextmanager
def djstripe(database: str, *, persistent: bool = False) -> Iterator[str]:
    """dj-stripe, verify and store only, under gunicorn with 2 workers of 4 threads, from an environment of its own.

    Django opens a database connection a request unless its settings say otherwise; `persistent` says otherwise.
    """
    home = Path(tempfile.gettempdir()) / f"kassor-bench-djstripe-{os.getuid()}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *DJSTRIPE],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        (home / "ready").touch()
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "BENCH_DATABASE": database, "BENCH_SECRET": SECRET, "BENCH_UUID": UUID}
    environment["BENCH_PERSISTENT"] = "yes" if persistent else ""
    subprocess.run([python, SITE / "prepare.py"], check=True, cwd=SITE, env=environment, stdout=subprocess.DEVNULL)
    command = [str(home / "bin" / "gunicorn"), "site_:application", "-w", "2", "-k", "gthread", "--threads", "4"]
    command += ["-b", f"127.0.0.1:{port}", "--log-level", "error", "--keep-alive", "30"]
    with process(command, port, cwd=SITE, env=environment):
        yield f"http://127.0.0.1:{port}/stripe/webhook/{UUID}/"


def load(
    urls: str | list[str], connections: int, events: int, customers: int = 1_000, pace: int | None = None
) -> dict[str, Any]:
    """Put the load on, as fast as it goes or at `pace` events a second; what came of it.

    Raises RuntimeError when anything but 200 was answered.
    """
    targets = urls if isinstance(urls, str) else ",".join(urls)
    command = [sys.executable, "-m", "benchmarks.load", targets, str(connections), str(events), str(customers)]
    command += [str(pace)] if pace else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise RuntimeError(f"{targets} answered {found['statuses']}")
    return found


class Databases:
    """PostgreSQL of the run's own, a database for whoever asks, and a folder for SQLite files."""

    def __init__(self, stack: ExitStack) -> None:
        from tests.postgres import running_postgres

        self._server = stack.enter_context(running_postgres(durable=True))
        self._stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def postgres(self, *, migrated: bool = True) -> str:
        """The address of an empty database."""
        return self._stack.enter_context(self._server.database(migrated=migrated))

    def sqlite(self, name: str) -> str:
        """The address of an empty, migrated file."""
        url = f"sqlite://{self.folder / name}"
        asyncio.run(migrate_database(url))
        return url
