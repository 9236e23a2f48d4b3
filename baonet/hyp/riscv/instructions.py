"""Loads and stores of general registers, as Bao emulates them: the rest it cannot decode.

Bao takes what the hardware has made of the instruction (htinst), where a compressed one has become the 32 bits that it
stands for, so those are decoded too (unprivileged architecture, chapters 2, 4 and 26).
"""

from __future__ import annotations

from typing import Final, final

from baonet.machine.dataclass import dataclass

_LOAD: Final = 0x03
_STORE: Final = 0x23
_LOADS: Final = 7
"""LB, LH, LW, LD, LBU, LHU, LWU, by funct3."""
_STORES: Final = 4

# Compressed: bits 15:13 and 1:0.
_SIZES: Final = {0b010: 4, 0b011: 8, 0b110: 4, 0b111: 8}
_COMPRESSED_STORE: Final = 0b100
_REGISTERS: Final = 0b00  # C.LW, C.LD, C.SW, C.SD
_STACK: Final = 0b10  # C.LWSP, C.LDSP, C.SWSP, C.SDSP


@final
@dataclass(frozen=True, slots=True)
class Transfer:
    """``size``: bytes of memory. ``register``: what is loaded or stored. ``length``: bytes of the instruction."""

    store: bool
    size: int
    register: int
    length: int


def length(instruction: int) -> int:
    """Bytes of an instruction of RV64GC, of which ``instruction`` has the first 16 bits at least."""
    return 4 if instruction & 3 == 3 else 2


def decode(instruction: int) -> Transfer | None:
    """What it loads or stores; None for anything else, such as an atomic or a floating-point access."""
    if length(instruction) == 2:
        return _decode_compressed(instruction & 0xFFFF)
    opcode, function = instruction & 0x7F, instruction >> 12 & 7
    if opcode == _LOAD and function < _LOADS:
        return Transfer(False, 1 << (function & 3), instruction >> 7 & 0x1F, 4)
    if opcode == _STORE and function < _STORES:
        return Transfer(True, 1 << function, instruction >> 20 & 0x1F, 4)
    return None


def _decode_compressed(instruction: int) -> Transfer | None:
    quadrant, function = instruction & 3, instruction >> 13
    size = _SIZES.get(function)
    if size is None or quadrant not in (_REGISTERS, _STACK):
        return None
    store = bool(function & _COMPRESSED_STORE)
    if quadrant == _REGISTERS:
        return Transfer(store, size, 8 + (instruction >> 2 & 7), 2)
    register = instruction >> 2 & 0x1F if store else instruction >> 7 & 0x1F
    return Transfer(store, size, register, 2) if store or register else None
