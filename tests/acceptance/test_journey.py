"""The journey that must work (issue: the whole journey, on real input), on SQLite and on PostgreSQL, and as `kassor tour`."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.sandbox_client import SandboxClient
from cli.tour import STEPS, Journey, StepFailed, check, walk
from tests.acceptance.conftest import ROOT, three_free_ports


async def test_a_workspace_upgrades_pays_changes_seats_hands_over_and_gets_its_invoice(sandbox: SandboxClient) -> None:
    said: list[str] = []
    await walk(Journey(sandbox, say=said.append))
    assert sum(line.startswith("\n■") for line in said) == len(STEPS)
    assert any("charged 1113014 minor units" in line or "exactly that" in line for line in said)


def test_kassor_tour_opens_a_sandbox_of_its_own_and_prints_the_journey(tmp_path: Path) -> None:
    del tmp_path
    done = subprocess.run(
        [sys.executable, "-m", "cli", "tour", "--port", str(three_free_ports())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "✓ Every step held." in done.stdout


def test_a_step_of_the_tour_that_does_not_hold_fails() -> None:
    with pytest.raises(StepFailed, match="it did not"):
        check(holds=False, otherwise="it did not")
