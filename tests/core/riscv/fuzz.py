"""Instruction words of RISC-V, and the harts that they are run on (``tests.core.fuzzing``).

Words stand in memory full of ECALL, and the handler has one too. In virtual time a second hart runs each word in steps
of one block, and both end in the same state.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from baonet.core.riscv import selftest_code
from baonet.core.riscv.engine import native
from baonet.hyp.riscv.cpu import ECALL_FROM_U, RiscvExit
from tests.core.fuzzing import REPEATED
from tests.core.memory import MASK, SIZE
from tests.core.riscv import asm
from tests.core.riscv.asm import ECALL, S9, S10, S11, csrw
from tests.core.riscv.bench import KERNEL, RAM, USER, Memory, Tables, core_of, retired


class Level(enum.Enum):
    """What words are run in."""

    BARE = enum.auto()  # S mode without translation
    S = enum.auto()
    U = enum.auto()


ENTRY: Final = RAM
HANDLER: Final = RAM + 0x800
TABLES: Final = RAM + 0x1_0000
WORD: Final = RAM + 0x10_0400
DATA: Final = RAM + 0x20_0000
TOUCHED: Final = 0x4000  # bytes from DATA on that are compared
USERS: Final = 0x4000_0000  # where U mode has the RAM
BUDGET: Final = 1000
JUMPS: Final = (0x63, 0x67, 0x6F)  # opcodes
FRESH: Final = 50  # words, of which one is run on a hart that is new as well

# stvec from s11, satp from s10, sepc from s9; stimecmp from t6: never
_ENTRY: Final = b"".join(
    (
        csrw(asm.STIMECMP, asm.T6),
        csrw(asm.STVEC, S11),
        csrw(asm.SATP, S10),
        asm.sfence_vma(),
        csrw(asm.SEPC, S9),
        csrw(asm.SSTATUS, asm.T5),
        asm.SRET,
    )
)
_ENTRY_COUNT: Final = len(_ENTRY) // 4


def _bytes(word: int) -> bytes:
    return (word & 0xFFFF_FFFF).to_bytes(4, "little") if word & 3 == 3 else (word & 0xFFFF).to_bytes(2, "little")


class Hart:
    """One of them, with a memory of its own."""

    def __init__(self, level: Level, hz: int) -> None:
        self.memory = Memory()
        self.core: native.Core = core_of(self.memory, hz=hz)
        self._level = level

    def tidy(self) -> None:
        memory = self.memory
        memory.load(RAM, ECALL * (SIZE // 4))
        memory.load(ENTRY, _ENTRY)
        self._tables = Tables(memory, 3, TABLES)
        for place in range(0, SIZE, 0x20_0000):
            self._tables.map(RAM + place, RAM + place, KERNEL, 1)
            self._tables.map(USERS + place, RAM + place, USER, 1)
        memory.load(DATA, bytes(TOUCHED))

    def enter(self, code: bytes, registers: Sequence[int]) -> int:
        """Returns where the code is for the guest."""
        core, memory = self.core, self.memory
        at = WORD - RAM + USERS if self._level is Level.U else WORD
        # What is run from now on is new: the last word's code is another hart's business no more
        memory.load(WORD, code + ECALL * (REPEATED + 1))
        core.load(core.save())
        core.reset(ENTRY, 0)
        for n, value in enumerate(registers, 1):
            core.x[n] = value
        core.x[asm.T6], core.x[S11], core.x[S9] = MASK, HANDLER, at
        core.x[S10] = 0 if self._level is Level.BARE else self._tables.satp
        core.x[asm.T5] = 0x6000 | (0 if self._level is Level.U else asm.SSTATUS_SPP)
        self.before = retired(core)
        return at

    def outcome(self, why: RiscvExit) -> list[Any]:
        core, start = self.core, DATA - RAM
        touched = bytes(self.memory.ram[start : start + TOUCHED])
        details = list(core.exit) if why == RiscvExit.TRAP else []
        return [why, core.pc, list(core.x), core.time, retired(core), core.state(), details, touched]


class Victim:
    """``hz``: in virtual time, where there are two."""

    def __init__(self, level: Level, hz: int = 0) -> None:
        self._level = level
        self._harts = [Hart(level, hz) for _ in range(2 if hz else 1)]
        self._hz, self._runs = hz, 0
        self._virtual = bool(hz)

    def tidy(self) -> None:
        for hart in self._harts:
            hart.tidy()

    def run(self, row: Sequence[int], random: Random) -> str | None:
        code = b"".join(map(_bytes, row))
        data = DATA if self._level is not Level.U else DATA - RAM + USERS
        registers = [
            data + 0x800 + n * 0x100 if n & 1 else random.getrandbits(random.choice((3, 16, 64))) for n in range(1, 32)
        ]
        self._runs += 1
        if self._runs % FRESH == 0 and (wrong := self._differs_from_a_new_one(code, registers)):
            return wrong
        outcomes = []
        for hart, step in zip(self._harts, (BUDGET, 1), strict=False):
            at = hart.enter(code, registers)
            outcomes.append(hart.outcome(self._stay(hart.core, step)))
        if outcomes[0] != outcomes[-1]:
            names = ("exit", "pc", "x", "time", "count", "state", "details", "memory")
            different = [name for name, one, other in zip(names, *outcomes, strict=True) if one != other]
            return f"ends with another {' and '.join(different)} when it is run in steps"
        if len(row) > 1 or row[0] & 0x7F in JUMPS:  # which may run the second half of itself
            return None
        return self._judge(self._harts[0], outcomes[0][0], at, len(code))

    def _differs_from_a_new_one(self, code: bytes, registers: Sequence[int]) -> str | None:
        """Whatever ran before, a reset leaves nothing of it."""
        outcomes = []
        for hart in (*self._harts, Hart(self._level, self._hz)):
            hart.tidy()
            hart.enter(code, registers)
            why, pc, x, _, _, state, details, touched = hart.outcome(self._stay(hart.core, BUDGET))
            if self._virtual or why not in (RiscvExit.BUDGET, RiscvExit.WFI):  # the host's time is another
                outcomes.append([why, pc, x, {**state, "time": 0}, details, touched])
        return None if all(each == outcomes[0] for each in outcomes) else "ends otherwise on a hart that is new"

    def _stay(self, core: native.Core, step: int) -> RiscvExit:
        if not self._virtual:
            return RiscvExit(core.run(BUDGET))
        limit = core.time + BUDGET
        while (why := RiscvExit(core.run_until(min(core.time + step, limit)))) in (RiscvExit.BUDGET, RiscvExit.KICKED):
            if core.time >= limit:
                break
        return why

    def _calls(self, state: Mapping[str, int]) -> bool:
        return state["scause"] == ECALL_FROM_U and state["exceptions"] == 1

    def _judge(self, hart: Hart, why: RiscvExit, at: int, length: int) -> str | None:
        """The count, where it is clear what ran: nothing of the word, or it and the call behind it."""
        core = hart.core
        count = retired(core) - hart.before
        if not 0 <= count <= BUDGET + 600:
            return f"{count} instructions retired in a stay of {BUDGET}"
        own, state = count - _ENTRY_COUNT, core.state()
        if why == RiscvExit.TRAP and core.pc == at:
            expected = 0
        elif why == RiscvExit.ECALL and core.pc == at + length + 4:
            expected = 2
        elif (
            why == RiscvExit.ECALL and core.pc == HANDLER + 4 and state["sepc"] == at and state["exceptions"] == 1
        ) or (why == RiscvExit.WFI and core.pc == at + 4):
            expected = 1
        elif why == RiscvExit.ECALL and core.pc == HANDLER + 4 and state["sepc"] == at + length and self._calls(state):
            expected = 2
        else:
            return None
        return None if own == expected else f"{own} instructions retired of {expected} ({why.name}, {state['scause']})"


_CODE: Final = selftest_code.CODE
_OPCODES: Final = (0x73, 0x2F, 0x0F, 0x53, 0x43, 0x07, 0x27, 0x03, 0x23, 0x33, 0x3B, 0x13, 0x1B)


def words(level: Level, count: int, seed: int) -> Iterator[int]:
    """Anything; valid ones with some bits changed; short ones; and those of opcodes that have many instructions."""
    random = Random(f"{level.name} {seed}")
    for n in range(count):
        word = random.getrandbits(32)
        if n % 4 == 1:
            start = random.randrange(0, len(_CODE) - 4, 2)
            word = int.from_bytes(_CODE[start : start + 4], "little")
            for _ in range(random.randint(1, 4)):
                word ^= 1 << random.randrange(32)
        elif n % 4 == 2:
            word = (word & 0xFFFF & ~3) | random.randrange(3)
        elif n % 4 == 3:
            word = word & ~0x7F | random.choice(_OPCODES)
        yield word


def every_short_word() -> Iterator[int]:
    return (word for word in range(1 << 16) if word & 3 != 3)


def every_csr() -> Iterator[int]:
    """Each of the six instructions, with every CSR."""
    for csr in range(1 << 12):
        for funct3 in (1, 2, 3, 5, 6, 7):
            yield csr << 20 | 11 << 15 | funct3 << 12 | 10 << 7 | 0x73
