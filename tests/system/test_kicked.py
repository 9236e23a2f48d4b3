"""Whatever the host does to the cores, and however many threads and processes have them, a guest does the same."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.system.digests import known, on
from tests.system.elsewhere import riscv
from tests.system.kicking import kicked
from tests.system.test_virtual import GUESTS_AND_ENDS, OF_HARTS, controllers
from tests.system.virtual import PLACEMENTS, Virtual, virtual

SLOW, LONG = pytest.mark.slow, pytest.mark.long
FIRST = "coherence"


@cache
def undisturbed(name: str) -> Virtual:
    """Once for all that is compared with it."""
    machine, end, _ = GUESTS_AND_ENDS[name]
    with tempfile.TemporaryDirectory() as directory:
        return virtual(Path(directory), machine, "--for", end)


@pytest.mark.parametrize("threads", [2, pytest.param(1, marks=LONG), pytest.param(3, marks=SLOW)])
@pytest.mark.parametrize(
    "name", [each if each == FIRST else pytest.param(each, marks=SLOW) for each in GUESTS_AND_ENDS]
)
def test_threads_and_kicks(tmp_path: Path, name: str, threads: int) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    left = undisturbed(name)
    again = virtual(tmp_path, machine, "--for", end, "--threads", str(threads))
    assert (again.digest, again.time) == (left.digest, left.time)
    disturbed = kicked(tmp_path, machine, "--for", end, "--threads", str(threads))
    assert (disturbed.digest, disturbed.time) == (left.digest, left.time)


@pytest.mark.slow
@pytest.mark.parametrize(
    "placement", [pytest.param(each, marks=LONG) if each == "process-per-vm" else each for each in PLACEMENTS[1:]]
)
@pytest.mark.parametrize("name", GUESTS_AND_ENDS)
def test_placements_and_kicks(tmp_path: Path, name: str, placement: str) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    left = undisturbed(name)
    disturbed = kicked(tmp_path, machine, "--for", end, placement=placement)
    assert (disturbed.digest, disturbed.time) == (left.digest, left.time)


@pytest.mark.slow
@controllers
@pytest.mark.parametrize("name", OF_HARTS)
def test_harts_and_kicks(tmp_path: Path, name: str, controller: str) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    disturbed = kicked(tmp_path, riscv(machine, controller), "--for", end, placement="process-per-cpu")
    assert disturbed.digest == known()[on(name, controller)]
