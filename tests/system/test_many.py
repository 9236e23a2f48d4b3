"""Very many CPUs: of one VM, of many VMs, and what they take of the host."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.patience import LIMIT
from tests.system.machine import COMMAND, run, vm, write
from tests.system.virtual import PLACEMENTS, SILENT, same_everywhere

SLOW = pytest.mark.slow
MIB_IN_ALL = 4096
SECONDS = 60.0
"""On a busy host; alone it takes 3 to 5."""
ROOM = {"gicr": 0x10000000, "interrupts": 1024}


def platform(cpus: int, uarts: int = 1) -> dict[str, Any]:
    devices = [
        {"name": f"uart{n}", "kind": "pl011", "pa": 0x09000000 + n * 0x1000, "size": 0x1000, "interrupt": 33 + n}
        for n in range(uarts)
    ]
    ram = [{"base": 0x40000000, "size": "64GiB"}]
    return {"extends": "qemu-aarch64-virt", "cpus": cpus, "gic": ROOM, "ram": ram, "devices": devices}


def one(cpus: int) -> dict[str, Any]:
    return {"platform": platform(cpus), "vms": [vm("many", cpus=cpus, devices=SILENT)]}


def alone(guest: str, count: int, cpus: int) -> dict[str, Any]:
    """VMs that have nothing to do with each other."""
    uarts = [{"pa": 0x09000000 + n * 0x1000, "va": 0x09000000, "interrupts": [33 + n]} for n in range(count)]
    vms = [vm(guest, f"vm{n}", cpus=cpus, devices=[uart]) for n, uart in enumerate(uarts)]
    return {"platform": platform(count * cpus, count), "vms": vms}


def all_reached(out: str, cpus: int) -> None:
    others = cpus - 1
    assert f"many: {cpus} vCPUs, {others} started, 0 astray" in out
    assert f"many: {others} reached by lists" in out
    assert f"many: {others} reached by IRM" in out
    assert "many: 1 came back" in out


@pytest.mark.parametrize(
    ("cpus", "placements"),
    [
        (17, PLACEMENTS[1:]),
        pytest.param(64, PLACEMENTS[3:], marks=SLOW),
        pytest.param(256, PLACEMENTS[1:2], marks=SLOW),
    ],
)
def test_all_vcpus_of_a_vm_are_started_and_reached(tmp_path: Path, cpus: int, placements: list[str]) -> None:
    result = same_everywhere(tmp_path, one(cpus), placements=placements)
    assert result.status == 0, result.said
    all_reached(result.out, cpus)


@pytest.mark.parametrize("cpus", [17, pytest.param(64, marks=SLOW), pytest.param(256, marks=SLOW)])
def test_with_the_hosts_clock(tmp_path: Path, cpus: int) -> None:
    result = run(tmp_path, one(cpus))
    assert result.status == 0, result.err
    all_reached(result.out, cpus)


def test_strict_bao_reaches_16(tmp_path: Path) -> None:
    """It does not switch off, and waits."""
    result = run(tmp_path, one(16) | {"faithful": "strict"}, "--clock", "virtual", "--for", "1ms")
    all_reached(result.out, 16)


def taken(leader: int) -> tuple[int, int]:
    """MiB in all and descriptors of the one that has the most, of a process and its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(") ")[2].split()[1])
            except OSError:
                continue  # it has ended
    family = {leader}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    kib, most = 0, 0
    for pid in family:
        try:
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            kib += int(found[1]) if found else 0
            most = max(most, len(os.listdir(f"/proc/{pid}/fd")))
        except OSError:
            continue
    return kib >> 10, most


@SLOW
@pytest.mark.parametrize(
    ("options", "guest", "count", "cpus"),
    [
        ([], "hello", 256, 1),
        (["--clock", "virtual"], "hello", 256, 1),
        (["--clock", "virtual", "--placement", "one-process"], "hello", 256, 1),
        ([], "many", 64, 4),
        (["--clock", "virtual"], "many", 64, 4),
        (["--clock", "virtual", "--on", "local:4"], "many", 64, 4),
    ],
)
def test_what_256_pcpus_take(tmp_path: Path, options: list[str], guest: str, count: int, cpus: int) -> None:
    file = write(tmp_path, alone(guest, count, cpus))
    began = time.monotonic()
    said: set[str] = set()
    looks: list[tuple[int, int]] = []
    command = [*COMMAND, "run", str(file), "--timeout", LIMIT, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=lambda: looks.append(taken(process.pid)))
        for line in process.stdout:
            said.add(line.split()[0])
            if len(said) == count // 2 and not reader.ident:
                reader.start()
            if len(said) == count:
                break
        passed = time.monotonic() - began
        process.stdout.read()
        reader.join()
    assert process.returncode == 0
    assert len(said) == count
    assert passed < SECONDS
    assert looks[0][0] < MIB_IN_ALL
    assert looks[0][1] < 8 * count * cpus, "descriptors grow with what there is, and not with its square"
