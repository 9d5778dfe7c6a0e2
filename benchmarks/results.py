"""What was measured: dotted names → value, unit, goal, whether it is met; printed as a table and kept in results.json."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("results.json")


class Results:
    """Collects figures; parts run alone keep the others' last ones."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
        self.missed = False

    def add(self, name: str, value: float, unit: str, *, least: float | None = None, most: float | None = None) -> None:
        """A figure, with its goal when it has one."""
        goal = f">= {least:g}" if least is not None else f"<= {most:g}" if most is not None else None
        met = (least is None or value >= least) and (most is None or value <= most)
        self.missed = self.missed or not met
        rounded = round(value, 3 if abs(value) < 100 else 0)
        self._found[name] = {"value": rounded, "unit": unit, "goal": goal, "ok": met if goal else None}
        mark = "" if goal is None else f"  goal {goal}: {'met' if met else 'NOT MET'}"
        print(f"{name:<52} {rounded:>12,} {unit}{mark}", flush=True)

    def save(self) -> None:
        """Write them, sorted by name."""
        FILE.write_text(json.dumps(dict(sorted(self._found.items())), indent=2) + "\n")


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)
