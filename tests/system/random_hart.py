"""RISC-V guests that nobody has written: programs for its ``random.elf``, of pieces as ``random_guest`` has them.

What a program may use: t0 and a1 for a piece alone; t1 to t5 and a0, which all pieces mix and whose sum the guest
prints; t6 counts a loop; a2 to a7 point to memory and devices (``riscv/random.h``). What a call of SBI needs is
kept in the hart's own page meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, A6, A7, RA, T0, T1, T2, T3, T4, T5, T6, ZERO
from tests.system.elsewhere import RISCV_GUESTS
from tests.system.random_guest import CALL_ROUTINE, PARTS, WORDS, placed, programs_of

MIXED: Final = (A0, T1, T2, T3, T4, T5)
_PRIVATE, _VM, _BOTH, _UART, _IRQC, _PART = A2, A3, A4, A5, A6, A7
_KEPT_RA, _KEPT_A6, _KEPT_A7, _FREE = 2040, 2032, 2024, 2008
"""Offsets in the hart's own page; a piece may use what is below the last."""
_SLOTS = 7
"""Instructions of the routine that any hart may exchange for others."""
_BASE, _TIME, _IPI, _RFENCE, _HSM, _BAO = 0x10, 0x5449_4D45, 0x73_5049, 0x5246_4E43, 0x48_534D, 0x0800_0BA0
_COUNTERS = (asm.TIME, asm.CYCLE, asm.INSTRET)
_CSRS = (*_COUNTERS, asm.SSTATUS, asm.SIE, asm.SIP, asm.SCAUSE, asm.SEPC, asm.STVAL, asm.SATP, asm.SCOUNTEREN)

Piece = Callable[[random.Random, int], bytes]
PIECES: dict[str, Piece] = {}
"""What a piece of each kind is on a hart."""


def _piece(make: Piece) -> Piece:
    PIECES[make.__name__.strip("_")] = make
    return make


def _reg(r: random.Random) -> int:
    return r.choice(MIXED)


def _one(r: random.Random) -> bytes:
    """One instruction of 32 bits on the registers that are mixed."""
    d, n, m = (_reg(r) for _ in range(3))
    three = m << 20 | n << 15 | d << 7
    immediate = n << 15 | d << 7 | r.randrange(0x1000) << 20
    wide, amount = r.choice(((0x13, 64), (0x1B, 32)))
    shifted = r.choice((0x1000, 0x5000, 0x4000_5000)) | r.randrange(amount) << 20 | n << 15 | d << 7 | wide
    words = r.choice((0, 0x1000, 0x5000, 0x4000_0000, 0x4000_5000, 0x0200_0000, 0x0200_4000, 0x0200_7000))
    doubles = r.randrange(8) << 12 | r.choice((0, 0x0200_0000))
    return asm.word(
        r.choice(
            (
                doubles | three | 0x33,
                r.choice((0x4000_0000, 0x4000_5000)) | three | 0x33,
                words | three | 0x3B,
                r.choice((0, 0x2000, 0x3000, 0x4000, 0x6000, 0x7000)) | immediate | 0x13,
                immediate | 0x1B,
                shifted,
                r.randrange(1 << 20) << 12 | d << 7 | 0x37,
            )
        )
    )


def _any(r: random.Random) -> bytes:
    """One of 32 bits or of 16."""
    if r.randrange(3):
        return _one(r)
    immediate = r.randrange(1, 32)
    return r.choice((asm.c_addi(_reg(r), immediate), asm.c_li(_reg(r), immediate), asm.c_mv(_reg(r), _reg(r))))


def _some(r: random.Random, most: int) -> bytes:
    return b"".join(_any(r) for _ in range(r.randrange(1, most)))


@_piece
def _compute(r: random.Random, cpu: int) -> bytes:
    return _some(r, r.choice((4, 12, 60)))


@_piece
def _access(r: random.Random, cpu: int) -> bytes:
    base, offset = r.choice((_PRIVATE, _VM, _BOTH)), r.randrange(64, _FREE if r.randrange(2) else 80)
    if r.randrange(2):
        return asm.load(r.choice(("b", "h", "w", "d", "bu", "hu", "wu")), _reg(r), base, offset)
    return asm.store(r.choice("bhwd"), _reg(r), base, offset)


