"""The instruction set that a guest is in, and what its registers are called there (Arm ARM D1.9.1, C5.2.19)."""

from __future__ import annotations

from enum import Enum
from typing import Final, final

_AARCH32: Final = 1 << 4  # PSTATE.nRW, as SPSR_EL2 has it
_THUMB: Final = 1 << 5


@final
class InstructionSet(Enum):
    """What the instruction at a PC is one of."""

    A64 = "A64"
    A32 = "A32"
    T32 = "T32"


def instruction_set(pstate: int) -> InstructionSet:
    """PSTATE in the format of SPSR_EL2."""
    if not pstate & _AARCH32:
        return InstructionSet.A64
    return InstructionSet.T32 if pstate & _THUMB else InstructionSet.A32


def named_registers(registers: tuple[int, ...], pstate: int) -> list[tuple[str, str]]:
    """The general registers as (name, value); ``registers`` are x0 to x30, where AArch32 has R0 to R14 of User mode."""
    if instruction_set(pstate) is InstructionSet.A64:
        return [(f"x{n}", f"{value:#018x}") for n, value in enumerate(registers)]
    names = [*(f"r{n}" for n in range(13)), "sp", "lr"]
    return [(name, f"{value & 0xFFFF_FFFF:#010x}") for name, value in zip(names, registers, strict=False)]
