"""`make bench`: everything, or the parts named."""

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks import ack, growth, limited, receiver, sending, sweep, worker
from benchmarks.results import Results

PARTS: dict[str, Callable[..., None]] = {
    "receiver": receiver.run,
    "sqlite": receiver.run_sqlite,
    "two": receiver.run_two,
    "worker": worker.run,
    "sending": sending.run,
    "limited": limited.run,
    "procrastinate": worker.run_procrastinate,
    "memory": growth.run_memory,
    "growth": growth.run,
    "ack": ack.run,
    "sweep": sweep.run,
    "sweep_sqlite": sweep.run_sqlite,
}


def main() -> int:
    """Run the parts asked for; 1 when one of their goals is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all of them without any")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    results = Results()
    for name in asked.parts or PARTS:
        began = time.monotonic()
        print(f"\n— {name}", flush=True)
        PARTS[name](results, rounds=asked.rounds)
        results.save()
        print(f"  ({time.monotonic() - began:.0f} s)")
    return int(results.missed)


if __name__ == "__main__":
    sys.exit(main())
