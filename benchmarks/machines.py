"""Machines of which more than one benchmark measures something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.jobs import GUESTS

UART = {"pa": 0x09000000}


def joined(image: str, cpus: Sequence[int]) -> dict[str, Any]:
    """A VM for each number of CPUs, which never meet, in one island because they share memory."""
    return {
        "version": 1,
        "platform": {"extends": "qemu-aarch64-virt", "cpus": sum(cpus)},
        "shared_memory": [{"name": "joint", "size": "4KiB"}],
        "vms": [
            {
                "name": f"{image}{number}",
                "image": {"path": str(GUESTS / f"{image}.elf")},
                "cpus": count,
                "memory": [{"base": 0x40000000, "size": "16MiB"}],
                "devices": [UART],
                "ipcs": [{"base": 0x70000000, "shared_memory": "joint"}],
            }
            for number, count in enumerate(cpus)
        ],
    }


def linux(cpus: int, cache: Path) -> dict[str, Any]:
    """Debian's kernel, from where ``tests.guests.debian`` has it."""
    return {
        "version": 1,
        "platform": "qemu-aarch64-virt",
        "vms": [
            {
                "name": "linux",
                "image": {"path": str(cache / "linux-cloud.image"), "base": 0x40200000},
                "initrd": {"path": str(cache / "initrd.cpio.gz")},
                "command_line": "console=ttyAMA0",
                "device_tree": "auto",
                "cpus": cpus,
                "memory": [{"base": 0x40000000, "size": "512MiB"}],
                "devices": [UART | {"interrupts": [33]}],
            }
        ],
    }