@_piece
def _access_shortly(r: random.Random, cpu: int) -> bytes:
    base, offset = r.choice((_PRIVATE, _VM, _BOTH)), r.randrange(8, 32) * 8
    return r.choice((asm.c_ld, asm.c_sd))(A0, base, offset)


def _place(r: random.Random) -> bytes:
    """t0: a double word that others may be after."""
    return asm.addi(T0, r.choice((_VM, _BOTH)), 64 + 8 * r.randrange(8))


@_piece
def _reservation(r: random.Random, cpu: int) -> bytes:
    value, ordered = _reg(r), bool(r.randrange(2))
    between = _some(r, 4) if r.randrange(2) else asm.addi(value, value, 1)
    pair = asm.amo("lr", "d", value, ZERO, T0, aq=ordered) + between + asm.amo("sc", "d", A1, value, T0, rl=ordered)
    again = asm.bne(A1, ZERO, -len(pair)) if r.randrange(2) else asm.add(value, value, A1)
    return _place(r) + pair + again


@_piece
def _atomic(r: random.Random, cpu: int) -> bytes:
    operation = r.choice(("add", "swap", "xor", "or", "and", "min", "max", "minu", "maxu"))
    ordered = bool(r.randrange(2))
    return _place(r) + asm.amo(operation, r.choice("wd"), _reg(r), _reg(r), T0, aq=ordered, rl=ordered)


@_piece
def _ordered(r: random.Random, cpu: int) -> bytes:
    access = r.choice((asm.ld(_reg(r), T0), asm.sd(_reg(r), T0)))
    return _place(r) + access + r.choice((asm.fence(), asm.fence_i()))


@_piece
def _forward(r: random.Random, cpu: int) -> bytes:
    inner, one, other = _some(r, 10), _reg(r), _reg(r)
    over = 4 + len(inner)
    return (
        r.choice((asm.beq, asm.bne, asm.blt))(one, other, over) + inner
        if r.randrange(4)
        else asm.jal(ZERO, over) + inner
    )


@_piece
def _loop(r: random.Random, cpu: int) -> bytes:
    inner = b"".join(_access(r, cpu) + _some(r, 6) for _ in range(r.randrange(1, 4))) + asm.c_addi(T6, -1)
    return asm.addi(T6, ZERO, r.choice((3, 40, 700))) + inner + asm.bne(T6, ZERO, -len(inner))


@_piece
def _exception(r: random.Random, cpu: int) -> bytes:
    """A breakpoint, or what the guest's own tables have not: neither is the hypervisor's."""
    unmapped = asm.addi(T0, ZERO, 1) + asm.slli(T0, T0, r.choice((36, 37, 40, 63)))
    access = r.choice((asm.ld(_reg(r), T0, 8), asm.sd(_reg(r), T0), asm.amo("add", "d", _reg(r), A0, T0)))
    return r.choice((asm.EBREAK, asm.C_EBREAK, unmapped + access))


@_piece
def _registers(r: random.Random, cpu: int) -> bytes:
    return asm.mark(_reg(r)) if not r.randrange(4) else asm.csrr(_reg(r), r.choice(_CSRS))


def _sbi(extension: int, function: int, *arguments: int) -> bytes:
    """a0, a1 and so on; what they answer is in a0, which is mixed, and a1."""
    constants = b"".join(asm.li(A0 + number, value) for number, value in enumerate(arguments))
    call = asm.li(A7, extension) + asm.addi(A6, ZERO, function) + constants + asm.ECALL
    return (
        asm.sd(A6, _PRIVATE, _KEPT_A6)
        + asm.sd(A7, _PRIVATE, _KEPT_A7)
        + call
        + asm.ld(A6, _PRIVATE, _KEPT_A6)
        + asm.ld(A7, _PRIVATE, _KEPT_A7)
    )


@_piece
def _call(r: random.Random, cpu: int) -> bytes:
    """Of BASE, how a hart is, an IPI, a notification."""
    return r.choice(
        (
            _sbi(_BASE, r.randrange(7), r.choice((_TIME, _IPI, 0x1234))),
            _sbi(_HSM, 2, r.randrange(3)),
            _sbi(_IPI, 0, r.randrange(1 << PARTS), r.choice((0, 0, 1))),
            _sbi(_BAO, 1, 0, 0),
        )
    )


