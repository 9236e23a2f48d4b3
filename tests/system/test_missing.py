"""Pages that are not there, and come when they are asked for: nothing of it shows in what a machine does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import write
from tests.system.missing import Missing
from tests.system.test_contention import SHAPES, contention
from tests.system.test_travel import MACHINES, VIRTUAL
from tests.system.travelling import Carried, Outcome, travelled

SLOW, LONG = pytest.mark.slow, pytest.mark.long
FIRST = ["coherence", "patch"]
FLIPPED = ["faults"]
"""Whose pages are written to from outside, by whoever has the tables."""
OTHERS = [name for name, (machine, _) in MACHINES.items() if isinstance(machine, dict) and name not in FIRST + FLIPPED]


def whole(outcome: Outcome) -> tuple[Any, ...]:
    """All that a guest or a user could see."""
    statistics = {
        pcpu: {name: count for name, count in counters.items() if name != "pages_taken"}
        for pcpu, counters in outcome.statistics.items()
    }
    return outcome.records, outcome.digests, outcome.printed(), statistics, sorted(outcome.said), outcome.horizons


def undisturbed_and_missing(file: Path, end: int, step: int, capacity: int) -> Missing:
    made: list[Missing] = []

    def disturb(carried: Carried) -> None:
        made.append(Missing(carried, capacity))

    left = travelled(file, end, step, own_all=True)
    disturbed = travelled(file, end, step, disturb=disturb, own_all=True)
    assert left.digests
    for part, (one, other) in enumerate(zip(whole(left), whole(disturbed), strict=True)):
        assert one == other, part
    return made[0]


def missing(machine: dict[str, Any], end: int, capacity: int) -> Missing:
    with tempfile.TemporaryDirectory() as directory:
        file = write(Path(directory), VIRTUAL | machine)
        return undisturbed_and_missing(file, end, end // 4, capacity)


@pytest.mark.parametrize("capacity", [12, pytest.param(9, marks=SLOW), pytest.param(64, marks=LONG)])
@pytest.mark.parametrize("name", [*FIRST, *(pytest.param(each, marks=SLOW) for each in OTHERS)])
def test_nothing_shows_of_pages_that_were_missing(name: str, capacity: int) -> None:
    machine, end = MACHINES[name]
    assert isinstance(machine, dict)
    found = missing(machine, end, capacity)
    assert found.misses > 10


@pytest.mark.parametrize(
    ("window", "capacity"),
    [
        ("10us", 40),
        *(pytest.param(*each, marks=SLOW) for each in (("1us", 16), ("100us", 40))),
        *(pytest.param(*each, marks=LONG) for each in (("1us", 40), ("10us", 16), ("100us", 16))),
    ],
)
@pytest.mark.parametrize(
    "shape", [each if each == "code-and-data" else pytest.param(each, marks=SLOW) for each in SHAPES]
)
def test_nothing_shows_where_pages_are_fought_for(shape: str, window: str, capacity: int) -> None:
    found = missing(contention(shape, 2, window, rounds=300), 1_000_000_000, capacity)
    assert found.misses > 100
    assert found.blocked
