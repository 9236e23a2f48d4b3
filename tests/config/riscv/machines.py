"""A machine file of RISC-V for the tests, with the guests' files that it names."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from baonet.config.loader import load
from baonet.document.errors import Problem
from baonet.machine import Machine
from tests.config.machines import elf

BASE = """\
version: 1
platform: qemu-riscv64-virt
shared_memory:
  - {name: mailbox, size: 64KiB}
vms:
  - name: ping
    image: {path: ping.elf}
    cpus: 1
    cpu_affinity: [0]
    memory: [{base: 0x80200000, size: 64MiB}]
    devices: [{pa: 0x10000000, size: 4KiB, interrupts: [10]}]
    ipcs: [{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}]
  - name: linux
    image: {path: Image, base: 0x90200000}
    initrd: {path: initrd.gz}
    command_line: "console=ttyS0"
    device_tree: auto
    cpus: 2
    memory: [{base: 0x90000000, size: 512MiB}]
    devices: [{pa: 0x10000000}]
    ipcs: [{base: 0x70000000, shared_memory: mailbox, interrupts: [84]}]
"""
PLIC = BASE.replace("platform: qemu-riscv64-virt", "platform: qemu-riscv64-virt-plic")
DIRECT_MODE = BASE.replace(
    "platform: qemu-riscv64-virt", "platform: {extends: qemu-riscv64-virt, irqc: {aplic: 0x0d000000}}"
)
RISCV = 243
IMAGE_SIZE = 0x300000
MAGIC = b"RISCV\0\0\0RSC\x05"


def linux_image(
    image_size: int = IMAGE_SIZE, text_offset: int = 0x200000, length: int = 0x2000, flags: int = 0, jump: int = 0x1000
) -> bytes:
    """An ``Image`` that UEFI could start too: "MZ", then a jump of so many bytes."""
    word = 0x6F | (jump & 0xFF000) | (jump >> 11 & 1) << 20 | (jump >> 1 & 0x3FF) << 21
    code = b"MZ" + struct.pack("<I", word) + b"\0\0"
    head = code + struct.pack("<QQQIIQ", text_offset, image_size, flags, 2, 0, 0) + MAGIC
    return head.ljust(length, b"\x13")


def write(directory: Path, text: str = BASE) -> Path:
    """The machine file and its guests' files; the path of the former."""
    segments = (0x80200000, 0x80200000, b"\x13\0\0\0" * 64, 256), (0x80201000, 0x80201000, b"data", 0x2000)
    (directory / "ping.elf").write_bytes(elf(*segments, entry=0x80200002, machine=RISCV))
    (directory / "Image").write_bytes(linux_image())
    (directory / "initrd.gz").write_bytes(b"\x1f\x8b" + bytes(9998))
    path = directory / "machine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def machine_of(directory: Path, text: str = BASE, *overrides: str) -> Machine:
    return load(write(directory, text), overrides)


def warnings(directory: Path, text: str, overrides: Sequence[str] = ()) -> list[str]:
    found: list[Problem] = []
    load(write(directory, text), overrides, found)
    return [f"{each.field}: {each.message}; {each.hint}" for each in found]
