"""Loads and stores of pages that displace each other from the library's TLB, whose entries change places and back."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.bench import CLOCKS, DATA, Hart

APART = 0x10_0000
"""A multiple of what the TLB has entries for at first."""
SIZES = {"b": 1, "h": 2, "w": 4, "d": 8, "bu": 1, "hu": 2, "wu": 4}
PATTERN = bytes(range(0x81, 0x81 + 64))


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("size", SIZES)
def test_what_is_loaded_and_stored(clock: str, size: str) -> None:
    hart, bytes_ = Hart(clock), SIZES[size]
    hart.load(DATA, PATTERN)
    offsets = [*range(0, 32, bytes_), 33]  # the last is not in its natural place
    code = [
        each
        for offset in offsets
        for each in (
            asm.load(size, asm.T0, asm.A1, offset),
            asm.store(size[0], asm.T0, asm.A2, offset),
            asm.load(size, asm.T1, asm.A2, offset),
            asm.store(size[0], asm.T1, asm.A3, offset),
        )
    ]
    assert hart.go(*code, asm.ECALL, a1=DATA, a2=DATA + APART, a3=DATA - APART) == RiscvExit.ECALL
    loaded = PATTERN[33 : 33 + bytes_]
    kept = bytearray(64)
    kept[:32] = PATTERN[:32]
    kept[33 : 33 + bytes_] = loaded
    for page in (DATA + APART, DATA - APART):
        at = page - hart.memory.base
        assert hart.memory.ram[at : at + 64] == kept
    assert hart.core.x[asm.T1] == int.from_bytes(loaded, "little", signed=not size.endswith("u")) & (1 << 64) - 1
