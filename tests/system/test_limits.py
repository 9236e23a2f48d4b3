"""Machines with more of everything than anybody has needed: nothing in the engine counts to a limit of its own."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Any

from tests.system.hostile import hostile
from tests.system.machine import COMMAND, run, vm, write


def uart(number: int, base: int = 0x09000000) -> dict[str, Any]:
    return {"name": f"uart{number}", "kind": "pl011", "pa": base + 0x1000 * number, "interrupt": 33 + number}


def test_many_uarts_regions_and_shared_memory_objects(tmp_path: Path) -> None:
    ipcs = [{"base": 0x900000000 + 0x10000 * n, "shared_memory": f"s{n}"} for n in range(70)]
    guest = vm(
        "hello",
        memory=[{"base": 0x40000000, "size": "16MiB"}]
        + [{"base": 0x50000000 + 0x10000 * n, "size": "4KiB"} for n in range(70)],
        devices=[{"pa": 0x09000000 + 0x1000 * n, "interrupts": [33 + n]} for n in range(20)],
        ipcs=ipcs,
    )
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [uart(n) for n in range(20)]},
        "shared_memory": [{"name": f"s{n}", "size": "4KiB"} for n in range(70)],
        "vms": [guest, vm("hello", "other", devices=[{"pa": 0x09000000}], ipcs=ipcs)],
    }
    result = run(tmp_path, machine)
    assert (result.status, result.err) == (0, "")
    assert "hello | hello: done" in result.out
    assert "other | hello: done" in result.out


def test_a_device_that_nothing_models_is_there_and_does_not_answer(tmp_path: Path) -> None:
    """A board's configuration runs; who looks at the device gets an external abort, and whoever does not, nothing."""
    devices = [{"name": "pmu", "kind": "none", "pa": 0x3D800000, "size": "4MiB"}, uart(0)]
    given = [{"pa": 0x09000000, "interrupts": [33]}, {"pa": 0x3D800000}]
    read = [0xD2A7B000, 0xB9400001, 0x14000000]  # mov x0, #0x3d800000; ldr w1, [x0]; b .
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": devices},
        "vms": [vm("hello", devices=given), hostile(tmp_path, "reader", read, devices=given[1:])],
    }
    result = run(tmp_path, machine)
    assert "hello: done" in result.out
    assert result.status == 3  # it has no vectors
    assert "EC 0x25 data abort, at its own level" in result.err
    assert "DFSC synchronous external abort" in result.err


def test_one_entry_that_spans_several_devices(tmp_path: Path) -> None:
    """As Bao's configurations write it: the guest's first UART is where the mapping puts the platform's second."""
    devices = [uart(1), uart(3)]
    entry = {"pa": 0x09000000, "va": 0x08FFF000, "size": "64KiB", "interrupts": [34, 36]}
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": devices},
        "vms": [vm("hello", devices=[entry])],
    }
    result = run(tmp_path, machine)
    assert (result.status, result.err) == (0, "")
    assert "hello | hello: done" in result.out


def test_more_files_than_the_host_allows_is_one_line(tmp_path: Path) -> None:
    regions = [{"base": 0x40000000 + 0x1000000 * n, "size": "16MiB"} for n in range(60)]
    file = write(tmp_path, {"vms": [vm("hello", memory=regions)]})
    done = subprocess.run(
        [*COMMAND, "run", str(file)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "baonet run: this machine needs more open files than the host allows (40): see 'ulimit -n'\n"
