"""What of a load-reserved is left for the store-conditional (unprivileged architecture, 13.2)."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, ECALL, NOP, ZERO
from tests.core.riscv.bench import CLOCKS, DATA, HANDLER, UART, Hart

clocks = pytest.mark.parametrize("clock", CLOCKS)
FAILED = 1
WINDOW = 0x3000_0000


def pair(between: bytes, size: str = "d", of: int = A1) -> tuple[bytes, ...]:
    return (asm.amo("lr", "d", A2, ZERO, A1), between, asm.amo("sc", size, A0, A3, of), ECALL)


def stored(hart: Hart, *code: bytes) -> bool:
    """Goes on behind whatever the hypervisor is told; returns whether the SC stored."""
    hart.memory.write(DATA, 5)
    hart.enter(*code, a0=7, a1=DATA, a3=9)
    end = hart.at + sum(map(len, code))
    while (why := hart.stay()) != RiscvExit.ECALL or hart.core.pc != end:
        if why == RiscvExit.TRAP:
            hart.core.pc += 4
    assert hart.core.x[A0] in (0, FAILED)
    assert hart.memory.read(DATA) == (5 if hart.core.x[A0] else 9)
    return not hart.core.x[A0]


@clocks
def test_a_pair_stores_wherever_the_stay_ends(clock: str) -> None:
    hart = Hart(clock)
    assert stored(hart, *pair(NOP))
    hart.memory.write(DATA, 5)
    hart.enter(*pair(NOP), a0=7, a1=DATA, a3=9)
    while hart.step(1) == RiscvExit.BUDGET:
        pass
    assert (hart.core.x[A0], hart.memory.read(DATA)) == (0, 9)


@clocks
@pytest.mark.parametrize("trap", [ECALL, asm.word(0xFFFF_FFFF), asm.EBREAK], ids=["call", "illegal", "own"])
def test_a_trap_ends_it(clock: str, trap: bytes) -> None:
    """The guest's own, and the hypervisor's."""
    hart = Hart(clock)
    skip = asm.csrr(A2, asm.SEPC) + asm.addi(A2, A2, 4) + asm.csrw(asm.SEPC, A2) + asm.SRET
    hart.set(asm.STVEC, hart.load(HANDLER + 64, skip) - len(skip))
    assert not stored(hart, *pair(trap))


@clocks
def test_so_does_an_access_that_the_hypervisor_emulates(clock: str) -> None:
    hart = Hart(clock)
    told = []

    def write(ipa: int, size: int, value: int) -> bool:
        told.append((ipa, size, value))
        return True

    hart.core.emulate(((WINDOW, 0x1000),), lambda *_: 0, write, [])
    hart.core.x[asm.T0] = WINDOW
    assert not stored(hart, *pair(asm.sd(A3, asm.T0)))
    assert told == [(WINDOW, 8, 9)]
    hart.core.x[asm.T0] = UART
    assert stored(hart, *pair(asm.load("b", A2, asm.T0))), "a device is mapped"


@clocks
@pytest.mark.parametrize(
    "between",
    [asm.amo("sc", "d", A2, A3, asm.T0), asm.sd(asm.T1, A1), asm.amo("lr", "d", A2, ZERO, asm.T0)],
    ids=["sc elsewhere", "a store", "lr elsewhere"],
)
def test_something_else_in_between(clock: str, between: bytes) -> None:
    hart = Hart(clock)
    hart.enter(*pair(between), a1=DATA, a3=9, t0=DATA + 64, t1=6)
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.x[A0] == FAILED
    assert hart.memory.read(DATA) != 9


@clocks
def test_a_store_elsewhere_stores_not(clock: str) -> None:
    hart = Hart(clock)
    hart.enter(*pair(NOP, of=asm.T0), a1=DATA, a3=9, t0=DATA + 64)
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.x[A0] == FAILED
    assert hart.memory.read(DATA + 64) == 0
