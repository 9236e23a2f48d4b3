"""A RISC-V guest that has no driver: it prints, reads and ends by calls of SBI, and its output is its UART's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baonet.hyp.riscv import sbi_codes as sbi
from tests.core.riscv.asm import A0, A1, A2, A6, A7, ECALL, S0, S1, T0, T1, ZERO, addi, blt, jal, lui, sb, slli
from tests.system.machine import run

RAM = 0x8020_0000
UART: dict[str, Any] = {"pa": 0x1000_0000, "va": 0x1000_0000, "size": 0x1000, "interrupts": [10]}
TEXT = b"from memory\n"
TYPED = "GDKKN\tq"
PLATFORMS = {"plic": "qemu-riscv64-virt-plic", "aia": "qemu-riscv64-virt"}


def li(rd: int, value: int) -> bytes:
    return lui(rd, value + 0x800 >> 12 & 0xFFFFF) + addi(rd, rd, value - 0x800 & 0xFFF ^ 0x800)


def call(extension: int, function: int) -> bytes:
    return li(A7, extension) + addi(A6, ZERO, function) + ECALL


def program(text: int) -> bytes:
    """The text is at an address ``text``. What is typed is printed, in other letters, up to a Q."""
    start = (
        (lui(T0, UART["va"] >> 12) + addi(T1, ZERO, ord(">")) + sb(T1, T0))
        + (addi(S0, ZERO, text >> 21) + slli(S0, S0, 21) + addi(A1, S0, text & 0x7FF))
        + (addi(A0, ZERO, len(TEXT)) + addi(A2, ZERO, 0) + call(sbi.DBCN, sbi.CONSOLE_WRITE))
        + (addi(S1, ZERO, ord("Q")) + addi(T1, ZERO, ord("<")) + sb(T1, T0))
    )
    read = call(sbi.LEGACY_GETCHAR, 0)
    back = blt(A0, ZERO, -len(read))
    echo = addi(A0, A0, 1) + call(sbi.DBCN, sbi.CONSOLE_WRITE_BYTE)
    # the call has left 0 and 0 in a0 and a1: what was read is compared before
    length = len(read) + len(back) + 4 + len(echo)
    loop = read + back + blt(S1, A0, 4 + len(echo) + 4) + echo + jal(ZERO, -length)
    end = addi(A0, ZERO, 0) + addi(A1, ZERO, 0) + call(sbi.SRST, sbi.SYSTEM_RESET)
    return start + loop + end


@pytest.fixture
def image(tmp_path: Path) -> Path:
    size = len(program(RAM))
    file = tmp_path / "guest.bin"
    file.write_bytes(program(RAM + size) + TEXT)
    return file


@pytest.mark.parametrize(
    ("platform", "clock"),
    [
        ("plic", "virtual"),
        ("aia", "host"),
        pytest.param("plic", "host", marks=pytest.mark.slow),
        pytest.param("aia", "virtual", marks=pytest.mark.slow),
    ],
)
def test_a_guest_without_a_driver(tmp_path: Path, image: Path, platform: str, clock: str) -> None:
    vm = {
        "name": "bare",
        "image": {"path": str(image), "base": RAM},
        "cpus": 1,
        "memory": [{"base": RAM, "size": "16MiB"}],
        "devices": [UART],
    }
    machine = {"platform": PLATFORMS[platform], "clock": {"mode": clock}, "vms": [vm]}
    said = ">from memory\n<HELLO\n"
    if clock == "virtual":
        machine["input"] = [{"vm": "bare", "at": "1ms", "text": TYPED}]
        result = run(tmp_path, machine)
        said = "".join(f"bare | {line}\n" for line in said.splitlines())
    else:
        result = run(tmp_path, machine, "--console", "bare", stdin=TYPED)
    assert (result.status, result.out) == (0, said), result.err
