"""A core that runs the routines of ``probes.S`` at EL1 or EL0 and tells which exception they end with."""

from __future__ import annotations

from typing import Final

from baonet.hyp.armv8.cpu import Exit
from tests.core import bench, vectors, virtual
from tests.core.bench import FOR_EVER, MASK, RAM, Memory, retired
from tests.core.probes_code import CODE, ENTRY
from tests.core.vectors import Taken

CORTEX_A53, MAX = 1, 3  # UC_CPU_ARM64_*
CLOCKS = ("host", "virtual")
VECTORS: Final = RAM + ENTRY["vectors"]
GO, HANDLER = 5, vectors.INSTRUCTIONS  # of the way to a routine, and of a vector

SCTLR_RESET, SCTLR_M, SCTLR_A, SCTLR_SA, SCTLR_SA0 = 0x30C5_0830 & ~(1 << 4), 1, 2, 8, 16
CPACR_FP: Final = 3 << 20
EL0, EL1T, EL1H = 0, 4, 5
MASKED: Final = 0x3C0  # DAIF
SAME_EL, LOWER_EL = 0x200, 0x400  # offsets of vectors: synchronous
IL: Final = 1 << 25

# Virtual addresses of the RAM when translation is on: the first word of the memory map at each
NORMAL, DEVICE, USER = RAM, 0x8000_0000, 0xC000_0000
TABLES: Final = RAM + 0x30_0000
DATA: Final = 0x20_0000  # from the start of the RAM: what a probe may read and write
TCR: Final = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32  # 39 bits of VA, 4 KiB, no TTBR1, 40 bits of PA
MAIR: Final = 0x00_44_00_FF  # write-back, Device-nGnRnE, non-cacheable
BLOCK: Final = 0x701  # accessed, inner shareable


def address(routine: str) -> int:
    return RAM + ENTRY[routine]


def user(routine: str) -> int:
    """Where EL0 runs it."""
    return USER + ENTRY[routine]


class Probe:
    """One core; ``mmu`` turns translation on, with the RAM at NORMAL, DEVICE and USER (which EL0 may use)."""

    def __init__(self, clock: str = "host", model: int = MAX, *, mmu: bool = False) -> None:
        self.memory = Memory()
        self.mmu, self.clock = mmu, clock
        if clock == "host":
            self.core = bench.core_of(self.memory, model=model)
        else:
            self.core = virtual.core(memory=self.memory, model=model)
        self.memory.load(RAM, CODE)
        vectors.load(self.memory, VECTORS)
        ram = RAM | BLOCK
        self.memory.write(TABLES, 0x401 | 1 << 2, ram, ram | 1 << 2, ram | 1 << 6)
        self.set_up()

    def set_up(self, *, cpacr: int = 0, sctlr: int = 0, mdscr: int = 0, tcr: int = TCR) -> None:
        """Set registers of EL1; ``sctlr`` adds to what is needed anyway."""
        self.core.reset(address("set_up"), VECTORS)
        translate = SCTLR_M if self.mmu else 0
        for n, value in enumerate((SCTLR_RESET | translate | sctlr, cpacr, TABLES, tcr, MAIR, mdscr), 1):
            self.core.x[n] = value
        assert self.stay() == Exit.HVC

    def stay(self) -> Exit:
        """To the next exit."""
        return Exit(self.core.run_until(FOR_EVER) if self.clock == "virtual" else self.core.run(FOR_EVER))

    def go(self, routine: str | int, *arguments: int, spsr: int = EL1H | MASKED, sp: int = RAM + DATA) -> Taken | None:
        """Run a routine (at its place for the level, or where the number says); None if it takes no exception."""
        core = self.core
        for n, value in enumerate(arguments):
            core.x[n] = value & MASK
        place = user if spsr & 0xF == EL0 and self.mmu else address
        core.x[30] = place(routine) if isinstance(routine, str) else routine
        core.x[29], core.x[28], core.x[27] = spsr, sp, sp
        core.pc = address("go")
        self.entered = retired(core) + GO
        assert self.stay() == Exit.HVC
        return vectors.taken(core, VECTORS)

    @property
    def retired(self) -> int:
        """Instructions since the routine was entered, a handler's among them."""
        return retired(self.core) - self.entered

    def data(self, offset: int = 0) -> int:
        return self.memory.read(RAM + DATA + offset)

    def store(self, offset: int, *values: int) -> None:
        self.memory.write(RAM + DATA + offset, *values)
