"""Machines of which more than one benchmark measures something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.targets import ARMV8, Target

UART = {"pa": ARMV8.uart}


def joined(image: str, cpus: Sequence[int]) -> dict[str, Any]:
    """A VM for each number of CPUs, which never meet, in one island because they share memory."""
    return {
        "version": 1,
        "platform": {"extends": "qemu-aarch64-virt", "cpus": sum(cpus)},
        "shared_memory": [{"name": "joint", "size": "4KiB"}],
        "vms": [
            {
                "name": f"{image}{number}",
                "image": {"path": str(ARMV8.guests / f"{image}.elf")},
                "cpus": count,
                "memory": [{"base": 0x40000000, "size": "16MiB"}],
                "devices": [UART],
                "ipcs": [{"base": 0x70000000, "shared_memory": "joint"}],
            }
            for number, count in enumerate(cpus)
        ],
    }


def linux(cpus: int, cache: Path, target: Target = ARMV8) -> dict[str, Any]:
    """Debian's kernel, from where ``tests.guests.debian`` has it."""
    return {
        "version": 1,
        "platform": target.platform,
        "vms": [
            {
                "name": "linux",
                "image": {"path": str(cache / target.kernel), "base": target.kernel_base},
                "initrd": {"path": str(cache / target.initrd)},
                "command_line": target.command_line,
                "device_tree": "auto",
                "cpus": cpus,
                "memory": [{"base": target.ram, "size": "512MiB"}],
                "devices": [{"pa": target.uart, "interrupts": [target.uart_interrupt]}],
            }
        ],
    }


def u_boot(cache: Path, target: Target) -> dict[str, Any]:
    """As configs/u-boot.yaml."""
    ram = {"base": target.board_ram, "size": "256MiB"}
    flash = [] if target.tree else [{"base": 0, "size": "128MiB"}]
    vm = {
        "name": "u-boot",
        "image": {"path": str(cache / target.u_boot), "base": target.u_boot_base},
        "device_tree": "auto" if target.tree else {"path": "auto", "base": target.board_ram},
        "cpus": 1,
        "memory": [ram, *flash],
        "devices": ["uart0"],
    }
    return {"version": 1, "platform": target.platform, "vms": [vm]}
