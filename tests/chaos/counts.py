"""How much: a fixed, small share of every fault in the suite, the full counts with `make chaos`."""

import os
import random

FULL = os.environ.get("KASSOR_CHAOS") == "full"


def count(small: int, full: int) -> int:
    """So many here, so many in `make chaos`."""
    return full if FULL else small


def chance(name: str) -> random.Random:
    """Disorder that is the same every time."""
    return random.Random(f"kassor {name}")
