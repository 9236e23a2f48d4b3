"""What a guest's hart refuses: an illegal instruction, or a virtual one where somebody above it could have that."""

from __future__ import annotations

from typing import Final, NamedTuple

import pytest

from baonet.hyp.riscv.cpu import ILLEGAL_INSTRUCTION, VIRTUAL_INSTRUCTION, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, ECALL, SRET, WFI, ZERO
from tests.core.riscv.bench import CLOCKS, CODE, USER, Hart

IN_U: Final = 0x10_0000


class Refused(NamedTuple):
    name: str
    word: int
    cause: int


def _number(instruction: bytes) -> int:
    return int.from_bytes(instruction, "little")


IN_S = (
    Refused("hfence.vvma", 0x2200_0073, VIRTUAL_INSTRUCTION),
    Refused("hfence.gvma", 0x6205_8073, VIRTUAL_INSTRUCTION),
    Refused("hlv.w", 0x6805_C573, VIRTUAL_INSTRUCTION),
    Refused("hlvx.hu", 0x6435_C573, VIRTUAL_INSTRUCTION),
    Refused("hsv.d", 0x6EB5_4073, VIRTUAL_INSTRUCTION),
    Refused("hlv.bu", 0x6015_C573, VIRTUAL_INSTRUCTION),
    Refused("hlv.d of no kind", 0x6C15_C573, ILLEGAL_INSTRUCTION),
    Refused("hlvx.bu", 0x6035_C573, ILLEGAL_INSTRUCTION),
    Refused("hsv.d with a result", 0x6EB5_4573, ILLEGAL_INSTRUCTION),
    Refused("reserved beside hlv", 0x7576_C873, ILLEGAL_INSTRUCTION),
    Refused("reserved beside hsv", 0x7220_4073, ILLEGAL_INSTRUCTION),
    Refused("mret", 0x3020_0073, ILLEGAL_INSTRUCTION),
    Refused("dret", 0x7B20_0073, ILLEGAL_INSTRUCTION),
    Refused("sinval.vma", 0x1600_0073, ILLEGAL_INSTRUCTION),
    Refused("cbo of no kind", 0x0035_A00F, ILLEGAL_INSTRUCTION),
    Refused("hvip, written", _number(asm.csrw(0x645, A0)), VIRTUAL_INSTRUCTION),
    Refused("hgeip, written", _number(asm.csrw(0xE12, A0)), ILLEGAL_INSTRUCTION),
    Refused("hpmcounter18", _number(asm.csrr(A0, 0xC12)), VIRTUAL_INSTRUCTION),
    Refused("hpmcounter31", _number(asm.csrr(A0, 0xC1F)), ILLEGAL_INSTRUCTION),
    Refused("cycle, written", _number(asm.csrw(asm.CYCLE, A0)), ILLEGAL_INSTRUCTION),
    Refused("time, no bit set", _number(asm.csrrs(A0, asm.TIME, A1)), ILLEGAL_INSTRUCTION),
    Refused("siselect, no AIA", _number(asm.csrr(A0, asm.SISELECT)), ILLEGAL_INSTRUCTION),
    Refused("stopi, no AIA", _number(asm.csrr(A0, asm.STOPI)), ILLEGAL_INSTRUCTION),
    Refused("vsiselect, no AIA", _number(asm.csrr(A0, 0x250)), ILLEGAL_INSTRUCTION),
)
IN_U_MODE = (
    Refused("sret", _number(SRET), VIRTUAL_INSTRUCTION),
    Refused("wfi", _number(WFI), VIRTUAL_INSTRUCTION),
    Refused("sfence.vma", _number(asm.sfence_vma()), VIRTUAL_INSTRUCTION),
    Refused("sfence.vma of an address", _number(asm.sfence_vma(A1)), VIRTUAL_INSTRUCTION),
    Refused("hfence.vvma", 0x2200_0073, VIRTUAL_INSTRUCTION),
    Refused("hlv.w", 0x6805_C573, VIRTUAL_INSTRUCTION),
    Refused("mret", 0x3020_0073, ILLEGAL_INSTRUCTION),
    Refused("mstatus", _number(asm.csrr(A0, 0x300)), ILLEGAL_INSTRUCTION),
    Refused("cycle", _number(asm.csrr(A0, asm.CYCLE)), VIRTUAL_INSTRUCTION),
    Refused("time, written", _number(asm.csrw(asm.TIME, A0)), ILLEGAL_INSTRUCTION),
    Refused("nothing", 0xFFFF_FFFF, ILLEGAL_INSTRUCTION),
)


def _expect(hart: Hart, refused: Refused, at: int) -> None:
    trap = hart.trap
    assert (trap.cause, trap.pc) == (refused.cause, at)
    assert (trap.instruction, trap.tval) == (refused.word, refused.word)
    assert hart.count == 1
    assert hart.core.x[A0] == 7, "nothing has happened"


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("refused", IN_S, ids=lambda refused: refused.name)
def test_in_s_mode(clock: str, refused: Refused) -> None:
    hart = Hart(clock)
    assert hart.go(asm.C_NOP, asm.word(refused.word), ECALL, at=CODE, a0=7, a1=0) == RiscvExit.TRAP
    _expect(hart, refused, CODE + 2)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("refused", IN_U_MODE, ids=lambda refused: refused.name)
def test_in_u_mode(clock: str, refused: Refused) -> None:
    hart = Hart(clock, levels=3)
    hart.tables.map(IN_U, CODE, USER)
    hart.load(CODE, asm.addi(A1, ZERO, 0), asm.word(refused.word), ECALL)
    assert hart.go(at=IN_U, user=True, a0=7) == RiscvExit.TRAP
    _expect(hart, refused, IN_U + 4)


@pytest.mark.parametrize("which", [0x250, 0x251, 0x25C, 0xEB0])
def test_with_aia_what_the_hypervisor_has_of_it_is_virtual(which: int) -> None:
    hart = Hart(identities=255)
    assert hart.go(asm.csrr(A0, which), ECALL) == RiscvExit.TRAP
    assert hart.trap.cause == VIRTUAL_INSTRUCTION


def test_without_sstc_there_is_no_stimecmp() -> None:
    for csr in (asm.STIMECMP, 0x24D):
        hart = Hart(sstc=False)
        assert hart.go(asm.csrr(A0, csr), ECALL) == RiscvExit.TRAP
        assert hart.trap.cause == ILLEGAL_INSTRUCTION
