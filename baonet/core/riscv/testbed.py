"""Two processes with a hart each and one memory: what the self-test's guests run on.

The layout of the memory, and how a routine of ``selftest.S`` is entered and ended.
"""

from __future__ import annotations

import os
from typing import Final, final

from baonet.core import trial_bed
from baonet.core.errors import LitmusError
from baonet.core.riscv import engine
from baonet.core.riscv.selftest_code import CODE, ENTRY
from baonet.core.trial_bed import FOR_EVER, MASK, SIZE, TrialBed, TrialSide
from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, RiscvExit

RAM: Final = 0x8000_0000
UART: Final = 0x1000_0000

# Guest-physical addresses
TABLES: Final = RAM + 0x8000
FUNCTION: Final = RAM + 0xC000
EDGE_PAGE: Final = RAM + 0xD000
PAGES: Final = RAM + 0xE000  # two of them
BLOCKS: Final = RAM + trial_bed.BLOCKS
WORDS: Final = RAM + trial_bed.WORDS

# Virtual addresses of other mappings, and where they lead
ALIAS: Final = RAM + 0x20_0000  # FUNCTION
REMAPPED: Final = RAM + 0x20_1000  # one of PAGES in turn
USER: Final = RAM + 0x20_2000  # the code's page with what U mode runs
EDGE: Final = RAM + 0x20_3000  # EDGE_PAGE, with nothing mapped behind it
NOT_ACCESSED: Final = RAM + 0x20_5000  # PAGES
NOT_DIRTY: Final = RAM + 0x20_6000  # PAGES
NOWHERE: Final = RAM + 0x20_7000  # no memory
USER_DATA: Final = RAM + 0x20_8000  # PAGES

READ, WRITE, EXECUTE, OF_USER, ACCESSED, DIRTY = (1 << n for n in (1, 2, 3, 4, 6, 7))
"""Of an entry (privileged architecture, 10.3.1)."""
ALL: Final = READ | WRITE | EXECUTE | ACCESSED | DIRTY
SATP: Final = 8 << 60 | TABLES >> 12  # Sv39

_X: Final = {name: int(name[1:]) for name in (f"x{n}" for n in range(32))}


def entry(physical: int, bits: int = ALL) -> int:
    """Of a page table: a page, or with no bits the next table."""
    return physical >> 12 << 10 | bits | 1


@final
class RiscvShared(TrialBed):
    base = RAM

    def __init__(self) -> None:
        super().__init__(CODE)
        for function in (FUNCTION, FUNCTION + 0x100):
            self.write(function, 0x8082_4301)  # C.LI t1, 0; RET
        at_the_edge = EDGE_PAGE - RAM + 0xFFA
        self.ram[at_the_edge : at_the_edge + 6] = bytes.fromhex("8507 8507 1303")  # C.ADDI a5, 1, twice; half an ADDI
        self._map()

    def _map(self) -> None:
        """RAM at its own address, and the other mappings; Sv39."""
        level2, level1, identity, others = (TABLES + 0x1000 * n for n in range(4))
        self.write(level2 + 8 * (RAM >> 30), entry(level1, 0))
        self.write(level1, entry(identity, 0), entry(others, 0))
        for page in range(SIZE >> 12):
            self.write(identity + 8 * page, entry(RAM + 0x1000 * page))
        for virtual, value in {
            ALIAS: entry(FUNCTION),
            REMAPPED: entry(PAGES),
            USER: entry(RAM + ENTRY["user_ecall"] & ~0xFFF, ALL | OF_USER),
            EDGE: entry(EDGE_PAGE),
            NOT_ACCESSED: entry(PAGES, ALL & ~ACCESSED),
            NOT_DIRTY: entry(PAGES, ALL & ~DIRTY),
            NOWHERE: entry(0x1000),
            USER_DATA: entry(PAGES, ALL | OF_USER),
        }.items():
            self.write(others + (virtual >> 9 & 0xFF8), value)


@final
class RiscvSide(TrialSide):
    argument, call, uart = 13, RiscvExit.ECALL, UART
    core: engine.native.Core

    def __init__(self, shared: RiscvShared, number: int) -> None:
        super().__init__(shared, number)
        self.core = engine.native.Core(
            hart=number,
            sstc=True,
            aia=False,
            frequency=10_000_000,
            epoch=0,
            slots=shared.slots,
            index=number,
            siblings=(1 - number,),
            code_map=shared.code_map,
        )
        self.core.map_ram(RAM, SIZE, shared.ram, 0)
        self.core.map_uart("16550", UART, shared.uart, 0, 0)

    def start(self, routine: str, context: int, rounds: int) -> None:
        self.enter(routine, context, rounds)

    def enter(self, routine: str, context: int, rounds: int, handler: str = "stop", **registers: int) -> None:
        core = self.core
        core.reset(RAM + ENTRY[routine], context)
        core.x[10], core.x[12], core.x[8] = self.number, rounds, self.patience
        core.x[26], core.x[27] = SATP, RAM + ENTRY[handler]
        for name, value in registers.items():
            core.x[_X[name]] = value & MASK

    def finish(self) -> int:
        core, both = self.core, (0, 1)
        while True:
            why = core.run(FOR_EVER)
            if why == RiscvExit.KICKED:
                continue
            if why != RiscvExit.ECALL:
                raise LitmusError(f"the guest was left with {RiscvExit(why).name} at {core.pc:#x}")
            match core.x[17]:
                case 0:
                    return core.x[9]
                case 1:
                    os.sched_yield()
                case 2:
                    core.fence(both, FENCE_I, 0, 0, 0)
                case 3:
                    core.fence(both, FENCE_VMA, core.x[13], 0x1000, 0)
                case _:
                    core.fence(both, FENCE_VMA, 0, 0, 0)

    def go(self, routine: str, context: int, rounds: int, handler: str = "stop", **registers: int) -> int:
        self.enter(routine, context, rounds, handler, **registers)
        return self.finish()
