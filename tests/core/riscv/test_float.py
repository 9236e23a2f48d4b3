"""Singles in their boxes, and what is invalid (unprivileged architecture, 21.2, 21.6, 21.7): as the manual has it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import product

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, C_NOP, ECALL
from tests.core.riscv.bench import CLOCKS, DATA, Hart

clocks = pytest.mark.parametrize("clock", CLOCKS)
BOX = 0xFFFF_FFFF << 32
NAN, SIGNALLING, INFINITY = 0x7FC0_0000, 0x7F80_0001, 0x7F80_0000
NAN_D, SIGNALLING_D, INFINITY_D = 0x7FF8 << 48, 0x7FF0 << 48 | 1, 0x7FF0 << 48
FS, INITIAL = 3 << 13, 1 << 13
INVALID = 0x10
F0, F1, F2, F3 = range(4)


def single(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def double(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def op(funct7: int, rs2: int = F2, rs1: int = F1, rd: int = F0, rm: int = 0) -> bytes:
    return asm.word(funct7 << 25 | rs2 << 20 | rs1 << 15 | rm << 12 | rd << 7 | 0x53)


def fused(opcode: int, twice: bool = False) -> bytes:
    return asm.word(F3 << 27 | twice << 25 | F2 << 20 | F1 << 15 | F0 << 7 | opcode)


MADD, MSUB, NMSUB, NMADD = 0x43, 0x47, 0x4B, 0x4F
MOVE_FROM_X = op(0x78, 0, A1)
IN = b"".join(op(0x79, 0, x, f) for x, f in ((A1, F1), (A2, F2), (A3, F3)))
OUT = op(0x71, 0, F0, A0)
ONE, TWO = single(1), single(2)

# instruction, what f1 has, f2, f3, and f0 then
RESULTS = {
    "fmv.w.x": (MOVE_FROM_X, 0x1234_5678_3F80_0000, 0, 0, BOX | ONE),
    "fadd.s": (op(0), BOX | ONE, BOX | ONE, 0, BOX | TWO),
    "fadd.s without a box": (op(0), ONE, BOX | ONE, 0, BOX | NAN),
    "fsub.s": (op(0x04), BOX | TWO, BOX | ONE, 0, BOX | ONE),
    "fmul.s": (op(0x08), BOX | TWO, BOX | ONE, 0, BOX | TWO),
    "fdiv.s": (op(0x0C), BOX | TWO, BOX | ONE, 0, BOX | TWO),
    "fsqrt.s": (op(0x2C, 0), BOX | ONE, 0, 0, BOX | ONE),
    "fsgnj.s": (op(0x10), BOX | ONE, BOX | single(-2), 0, BOX | single(-1)),
    "fsgnj.s without a box": (op(0x10), ONE, BOX | single(-2), 0, BOX | 0xFFC0_0000),
    "fsgnj.s of a sign without a box": (op(0x10), BOX | ONE, single(-2), 0, BOX | ONE),
    "fsgnjn.s": (op(0x10, rm=1), BOX | ONE, BOX | single(2), 0, BOX | single(-1)),
    "fsgnjx.s": (op(0x10, rm=2), BOX | single(-1), BOX | single(-2), 0, BOX | ONE),
    "fmin.s": (op(0x14), BOX | ONE, BOX | TWO, 0, BOX | ONE),
    "fmin.s of a NaN that signals": (op(0x14), BOX | SIGNALLING, BOX | TWO, 0, BOX | TWO),
    "fmax.s of a NaN that signals": (op(0x14, rm=1), BOX | ONE, BOX | SIGNALLING, 0, BOX | ONE),
    "fmin.s of two NaNs": (op(0x14), BOX | SIGNALLING, BOX | NAN, 0, BOX | NAN),
    "fmin.d of a NaN that signals": (op(0x15), SIGNALLING_D, double(2), 0, double(2)),
    "fmax.d of a NaN that signals": (op(0x15, rm=1), double(1), SIGNALLING_D, 0, double(1)),
    "fcvt.s.w": (op(0x68, 0, A1), 1, 0, 0, BOX | ONE),
    "fcvt.s.lu": (op(0x68, 3, A1), 2, 0, 0, BOX | TWO),
    "fcvt.s.d": (op(0x20, 1), double(1), 0, 0, BOX | ONE),
    "fcvt.d.s": (op(0x21, 0), BOX | ONE, 0, 0, double(1)),
    "fcvt.d.s without a box": (op(0x21, 0), ONE, 0, 0, NAN_D),
    "fmadd.s": (fused(MADD), BOX | TWO, BOX | ONE, BOX, BOX | TWO),
    "fmsub.s": (fused(MSUB), BOX | TWO, BOX | ONE, BOX | ONE, BOX | ONE),
    "fnmsub.s": (fused(NMSUB), BOX | ONE, BOX | ONE, BOX | TWO, BOX | ONE),
    "fnmadd.s without a box": (fused(NMADD), BOX | ONE, BOX | ONE, TWO, BOX | NAN),
}


def done(clock: str, instruction: bytes, one: int, other: int, third: int = 0, *, out: bytes = OUT) -> Hart:
    hart = Hart(clock)
    hart.set(asm.FCSR, 0)
    code = IN + C_NOP + instruction + out + ECALL
    assert hart.go(code, a1=one, a2=other, a3=third) == RiscvExit.ECALL
    assert hart.count == 7
    return hart


@clocks
@pytest.mark.parametrize("name", RESULTS)
def test_what_is_in_the_register(clock: str, name: str) -> None:
    instruction, one, other, third, result = RESULTS[name]
    assert hex(done(clock, instruction, one, other, third).core.x[A0]) == hex(result)


@clocks
def test_a_single_without_its_box_is_a_nan_to_all_that_look_at_it(clock: str) -> None:
    for instruction, result in (
        (op(0x70, 0, rd=A0, rm=1), 1 << 9),  # FCLASS.S: a quiet NaN
        (op(0x50, rd=A0, rm=2), 0),  # FEQ.S
        (op(0x60, 0, rd=A0), 0x7FFF_FFFF),  # FCVT.W.S
        (op(0x70, 0, rd=A0), ONE),  # FMV.X.W, which moves bits
    ):
        assert done(clock, instruction, ONE, ONE, out=asm.NOP).core.x[A0] == result


@clocks
@pytest.mark.parametrize("opcode", [MADD, MSUB, NMSUB, NMADD])
def test_infinity_by_zero_is_invalid_beside_a_quiet_nan(clock: str, opcode: int) -> None:
    assert done(clock, fused(opcode), BOX | INFINITY, BOX, BOX | NAN).get(asm.FCSR) == INVALID
    assert done(clock, fused(opcode, True), 0, INFINITY_D, NAN_D).get(asm.FCSR) == INVALID
    assert done(clock, fused(opcode, True), double(1), INFINITY_D, NAN_D).get(asm.FCSR) == 0


MOVES = pytest.mark.parametrize(
    "move", [MOVE_FROM_X, op(0x10), op(0x10, rm=1), op(0x10, rm=2)], ids=["x", "j", "jn", "jx"]
)


@clocks
@MOVES
def test_a_move_makes_the_registers_dirty(clock: str, move: bytes) -> None:
    hart = Hart(clock)
    hart.set(asm.SSTATUS, INITIAL)
    assert hart.get(asm.SSTATUS) & FS == INITIAL
    assert hart.go(C_NOP, move, ECALL) == RiscvExit.ECALL
    assert hart.get(asm.SSTATUS) & FS == FS


@clocks
@MOVES
def test_a_move_while_they_are_off_is_illegal(clock: str, move: bytes) -> None:
    hart = Hart(clock)
    hart.set(asm.SSTATUS, 0)
    assert hart.go(C_NOP, move, ECALL) == RiscvExit.TRAP
    word = int.from_bytes(move, "little")
    assert hart.trap[:3] == (cpu.ILLEGAL_INSTRUCTION, hart.at + 2, word)
    assert hart.count == 1


SHORT = pytest.mark.parametrize(
    "short", [0x2108, 0xA108, 0x3C0E, 0xA022], ids=["c.fld", "c.fsd", "c.fldsp", "c.fsdsp"]
)  # of A0, or SP


@clocks
@SHORT
def test_a_short_access_while_they_are_off_is_illegal(clock: str, short: int) -> None:
    """Whatever was there while they were on, and before their page is looked at."""
    hart = Hart(clock)
    code = (asm.half(short), ECALL)
    for address in (DATA, 0):
        hart.set(asm.SSTATUS, INITIAL)
        assert hart.go(*code, a0=DATA, sp=DATA) == RiscvExit.ECALL
        assert hart.get(asm.SSTATUS) & FS == (INITIAL if short & 0x8000 else FS)
        hart.set(asm.SSTATUS, 0)
        assert hart.go(*code, a0=address, sp=address) == RiscvExit.TRAP
        assert hart.trap[:3] == (cpu.ILLEGAL_INSTRUCTION, hart.at, short)
        assert hart.count == 0


def encodings() -> Iterator[int]:
    """Of OP-FP and the fused ones, all that differ in more than registers."""
    for function, rounding, source in product(range(128), (0, 1, 2, 7), (0, 1, 2, 3)):
        yield function << 25 | source << 20 | A0 << 15 | rounding << 12 | 3 << 7 | 0x53
    for opcode, form in product((MADD, MSUB, NMSUB, NMADD), (0, 1)):
        yield 2 << 27 | form << 25 | 1 << 20 | 3 << 15 | 7 << 12 | 3 << 7 | opcode


def test_no_instruction_works_while_they_are_off() -> None:
    hart = Hart()
    hart.set(asm.SSTATUS, 0)
    code = list(encodings())
    hart.enter(*map(asm.word, code), ECALL, at=DATA)
    for n, word in enumerate(code):
        assert hart.stay() == RiscvExit.TRAP
        assert hart.trap[:3] == (cpu.ILLEGAL_INSTRUCTION, DATA + 4 * n, word)
        hart.core.pc += 4
    assert hart.count == 0
