"""The ways it is run in production say what the Procfile says, and set only what the product reads."""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = set(re.findall(r'"([A-Z][A-Z0-9_]{3,})"', (ROOT / "domain" / "config.py").read_text()))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def procfile() -> dict[str, list[str]]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.split()[1:] for name, _, command in (line.partition(": ") for line in lines)}


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # as the library's documentation does it
    read.read_string(path.read_text())
    return read


def test_every_process_of_the_procfile_is_a_command_there_is() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert {words[0] for words in procfile().values()} <= known
    assert isinstance(app, typer.Typer)


def test_the_compose_file_runs_what_the_procfile_does() -> None:
    services = compose()["services"]
    assert {name: services[name]["command"] for name in procfile()} == procfile()
    for name in set(procfile()) - {"release"}:
        assert services[name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}


def test_the_units_run_what_the_procfile_does() -> None:
    found = {}
    for path in UNITS:
        program, *words = shlex.split(unit(path)["Service"]["ExecStart"])
        assert program == "/opt/kassor/bin/kassor"
        found[path.stem.removeprefix("kassor-")] = words
    assert found == procfile()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_has_few_rights_and_an_honest_end(path: Path) -> None:
    service = unit(path)["Service"]
    for name, value in (
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("DynamicUser", "yes"),
        ("UMask", "0077"),
    ):
        assert service[name] == value
    if "RemainAfterExit" not in service:
        assert int(service["TimeoutStopSec"]) > 8, "a process takes up to eight seconds to say goodbye"


def test_what_is_set_is_what_the_product_reads() -> None:
    named = set()
    for service in compose()["services"].values():
        if service.get("command", [""])[0] in {"serve", "migrate"}:
            named |= set(service.get("environment", {}))
    for path in UNITS:
        named |= set(re.findall(r"^Environment=([A-Z_]+)=", path.read_text(), re.MULTILINE))
    named |= set(re.findall(r"\b((?:KASSOR|SLACK|STRIPE)_[A-Z_]+|PORT)=", (DEPLOY / "Containerfile").read_text()))
    assert named
    assert named <= SETTINGS


def test_the_image_installs_what_is_locked_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER kassor$", text, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["kassor"\]$', text, re.MULTILINE)
