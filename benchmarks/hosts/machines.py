"""What runs on the hosts."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.targets import ARMV8

SPREAD: Final = ("--place", "spread")
FEW: Final = 64
"""Whose redistributors have room where guests look for them; of more only guests without interrupts run."""
IPC: Final = 0x70000000


def _platform(cpus: int, uarts: int) -> dict[str, Any]:
    devices = [
        {"name": f"uart{n}", "kind": "pl011", "pa": 0x09000000 + n * 0x1000, "size": 0x1000, "interrupt": 33 + n}
        for n in range(uarts)
    ]
    platform = {"extends": "qemu-aarch64-virt", "cpus": cpus, "devices": devices}
    if cpus <= FEW:
        return platform
    ram = [{"base": 0x40000000, "size": "64GiB"}]
    return platform | {"gic": {"gicr": 0x10000000, "interrupts": 1024}, "ram": ram}


def _vm(image: str, number: int, cpus: int = 1) -> dict[str, Any]:
    """With a UART of its own."""
    return {
        "name": f"vm{number}",
        "image": {"path": str(ARMV8.guests / f"{image}.elf")},
        "cpus": cpus,
        "memory": [{"base": 0x40000000, "size": "16MiB"}],
        "devices": [{"pa": 0x09000000 + number * 0x1000, "va": 0x09000000, "interrupts": [33 + number]}],
    }


def alone(image: str, count: int, cpus: int = 1) -> dict[str, Any]:
    """VMs that have nothing to do with each other."""
    vms = [_vm(image, number, cpus) for number in range(count)]
    return {"version": 1, "platform": _platform(count * cpus, count), "vms": vms}


def together(image: str, count: int) -> dict[str, Any]:
    """VMs of one island that never meet."""
    machine = alone(image, count)
    for vm in machine["vms"]:
        vm["ipcs"] = [{"base": IPC, "shared_memory": "joint"}]
    return machine | {"shared_memory": [{"name": "joint", "size": "4KiB"}]}


def _sharing(images: tuple[str, str], size: str, lines: tuple[str, str]) -> dict[str, Any]:
    ipcs = [{"base": IPC, "size": size, "shared_memory": "joint", "interrupts": [84]}]
    vms = [
        _vm(image, number) | {"ipcs": ipcs} | ({"device_tree": "auto", "command_line": line} if line else {})
        for number, (image, line) in enumerate(zip(images, lines, strict=True))
    ]
    shared = [{"name": "joint", "size": size}]
    return {"version": 1, "platform": _platform(2, 2), "shared_memory": shared, "vms": vms}


def far(size: int, rounds: int, *, scattered: bool) -> dict[str, Any]:
    """Two that read what the other has written; ``size`` in bytes."""
    line = f"size={size} rounds={rounds} scattered={int(scattered)}"
    return _sharing(("far", "far"), f"{(size >> 10) + 64}KiB", (f"{line} side=0", f"{line} side=1"))


def ping_pong() -> dict[str, Any]:
    return _sharing(("ping", "pong"), "64KiB", ("", ""))
