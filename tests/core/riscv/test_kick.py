"""The doorbell (``tests.core.kicks``) of a RISC-V hart, with compressed stores in the loop."""

from __future__ import annotations

import pytest

from baonet.core import _node
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.kicks import (
    test_a_kick_and_another_reason,
    test_a_kick_before_the_stay_is_not_lost,
    test_a_kick_is_for_a_core_that_is_there,
    test_a_kick_without_end_does_not_keep_the_guest_where_it_is,
    test_a_stay_ends,
    test_an_answered_kick_is_over,
    test_no_store_is_lost_or_done_twice,
)
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL, LOOP, ZERO
from tests.core.riscv.bench import CODE, DATA, Hart, Memory

__all__ = [
    "test_a_kick_and_another_reason",
    "test_a_kick_before_the_stay_is_not_lost",
    "test_a_kick_is_for_a_core_that_is_there",
    "test_a_kick_without_end_does_not_keep_the_guest_where_it_is",
    "test_a_stay_ends",
    "test_an_answered_kick_is_over",
    "test_no_store_is_lost_or_done_twice",
]

STORES = (
    asm.c_sd(A1, A2),
    asm.addi(A1, A1, 1),
    asm.c_addi(A2, 8),
    asm.amo("add", "d", A4, A5, A3),
    asm.c_addi(A0, -1),
    asm.bne(A0, ZERO, -14),
    ECALL,
)
COUNTER = DATA - 0x1000


class Guest:
    call = RiscvExit.ECALL

    def __init__(self, clock: str) -> None:
        self._hart = Hart("host", levels=3 if clock == "translated" else 0)
        self.core, self.memory = self._hart.core, self._hart.memory

    def spin(self) -> int:
        self._hart.enter(LOOP)
        return CODE

    def enter_call(self) -> None:
        self._hart.enter(ECALL, LOOP)

    def enter_stores(self, rounds: int, first: int) -> int:
        self.memory.write(COUNTER, 0)
        self._hart.enter(*STORES, a0=rounds, a1=first, a2=DATA, a3=COUNTER, a5=3)
        return DATA

    def stored(self, rounds: int, first: int) -> int:
        assert [self.core.x[n] for n in (A0, A1, A2)] == [0, first + rounds, DATA + 8 * rounds]
        assert self.memory.read(COUNTER) == 3 * rounds
        return 6 * rounds + 1


@pytest.fixture(params=["bare", "translated"])
def guest(request: pytest.FixtureRequest) -> Guest:
    return Guest(request.param)


def test_a_kick_is_for_one_hart() -> None:
    memory = Memory(cores=2)
    first, second = (Hart(memory=memory, index=n) for n in range(2))
    for hart in (first, second):
        hart.enter(LOOP)
    _node.kick(memory.slots, 1)
    assert RiscvExit(first.core.run(100_000)) == RiscvExit.BUDGET
    assert RiscvExit(second.core.run(1 << 40)) == RiscvExit.KICKED
