"""Guests that nobody has written: programs for ``random.elf``, made of pieces that each do one thing that a guest does.

A piece is drawn as its kind and a seed, so a failing program shrinks to the pieces that it takes. Encodings are those
of the Arm ARM (DDI 0487), section C4.1. What a program may use: x0 to x3 for a piece alone; x4 to x10, which all pieces
mix and whose sum the guest prints; x11 counts a loop; x12 to x17 point to memory and devices (``random.c``).
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.system.machine import GUESTS

PRINTED = "#$%&'()*"
"""Characters that may come into the middle of a line, and that no line has of its own."""
PARTS: Final = 4
"""vCPUs of the guest at most."""
WORDS: Final = 4096
_MARK = struct.pack("<3I", 0x6D646E72, WORDS, PARTS)
_SLOTS = 7
"""Instructions of the routine, at words 1 and after, that any vCPU may exchange for others."""

_COUNTER, _PRIVATE, _VM, _BOTH, _UART, _GICD, _PART, _LINK = 11, 12, 13, 14, 15, 16, 17, 18
_ISB, _DSB, _RET = 0xD5033FDF, 0xD5033B9F, 0xD65F03C0
_DC_CVAU, _IC_IVAU, _IC_IALLU, _IC_IALLUIS = 0xD50B7B20, 0xD50B7520, 0xD508751F, 0xD508711F

Piece = Callable[[random.Random, int], list[int]]
PIECES: dict[str, Piece] = {}
"""What a piece of each kind is on a vcpu."""


def _piece(make: Piece) -> Piece:
    PIECES[make.__name__.strip("_")] = make
    return make


def _reg(r: random.Random) -> int:
    return r.randrange(4, 11)


def _constant(register: int, value: int) -> list[int]:
    """MOVZ and MOVKs."""
    words = [0xD2800000 | (value & 0xFFFF) << 5 | register]
    words += [0xF2800000 | half << 21 | (value >> 16 * half & 0xFFFF) << 5 | register for half in (1, 2, 3)]
    return words[: 1 + max(0, (value.bit_length() - 1) // 16)]


def _one(r: random.Random) -> int:
    """One instruction on the registers that are mixed."""
    d, n, m, a = (_reg(r) for _ in range(4))
    three = m << 16 | n << 5 | d
    condition = r.randrange(14)
    shifted = r.choice((0x8B000000, 0xCB000000, 0xAB000000, 0xEB000000, 0x8A000000, 0xAA000000, 0xCA000000, 0x8A200000))
    return r.choice(
        (
            shifted | r.randrange(3) << 22 | r.randrange(64) << 10 | three,
            r.choice((0x9AC00800, 0x9AC00C00, 0x9AC02000, 0x9AC02C00, 0x9AC04C00, 0x9BC07C00)) | three,
            r.choice((0xDAC01000, 0xDAC00C00, 0xDAC00000)) | n << 5 | d,
            0x9B000000 | a << 10 | three,
            0x9A800000 | condition << 12 | three,
            0xFA400000 | m << 16 | condition << 12 | n << 5 | r.randrange(16),
            0x93C00000 | r.randrange(64) << 10 | three,
            0xD2800000 | r.randrange(4) << 21 | r.randrange(0x10000) << 5 | d,
            0xF2800000 | r.randrange(4) << 21 | r.randrange(0x10000) << 5 | d,
            0x91000000 | r.randrange(0x1000) << 10 | n << 5 | d,
        )
    )


def _some(r: random.Random, most: int) -> list[int]:
    return [_one(r) for _ in range(r.randrange(1, most))]


@_piece
def _compute(r: random.Random, cpu: int) -> list[int]:
    return _some(r, r.choice((4, 12, 60)))


@_piece
def _access(r: random.Random, cpu: int) -> list[int]:
    base, size, load = r.choice((_PRIVATE, _VM, _BOTH)), r.randrange(4), r.randrange(2)
    offset = r.randrange(0x40, 0x1000 >> size if r.randrange(2) else 0x48)
    return [size << 30 | 0x39000000 | load << 22 | offset << 10 | base << 5 | _reg(r)]


@_piece
def _access_pair(r: random.Random, cpu: int) -> list[int]:
    first = _reg(r)
    second = first + 1 if first < 10 else 4
    base = r.choice((_PRIVATE, _VM, _BOTH))
    if r.randrange(3) == 0:
        return [0x3DC00000 | r.randrange(256) << 10 | base << 5, 0x3D800000 | r.randrange(4, 256) << 10 | base << 5]
    return [r.choice((0xA9400000, 0xA9000000)) | r.randrange(4, 64) << 15 | second << 10 | base << 5 | first]


@_piece
def _exclusive(r: random.Random, cpu: int) -> list[int]:
    value, failed = _reg(r), _reg(r)
    load, store = r.choice(((0xC85F7C00, 0xC8007C00), (0xC85FFC00, 0xC800FC00)))
    address = 0x91000000 | r.randrange(8, 16) * 8 << 10 | r.choice((_VM, _BOTH)) << 5
    between = _some(r, 4) if r.randrange(2) else [0x91000400 | value << 5 | value]
    again = [0x35000000 | (-(len(between) + 2) & 0x7FFFF) << 5 | 1]
    kept = 0xAA0003E0 | 1 << 16 | failed  # what STXR said
    return [address, load | value, *between, store | 1 << 16 | value, *(again if r.randrange(2) else [kept])]


@_piece
def _ordered(r: random.Random, cpu: int) -> list[int]:
    address = 0x91000000 | r.randrange(8, 16) * 8 << 10 | r.choice((_VM, _BOTH)) << 5
    access = r.choice((0xC8DFFC00, 0xC89FFC00)) | _reg(r)
    return [address, access, r.choice((0xD5033BBF, _DSB, _ISB, 0xD5033F5F))]


@_piece
def _forward(r: random.Random, cpu: int) -> list[int]:
    inner = _some(r, 10)
    offset, register = len(inner) + 1, _reg(r)
    return [
        r.choice(
            (
                r.choice((0xB4000000, 0xB5000000)) | offset << 5 | register,
                0x54000000 | offset << 5 | r.randrange(14),
                r.choice((0x36000000, 0x37000000)) | r.randrange(32) << 19 | offset << 5 | register,
                0x14000000 | offset,
            )
        ),
        *inner,
    ]


@_piece
def _loop(r: random.Random, cpu: int) -> list[int]:
    inner = [word for _ in range(r.randrange(1, 4)) for word in _access(r, cpu) + _some(r, 6)]
    count = r.choice((3, 40, 700))
    back = [0xF1000400 | _COUNTER << 5 | _COUNTER, 0x54000001 | (-(len(inner) + 1) & 0x7FFFF) << 5]
    return [*_constant(_COUNTER, count), *inner, *back]


@_piece
def _exception(r: random.Random, cpu: int) -> list[int]:
    number = r.randrange(0x10000)
    unmapped = [*_constant(0, 4 << 30 | number & ~7), r.choice((0xF9400000, 0xF9000000)) | _reg(r)]
    return r.choice(([0xD4000001 | number << 5], [0xD4200000 | number << 5], [number], unmapped))


@_piece
def _registers(r: random.Random, cpu: int) -> list[int]:
    """CNTVCT, CNTV_TVAL, MPIDR, ISR, DAIF, NZCV, PMCCNTR, ELR, and what a marker is."""
    read = r.choice((0xD53BE040, 0xD53BE300, 0xD53800A0, 0xD538C100, 0xD53B4220, 0xD53B4200, 0xD53B9D00, 0xD5384020))
    return [r.choice((read, read, 0xD5130400)) | _reg(r)]


@_piece
def _translate(r: random.Random, cpu: int) -> list[int]:
    """AT S1E1R or S1E1W of what is mapped, and PAR_EL1."""
    return [r.choice((0xD5087800, 0xD5087820)) | r.choice((_PRIVATE, _BOTH, _UART)), 0xD5387400 | _reg(r)]


@_piece
def _float(r: random.Random, cpu: int) -> list[int]:
    d, n, m = (r.randrange(4) for _ in range(3))
    work = (0x1E602800, 0x1E600800, 0x1E601800, 0x1E603800, 0x4EE08400, 0x1F400000)
    return [
        0x9E620000 | _reg(r) << 5 | n,
        r.choice(work) | m << 16 | n << 5 | d,
        0x1E61C000 | d << 5 | m,
        0x9E660000 | d << 5 | _reg(r),
    ]


@_piece
def _call(r: random.Random, cpu: int) -> list[int]:
    """PSCI_VERSION, PSCI_FEATURES, AFFINITY_INFO, or a notification."""
    function = r.choice((0x84000000, 0x8400000A, 0xC4000004, 0x86000001))
    second = r.choice((0x8400000A, 1)) if function == 0x8400000A else r.randrange(3) if function == 0xC4000004 else 0
    return [*_constant(0, function), *_constant(1, second), *_constant(2, 0), 0xD4000002, 0xCA000000 | 4 << 5 | 4]


@_piece
def _sgi(r: random.Random, cpu: int) -> list[int]:
    return [*_constant(0, 1 << 24 | r.randrange(16)), 0xD518CBA0, _ISB]


@_piece
def _rest(r: random.Random, cpu: int) -> list[int]:
    """WFI, WFE, YIELD or SEV; the timer's period wakes who sleeps."""
    return [r.choice((0xD503207F, 0xD503205F, 0xD503203F, 0xD503209F))]


