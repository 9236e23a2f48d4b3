"""Accesses to emulated windows: the core knows where it found them, but no longer when the guest says so."""

from __future__ import annotations

from typing import Any, Final

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL
from tests.core.riscv.bench import DATA, RAM, Hart, Tables, entry

WINDOW: Final = 0x0C00_0000
FAR: Final = 0x20_0000
STORE_ENTRY: Final = asm.store("d", A3, A2)
FORGETS: Final = {
    "sfence.vma": (STORE_ENTRY, asm.sfence_vma()),
    "sfence.vma of an address": (STORE_ENTRY, asm.sfence_vma(A1)),
    "satp": (asm.csrw(asm.SATP, A4),),
}


@pytest.mark.parametrize("forgets", FORGETS.values(), ids=list(FORGETS))
def test_a_page_that_is_mapped_elsewhere(forgets: tuple[bytes, ...]) -> None:
    hart = Hart(levels=3)
    reads: list[int] = []

    def read(ipa: int, size: int) -> int:
        reads.append(ipa)
        return ipa & 0xFFFF

    hart.core.emulate(((WINDOW, 2 * FAR),), read, lambda *_: True, [])
    other = Tables(hart.memory, at=DATA + 0x10_0000)
    other.map(RAM, RAM, level=1)
    other.map(WINDOW, WINDOW + FAR)
    place = hart.tables.map(WINDOW, WINDOW)
    hart.tables.map(DATA, DATA)
    load, load_too = asm.load("w", A0, A1, 8), asm.load("w", A5, A1, 8)
    registers: dict[str, Any] = {"a1": WINDOW, "a2": place, "a3": entry(WINDOW + FAR), "a4": other.satp}
    assert hart.go(load, load, *forgets, load_too, ECALL, **registers) == RiscvExit.ECALL
    assert reads == [WINDOW + 8, WINDOW + 8, WINDOW + FAR + 8]
