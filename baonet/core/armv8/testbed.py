"""Two processes with a CPU each and one memory: what the self-test's guests run on.

The layout of the memory, and how a routine of ``selftest.S`` is entered and ended.
"""

from __future__ import annotations

import os
from typing import Final, final

from baonet.core.armv8 import engine
from baonet.core.armv8.selftest_code import CODE, ENTRY
from baonet.core.errors import LitmusError
from baonet.core.trial_bed import FOR_EVER, MASK, SIZE, TrialBed, TrialSide
from baonet.hyp.armv8.cpu import Exit

RAM: Final = 0x4000_0000
UART: Final = 0x0900_0000
MAX: Final = 3  # UC_CPU_ARM64_MAX, the only model with Armv8.1 atomics

# Guest-physical addresses
TABLES: Final = RAM + 0x8000
FUNCTION: Final = RAM + 0xC000
PAGES: Final = RAM + 0xE000  # two of them

# Virtual addresses of other mappings: of FUNCTION, and of one of PAGES in turn
ALIAS: Final = RAM + 0x20_0000
REMAPPED: Final = RAM + 0x20_1000


@final
class Shared(TrialBed):
    base = RAM

    def __init__(self) -> None:
        super().__init__(CODE)
        for function in (FUNCTION, FUNCTION + 0x100):
            self.write(function, 0x5280_0000 | 0xD65F_03C0 << 32)  # MOVZ w0, #0; RET
        self._map()

    def _map(self) -> None:
        """RAM at its own address, and the two other mappings; levels 1 to 3."""
        level1, level2, identity, others = (TABLES + 0x1000 * n for n in range(4))
        self.write(level1 + 8 * (RAM >> 30), level2 | 3)
        self.write(level2, identity | 3, others | 3)
        for page in range(SIZE >> 12):
            self.write(identity + 8 * page, descriptor(RAM + 0x1000 * page))
        self.write(others, descriptor(FUNCTION), descriptor(PAGES))


def descriptor(page: int) -> int:
    """Level 3: accessed, inner shareable, read and written at EL1, attribute 0."""
    return page | 0x703


@final
class Side(TrialSide):
    argument, call, uart = 3, Exit.HVC, UART

    def __init__(self, shared: Shared, number: int) -> None:
        super().__init__(shared, number)
        self.core = engine.native.Core(
            model=MAX,
            midr=0x410F_D034,
            mpidr=number,
            frequency=62_500_000,
            epoch=0,
            gic_version=3,
            list_registers=4,
            timers=(),
            slots=shared.slots,
            index=number,
            siblings=(1 - number,),
            code_map=shared.code_map,
        )
        self.core.map_ram(RAM, SIZE, shared.ram, 0)
        self.core.map_uart("pl011", UART, shared.uart, 0, 0)

    def start(self, routine: str, context: int, rounds: int) -> None:
        core = self.core
        core.reset(RAM + ENTRY[routine], context)
        core.x[1], core.x[2], core.x[18] = rounds, self.number, self.patience

    def finish(self) -> int:
        core = self.core
        while True:
            why = core.run(FOR_EVER)
            if why == Exit.KICKED:
                continue
            if why != Exit.HVC:
                raise LitmusError(f"the guest was left with {Exit(why).name} at {core.pc:#x}")
            if core.x[8] == 0:
                return core.x[20]
            os.sched_yield()

    def go(self, routine: str, context: int, rounds: int, **registers: int) -> int:
        self.start(routine, context, rounds)
        for name, value in registers.items():
            self.core.x[int(name[1:])] = value & MASK
        return self.finish()
