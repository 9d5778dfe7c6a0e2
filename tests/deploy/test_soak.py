"""`make soak` can fail: memory that creeps and files that stay open are seen, and breathing is not."""

import pytest

from benchmarks.soak import verdict

FLAT = [100_000 + (number % 7) * 300 for number in range(120)]
FILES = [20 + number % 4 for number in range(120)]


def test_a_process_that_warms_up_and_then_breathes_is_flat() -> None:
    warming = [60_000 + number * 1_300 for number in range(30)] + FLAT[30:]
    assert verdict(warming, FILES)[1]


@pytest.mark.parametrize("growth", [0.2, 0.5])
def test_memory_that_creeps_is_seen(growth: float) -> None:
    creeping = [round(kilobytes * (1 + growth * number / 120)) for number, kilobytes in enumerate(FLAT)]
    said, is_flat = verdict(creeping, FILES)
    assert not is_flat, said


def test_files_that_stay_open_are_seen() -> None:
    leaking = [files + number // 6 for number, files in enumerate(FILES)]
    assert not verdict(FLAT, leaking)[1]
