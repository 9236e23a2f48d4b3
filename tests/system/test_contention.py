"""CPUs that want the same pages: one digest however often it is run, wherever, and whatever the host does meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.elsewhere import RISCV, riscv
from tests.system.kicking import kicked
from tests.system.machine import vm
from tests.system.virtual import PLACEMENTS, SILENT, Virtual, virtual

SHAPES = {
    shape: number
    for number, shape in enumerate(
        (
            *("loads", "vectors", "across", "atomics", "code-and-data", "patching"),
            *("tables", "translations", "zeroing", "printing", "everything"),
        )
    )
}
"""By the number that the guest has for them: contend.c says what each is."""
BETWEEN_VMS = ["loads", "vectors", "across", "atomics", "zeroing", "printing"]
OTHER_WINDOWS = [(3, "10us"), (8, "1us"), (8, "100us")]
SLOW, LONG = pytest.mark.slow, pytest.mark.long

shapes = pytest.mark.parametrize(
    "shape", [pytest.param(each, marks=SLOW) if each != "everything" else each for each in SHAPES]
)
controllers = pytest.mark.parametrize("controller", RISCV)
windows = pytest.mark.parametrize(
    "window", ["10us", pytest.param("1us", marks=LONG), pytest.param("100us", marks=LONG)]
)
"""The others are those of three CPUs, too."""


def contention(
    shape: str, cpus: int, window: str, *, vms: int = 1, rounds: int = 20_000, model: str = "max"
) -> dict[str, Any]:
    """``cpus`` of each VM, so many rounds each."""

    def one(side: int) -> dict[str, Any]:
        line = f"shape={SHAPES[shape]} rounds={rounds} vms={vms} side={side}"
        ipcs = [{"base": 0x70000000, "size": "1MiB", "shared_memory": "joint", "interrupts": [84]}]
        shared = {"ipcs": ipcs} if vms == 2 else {}
        return vm("contend", f"side{side}", cpus=cpus, device_tree="auto", command_line=line, devices=SILENT, **shared)

    machine = {
        "platform": {
            **{"extends": "qemu-aarch64-virt", "cpus": cpus * vms, "cpu_model": model},
            "timer_frequency": 1_000_000_000,  # a tick an instruction: blocks that end elsewhere are seen
        },
        "clock": {"mode": "virtual", "window": window},
        "vms": [one(side) for side in range(vms)],
    }
    return machine | ({"shared_memory": [{"name": "joint", "size": "1MiB"}]} if vms == 2 else {})


def right(result: Virtual) -> Virtual:
    assert result.status == 0, result.out + result.said
    assert "contend: as it should be" in result.out, result.out
    return result


def consoles(out: str) -> dict[str, str]:
    """What each VM has printed. A line that is not at its end for a while of the host's is shown in pieces."""
    told: dict[str, str] = {}
    for line in out.splitlines():
        name, _, text = line.partition(" | ")
        told[name] = told.get(name, "") + text
    return told


def same(directory: Path, machine: dict[str, Any], runs: int, *, kicks: int, placements: list[str]) -> None:
    """One digest and one console in ``runs`` in one process, in ``kicks`` that are kicked, and in other placements."""
    first = right(virtual(directory, machine))
    for _ in range(runs - 1):
        assert virtual(directory, machine) == first
    for _ in range(kicks):
        assert kicked(directory, machine) == first
    for placement in placements:
        again = right(virtual(directory, machine, placement=placement))
        assert (again.digest, again.time) == (first.digest, first.time), placement
        assert consoles(again.out) == consoles(first.out), placement
        assert kicked(directory, machine, placement=placement).digest == first.digest, placement


@windows
@shapes
def test_the_cpus_of_a_vm(tmp_path: Path, shape: str, window: str) -> None:
    same(tmp_path, contention(shape, 2, window), 2, kicks=1, placements=[])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("cpus", "window"),
    [(3, "1us"), (3, "100us"), (8, "10us"), *(pytest.param(*each, marks=LONG) for each in OTHER_WINDOWS)],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_more_cpus(tmp_path: Path, shape: str, cpus: int, window: str) -> None:
    same(tmp_path, contention(shape, cpus, window), 2, kicks=2, placements=[])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("window", ["10us", pytest.param("100us", marks=LONG)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_cpu_without_lse(tmp_path: Path, shape: str, window: str) -> None:
    same(tmp_path, contention(shape, 3, window, model="cortex-a53"), 2, kicks=2, placements=[])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_process_each(tmp_path: Path, shape: str) -> None:
    same(tmp_path, contention(shape, 3, "10us", rounds=5000), 1, kicks=0, placements=PLACEMENTS[3:])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("window", ["10us", pytest.param("100us", marks=LONG)])
@pytest.mark.parametrize("shape", BETWEEN_VMS)
def test_two_vms(tmp_path: Path, shape: str, window: str) -> None:
    same(tmp_path, contention(shape, 2, window, vms=2, rounds=5000), 2, kicks=1, placements=PLACEMENTS[2:])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("controller", "shape"), [*(("aia", each) for each in SHAPES), ("plic", "printing"), ("plic", "everything")]
)
def test_the_harts_of_a_vm(tmp_path: Path, controller: str, shape: str) -> None:
    same(tmp_path, riscv(contention(shape, 2, "10us", rounds=5000), controller), 2, kicks=1, placements=[])


@pytest.mark.slow
@pytest.mark.timeout(600)
@controllers
@pytest.mark.parametrize("shape", ["atomics", "code-and-data", "patching", "tables", "everything"])
def test_a_process_each_hart(tmp_path: Path, controller: str, shape: str) -> None:
    machine = riscv(contention(shape, 3, "10us", rounds=5000), controller)
    same(tmp_path, machine, 1, kicks=0, placements=PLACEMENTS[3:])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", BETWEEN_VMS)
def test_two_vms_of_harts(tmp_path: Path, shape: str) -> None:
    machine = riscv(contention(shape, 2, "100us", vms=2, rounds=5000), "aia")
    same(tmp_path, machine, 2, kicks=1, placements=PLACEMENTS[2:])
    across = virtual(tmp_path, machine, "--on", "local:4", "--place", "spread", placement="process-per-cpu")
    assert right(across).digest == virtual(tmp_path, machine).digest


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("window", ["1us", "10us", "100us", "1ms"])
@pytest.mark.parametrize("cpus", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_many_runs(tmp_path: Path, shape: str, cpus: int, window: str) -> None:
    same(tmp_path, contention(shape, cpus, window, rounds=60_000), 8, kicks=20, placements=PLACEMENTS[3:])
