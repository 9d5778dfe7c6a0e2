"""What `make lint` looks for in every file finds a secret that was planted, says where, and never says it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Put together here, so that this very file has none.
PLANTED = {
    "a Stripe key": "sk_" + "live_" + "51HqLyjWDarjtT1zdp7dcXYZ",
    "a restricted one": "rk_" + "live_" + "51HqLyjWDarjtT1zdp7dcXYZ",
    "a test key": "sk_" + "test_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "a bot token": "xox" + "b-2048576931122-2048576931123-aBcDeFgHiJkLmNoPqRsTuVwX",
    "a rotated token": "xox" + "e.xox" + "b-1-Mi0yLTIwNDg1NzY5MzExMjItMjA0ODU3Njkz",
    "an app token": "xap" + "p-1-A012ABCD0A0-2048576931122-" + "0123456789abcdef" * 4,
    "a webhook secret": "whs" + "ec_" + "5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH",
    "a signing secret": "SLACK_SIGNING" + '_SECRET="8f742231b10e8888abcd99yyyzzz85a5"'.replace("yyyzzz", "aaabbb"),
    "an encryption key": "KASSOR_ENCRYPTION" + "_KEYS=" + "cHJldGVuZGluZ190b19iZV9hX2tleV9vZl8zMl9ieXQ=",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a cloud's key": "AKIA" + "IOSFODNN7ABCDEFG",
}


def looked_through(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / "find_secrets.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_planted_secret_is_found(tmp_path: Path) -> None:
    """Each of them, in the file and on the line where it is, and not repeated in what is said."""
    files = []
    for number, (what, secret) in enumerate(PLANTED.items()):
        files.append(tmp_path / f"{number}.py")
        files[-1].write_text(f"# {what}\n\nvalue = {secret!r}\n", encoding="utf-8")
    done = looked_through(*files)
    assert done.returncode == 1
    assert [file.name for file in files if f"{file}:3:" not in done.stderr] == []
    assert [what for what, secret in PLANTED.items() if secret in done.stdout + done.stderr] == []


@pytest.mark.parametrize("file", ["requirements-dev.lock", "tests/cli/test_console.py", "sandbox/world.py"])
def test_digests_and_what_is_plainly_made_up_are_no_secrets(file: str) -> None:
    done = looked_through(ROOT / file)
    assert (done.returncode, done.stderr) == (0, "")
