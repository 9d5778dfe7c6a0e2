"""`make audit` against a database of holes on this machine: it fails on a hole, and is loud when there is nobody to ask."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.sandbox.stripe.shop import free_port

ROOT = Path(__file__).resolve().parents[2]
HOLE = {
    "id": "PYSEC-2014-8",
    "summary": "A hole",
    "details": "A hole that everybody knows.",
    "aliases": ["CVE-2014-1402"],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.7.2"}]}],
        }
    ],
}


@contextmanager
def database(knows: Callable[[str, str], bool]) -> Iterator[tuple[str, list[str]]]:
    """A database of holes as osv.dev's; yields its address and what it was asked about."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = told["package"]["name"], told["version"]
            asked.append(f"{name}=={version}")
            body = json.dumps({"vulns": [HOLE]} if knows(name, version) else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def audited(address: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / "audit.py"), *map(str, files)]
    environment = os.environ | {"KASSOR_OSV_URL": address, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


def old_jinja(name: str, version: str) -> bool:
    return (name, version) == ("jinja2", "2.4.1")


def pinned(folder: Path, line: str) -> Path:
    file = folder / "pinned.txt"
    file.write_text(line + "\n", encoding="utf-8")
    return file


def test_a_version_with_a_known_hole_fails_the_audit(tmp_path: Path) -> None:
    with database(old_jinja) as (address, _):
        done = audited(address, pinned(tmp_path, "jinja2==2.4.1"))
    assert done.returncode == 1
    assert "PYSEC-2014-8" in done.stdout


def test_everything_that_is_locked_is_asked_about(tmp_path: Path) -> None:
    with database(old_jinja) as (address, asked):
        done = audited(address)
    assert (done.returncode, "No known vulnerabilities" in done.stderr) == (0, True), done.stderr
    assert {"aiohttp", "slack-bolt", "stripe", "cryptography", "pytest"} <= {each.partition("==")[0] for each in asked}


def test_where_nobody_can_be_asked_that_is_said_loudly_and_is_no_failure(tmp_path: Path) -> None:
    done = audited(f"http://127.0.0.1:{free_port()}/v1/query", pinned(tmp_path, "jinja2==2.4.1"))
    assert done.returncode == 0
    assert "NOT AUDITED" in done.stderr


def test_a_database_that_knows_nothing_is_no_audit(tmp_path: Path) -> None:
    with database(lambda *_: False) as (address, _):
        assert audited(address, pinned(tmp_path, "jinja2==3.1.6")).returncode == 1
