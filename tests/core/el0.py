"""A core that enters EL0 in AArch32 state with translation on, and comes back by an exception to EL1.

Memory, 4 MiB: the first half is EL1's (vectors, entry, tables), the second EL0's, all of it but the last 64 KiB
readable, writable and executable. Below, from 0 to 1 GiB, virtual addresses are guest-physical ones, where there is no
memory.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import aarch32_code, vectors
from tests.core.bench import RAM, SIZE, UART, UART_INTID, Memory
from tests.core.owners import Owners

VECTORS: Final = RAM
ENTRY: Final = RAM + 0x1000
TABLES: Final = RAM + 0x4000
CODE: Final = RAM + 0x20_0000
DATA: Final = RAM + 0x30_0000
UNMAPPED: Final = RAM + 0x3F_0000
NOWHERE: Final = 0x0A00_0000  # mapped by EL1, but not by stage 2

A32: Final = 0x10
T32: Final = 0x30
FREQUENCY: Final = 62_500_000
COSTS: Final = len(Exit) + 2


def msr(register: tuple[int, int, int, int, int], source: int) -> int:
    op0, op1, crn, crm, op2 = register
    return 0xD510_0000 | (op0 - 2) << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | source


# x15..x29: what no register of User mode is
ENTER: Final = {
    "elr": (15, msr((3, 0, 4, 0, 1), 15)),
    "spsr": (16, msr((3, 0, 4, 0, 0), 16)),
    "cpacr": (17, msr((3, 0, 1, 0, 2), 17)),
    "ttbr0": (18, msr((3, 0, 2, 0, 0), 18)),
    "tcr": (19, msr((3, 0, 2, 0, 2), 19)),
    "mair": (20, msr((3, 0, 10, 2, 0), 20)),
    "vbar": (21, msr((3, 0, 12, 0, 0), 21)),
    "cntkctl": (22, msr((3, 0, 14, 1, 0), 22)),
    "sctlr": (23, msr((3, 0, 1, 0, 0), 23)),
    "mdscr": (25, msr((2, 0, 0, 2, 2), 25)),
    "oslar": (26, msr((2, 0, 1, 0, 4), 26)),
    "pmuserenr": (27, msr((3, 3, 9, 14, 0), 27)),
    "dbgwvr": (28, msr((2, 0, 0, 0, 6), 28)),
    "dbgwcr": (29, msr((2, 0, 0, 0, 7), 29)),
}
ENTRY_CODE: Final = (*(word for _, word in ENTER.values()), 0xD503_3FDF, 0xD69F_03E0)  # ISB, ERET

SCTLR: Final = 0x30D5_0835 | 1 << 16 | 1 << 18  # M, C, I; nTWI, nTWE; CP15BEN; neither SED nor ITD
DEFAULTS: Final = {
    "cpacr": 3 << 20,
    "ttbr0": TABLES,
    "tcr": 1 << 23 | 0x3500 | 32,  # 4 GiB from TTBR0, 4 KiB granule
    "mair": 0xFF | 0 << 8,
    "vbar": VECTORS,
    "cntkctl": 0,
    "sctlr": SCTLR & ~0x180,
    "mdscr": 0,
    "oslar": 1,  # locked, as after reset
    "pmuserenr": 0,
    "dbgwvr": 0,
    "dbgwcr": 0,
}
_EL0, _READ_ONLY, _ACCESSED, _INNER, _DEVICE = 1 << 6, 2 << 6, 1 << 10, 3 << 8, 1 << 2


class Taken(NamedTuple):
    """An exception that EL0 took to EL1; ``retired`` counts EL0's instructions, ``vector`` is its offset."""

    vector: int
    esr: int
    elr: int
    far: int
    spsr: int
    retired: int
    r: tuple[int, ...]

    @property
    def ec(self) -> int:
        return self.esr >> 26