@_piece
def _remote_fence(r: random.Random, cpu: int) -> bytes:
    """Of code, or of translations from one page to the next: a2 and a3 are pointers."""
    return _sbi(_RFENCE, r.randrange(2), r.randrange(1 << PARTS), 0)


@_piece
def _rest(r: random.Random, cpu: int) -> bytes:
    """The timer's period wakes who sleeps."""
    return r.choice((asm.WFI, asm.PAUSE))


@_piece
def _mask(r: random.Random, cpu: int) -> bytes:
    return asm.csrci(asm.SSTATUS, 2) + _some(r, 6) + asm.csrsi(asm.SSTATUS, 2)


@_piece
def _print(r: random.Random, cpu: int) -> bytes:
    """One of ``random_guest.PRINTED``, by what a register has."""
    character = asm.andi(T0, _reg(r), 7) + asm.addi(T0, T0, 0x23)
    return character + asm.sb(T0, _UART) + asm.load("bu", _reg(r), _UART, 5)


@_piece
def _controller(r: random.Random, cpu: int) -> bytes:
    """The priority of a source, or how an APLIC takes it: of one that nobody has."""
    offset = 4 * r.randrange(60, 80)
    return r.choice((asm.load("w", _reg(r), _IRQC, offset), asm.store("w", _reg(r), _IRQC, offset)))


@_piece
def _maintenance(r: random.Random, cpu: int) -> bytes:
    address = asm.sfence_vma(r.choice((_PRIVATE, _VM, _PART)))
    return r.choice((asm.sfence_vma(), address, asm.fence_i(), asm.fence()))


@_piece
def _block(r: random.Random, cpu: int) -> bytes:
    """CBO.INVAL, CLEAN, FLUSH or ZERO of a block of the VM's page."""
    operation = r.choice((0, 1, 2, 4))
    return asm.addi(T0, _VM, r.randrange(1, 31) * 64) + asm.word(operation << 20 | T0 << 15 | 0x200F)


@_piece
def _own_code(r: random.Random, cpu: int) -> bytes:
    """Exchange an instruction that comes soon, and FENCE.I."""
    new = int.from_bytes(_one(r), "little")
    between = _some(r, 8) if r.randrange(2) else b""
    new_word = asm.li(A1, new - (new >> 31 << 32))
    behind = asm.store("h", A1, T0) + asm.word(0x0105_D593) + asm.store("h", A1, T0, 2) + asm.fence_i() + between
    here = asm.word(T0 << 7 | 0x17) + asm.addi(T0, T0, 8 + len(behind))  # AUIPC
    return new_word + here + behind + _one(r)


@_piece
def _others_code(r: random.Random, cpu: int) -> bytes:
    """Exchange an instruction of the routine of any hart, and have all fence."""
    new = int.from_bytes(_one(r), "little")
    distance = (r.randrange(PARTS) - cpu) * WORDS * 4 + 4 * r.randrange(1, 1 + _SLOTS)
    address = asm.li(T0, distance) + asm.add(T0, T0, _PART)
    return (
        asm.li(A1, new - (new >> 31 << 32)) + address + asm.store("w", A1, T0) + asm.fence() + _sbi(_RFENCE, 0, 15, 0)
    )


def program(pieces: Sequence[tuple[str, int]], cpu: int) -> bytes:
    """A hart's part: a jump over the routine, the routine, and the pieces in a row."""
    start = random.Random(cpu)
    code = asm.jal(ZERO, 4 * (2 + _SLOTS)) + b"".join(_one(start) for _ in range(_SLOTS)) + asm.RET
    code += asm.sd(RA, _PRIVATE, _KEPT_RA)
    end = b"".join(asm.add(A0, A0, register) for register in MIXED[1:]) + asm.ld(RA, _PRIVATE, _KEPT_RA) + asm.RET
    for kind, seed in pieces:
        made = asm.jal(RA, 4 - len(code)) if kind == CALL_ROUTINE else PIECES[kind](random.Random(seed), cpu)
        if len(code) + len(made) + len(end) > 4 * WORDS:
            break
        code += made
    return code + end


PROGRAMS = programs_of(PIECES)


def image(directory: Path, name: str, programs: Sequence[Sequence[tuple[str, int]]]) -> Path:
    """RISC-V's ``random.elf`` with these programs in it."""
    codes = [program(pieces, cpu) for cpu, pieces in enumerate(programs)]
    return placed(directory, name, RISCV_GUESTS / "random.elf", codes)