@_piece
def _mask(r: random.Random, cpu: int) -> list[int]:
    return [0xD50342DF, *_some(r, 6), 0xD50342FF]


@_piece
def _print(r: random.Random, cpu: int) -> list[int]:
    """One of ``PRINTED``, by what a register has."""
    return [0x12000800 | _reg(r) << 5, 0x11008C00, 0xB9000000 | _UART << 5, 0xB9401800 | _UART << 5 | _reg(r)]


@_piece
def _distributor(r: random.Random, cpu: int) -> list[int]:
    """Load a register of the distributor, pend SPI 50, or route it."""
    load = 0xB9400000 | r.choice((0x4, 0x104, 0x204, 0x304, 0x430)) // 4 << 10 | _GICD << 5 | _reg(r)
    pend = [*_constant(0, 1 << 18), r.choice((0xB9020400, 0xB9028400)) | _GICD << 5]
    route = [*_constant(0, r.randrange(3)), 0xF9000000 | (0x6000 + 8 * 50) // 8 << 10 | _GICD << 5]
    return r.choice(([load], pend, route))


@_piece
def _maintenance(r: random.Random, cpu: int) -> list[int]:
    by_address = r.choice((_IC_IVAU, _DC_CVAU, 0xD50B7E20)) | r.choice((_PRIVATE, _VM, _PART))
    operation = r.choice((0xD508831F, 0xD508871F, _IC_IALLU, _IC_IALLUIS, by_address))
    return [operation, _DSB, _ISB]


@_piece
def _zero(r: random.Random, cpu: int) -> list[int]:
    """DC ZVA of a block of the VM's page."""
    return [0x91000000 | r.randrange(1, 64) * 64 << 10 | _VM << 5, 0xD50B7420]


@_piece
def _own_code(r: random.Random, cpu: int) -> list[int]:
    """Exchange an instruction that comes soon, with all that the architecture asks for."""
    between = _some(r, 8) if r.randrange(2) else []
    maintenance = [_DC_CVAU | 1, _DSB, r.choice((_IC_IVAU | 1, _IC_IALLU, _IC_IALLUIS)), _DSB, _ISB]
    store = [0xB9000000 | 1 << 5]
    distance = 4 * (1 + len(store) + len(maintenance) + len(between))
    return [*_constant(0, _one(r)), 0x10000000 | distance // 4 << 5 | 1, *store, *maintenance, *between, _one(r)]


@_piece
def _others_code(r: random.Random, cpu: int) -> list[int]:
    """Exchange an instruction of the routine of any vCPU."""
    distance = (r.randrange(PARTS) - cpu) * WORDS * 4 + 4 * r.randrange(1, 1 + _SLOTS)
    address = [*_constant(1, abs(distance)), (0xCB000000 if distance < 0 else 0x8B000000) | 1 << 16 | _PART << 5 | 1]
    maintenance = [_DC_CVAU | 1, _DSB, r.choice((_IC_IVAU | 1, _IC_IALLUIS)), _DSB, _ISB]
    return [*_constant(0, _one(r)), *address, 0xB9000000 | 1 << 5, *maintenance]


CALL_ROUTINE = "routine"


def program(pieces: Sequence[tuple[str, int]], cpu: int) -> list[int]:
    """The words of one vcpu's part: a branch over the routine, the routine, and the pieces in a row."""
    start = random.Random(cpu)
    words = [0x14000000 | (2 + _SLOTS), *(_one(start) for _ in range(_SLOTS)), _RET, 0xAA0003E0 | 30 << 16 | _LINK]
    for kind, seed in pieces:
        if kind == CALL_ROUTINE:
            made = [0x94000000 | (1 - len(words)) & 0x3FFFFFF]
        else:
            made = PIECES[kind](random.Random(seed), cpu)
        if len(words) + len(made) + 8 > WORDS:
            break
        words += made
    return [*words, *(0xCA000000 | register << 16 | 4 << 5 | 4 for register in range(5, 11)), 0xD65F0000 | _LINK << 5]


def programs_of(pieces: Iterable[str]) -> st.SearchStrategy[list[tuple[str, int]]]:
    """What is drawn for a vCPU."""
    return st.lists(st.tuples(st.sampled_from([*pieces, CALL_ROUTINE]), st.integers(0, 0xFFFF)), max_size=120)


PROGRAMS = programs_of(PIECES)


def placed(directory: Path, name: str, guest: Path, codes: Sequence[bytes]) -> Path:
    """A ``random.elf`` with this code of each of its vCPUs."""
    data = bytearray(guest.read_bytes())
    at = data.index(_MARK)
    for cpu, code in enumerate(codes):
        data[at + cpu * WORDS * 4 : at + cpu * WORDS * 4 + len(code)] = code
    path = directory / f"{name}.elf"
    path.write_bytes(data)
    return path


def image(directory: Path, name: str, programs: Sequence[Sequence[tuple[str, int]]]) -> Path:
    """``random.elf`` with these programs in it."""
    parts = [program(pieces, cpu) for cpu, pieces in enumerate(programs)]
    return placed(directory, name, GUESTS / "random.elf", [struct.pack(f"<{len(words)}I", *words) for words in parts])


def describe(programs: Sequence[Any]) -> str:
    """For a person who looks at a failure."""
    return "\n".join(f"vCPU {cpu}: {pieces}" for cpu, pieces in enumerate(programs))
