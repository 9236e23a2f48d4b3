"""The architectures of guests: QEMU's machine for each, and the same one of baonet's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_GUESTS = Path(__file__).resolve().parents[1] / "examples" / "guests"


@dataclass(frozen=True, slots=True)
class Target:
    """``qemu`` is installed from ``package`` and started with ``options``; ``platform`` is the same machine here.

    ``ram`` is where a VM has its memory, ``kernel_base`` where a kernel without headers goes. ``ipc`` is the interrupt
    of shared memory. ``kernel``, ``initrd`` and ``u_boot`` are names in the cache of third-party guests; U-Boot has all
    RAM of the board, from ``board_ram``, and is loaded at ``u_boot_base``. Names of jobs begin with ``jobs``, those of
    figures with ``figures``. ``tree``: guests find out by a device tree where they are.
    """

    name: str
    qemu: str
    package: str
    options: tuple[str, ...]
    platform: str
    guests: Path
    ram: int
    kernel_base: int
    uart: int
    uart_interrupt: int
    ipc: int
    kernel: str
    initrd: str
    command_line: str
    board_ram: int
    u_boot: str
    u_boot_base: int
    jobs: str = ""
    figures: str = ""
    tree: bool = False


ARMV8 = Target(
    name="Armv8",
    qemu="qemu-system-aarch64",
    package="qemu-system-arm",
    options=("-M", "virt,gic-version=3", "-cpu", "cortex-a53"),
    platform="qemu-aarch64-virt",
    guests=_GUESTS / "bin",
    ram=0x40000000,
    kernel_base=0x40200000,
    uart=0x09000000,
    uart_interrupt=33,
    ipc=84,
    kernel="linux-cloud.image",
    initrd="initrd.cpio.gz",
    command_line="console=ttyAMA0",
    board_ram=0x40000000,
    u_boot="u-boot.bin",
    u_boot_base=0,
)

RISCV = Target(
    name="RISC-V",
    qemu="qemu-system-riscv64",
    package="qemu-system-misc",
    options=("-M", "virt", "-cpu", "rv64"),
    platform="qemu-riscv64-virt-plic",
    guests=_GUESTS / "bin-riscv",
    ram=0x80200000,
    kernel_base=0x80200000,
    uart=0x10000000,
    uart_interrupt=10,
    ipc=84,
    kernel="linux-riscv64.image",
    initrd="initrd-riscv64.cpio.gz",
    command_line="console=ttyS0",
    board_ram=0x80000000,
    u_boot="u-boot-riscv64.bin",
    u_boot_base=0x80200000,
    jobs="riscv-",
    figures="RISC-V: ",
    tree=True,
)
