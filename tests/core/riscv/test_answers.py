"""Calls that the core answers in the midst of a stay, as ``tests.core.test_answers`` has them, of a hart."""

from __future__ import annotations

import pytest

from baonet.hyp.answers import FixedAnswer, RegisterValue, whole
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.bench import CLOCKS, DATA, Hart


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_reservation_does_not_outlive_a_call_of_a_hart(clock: str) -> None:
    """And the PC is behind it, whose length is the guest's."""
    hart = Hart(clock)
    hart.core.answer((FixedAnswer((whole(asm.A7, 0x10),), (RegisterValue(asm.A0, 0), RegisterValue(asm.A1, 0x77))),))
    reserve, store = asm.amo("lr", "d", asm.A2, asm.ZERO, asm.A4), asm.amo("sc", "d", asm.A3, asm.A3, asm.A4)
    call = asm.addi(asm.A7, asm.ZERO, 0x10) + asm.ECALL
    end = asm.addi(asm.A7, asm.ZERO, 0x11) + asm.ECALL
    hart.enter(reserve, call, store, end, a4=DATA)
    why = hart.stay()
    assert (why, hart.core.x[asm.A7], hart.core.x[asm.A1], hart.core.x[asm.A3]) == (RiscvExit.ECALL, 0x11, 0x77, 1)
