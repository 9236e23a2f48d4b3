"""Zicbom and Zicboz: who may have them, what they do, and how they fault."""

from __future__ import annotations

from typing import Final

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import VIRTUAL_INSTRUCTION, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A1, ECALL, SENVCFG
from tests.core.riscv.bench import CLOCKS, CODE, DATA, HANDLED, USER, A, D, Hart, R, Taken, X

clocks = pytest.mark.parametrize("clock", CLOCKS)
INVAL, CLEAN, FLUSH, ZERO_ = 0, 1, 2, 4
BLOCK: Final = 64
ALL: Final = (1 << 64) - 1
VA, IN_U = 0x4000_0000, 0x10_0000
NOWHERE: Final = 0x3000_0000  # guest-physical, where the VM has nothing


def cbo(operation: int, reg: int = A1) -> bytes:
    return asm.word(operation << 20 | reg << 15 | 2 << 12 | 0x0F)


operations = pytest.mark.parametrize("operation", [INVAL, CLEAN, FLUSH, ZERO_])


@clocks
@operations
def test_what_it_does(clock: str, operation: int) -> None:
    """Only zeroes are to be seen, of the block that has the address."""
    hart = Hart(clock)
    for at in range(DATA, DATA + 3 * BLOCK, 8):
        hart.memory.write(at, ALL)
    assert hart.go(asm.C_NOP, cbo(operation), ECALL, a1=DATA + BLOCK + 37) == RiscvExit.ECALL
    block = 0 if operation == ZERO_ else ALL
    assert [hart.memory.read(at) for at in range(DATA, DATA + 3 * BLOCK, 8)] == [ALL] * 8 + [block] * 8 + [ALL] * 8
    assert hart.count == 3


@clocks
@operations
def test_a_page_that_is_not_there(clock: str, operation: int) -> None:
    """Of the block, and as a store, whatever it is."""
    hart = Hart(clock, levels=3)
    assert hart.go(asm.C_NOP, cbo(operation), ECALL, at=CODE, a1=VA + 37) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.STORE_PAGE, CODE + 2, VA)
    assert hart.count == 1 + HANDLED


@clocks
@operations
def test_a_page_that_the_vm_has_not(clock: str, operation: int) -> None:
    hart = Hart(clock, levels=3)
    hart.tables.map(VA, NOWHERE)
    assert hart.go(cbo(operation), ECALL, at=CODE, a1=VA) == RiscvExit.TRAP
    trap = hart.trap
    assert (trap.cause, trap.pc, trap.tval, trap.ipa) == (cpu.STORE_GUEST_PAGE, CODE, VA, NOWHERE)
    assert trap.instruction == int.from_bytes(cbo(operation), "little")


@operations
@pytest.mark.parametrize("bits", [R, X], ids=["r", "x"])
def test_a_page_that_may_only_be_read_or_run(operation: int, bits: int) -> None:
    hart = Hart(levels=3)
    hart.tables.map(VA, DATA, bits | A | D)
    assert hart.go(cbo(operation), ECALL, at=CODE, a1=VA) == RiscvExit.ECALL
    allowed = operation != ZERO_ and bits == R
    assert hart.taken == (None if allowed else Taken(cpu.STORE_PAGE, CODE, VA))


def test_zeroes_of_code_are_seen_behind_a_fence() -> None:
    hart = Hart()
    code = (asm.addi(asm.A0, asm.ZERO, 1), ECALL)
    hart.load(DATA, *code)
    assert hart.go(asm.jalr(asm.ZERO, A1), a1=DATA) == RiscvExit.ECALL
    assert hart.go(cbo(ZERO_), asm.fence_i(), asm.jalr(asm.ZERO, A1), a1=DATA) == RiscvExit.TRAP
    assert (hart.trap.cause, hart.trap.pc) == (cpu.ILLEGAL_INSTRUCTION, DATA)


@clocks
@operations
@pytest.mark.parametrize("senvcfg", [0, 0x30, 0x40, 0x80, 0xF0])
def test_u_mode_asks_senvcfg(clock: str, operation: int, senvcfg: int) -> None:
    hart = Hart(clock, levels=3)
    hart.tables.map(IN_U, CODE, USER)
    hart.tables.map(VA, DATA, USER)
    hart.set(SENVCFG, senvcfg)
    hart.load(CODE, cbo(operation), ECALL)
    allowed = senvcfg & {INVAL: 0x30, CLEAN: 0x40, FLUSH: 0x40, ZERO_: 0x80}[operation]
    if allowed:
        assert hart.go(at=IN_U, user=True, a1=VA) == RiscvExit.ECALL
        assert hart.taken == Taken(cpu.ECALL_FROM_U, IN_U + 4, 0)
    else:
        assert hart.go(at=IN_U, user=True, a1=VA) == RiscvExit.TRAP
        assert (hart.trap.cause, hart.trap.pc) == (VIRTUAL_INSTRUCTION, IN_U)


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_a_prefetch_is_nothing_wherever_it_goes(kind: int) -> None:
    """PREFETCH.I, R and W."""
    hart = Hart(levels=3)
    prefetch = asm.word(kind << 20 | A1 << 15 | 6 << 12 | 0x13)
    assert hart.go(prefetch, ECALL, a1=VA) == RiscvExit.ECALL
    assert hart.taken is None
    assert hart.count == 2
