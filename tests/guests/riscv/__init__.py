"""RISC-V machines with third-party guests, as Debian ships them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PLATFORMS = {"plic": "qemu-riscv64-virt-plic", "aia": "qemu-riscv64-virt"}
BASE = 0x80200000
UART = {"pa": 0x10000000, "va": 0x10000000, "size": 0x1000, "interrupts": [10]}
SECOND_UART = {"pa": 0x10001000, "va": 0x10000000, "size": 0x1000, "interrupts": [11]}
TROUBLE = r"Oops|BUG:|WARNING:|rcu.*stall|Segmentation|unhandled signal"
"""What a kernel prints that something is wrong."""


def two_uarts(platform: str) -> dict[str, Any]:
    """A platform with two UARTs, of which a VM each may have one."""
    devices = [
        {"name": name, "kind": "16550", "pa": uart["pa"], "size": 0x1000, "interrupt": source}
        for name, uart, source in (("uart0", UART, 10), ("uart1", SECOND_UART, 11))
    ]
    return {"extends": platform, "devices": devices}


def linux(
    cache: Path,
    name: str = "linux",
    *,
    cpus: int,
    image: str = "linux-riscv64.image",
    initrd: str = "initrd-riscv64.cpio.gz",
    memory: str = "512MiB",
) -> dict[str, Any]:
    return {
        "name": name,
        "image": {"path": str(cache / image), "base": BASE},
        "initrd": {"path": str(cache / initrd)},
        "command_line": "console=ttyS0",
        "device_tree": "auto",
        "cpus": cpus,
        "memory": [{"base": BASE, "size": memory}],
        "devices": [UART],
    }


def u_boot(cache: Path) -> dict[str, Any]:
    return {
        "name": "uboot",
        "image": {"path": str(cache / "u-boot-riscv64.bin"), "base": BASE},
        "device_tree": "auto",
        "cpus": 1,
        "memory": [{"base": BASE - 0x200000, "size": "256MiB"}],  # its first stack is below it
        "devices": [UART],
    }
