"""Cache-block operations (unprivileged architecture, 19): what they do, whom they ask, how they fault."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, C_NOP, ECALL
from tests.core.riscv.bench import CLOCKS, CODE, DATA, HANDLED, KERNEL, RAM, USER, A, Hart, Owners, R, Taken

clocks = pytest.mark.parametrize("clock", CLOCKS)
OPERATIONS = {"inval": 0, "clean": 1, "flush": 2, "zero": 4}
PREFETCHES = {"i": 0, "r": 1, "w": 3}
VA = 0x12_3456_7000
IN_U = 0x10_0000
ENABLES = {"inval": 3 << 4, "clean": 1 << 6, "flush": 1 << 6, "zero": 1 << 7}
"""Of senvcfg."""


def cbo(name: str, rs1: int = A1) -> bytes:
    return asm.word(OPERATIONS[name] << 20 | rs1 << 15 | 2 << 12 | 0x0F)


def prefetch(name: str, rs1: int = A1) -> bytes:
    return asm.word(PREFETCHES[name] << 20 | rs1 << 15 | 6 << 12 | 0x13)


@clocks
@pytest.mark.parametrize("offset", [0, 1, 8, 63])
def test_zero_is_for_the_block(clock: str, offset: int) -> None:
    hart = Hart(clock)
    hart.memory.write(DATA, *[MASK] * 24)
    assert hart.go(C_NOP, cbo("zero"), C_NOP, ECALL, a1=DATA + 64 + offset) == RiscvExit.ECALL
    assert [hart.memory.read(DATA + 8 * n) for n in range(24)] == [MASK] * 8 + [0] * 8 + [MASK] * 8
    assert (hart.count, hart.core.x[A1]) == (4, DATA + 64 + offset)


@clocks
@pytest.mark.parametrize("name", ["inval", "clean", "flush"])
def test_the_others_leave_memory_as_it_is(clock: str, name: str) -> None:
    hart = Hart(clock)
    hart.memory.write(DATA, *[MASK] * 8)
    assert hart.go(C_NOP, cbo(name), ECALL, a1=DATA) == RiscvExit.ECALL
    assert [hart.memory.read(DATA + 8 * n) for n in range(8)] == [MASK] * 8
    assert hart.count == 3


@clocks
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("before", [(), (C_NOP,), (asm.NOP, C_NOP)], ids=len)
def test_an_address_that_is_not_mapped_is_a_store_fault(clock: str, name: str, before: tuple[bytes, ...]) -> None:
    hart = Hart(clock, levels=3)
    assert hart.go(*before, cbo(name), ECALL, a1=VA + 8) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (cpu.STORE_PAGE, hart.at + sum(map(len, before)))
    assert hart.taken.tval & ~63 == VA
    assert hart.count == len(before) + HANDLED


@clocks
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_may_be_read_may_be_managed_but_not_zeroed(clock: str, name: str) -> None:
    hart = Hart(clock, levels=3)
    hart.tables.map(VA, DATA, R | A)
    assert hart.go(cbo(name), ECALL, a1=VA) == RiscvExit.ECALL
    if name == "zero":
        assert hart.taken == Taken(cpu.STORE_PAGE, hart.at, VA)
    else:
        assert hart.taken is None


@clocks
@pytest.mark.parametrize("name", OPERATIONS)
def test_where_no_memory_is_the_hypervisor_is_told(clock: str, name: str) -> None:
    hart = Hart(clock)
    assert hart.go(C_NOP, cbo(name), ECALL, a1=0x1000) == RiscvExit.TRAP
    assert hart.trap[:4] == (cpu.STORE_GUEST_PAGE, hart.at + 2, 0x1000, 0x1000)
    assert hart.trap.instruction == int.from_bytes(cbo(name), "little")
    assert hart.count == 1


@clocks
@pytest.mark.parametrize("name", PREFETCHES)
def test_a_prefetch_is_nothing_wherever_it_is(clock: str, name: str) -> None:
    hart = Hart(clock)
    assert hart.go(C_NOP, prefetch(name), ECALL, a1=0x1000) == RiscvExit.ECALL
    assert hart.count == 3


@clocks
@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("name", OPERATIONS)
def test_u_mode_asks_senvcfg(clock: str, name: str, enabled: bool) -> None:
    hart = Hart(clock, levels=3)
    hart.set(asm.SENVCFG, ENABLES[name] if enabled else 0xF0 & ~ENABLES[name])
    hart.tables.map(IN_U, CODE, USER)
    hart.tables.map(VA, DATA, USER)
    hart.load(CODE, C_NOP, cbo(name), ECALL)
    hart.enter(at=IN_U, user=True, a1=VA)
    if enabled:
        assert hart.stay() == RiscvExit.ECALL
        assert hart.taken == Taken(cpu.ECALL_FROM_U, IN_U + 6, 0)
    else:
        assert hart.stay() == RiscvExit.TRAP
        assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U + 2)
        assert hart.count == 1


@clocks
def test_an_operation_that_is_none(clock: str) -> None:
    hart = Hart(clock)
    for number in (3, 5, 0x7FF):
        word = asm.word(number << 20 | A1 << 15 | 2 << 12 | 0x0F)
        assert hart.go(C_NOP, word, ECALL, a1=DATA) == RiscvExit.TRAP
        assert hart.trap[:2] == (cpu.ILLEGAL_INSTRUCTION, hart.at + 2)


def test_zero_waits_for_its_page() -> None:
    owners = Owners()
    hart = Hart("virtual", owners=owners, levels=3)
    hart.tables.map(VA, DATA, KERNEL)
    hart.memory.write(DATA, *[MASK] * 8)
    hart.enter(C_NOP, cbo("zero"), ECALL, a1=VA)
    owners.give(DATA, 2)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, 0x200, True)
        assert (hart.core.pc, hart.count) == (hart.at + 2, 1)
    owners.give(DATA, 1)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.memory.read(DATA), hart.count) == (0, 3)


@pytest.mark.parametrize("name", ["inval", "clean", "flush"])
@pytest.mark.parametrize("refused", ["page", "table"])
def test_the_others_wait_for_a_page_that_may_only_be_read(name: str, refused: str) -> None:
    """They want no right that they do not need, and fault for none that comes."""
    owners = Owners()
    hart = Hart("virtual", owners=owners, levels=3)
    place = hart.tables.map(VA, DATA, R | A)
    hart.enter(C_NOP, cbo(name), ECALL, a1=VA)
    page = DATA if refused == "page" else place & ~0xFFF
    owners.give(page, 2)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, (page - RAM) // 0x1000, False)
        assert (hart.core.pc, hart.count) == (hart.at + 2, 1)
    owners.give(page, 1)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.taken, hart.count) == (None, 3)


def test_zero_of_code_is_seen_by_fence_i() -> None:
    """As any store is."""
    hart = Hart()
    hart.load(DATA, asm.c_li(A0, 1), ECALL)
    go = (cbo("zero"), asm.fence_i(), asm.jalr(0, A1))
    assert hart.go(asm.jalr(0, A1), a1=DATA) == RiscvExit.ECALL
    assert hart.go(*go, a1=DATA) == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.ILLEGAL_INSTRUCTION, DATA)
