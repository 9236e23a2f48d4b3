"""Instructions are counted one by one, whatever their length is, wherever a stay begins and ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A5, C_EBREAK, C_NOP, EBREAK, ECALL, NOP, SEPC, T0, T1, ZERO, addi
from tests.core.riscv.bench import CLOCKS, CODE, DATA, HANDLER, Hart

clocks = pytest.mark.parametrize("clock", CLOCKS)

# A handler that skips what was trapped: 8 instructions, 9 if that has 4 bytes
SKIP = (
    asm.csrr(T0, SEPC),
    asm.load("bu", T1, T0),
    asm.c_addi(T0, 2),
    asm.andi(T1, T1, 3),
    asm.addi(T1, T1, -3),
    asm.bne(T1, ZERO, 6),
    asm.c_addi(T0, 2),
    asm.csrw(SEPC, T0),
    asm.SRET,
)


def work(rounds: int) -> tuple[tuple[bytes, ...], int]:
    """A loop of instructions of both lengths with two traps and a call, and how many it retires, with the ECALL."""
    body = (
        asm.c_addi(A0, 1),
        addi(A1, A1, 3),
        C_EBREAK,
        asm.sd(A0, A2),
        asm.c_ld(A3, A2),
        EBREAK,
        C_NOP,
        NOP,
        asm.amo("add", "d", A3, A0, A2),
        asm.jal(asm.RA, 4),
        asm.c_addi(A5, -1),
    )
    length = sum(map(len, body))
    code = (*body, asm.bne(A5, ZERO, -length), ECALL)
    return code, rounds * (len(body) - 2 + 1 + 8 + 9) + 1


def prepared(clock: str, rounds: int) -> tuple[Hart, int]:
    hart = Hart(clock)
    hart.load(HANDLER, *SKIP)
    code, count = work(rounds)
    hart.enter(*code, a5=rounds, a2=DATA)
    return hart, count


@clocks
def test_a_stay_counts_what_the_hand_counts(clock: str) -> None:
    hart, count = prepared(clock, 1000)
    assert hart.stay() == RiscvExit.ECALL
    assert hart.count == count
    assert hart.core.x[A0] == 1000
    assert hart.core.x[A1] == 3000


@clocks
@pytest.mark.parametrize("rounds", [3])
def test_every_budget_counts_the_same_and_ends_at_the_same_places(clock: str, rounds: int) -> None:
    """Each stay ends at the first block that begins with the budget used up, and what is left is the same."""

    def places(budget: int) -> list[tuple[int, int]]:
        hart, count = prepared(clock, rounds)
        found = []
        while hart.step(budget) == RiscvExit.BUDGET:
            found.append((hart.count, hart.core.pc))
        assert hart.count == count
        return found

    every = dict(places(1))
    for budget in range(2, 70):
        for count, pc in places(budget):
            assert every[count] == pc, budget


@given(st.lists(st.integers(1, 90), min_size=1, max_size=20))
@settings(max_examples=30)
def test_stays_of_any_length_add_up(budgets: list[int]) -> None:
    hart, count = prepared("host", 40)
    ended = False
    for budget in budgets:
        if hart.step(budget) == RiscvExit.ECALL:
            ended = True
            break
    if not ended:
        assert hart.stay() == RiscvExit.ECALL
    assert hart.count == count


@clocks
@pytest.mark.parametrize("shape", [(2,), (4,), (2, 4), (4, 2), (2, 2, 4, 4, 4, 2)], ids=str)
@pytest.mark.parametrize("shift", [0, 2])
def test_a_straight_line_over_pages(clock: str, shape: tuple[int, ...], shift: int) -> None:
    """Thousands of instructions without a branch, some of them across the ends of pages."""
    line = [C_NOP if size == 2 else NOP for size in shape * (3000 // len(shape))]
    hart = Hart(clock)
    assert hart.go(*line, ECALL, at=CODE + 0x2_0000 + shift) == RiscvExit.ECALL
    assert hart.count == len(line) + 1
    assert hart.core.pc == CODE + 0x2_0000 + shift + sum(map(len, line)) + 4


def test_a_straight_line_stops_at_blocks_alone() -> None:
    """Where those end follows from the code, so a budget of one shows them all; a hart that is new agrees."""

    def places() -> list[int]:
        hart = Hart("virtual")
        hart.enter(*[C_NOP, NOP, NOP] * 700, ECALL, at=CODE + 0x2_0002)
        found = []
        while hart.step(1) == RiscvExit.BUDGET:
            found.append(hart.core.pc)
        return found

    assert places() == places()


@clocks
@pytest.mark.parametrize("rounds", [100, 1000])
def test_two_thousand_compressed_breakpoints(clock: str, rounds: int) -> None:
    hart = Hart(clock)
    hart.load(HANDLER, *SKIP)
    assert hart.go(*[C_EBREAK] * rounds, ECALL, at=CODE + 0x2_0000) == RiscvExit.ECALL
    assert hart.count == 8 * rounds + 1
    assert hart.core.state()["exceptions"] == rounds
