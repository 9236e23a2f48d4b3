"""Where a trap is and what it is, behind instructions of both lengths, whoever has it: the guest or the hypervisor."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, C_NOP, ECALL, NOP, ZERO
from tests.core.riscv.bench import (
    CLOCKS,
    CODE,
    DATA,
    HANDLED,
    HANDLER,
    KERNEL,
    UART,
    USER,
    A,
    D,
    Hart,
    R,
    Taken,
    W,
    X,
)

clocks = pytest.mark.parametrize("clock", CLOCKS)
BEFORE = ((), (C_NOP,), (NOP,), (C_NOP, NOP), (NOP, C_NOP, C_NOP), (C_NOP, NOP) * 9)
before_it = pytest.mark.parametrize("before", BEFORE, ids=lambda before: f"behind {len(before)}")

UNMAPPED = 0x1234_5000  # in the tables of these tests nothing is there
NOWHERE = 0x4000_0000  # mapped, but there is no memory
READ_ONLY = 0x5000_0000
NOT_ACCESSED = 0x5000_1000
NOT_DIRTY = 0x5000_2000
OF_USER = 0x5000_3000
NO_EXECUTE = 0x5000_4000
LAST = 0x5FFF_F000  # nothing is mapped behind it


def hart_of(clock: str) -> Hart:
    hart = Hart(clock, levels=3)
    tables = hart.tables
    tables.map(NOWHERE, 0x3000_0000)
    tables.map(READ_ONLY, DATA, R | X | A)
    tables.map(NOT_ACCESSED, DATA, R | W | X | D)
    tables.map(NOT_DIRTY, DATA, R | W | X | A)
    tables.map(OF_USER, DATA, USER)
    tables.map(NO_EXECUTE, DATA, R | W | A | D)
    tables.map(LAST, DATA + 0x1_0000)
    return hart


class Own(NamedTuple):
    name: str
    instruction: bytes
    address: int
    cause: int


OWN = (
    Own("ld", asm.ld(A0, A1), UNMAPPED + 8, cpu.LOAD_PAGE),
    Own("misaligned ld", asm.ld(A0, A1), UNMAPPED + 3, cpu.LOAD_PAGE),
    Own("c.ld", asm.c_ld(A0, A1), UNMAPPED + 8, cpu.LOAD_PAGE),
    Own("c.lw", asm.c_lw(A0, A1), UNMAPPED + 8, cpu.LOAD_PAGE),
    Own("lb", asm.load("b", A0, A1), UNMAPPED + 1, cpu.LOAD_PAGE),
    Own("fld", asm.fld(1, A1), UNMAPPED, cpu.LOAD_PAGE),
    Own("flw", asm.flw(1, A1), UNMAPPED, cpu.LOAD_PAGE),
    Own("lr.d", asm.amo("lr", "d", A0, ZERO, A1), UNMAPPED, cpu.LOAD_PAGE),
    Own("sd", asm.sd(A0, A1), UNMAPPED + 8, cpu.STORE_PAGE),
    Own("c.sd", asm.c_sd(A0, A1), UNMAPPED + 8, cpu.STORE_PAGE),
    Own("c.sw", asm.c_sw(A0, A1), UNMAPPED + 8, cpu.STORE_PAGE),
    Own("fsd", asm.fsd(1, A1), UNMAPPED, cpu.STORE_PAGE),
    Own("fsw", asm.fsw(1, A1), UNMAPPED, cpu.STORE_PAGE),
    Own("amoadd.w", asm.amo("add", "w", A0, A2, A1), UNMAPPED, cpu.STORE_PAGE),
    Own("amoswap.d", asm.amo("swap", "d", A0, A2, A1), UNMAPPED, cpu.STORE_PAGE),
    Own("amominu.d", asm.amo("minu", "d", A0, A2, A1), UNMAPPED, cpu.STORE_PAGE),
    Own("sd to read-only", asm.sd(A0, A1), READ_ONLY, cpu.STORE_PAGE),
    Own("amo to read-only", asm.amo("or", "w", A0, A2, A1), READ_ONLY, cpu.STORE_PAGE),
    Own("ld with A clear", asm.ld(A0, A1), NOT_ACCESSED, cpu.LOAD_PAGE),
    Own("sd with A clear", asm.sd(A0, A1), NOT_ACCESSED, cpu.STORE_PAGE),
    Own("sd with D clear", asm.sd(A0, A1), NOT_DIRTY, cpu.STORE_PAGE),
    Own("amo with D clear", asm.amo("add", "d", A0, A2, A1), NOT_DIRTY, cpu.STORE_PAGE),
    Own("ld of a user's", asm.ld(A0, A1), OF_USER, cpu.LOAD_PAGE),
    Own("not canonical", asm.ld(A0, A1), 1 << 39, cpu.LOAD_PAGE),
    Own("not canonical, negative", asm.sd(A0, A1), MASK - (1 << 40), cpu.STORE_PAGE),
)


@clocks
@before_it
@pytest.mark.parametrize("own", OWN, ids=lambda own: own.name)
def test_an_exception_that_the_guest_handles(clock: str, before: tuple[bytes, ...], own: Own) -> None:
    hart = hart_of(clock)
    behind = CODE + sum(map(len, before))
    assert hart.go(*before, own.instruction, C_NOP, ECALL, a1=own.address) == RiscvExit.ECALL
    assert hart.taken == Taken(own.cause, behind, own.address)
    assert hart.count == len(before) + HANDLED
    state = hart.core.state()
    assert (state["last_cause"], state["last_epc"], state["last_tval"]) == (own.cause, behind, own.address)
    assert hart.memory.read(DATA) == 0


@clocks
@before_it
@pytest.mark.parametrize("breakpoint_", [asm.EBREAK, asm.C_EBREAK], ids=["ebreak", "c.ebreak"])
def test_a_breakpoint_tells_its_address(clock: str, before: tuple[bytes, ...], breakpoint_: bytes) -> None:
    hart = Hart(clock)
    at = CODE + sum(map(len, before))
    assert hart.go(*before, breakpoint_, ECALL) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.BREAKPOINT, at, at)
    assert hart.count == len(before) + HANDLED


@clocks
@before_it
def test_a_call_from_u_mode(clock: str, before: tuple[bytes, ...]) -> None:
    hart = hart_of(clock)
    hart.tables.map(0x10_0000, CODE, USER)
    hart.load(CODE, *before, ECALL, NOP)
    hart.enter(at=0x10_0000, user=True)
    assert hart.stay() == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.ECALL_FROM_U, 0x10_0000 + sum(map(len, before)), 0)
    assert hart.count == len(before) + HANDLED
    assert hart.core.state()["sstatus"] & asm.SSTATUS_SPP == 0


# Fetches


class Jump(NamedTuple):
    name: str
    to: int


JUMPS = (
    Jump("unmapped", UNMAPPED),
    Jump("unmapped, odd half", UNMAPPED + 2),
    Jump("not accessed", NOT_ACCESSED),
    Jump("a user's", OF_USER),
    Jump("no execute", NO_EXECUTE),
    Jump("not canonical", 1 << 39),
)


@clocks
@pytest.mark.parametrize("jump", JUMPS, ids=lambda jump: jump.name)
def test_a_jump_to_where_no_code_can_be(clock: str, jump: Jump) -> None:
    hart = hart_of(clock)
    assert hart.go(C_NOP, asm.jalr(ZERO, A1), a1=jump.to) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.FETCH_PAGE, jump.to, jump.to)
    assert hart.count == 2 + HANDLED


@clocks
@pytest.mark.parametrize("way", range(1, 12))
@pytest.mark.parametrize("step", [C_NOP, NOP], ids=["c.nop", "nop"])
def test_a_line_that_runs_into_a_page_that_is_not_there(clock: str, step: bytes, way: int) -> None:
    hart = hart_of(clock)
    begin = LAST + 0x1000 - way * len(step)
    hart.load(DATA + 0x1_1000 - way * len(step), *[step] * way)
    assert hart.go(asm.jalr(ZERO, A1), a1=begin) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.FETCH_PAGE, LAST + 0x1000, LAST + 0x1000)
    assert hart.count == 1 + way + HANDLED


@clocks
@pytest.mark.parametrize("way", [0, 1, 2, 3, 100, 700])
@pytest.mark.parametrize("step", [C_NOP, NOP], ids=["c.nop", "nop"])
def test_an_instruction_of_which_one_half_is_there(clock: str, step: bytes, way: int) -> None:
    """sepc is the instruction's, stval its other half's; what was before it has been done, and is done once."""
    hart = hart_of(clock)
    line = [asm.c_addi(A3, 1), *[step] * way] if way else []
    begin = LAST + 0xFFE - sum(map(len, line))
    hart.load(DATA + 0x1_0000 + (begin - LAST), *line, NOP[:2])
    assert hart.go(asm.jalr(ZERO, A1), a1=begin, a3=0) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.FETCH_PAGE, LAST + 0xFFE, LAST + 0x1000)
    assert hart.count == 1 + len(line) + HANDLED
    assert hart.core.x[A3] == bool(way)


@clocks
@pytest.mark.parametrize("way", [0, 1, 2, 31])
def test_an_instruction_in_two_pages_that_lie_apart(clock: str, way: int) -> None:
    hart = hart_of(clock)
    hart.tables.map(LAST + 0x1000, DATA + 0x3_0000)
    instruction = asm.addi(A3, A3, 0x123)
    line = [C_NOP] * way
    hart.load(DATA + 0x1_0FFE - 2 * way, *line, instruction[:2])
    hart.load(DATA + 0x1_1000, b"\xff\xff")  # what lies behind it in memory
    hart.load(DATA + 0x3_0000, instruction[2:], ECALL)
    for n in range(1, 4):
        assert hart.go(asm.jalr(ZERO, A1), a1=LAST + 0xFFE - 2 * way) == RiscvExit.ECALL
        assert hart.core.x[A3] == n * 0x123
        assert hart.count == 1 + way + 2


@clocks
@pytest.mark.parametrize("half", [0, 1])
def test_such_an_instruction_that_changes(clock: str, half: int) -> None:
    """Either half, by a store through another address, and FENCE.I."""
    hart = hart_of(clock)
    hart.tables.map(LAST + 0x1000, DATA + 0x3_0000)
    places = (DATA + 0x1_0FFE, DATA + 0x3_0000)
    first, second = asm.addi(A3, ZERO, 0x123), asm.addi(A4, ZERO, 0x100) if not half else asm.addi(A3, ZERO, 0x125)
    hart.load(places[0], first[:2])
    hart.load(places[1], first[2:], ECALL)
    go = asm.jalr(ZERO, A1)
    assert hart.go(go, a1=LAST + 0xFFE) == RiscvExit.ECALL
    assert hart.core.x[A3] == 0x123
    changed = second[2 * half :][:2]
    code = (asm.store("h", A2, A0), asm.fence_i(), go)
    value = int.from_bytes(changed, "little")
    assert hart.go(*code, a0=places[half], a1=LAST + 0xFFE, a2=value, a3=0, a4=0) == RiscvExit.ECALL
    assert hart.core.x[A3 if half else A4] == (0x125 if half else 0x123)


# What the hypervisor has


class Asked(NamedTuple):
    name: str
    instruction: bytes
    address: int
    cause: int
    ipa: int | None = None


ASKED = (
    Asked("ld", asm.ld(A0, A1), NOWHERE + 0x10, cpu.LOAD_GUEST_PAGE, 0x3000_0010),
    Asked("misaligned lw", asm.load("w", A0, A1), NOWHERE + 0x11, cpu.LOAD_GUEST_PAGE, 0x3000_0011),
    Asked("c.ld", asm.c_ld(A0, A1), NOWHERE, cpu.LOAD_GUEST_PAGE, 0x3000_0000),
    Asked("fld", asm.fld(1, A1), NOWHERE, cpu.LOAD_GUEST_PAGE, 0x3000_0000),
    Asked("lr.w", asm.amo("lr", "w", A0, ZERO, A1), NOWHERE + 4, cpu.LOAD_GUEST_PAGE, 0x3000_0004),
    Asked("sd", asm.sd(A0, A1), NOWHERE + 8, cpu.STORE_GUEST_PAGE, 0x3000_0008),
    Asked("c.sw", asm.c_sw(A0, A1), NOWHERE, cpu.STORE_GUEST_PAGE, 0x3000_0000),
    Asked("fsw", asm.fsw(1, A1), NOWHERE, cpu.STORE_GUEST_PAGE, 0x3000_0000),
    Asked("amoadd.d", asm.amo("add", "d", A0, A2, A1), NOWHERE, cpu.STORE_GUEST_PAGE, 0x3000_0000),
    Asked("amomax.w", asm.amo("max", "w", A0, A2, A1), NOWHERE, cpu.STORE_GUEST_PAGE, 0x3000_0000),
    Asked("misaligned amo", asm.amo("add", "d", A0, A2, A1), DATA + 4, cpu.STORE_MISALIGNED),
    Asked("misaligned lr", asm.amo("lr", "w", A0, ZERO, A1), DATA + 2, cpu.LOAD_MISALIGNED),
    Asked("nothing", asm.word(0xFFFF_FFFF), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("nothing, short", asm.half(0), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("c.lbu of Zcb", asm.half(0x8000), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("c.sh of Zcb", asm.half(0x8FFC), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("c.mul of Zcb", asm.half(0x9C41), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("reserved, short", asm.half(0x9FFD), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("mret", asm.word(0x3020_0073), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("mstatus", asm.csrr(A0, 0x300), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("an unknown CSR", asm.csrr(A0, 0x123), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("a write to time", asm.csrw(asm.TIME, A0), 0, cpu.ILLEGAL_INSTRUCTION),
    Asked("cycle", asm.csrr(A0, asm.CYCLE), 0, cpu.VIRTUAL_INSTRUCTION),
    Asked("instret", asm.csrr(A0, asm.INSTRET), 0, cpu.VIRTUAL_INSTRUCTION),
    Asked("hpmcounter3", asm.csrr(A0, asm.HPMCOUNTER3), 0, cpu.VIRTUAL_INSTRUCTION),
    Asked("hstatus", asm.csrr(A0, 0x600), 0, cpu.VIRTUAL_INSTRUCTION),
    Asked("vsstatus", asm.csrr(A0, 0x200), 0, cpu.VIRTUAL_INSTRUCTION),
)


@clocks
@before_it
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_a_trap_that_the_guest_does_not_have(clock: str, before: tuple[bytes, ...], asked: Asked) -> None:
    hart = hart_of(clock)
    at = CODE + sum(map(len, before))
    assert hart.go(*before, asked.instruction, ECALL, a1=asked.address, a0=7) == RiscvExit.TRAP
    trap = hart.trap
    assert (trap.cause, trap.pc, trap.implicit) == (asked.cause, at, False)
    assert trap.instruction == int.from_bytes(asked.instruction, "little")
    if asked.ipa is not None:
        assert (hex(trap.ipa), hex(trap.tval)) == (hex(asked.ipa), hex(asked.address))
    assert hart.count == len(before)
    assert hart.core.x[A0] == 7, "nothing has happened"


@clocks
def test_the_guest_can_go_on_behind_what_was_done_for_it(clock: str) -> None:
    hart = hart_of(clock)
    code = (C_NOP, asm.ld(A0, A1), asm.c_addi(A0, 1), asm.c_sd(A0, A1), ECALL)
    assert hart.go(*code, a1=NOWHERE) == RiscvExit.TRAP
    hart.core.x[A0] = 41
    hart.core.pc += 4
    assert hart.stay() == RiscvExit.TRAP
    assert (hart.trap.cause, hart.core.x[A0], hart.count) == (cpu.STORE_GUEST_PAGE, 42, 2)
    hart.core.pc += 2
    assert hart.stay() == RiscvExit.ECALL
    assert hart.count == 3


@clocks
def test_the_access_is_done_again_where_the_hypervisor_made_room_for_it(clock: str) -> None:
    hart = hart_of(clock)
    hart.memory.write(DATA, 5)
    place = hart.tables.place(NOWHERE)
    assert hart.go(C_NOP, asm.amo("add", "d", A0, A2, A1), ECALL, a1=NOWHERE, a2=2) == RiscvExit.TRAP
    hart.memory.write(place, DATA >> 12 << 10 | KERNEL | 1)
    hart.core.fence((0,), cpu.FENCE_VMA, 0, 0, 0)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.memory.read(DATA), hart.count) == (5, 7, 3)


@clocks
@before_it
def test_a_fetch_from_where_no_memory_is(clock: str, before: tuple[bytes, ...]) -> None:
    hart = hart_of(clock)
    assert hart.go(*before, asm.jalr(ZERO, A1), a1=NOWHERE + 6) == RiscvExit.TRAP
    trap = hart.trap
    assert (trap.cause, trap.pc, trap.tval, trap.ipa) == (cpu.FETCH_GUEST_PAGE, NOWHERE + 6, NOWHERE + 6, 0x3000_0006)
    assert trap.instruction == 0
    assert hart.count == len(before) + 1


@clocks
def test_a_second_half_where_no_memory_is(clock: str) -> None:
    hart = hart_of(clock)
    hart.tables.map(LAST + 0x1000, 0x3000_0000)
    hart.load(DATA + 0x1_0FFA, C_NOP, C_NOP, NOP[:2])
    assert hart.go(asm.jalr(ZERO, A1), a1=LAST + 0xFFA) == RiscvExit.TRAP
    trap = hart.trap
    assert (trap.cause, trap.pc, trap.tval) == (cpu.FETCH_GUEST_PAGE, LAST + 0xFFE, LAST + 0x1000)
    assert trap.ipa == 0x3000_0000
    assert hart.count == 3


@clocks
def test_tables_where_no_memory_is(clock: str) -> None:
    hart = hart_of(clock)
    hart.memory.write(hart.tables.place(NOWHERE, 1), 0x3000_0000 >> 12 << 10 | 1)
    for code, cause in ((asm.ld(A0, A1), cpu.LOAD_GUEST_PAGE), (asm.sd(A0, A1), cpu.STORE_GUEST_PAGE)):
        hart.core.fence((0,), cpu.FENCE_VMA, 0, 0, 0)
        assert hart.go(C_NOP, code, ECALL, a1=NOWHERE + 0x5008) == RiscvExit.TRAP
        assert hart.trap[:4] == (cause, hart.at + 2, NOWHERE + 0x5008, 0x3000_0028)
        assert hart.trap.implicit
    assert hart.go(C_NOP, asm.jalr(ZERO, A1), ECALL, a1=NOWHERE + 0x5008) == RiscvExit.TRAP
    assert hart.trap[:4] == (cpu.FETCH_GUEST_PAGE, NOWHERE + 0x5008, NOWHERE + 0x5008, 0x3000_0028)
    assert hart.trap.implicit


@clocks
def test_a_handler_that_is_nowhere(clock: str) -> None:
    hart = hart_of(clock)
    hart.set(asm.STVEC, NOWHERE)
    assert hart.go(asm.EBREAK, ECALL) == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.FETCH_GUEST_PAGE, NOWHERE)
    assert hart.core.state()["scause"] == cpu.BREAKPOINT


@clocks
def test_an_access_over_the_end_of_a_page_names_the_second(clock: str) -> None:
    hart = hart_of(clock)
    for code, cause in ((asm.ld(A0, A1), cpu.LOAD_PAGE), (asm.sd(A0, A1), cpu.STORE_PAGE)):
        assert hart.go(code, ECALL, a1=LAST + 0xFFC, a0=MASK) == RiscvExit.ECALL
        assert hart.taken == Taken(cause, hart.at, LAST + 0x1000)
    assert hart.memory.read(DATA + 0x1_0FF8) == 0, "no half of it has been stored"


@clocks
def test_a_misaligned_access_is_none_of_the_hypervisors(clock: str) -> None:
    hart = Hart(clock)
    code = (asm.sd(A0, A1), asm.load("w", A2, A1, 1), asm.store("h", A0, A1, 9), asm.load("h", A3, A1, 9), ECALL)
    assert hart.go(*code, a0=0x8877_6655_4433_2211, a1=DATA + 0xFFD) == RiscvExit.ECALL
    assert hart.core.x[A2] == 0x5544_3322
    assert hart.core.x[A3] == 0x2211
    assert hart.count == 5


@clocks
def test_an_atomic_operation_on_a_device(clock: str) -> None:
    hart = Hart(clock)
    assert hart.go(C_NOP, asm.amo("add", "w", A0, A2, A1), ECALL, a1=UART, a2=0x41) == RiscvExit.TRAP
    assert hart.trap.pc == CODE + 2
    assert (hart.trap.cause, hart.trap.tval) == (cpu.STORE_ACCESS, UART)
    assert hart.core.take_output() == []


@clocks
def test_vectored_mode_is_for_interrupts_alone(clock: str) -> None:
    hart = Hart(clock)
    hart.set(asm.STVEC, HANDLER | 1)
    assert hart.go(asm.C_EBREAK, ECALL) == RiscvExit.ECALL
    assert hart.core.pc == HANDLER + 4
