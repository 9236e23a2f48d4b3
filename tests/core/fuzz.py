"""Instruction words, one after another, in child processes: a word that ends its process is known by what it left.

A word stands alone in memory full of calls to EL1, where everything ends with HVC. The child notes in shared memory which
word it runs, so a death, or a word that does not come back, is that word's.
"""

from __future__ import annotations

import enum
import mmap
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from baonet.core.engine import native
from tests.core.bench import RAM, SIZE, Memory, core_of


class State(enum.Enum):
    """The instruction set and exception level that words are run in; the values are (SPSR, a call to EL1)."""

    A64_EL1 = 0x3C5, 0xD400_0002
    A64_EL0 = 0x000, 0xD400_0001
    A32 = 0x010, 0xEF00_0000
    T32 = 0x030, 0xDF00_DF00


HVC: Final = 0xD400_0002
VECTORS: Final = RAM
ENTRY: Final = RAM + 0x800
DATA: Final = RAM + 0x20_0000
WORD: Final = RAM + 0x10_0400
# SPSR_EL1 from x16, ELR_EL1 from x15, FP enabled, x15 and x16 as any other, exception return
ENTRY_CODE: Final = (0xD51_84010, 0xD51_8402F, 0xD518_1051, 0xD69F_03E0)
BUDGET: Final = 100
AT_ONCE: Final = 1000  # words, between two times that memory is put in order
PATIENCE: Final = 10.0  # seconds of a CPU, for as many


@dataclass(frozen=True, slots=True)
class Death:
    """A word after which its process was gone, or did not come back; ``how`` says by what."""

    word: int
    how: str

    def __str__(self) -> str:
        return f"{self.word:#010x}: {self.how}"


def _bytes(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


class Victim:
    """A core that runs single words."""

    def __init__(self, model: int, state: State) -> None:
        self._spsr, call = state.value
        self._state = state
        self._memory = Memory()
        self.core: native.Core = core_of(self._memory, model=model)
        self._calls = _bytes(call) * (SIZE // 4)

    def tidy(self) -> None:
        """What the words before have done to memory is undone."""
        memory = self._memory
        memory.load(RAM, self._calls)
        memory.load(VECTORS, _bytes(HVC) * 0x200)
        memory.load(ENTRY, _bytes(*ENTRY_CODE))

    def run(self, word: int, random: Random) -> int:
        """Run one word; returns why the core left."""
        core = self.core
        half = self._state is State.T32  # of whose two half-words the first is at the lower address
        self._memory.load(WORD, _bytes((word >> 16 | word << 16) & 0xFFFF_FFFF if half else word))
        core.reset(ENTRY, 0)
        registers = core.x
        for n in range(31):
            registers[n] = DATA + n * 0x100 if n & 1 else random.getrandbits(random.choice((3, 16, 64)))
        registers[15], registers[16], registers[17] = WORD, self._spsr, 3 << 20
        return core.run(BUDGET)
