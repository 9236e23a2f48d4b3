"""CSRs as a guest of Bao's sees them: entry state, which bits there are, and who may have which."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import (
    A0,
    A1,
    A2,
    A3,
    ECALL,
    FCSR,
    FFLAGS,
    FRM,
    NOP,
    SCAUSE,
    SCOUNTEREN,
    SENVCFG,
    SEPC,
    SIE,
    SIP,
    SSCRATCH,
    SSTATUS,
    STIMECMP,
    STVAL,
    STVEC,
    TIME,
    ZERO,
)
from tests.core.riscv.bench import CLOCKS, CODE, HANDLED, HANDLER, TICK, USER, Hart, Memory, Taken, core_of, retired

clocks = pytest.mark.parametrize("clock", CLOCKS)
ENTRY_STATUS = 0x8000_0002_0001_E000  # SD, UXL 64, XS and FS dirty
SSIE, STIE, SEIE = 1 << 1, 1 << 5, 1 << 9
IN_U = 0x10_0000


def user(clock: str, *code: bytes, **registers: int) -> Hart:
    """Runs it in U mode."""
    hart = Hart(clock, levels=3)
    hart.tables.map(IN_U, CODE, USER)
    hart.load(CODE, *code, ECALL)
    hart.enter(at=IN_U, user=True, **registers)
    return hart


def test_the_entry_state() -> None:
    core = core_of(Memory(), 0)
    core.reset(CODE, 0x1234_5678_9ABC_DEF0)
    state = core.state()
    assert list(core.x) == [0] * 11 + [0x1234_5678_9ABC_DEF0] + [0] * 20
    assert (core.pc, state["privilege"]) == (CODE, 1)
    assert state["sstatus"] == ENTRY_STATUS
    for name in ("stvec", "sscratch", "sepc", "scause", "stval", "satp", "sie", "senvcfg", "stimecmp"):
        assert state[name] == 0, name
    assert state["scounteren"] == 7


def test_a0_is_the_hart() -> None:
    core = core_of(Memory(3), 2)
    core.reset(CODE, 5)
    assert (core.x[A0], core.x[A1]) == (2, 5)


@clocks
def test_what_the_guest_reads_at_its_entry(clock: str) -> None:
    hart = Hart(clock)
    assert hart.get(SSTATUS) == ENTRY_STATUS
    assert hart.get(SCOUNTEREN) == 7
    assert hart.get(FCSR) == 0
    assert hart.get(SIE) == 0
    assert hart.get(SIP) == STIE, "stimecmp is 0, and so is due"
    assert hart.get(STIMECMP) == 0


def test_x0_is_nothing() -> None:
    hart = Hart()
    hart.core.x[0] = 77
    assert hart.go(asm.add(A0, ZERO, ZERO), ECALL, a0=5) == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.core.x[0]) == (0, 0)


@clocks
@pytest.mark.parametrize(
    ("csr", "written", "read"),
    [
        (SSTATUS, MASK, ENTRY_STATUS | 0x122 | asm.SSTATUS_SUM | asm.SSTATUS_MXR),
        (SSTATUS, 0, ENTRY_STATUS & ~0x6000),  # FS goes, XS stays and with it SD
        (SSCRATCH, MASK, MASK),
        (SEPC, MASK, MASK - 1),
        (SEPC, CODE + 2, CODE + 2),
        (SCAUSE, MASK, MASK),
        (STVAL, MASK, MASK),
        (STVEC, HANDLER | 1, HANDLER | 1),
        (SIE, MASK, SSIE | STIE | SEIE),
        (STIMECMP, MASK, MASK),
        (STIMECMP, 0x1234_5678_9ABC, 0x1234_5678_9ABC),
        (FCSR, MASK, 0xFF),
        (FFLAGS, MASK, 0x1F),
        (FRM, 3, 3),
    ],
)
def test_which_bits_there_are(clock: str, csr: int, written: int, read: int) -> None:
    hart = Hart(clock)
    code = (asm.csrrw(A1, csr, A0), asm.csrrw(A2, csr, A1), ECALL)
    assert hart.go(*code, a0=written) == RiscvExit.ECALL
    assert hex(hart.core.x[A2]) == hex(read)
    assert hart.count == 3


def test_scause_and_stval_keep_all_bits_and_sip_one() -> None:
    """Of sip SSIP alone can be written."""
    hart = Hart()
    hart.set(STIMECMP, MASK)
    hart.set(SIP, MASK)
    assert hart.get(SIP) == SSIE
    assert hart.core.software
    hart.set(SIP, 0)
    assert hart.get(SIP) == 0
    assert not hart.core.software


@clocks
@pytest.mark.parametrize(
    ("instruction", "left"),
    [
        (asm.csrrs(A1, SSCRATCH, A0), 0b1110),
        (asm.csrrc(A1, SSCRATCH, A0), 0b1000),
        (asm.csrrw(A1, SSCRATCH, A0), 0b0110),
        (asm.csrrs(A1, SSCRATCH, ZERO), 0b1100),
        (asm.csrwi(SSCRATCH, 0b10101), 0b10101),
        (asm.csrsi(SSCRATCH, 0b00011), 0b1111),
        (asm.csrci(SSCRATCH, 0b00100), 0b1000),
    ],
)
def test_the_six_instructions(clock: str, instruction: bytes, left: int) -> None:
    hart = Hart(clock)
    hart.set(SSCRATCH, 0b1100)
    assert hart.go(instruction, ECALL, a0=0b0110, a1=0b1100) == RiscvExit.ECALL
    assert hart.core.x[A1] == 0b1100
    assert hart.get(SSCRATCH) == left


# Time and counters


def test_time_is_virtual_time() -> None:
    hart = Hart("virtual")
    hart.core.skip_to(12_345 * TICK)
    assert hart.go(asm.csrr(A0, TIME), ECALL) == RiscvExit.ECALL
    assert hart.core.x[A0] == 12_345


def test_time_is_the_hosts() -> None:
    hart = Hart()
    first, second = hart.get(TIME), hart.get(TIME)
    assert 0 <= first <= second < first + 100_000_000


@clocks
@pytest.mark.parametrize("csr", [TIME, asm.CYCLE, asm.INSTRET])
def test_u_mode_reads_time_where_scounteren_lets_it(clock: str, csr: int) -> None:
    hart = user(clock, asm.csrr(A0, csr))
    assert hart.stay() == (RiscvExit.ECALL if csr == TIME else RiscvExit.TRAP)
    if csr == TIME:
        assert hart.taken is not None
        assert hart.taken.cause == cpu.ECALL_FROM_U
        assert hart.count == 1 + HANDLED
    else:
        assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U)


def test_u_mode_does_not_read_time_where_scounteren_does_not_let_it() -> None:
    hart = Hart(levels=3)
    hart.set(SCOUNTEREN, 0)
    hart.tables.map(IN_U, CODE, USER)
    hart.load(CODE, asm.csrr(A0, TIME), ECALL)
    hart.enter(at=IN_U, user=True)
    assert hart.stay() == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U)


# Where they are granted


def test_cycles_and_instructions_are_counted() -> None:
    hart = Hart("virtual", counters=True)
    first = (asm.csrr(A0, asm.INSTRET), asm.csrr(A1, asm.CYCLE))
    assert hart.go(*first, NOP, asm.c_addi(A2, 1), asm.csrr(A3, asm.INSTRET), ECALL) == RiscvExit.ECALL
    before = hart.core.x[A1]
    assert hart.core.x[A3] - hart.core.x[A0] == 4
    assert hart.core.x[A3] == retired(hart.core) - 2, "those before the one that asks: an ECALL is behind it"
    hart.core.skip_to(100_000)
    assert 0 < before < 100_000 <= hart.get(asm.CYCLE) < 110_000, "they go on while it waits"
    assert hart.get(asm.INSTRET) < 100


def test_cycles_are_the_hosts_nanoseconds() -> None:
    hart = Hart(counters=True)
    first, second = hart.get(asm.CYCLE), hart.get(asm.CYCLE)
    assert 0 < first < second < first + 10_000_000_000


@clocks
@pytest.mark.parametrize(("csr", "bit"), [(asm.CYCLE, 0), (TIME, 1), (asm.INSTRET, 2)])
@pytest.mark.parametrize("lets", [True, False])
def test_u_mode_counts_where_scounteren_lets_it(clock: str, csr: int, bit: int, lets: bool) -> None:
    hart = Hart(clock, levels=3, counters=True)
    hart.set(SCOUNTEREN, 1 << bit if lets else 7 ^ 1 << bit)
    hart.tables.map(IN_U, CODE, USER)
    hart.load(CODE, asm.csrr(A0, csr), ECALL)
    hart.enter(at=IN_U, user=True)
    if clock == "virtual":
        hart.core.skip_to(10 * TICK)
    assert hart.stay() == (RiscvExit.ECALL if lets else RiscvExit.TRAP)
    if lets:
        assert hart.core.x[A0] > 0
    else:
        assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U)


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        (asm.csrr(A0, asm.HPMCOUNTER3), cpu.VIRTUAL_INSTRUCTION),
        (asm.csrw(asm.CYCLE, A0), cpu.ILLEGAL_INSTRUCTION),
        (asm.csrw(asm.INSTRET, A0), cpu.ILLEGAL_INSTRUCTION),
    ],
)
def test_no_more_is_granted(word: bytes, cause: int) -> None:
    hart = Hart(counters=True)
    assert hart.go(word, ECALL) == RiscvExit.TRAP
    assert hart.trap[:2] == (cause, CODE)


# Who may have which


@clocks
@pytest.mark.parametrize("csr", [SSTATUS, SIE, STVEC, SSCRATCH, SENVCFG, asm.SATP, STIMECMP])
def test_u_mode_has_no_csr_of_s_mode(clock: str, csr: int) -> None:
    hart = user(clock, asm.csrr(A0, csr))
    assert hart.stay() == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U)
    assert hart.count == 0


@clocks
@pytest.mark.parametrize(
    ("name", "word"),
    [("sret", asm.SRET), ("wfi", asm.WFI), ("sfence.vma", asm.sfence_vma()), ("fence", asm.sfence_vma(A0))],
)
def test_u_mode_has_no_instruction_of_s_mode(clock: str, name: str, word: bytes) -> None:
    hart = user(clock, word)
    assert hart.stay() == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, IN_U)
    assert hart.count == 0


# FP


@clocks
@pytest.mark.parametrize("word", [asm.fmv_d_x(1, A0), asm.fld(1, A0), asm.csrr(A0, FCSR)], ids=["fmv", "fld", "fcsr"])
def test_fp_that_is_off_is_illegal(clock: str, word: bytes) -> None:
    hart = Hart(clock)
    hart.set(SSTATUS, 0)
    assert hart.go(asm.C_NOP, word, ECALL, a0=CODE) == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.ILLEGAL_INSTRUCTION, CODE + 2)
    hart.core.pc = CODE
    hart.set(SSTATUS, 0x2000)
    assert hart.go(asm.C_NOP, word, ECALL, a0=CODE) == RiscvExit.ECALL


ONE, THREE, THIRD = 0x3FF0_0000_0000_0000, 0x4008_0000_0000_0000, 0x3FD5_5555_5555_5555
DIVIDE = (asm.fmv_d_x(1, A0), asm.fmv_d_x(2, A1), asm.fdiv_d(3, 1, 2), asm.fmv_x_d(A2, 3), ECALL)


@clocks
@pytest.mark.parametrize(("mode", "result"), [(0, THIRD), (3, THIRD + 1), (1, THIRD)])
def test_the_rounding_mode_and_the_flags(clock: str, mode: int, result: int) -> None:
    hart = Hart(clock)
    hart.set(FRM, mode)
    assert hart.go(*DIVIDE, a0=ONE, a1=THREE) == RiscvExit.ECALL
    assert hex(hart.core.x[A2]) == hex(result)
    assert hart.get(FFLAGS) == 1, "inexact"


def test_a_reset_forgets_the_rounding_mode_and_the_flags() -> None:
    hart = Hart()
    hart.set(FRM, 3)
    assert hart.go(*DIVIDE, a0=ONE, a1=THREE) == RiscvExit.ECALL
    hart.core.reset(CODE, 0)
    hart.set(STVEC, HANDLER)
    assert hart.get(FCSR) == 0
    assert hart.go(*DIVIDE, a0=ONE, a1=THREE) == RiscvExit.ECALL
    assert hex(hart.core.x[A2]) == hex(THIRD)


@clocks
def test_a_reserved_rounding_mode_is_illegal_where_it_is_used(clock: str) -> None:
    hart = Hart(clock)
    hart.set(FRM, 5)
    assert hart.go(*DIVIDE, a0=ONE, a1=THREE) == RiscvExit.TRAP
    assert hart.trap[:2] == (cpu.ILLEGAL_INSTRUCTION, CODE + 8)
    assert hart.count == 2


def test_a_trap_leaves_the_status_as_the_architecture_says() -> None:
    """SIE goes to SPIE, the mode to SPP, and SRET brings both back."""
    hart = Hart()
    hart.set(SSTATUS, 0x6000 | asm.SSTATUS_SIE)
    assert hart.go(asm.C_EBREAK) == RiscvExit.ECALL
    assert hart.taken == Taken(cpu.BREAKPOINT, CODE, CODE)
    assert hart.core.state()["sstatus"] & 0x122 == asm.SSTATUS_SPIE | asm.SSTATUS_SPP
    hart.set(SEPC, CODE)
    assert hart.go(asm.SRET, at=CODE + 16) == RiscvExit.ECALL, "to the breakpoint"
    assert hart.core.state()["sstatus"] & 0x122 == asm.SSTATUS_SPIE | asm.SSTATUS_SPP
    hart.set(SSTATUS, 0x6000 | asm.SSTATUS_SPP)
    hart.set(SEPC, CODE + 32)
    hart.load(CODE + 32, ECALL)
    assert hart.go(asm.SRET, at=CODE + 16) == RiscvExit.ECALL
    assert hart.core.pc == CODE + 36
    assert hart.core.state()["sstatus"] & 0x122 == asm.SSTATUS_SPIE, "SPIE is set, SPP is U"
