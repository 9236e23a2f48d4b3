"""Whatever the host does to the cores, and however many threads and processes have them, a guest does the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.kicking import kicked
from tests.system.test_virtual import GUESTS_AND_ENDS
from tests.system.virtual import PLACEMENTS, virtual

SLOW = pytest.mark.slow
FIRST = "coherence"


@pytest.mark.parametrize("threads", [2, pytest.param(1, marks=SLOW), pytest.param(3, marks=SLOW)])
@pytest.mark.parametrize(
    "name", [each if each == FIRST else pytest.param(each, marks=SLOW) for each in GUESTS_AND_ENDS]
)
def test_threads_and_kicks(tmp_path: Path, name: str, threads: int) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    left = virtual(tmp_path, machine, "--for", end)
    again = virtual(tmp_path, machine, "--for", end, "--threads", str(threads))
    assert (again.digest, again.time) == (left.digest, left.time)
    disturbed = kicked(tmp_path, machine, "--for", end, "--threads", str(threads))
    assert (disturbed.digest, disturbed.time) == (left.digest, left.time)


@pytest.mark.slow
@pytest.mark.parametrize("placement", PLACEMENTS[1:])
@pytest.mark.parametrize("name", GUESTS_AND_ENDS)
def test_placements_and_kicks(tmp_path: Path, name: str, placement: str) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    left = virtual(tmp_path, machine, "--for", end)
    disturbed = kicked(tmp_path, machine, "--for", end, placement=placement)
    assert (disturbed.digest, disturbed.time) == (left.digest, left.time)
