"""Instruction words of Armv8, and the core that they are run on (``tests.core.fuzzing``).

Words stand in memory full of calls to EL1, where everything ends with HVC.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Final

from baonet.core.armv8 import selftest_code
from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import aarch32_code, guests_code, vectors
from tests.core.bench import RAM, SIZE, Memory, core_of, retired
from tests.core.fuzzing import REPEATED, Finding, findings_of


class State(enum.Enum):
    """The instruction set and exception level that words are run in: SPSR, a call that ends there, what it counts."""

    A64_EL1 = 0x3C5, 0xD400_0002
    A64_EL0 = 0x000, 0xD400_0001
    A32 = 0x010, 0xEF00_0000
    T32 = 0x030, 0xDF00_DF00


VECTORS: Final = RAM
ENTRY: Final = RAM + 0x800
WORD: Final = RAM + 0x10_0400
DATA: Final = RAM + 0x20_0000
# SPSR_EL1 from x16, ELR_EL1 from x15, CPACR_EL1 from x17, VBAR_EL1 from x18, exception return
ENTRY_CODE: Final = (0xD518_4010, 0xD518_402F, 0xD518_1051, 0xD518_C012, 0xD69F_03E0)
CPACR: Final = 3 << 20 | 3 << 16  # FP, and SVE where there is any
BUDGET: Final = 1000
SVC_CLASSES: Final = (0x11, 0x15)
TIMELESS: Final = dict.fromkeys(
    (
        *("l2_latency", "l2_store", "l2_path", "dram_latency", "dram_store", "dram_line"),
        *("device_load", "device_store", "utlb_miss", "tlb_miss", "snoop_dirty", "snoop_shared"),
    ),
    0,
)
BREAKPOINT_CLASSES: Final = (0x38, 0x3C)  # they count as retired, though the exception returns to them


def _bytes(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


class Victim:
    """A core that runs words; ``hz``: in virtual time; ``modelled``: its memory system is, and takes no time."""

    def __init__(self, model: int, state: State, hz: int = 0, modelled: bool = False) -> None:
        self._spsr, call = state.value
        self._state = state
        self._memory = Memory()
        self.core: native.Core = core_of(self._memory, model=model, hz=hz)
        if modelled:
            self.core.model_memory(1, 1, TIMELESS)
        self._virtual = bool(hz)
        self._calls = _bytes(call) * (SIZE // 4)
        self._call = _bytes(call) * (REPEATED + 1)

    def tidy(self) -> None:
        """What the words before have done to memory is undone."""
        memory = self._memory
        memory.load(RAM, self._calls)
        vectors.load(memory, VECTORS)
        memory.load(ENTRY, _bytes(*ENTRY_CODE))

    def run(self, row: Sequence[int], random: Random) -> str | None:
        """Run a word, or some in a row; returns what is wrong with that."""
        core = self.core
        narrow = self._state is State.T32  # of whose two half-words the first is at the lower address
        self._memory.load(WORD, self._call)
        self._memory.load(WORD, _bytes(*((word >> 16 | word << 16) & 0xFFFF_FFFF if narrow else word for word in row)))
        core.reset(ENTRY, 0)
        registers = core.x
        for n in range(31):
            registers[n] = DATA + n * 0x100 if n & 1 else random.getrandbits(random.choice((3, 16, 64)))
        registers[15], registers[16], registers[17], registers[18] = WORD, self._spsr, CPACR, VECTORS
        before = retired(core)
        left = core.run_until(core.time + BUDGET) if self._virtual else core.run(BUDGET)
        return self._judge(left, retired(core) - before, narrow) if len(row) == 1 else None

    def _judge(self, left: int, count: int, narrow: bool) -> str | None:
        """The count, where it is clear what ran: nothing of the word, or it and the call behind it."""
        core = self.core
        if not 0 <= count <= BUDGET + 600:
            return f"{count} instructions retired in a stay of {BUDGET}"
        if left != Exit.HVC:
            return None
        own = count - len(ENTRY_CODE)
        if self._state is State.A64_EL1 and core.pc == WORD + 8:
            return None if own == 2 else f"{own} instructions retired of 2"
        taken = vectors.taken(core, VECTORS)
        if taken is None:
            return None
        own -= vectors.INSTRUCTIONS
        elr, esr, ec = taken.elr, taken.esr, taken.ec
        if elr == WORD and esr and ec not in SVC_CLASSES:  # without ESR it is a branch to a vector
            expected = 1 if ec in BREAKPOINT_CLASSES else 0
            return None if own == expected else f"{own} instructions retired of {expected} before ESR {esr:#x}"
        if elr == WORD + 8 and ec in SVC_CLASSES and not narrow:
            return None if own == 2 else f"{own} instructions retired of 2"
        return None


def findings(
    model: int, state: State, words: Sequence[int], *, seed: int = 0, hz: int = 0, modelled: bool = False
) -> list[Finding]:
    return findings_of(lambda: Victim(model, state, hz, modelled), words, seed)


def _valid(state: State) -> list[int]:
    """Words that assemblers made."""
    if state in (State.A64_EL1, State.A64_EL0):
        code = selftest_code.CODE + guests_code.CODE
        return [int.from_bytes(code[n : n + 4], "little") for n in range(0, len(code), 4)]
    code, entry = aarch32_code.CODE, sorted(aarch32_code.ENTRY.items(), key=lambda item: item[1])
    words = []
    for (name, begin), (_, end) in zip(entry, [*entry[1:], ("", len(code))], strict=True):
        if name.startswith("t32") and state is State.T32:
            half = [int.from_bytes(code[n : n + 2], "little") for n in range(begin, end, 2)]
            words += [first << 16 | second for first, second in pairwise(half)]
        elif name.startswith("a32") and state is State.A32:
            words += [int.from_bytes(code[n : n + 4], "little") for n in range(begin, end, 4)]
    return words


def words(state: State, count: int, seed: int) -> Iterator[int]:
    """Random words: anything; valid ones with some bits changed; and SIMD, where encodings are dense."""
    random, valid = Random(f"{state.name} {seed}"), _valid(state)
    for n in range(count):
        word = random.getrandbits(32)
        if n % 4 == 1:
            word = random.choice(valid)
            for _ in range(random.randint(1, 4)):
                word ^= 1 << random.randrange(32)
        elif n % 4 == 2:
            word = _simd(state, word)
        elif n % 4 == 3 and state is State.T32:
            word |= 0xE800_0000  # 32 bits long
        elif n % 4 == 3 and state is State.A32:
            word |= random.choice((0xE, 0xF)) << 28
        yield word & 0xFFFF_FFFF


def _simd(state: State, word: int) -> int:
    if state is State.A32:
        return (word & 0x0DFF_FFFF) | 0xF200_0000 if word >> 31 else (word & 0x01FF_FFFF) | 0xEE00_0000
    if state is State.T32:
        return (word & 0x10FF_FFFF) | 0xEF00_0000 if word >> 31 else (word & 0x01FF_FFFF) | 0xEE00_0000
    return (word & 0xF1FF_FFFF) | 0x0E00_0000
