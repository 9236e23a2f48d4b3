"""Vectors of EL1 that end in the hypervisor at once: the PC says which it was, EL1's registers what came."""

from __future__ import annotations

from typing import Final, NamedTuple

from baonet.core.armv8.engine import native
from tests.core.bench import Memory

SIZE: Final = 0x800
INSTRUCTIONS: Final = 1
"""What runs of a vector: HVC."""
_HVC: Final = 0xD400_0002
_APART: Final = 0x80


class Taken(NamedTuple):
    """An exception that the guest took itself, as EL1 has it; ``vector`` is the offset of its vector."""

    vector: int
    esr: int
    elr: int
    far: int
    spsr: int

    @property
    def ec(self) -> int:
        return self.esr >> 26


def load(memory: Memory, base: int) -> None:
    memory.load(base, _HVC.to_bytes(4, "little") * (SIZE // 4))


def taken(core: native.Core, base: int) -> Taken | None:
    """The exception that the guest has left by; None if it was another HVC than the first of a vector."""
    vector = core.pc - base - 4 * INSTRUCTIONS
    if not 0 <= vector < SIZE or vector % _APART:
        return None
    state = core.state()
    return Taken(vector, state["esr_el1"], state["elr_el1"], state["far_el1"], state["spsr_el1"])
