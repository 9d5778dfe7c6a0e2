"""Known holes in what is locked, asked of the database at osv.dev by pip-audit. Exits 1 when there is one.

Where the database can't be reached, that is said loudly and is no failure: a machine that reaches only the package registry must be
able to build. So that silence means something, the database is first asked about a version that everybody knows to be bad.
"""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
DATABASE = os.environ.get("KASSOR_OSV_URL", "https://api.osv.dev/v1/query")  # or a mirror of it
KNOWN_BAD = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.4.1"}
PATIENCE = 15  # seconds
LOUD = """
************************************************************************
*  NOT AUDITED: the database of known holes can't be reached.
*  {why}
*  Nothing is known about the dependencies. Run `make audit` where
*  {where} answers.
************************************************************************
"""


def main(files: list[str]) -> int:
    """0: nothing known, or nobody to ask; 1: a hole, or an audit that does not work."""
    try:
        known = _known_to_be_bad()
    except (OSError, ValueError) as error:  # no way there, or what answers is something else
        print(LOUD.format(why=f"{type(error).__name__}: {error}", where=DATABASE), file=sys.stderr)
        return 0
    if not known:
        print(
            f"{DATABASE} answers, and does not know a hole that everybody knows: its silence means nothing.",
            file=sys.stderr,
        )
        return 1
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url", DATABASE]
    command += ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--aliases", "on"]
    for file in files or LOCKS:
        command += ["--requirement", str(file)]
    return 1 if subprocess.run(command, check=False).returncode else 0


def _known_to_be_bad() -> bool:
    asked = urllib.request.Request(DATABASE, json.dumps(KNOWN_BAD).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own address
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 - as above
        return bool(json.load(answer).get("vulns"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
