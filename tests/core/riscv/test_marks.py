"""A FENCE that orders nothing puts what its register has into the trace: one instruction, and no exit."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from baonet.trace.records import RECORD, Kind
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, ECALL, NOP, ZERO
from tests.core.riscv.bench import CLOCKS, Hart
from tests.trace.record import Record

BIG = 0xFEDC_BA98_7654_3210


def mark(register: int) -> bytes:
    return asm.word(register << 15 | 0x0F)


def marks(hart: Hart) -> list[Record]:
    rows = (Record(*each) for data, _, _ in hart.core.take_records(True) for each in RECORD.iter_unpack(data))
    return [row for row in rows if row.kind == Kind.MARK]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_mark_has_the_number_and_costs_one_instruction(clock: str) -> None:
    hart = Hart(clock, records=True)
    code = (mark(A0), NOP, asm.addi(A1, A1, 1), mark(A1), mark(A0), ECALL)
    assert hart.go(*code, a0=BIG, a1=6) == RiscvExit.ECALL
    assert [row.b for row in marks(hart)] == [BIG, 7, BIG]
    assert hart.count == len(code)
    assert hart.core.x[A0] == BIG


def test_a_mark_has_its_time() -> None:
    hart = Hart("virtual", records=True)
    hart.go(mark(A0), NOP, asm.C_NOP, mark(A0), mark(A0), ECALL)
    first, second, third = (row.time for row in marks(hart))
    assert (second - first, third - second) == (3, 1)


@pytest.mark.parametrize(
    "word", [mark(ZERO), asm.word(A0 << 15 | A0 << 7 | 0x0F), asm.word(0x0330000F | A0 << 15), asm.fence()]
)
def test_other_fences_are_none(word: bytes) -> None:
    """With no register, with another destination, that order something."""
    hart = Hart(records=True)
    assert hart.go(word, ECALL, a0=BIG) == RiscvExit.ECALL
    assert marks(hart) == []
