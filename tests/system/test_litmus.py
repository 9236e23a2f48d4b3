"""The memory model as guests see it: litmus tests, with a control that tells whether they could have found anything."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import baonet, vm, write

SHAPES = {2: 17, 4: 19}
"""How many there are for so many vCPUs."""
ALLOWED = ("SB", "R")


def litmus(cpus: int, rounds: int, control: int) -> dict[str, Any]:
    return {"vms": [vm("litmus", cpus=cpus, device_tree="auto", command_line=f"rounds={rounds} control={control}")]}


def outcomes(directory: Path, machine: dict[str, Any], *options: str, seconds: int = 60) -> dict[str, int]:
    """How often each shape's weak outcome was seen."""
    file = write(directory, machine)
    result = baonet("run", file, "--timeout", f"{seconds}s", *options, seconds=seconds + 40)
    assert result.status == 0, result.out + result.err
    assert "litmus: nothing forbidden" in result.out
    found = re.findall(r"litmus: (\S+): (\d+) of \d+", result.out)
    return {name: int(seen) for name, seen in found}


def in_parallel(directory: Path, cpus: int, rounds: int, seconds: int = 60) -> None:
    control = max(1, 2_000_000 // rounds)
    seen = outcomes(directory, litmus(cpus, rounds, control), "--placement", "process-per-cpu", seconds=seconds)
    assert len(seen) == SHAPES[cpus]
    assert {name for name, times in seen.items() if times} <= set(ALLOWED)
    if len(os.sched_getaffinity(0)) > 1:
        assert all(seen[name] for name in ALLOWED), "the vCPUs did not run at the same time: this run tells nothing"


@pytest.mark.parametrize("cpus", [2, pytest.param(4, marks=pytest.mark.long)])
def test_nothing_forbidden_is_seen(tmp_path: Path, cpus: int) -> None:
    in_parallel(tmp_path, cpus, 5_000)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cpus", SHAPES)
def test_nothing_forbidden_in_a_hundred_thousand(tmp_path: Path, cpus: int) -> None:
    in_parallel(tmp_path, cpus, 100_000, seconds=500)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("cpus", SHAPES)
def test_nothing_forbidden_in_millions(tmp_path: Path, cpus: int) -> None:
    in_parallel(tmp_path, cpus, 2_000_000, seconds=7000)


def test_in_virtual_time_nothing_weak_is_seen_at_all(tmp_path: Path) -> None:
    """One vCPU of an island runs at a time: what they share is sequentially consistent."""
    seen = outcomes(tmp_path, litmus(2, 512, 2), "--clock", "virtual", "--set", "clock.window=1us")
    assert len(seen) == SHAPES[2]
    assert not any(seen.values())
