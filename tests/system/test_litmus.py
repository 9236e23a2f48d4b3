"""The memory model as guests see it: litmus tests, with a control that tells whether they could have found anything."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.patience import RUN
from tests.system.machine import GUESTS, baonet, vm, write

ARCHITECTURES = ("armv8", "riscv")
SHAPES = {2: 17, 4: 19}
"""How many there are for so many vCPUs, of Armv8."""
_RISCV_SHAPES = {2: 29, 4: 31}
_CONTROL = {"armv8": {"SB", "R"}, "riscv": {"SB", "SB+fence.tsos", "R"}}
"""Those whose weak outcome is allowed, and seen where vCPUs run in parallel."""


def shapes(architecture: str, cpus: int) -> int:
    return (_RISCV_SHAPES if architecture == "riscv" else SHAPES)[cpus]


def litmus(cpus: int, rounds: int, control: int, architecture: str = "armv8") -> dict[str, Any]:
    guest = vm("litmus", cpus=cpus, device_tree="auto", command_line=f"rounds={rounds} control={control}")
    if architecture == "armv8":
        return {"vms": [guest]}
    image = {"path": str(GUESTS.parent / "bin-riscv" / "litmus.elf")}
    memory = [{"base": 0x80200000, "size": "16MiB"}]
    return {"platform": "qemu-riscv64-virt", "vms": [guest | {"image": image, "memory": memory, "devices": ["uart0"]}]}


def outcomes(directory: Path, machine: dict[str, Any], *options: str, seconds: int = RUN) -> dict[str, int]:
    """How often each shape's weak outcome was seen."""
    file = write(directory, machine)
    result = baonet("run", file, "--timeout", f"{seconds}s", *options, seconds=seconds + 40)
    assert result.status == 0, result.out + result.err
    assert "litmus: nothing forbidden" in result.out
    found = re.findall(r"litmus: (\S+): (\d+) of \d+", result.out)
    return {name: int(seen) for name, seen in found}


def in_parallel(directory: Path, architecture: str, cpus: int, rounds: int, seconds: int = RUN) -> None:
    machine = litmus(cpus, rounds, max(1, 2_000_000 // rounds), architecture)
    seen = outcomes(directory, machine, "--placement", "process-per-cpu", seconds=seconds)
    control = _CONTROL[architecture]
    assert len(seen) == shapes(architecture, cpus)
    assert {name for name, times in seen.items() if times} <= control
    if len(os.sched_getaffinity(0)) > 1:
        assert all(seen[name] for name in control), "the vCPUs did not run at the same time: this run tells nothing"


SLOW = pytest.mark.slow
every_architecture = pytest.mark.parametrize("architecture", ["armv8", pytest.param("riscv", marks=SLOW)])


@every_architecture
@pytest.mark.parametrize("cpus", [2, pytest.param(4, marks=pytest.mark.long)])
def test_nothing_forbidden_is_seen(tmp_path: Path, architecture: str, cpus: int) -> None:
    in_parallel(tmp_path, architecture, cpus, 5_000)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("cpus", SHAPES)
def test_nothing_forbidden_in_a_hundred_thousand(tmp_path: Path, architecture: str, cpus: int) -> None:
    in_parallel(tmp_path, architecture, cpus, 100_000, seconds=500)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("cpus", SHAPES)
def test_nothing_forbidden_in_millions(tmp_path: Path, architecture: str, cpus: int) -> None:
    in_parallel(tmp_path, architecture, cpus, 2_000_000, seconds=7000)


@SLOW
@every_architecture
@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_in_one_process_nothing_weak_is_seen_at_all(tmp_path: Path, architecture: str, clock: str) -> None:
    """Its vCPUs take turns."""
    options = ("--placement", "one-process", "--clock", clock)
    seen = outcomes(tmp_path, litmus(2, 512, 2, architecture), *options)
    assert len(seen) == shapes(architecture, 2)
    assert not any(seen.values())


@every_architecture
def test_in_virtual_time_nothing_weak_is_seen_at_all(tmp_path: Path, architecture: str) -> None:
    """One vCPU of an island runs at a time: what they share is sequentially consistent."""
    options = ("--clock", "virtual", "--set", "clock.window=1us")
    seen = outcomes(tmp_path, litmus(2, 512, 2, architecture), *options)
    assert len(seen) == shapes(architecture, 2)
    assert not any(seen.values())