class El0:
    """One core; ``hz`` for virtual time."""

    def __init__(
        self,
        memory: Memory | None = None,
        index: int = 0,
        *,
        model: int = 1,
        hz: int = 0,
        records: bool = False,
        owners: Owners | None = None,
    ) -> None:
        self.memory = memory or Memory()
        self.core = native.Core(
            model=model,
            midr=0x410F_D034,
            mpidr=index,
            frequency=FREQUENCY,
            epoch=0 if hz else time.monotonic_ns(),
            gic_version=3,
            list_registers=4,
            timers=(27,),
            slots=self.memory.slots,
            index=index,
            siblings=tuple(other for other in range(self.memory.cores) if other != index),
            code_map=self.memory.code_map,
            translations=self.memory.translations,
            hz=hz,
            costs=(0,) * COSTS,
            records=records,
            ledger=owners and owners.ledger,
        )
        self.core.map_ram(RAM, SIZE, self.memory.ram, 0)
        if owners:
            owners.of(self.core)
        self.core.map_uart("pl011", UART, self.memory.uart, 0, UART_INTID)
        self.before = 0
        self.hz = hz
        self._prepare()

    def _prepare(self) -> None:
        memory = self.memory
        vectors.load(memory, VECTORS)
        memory.load(ENTRY, words(*ENTRY_CODE))
        level2, level3 = TABLES + 0x1000, TABLES + 0x2000
        memory.write(TABLES, 0 | _ACCESSED | _EL0 | _DEVICE | 1, level2 | 3)
        memory.write(level2, RAM | _ACCESSED | _INNER | 1, level3 | 3)
        for page in range(RAM + 0x20_0000, UNMAPPED, 0x1000):
            self.map(page, page)

    def map(self, page: int, to: int) -> None:
        """A page of EL0's half, as Normal memory, before it is used."""
        entry = TABLES + 0x2000 + (page - RAM - 0x20_0000) // 0x1000 * 8
        self.memory.write(entry, to | _ACCESSED | _INNER | _EL0 | 3)

    @property
    def count(self) -> int:
        counted = self.core.statistics()["instructions"]
        assert isinstance(counted, int)
        return counted

    def enter(self, state: int, code: bytes, at: int = CODE, *, flags: int = 0, **values: int) -> None:
        """Reset; ``code`` at ``at`` is to run next in ``state``. ``r0=..``, or what EL1 sets before: ``cntkctl=..``."""
        core = self.core
        core.answer_doorbell()  # of the last program, which may have ended before it was heard
        self.memory.load(at, code)
        core.reset(ENTRY, 0)
        for n in range(15):
            core.x[n] = values.pop(f"r{n}", 0)
        setup = {"elr": at, "spsr": state | flags} | DEFAULTS | values
        for name, value in setup.items():
            core.x[ENTER[name][0]] = value
        self.before = self.count

    def routine(self, name: str, **values: int) -> None:
        """Reset, with a routine of ``aarch32.S`` to run next."""
        self.memory.load(CODE, aarch32_code.CODE)
        self.enter(T32 if name.startswith("t32") else A32, b"", address(name), **values)

    def call(self, name: str, **values: int) -> Taken:
        self.routine(name, **values)
        return self.finish()

    def taken(self) -> Taken:
        """What the exception left."""
        core = self.core
        exception = vectors.taken(core, VECTORS)
        assert exception is not None, hex(core.pc)
        own = self.count - self.before - len(ENTRY_CODE) - vectors.INSTRUCTIONS
        return Taken(*exception, own, tuple(core.x[n] for n in range(15)))

    def finish(self) -> Taken:
        core = self.core
        assert (core.run_until(core.time + 1_000_000) if self.hz else core.run(1_000_000)) == Exit.HVC
        return self.taken()

    def go(self, state: int, code: bytes, at: int = CODE, *, flags: int = 0, **values: int) -> Taken:
        self.enter(state, code, at, flags=flags, **values)
        return self.finish()


def words(*values: int) -> bytes:
    """A64 or A32 instructions."""
    return b"".join(value.to_bytes(4, "little") for value in values)


def halves(*values: int) -> bytes:
    """T32 instructions: half-words in the order in which they lie in memory."""
    return b"".join(value.to_bytes(2, "little") for value in values)


def address(routine: str) -> int:
    return CODE + aarch32_code.ENTRY[routine]
