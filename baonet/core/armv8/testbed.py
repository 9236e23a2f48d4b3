"""Two processes with a CPU each and one memory: what the self-test's guests run on.

The layout of the memory, and how a routine of ``selftest.S`` is entered and ended.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from typing import Final, final

from baonet.core import _node
from baonet.core.armv8.engine import native
from baonet.core.armv8.selftest_code import CODE, ENTRY
from baonet.core.errors import LitmusError
from baonet.hyp.armv8.cpu import Exit

RAM: Final = 0x4000_0000
SIZE: Final = 0x20_0000
UART: Final = 0x0900_0000
MAX: Final = 3  # UC_CPU_ARM64_MAX, the only model with Armv8.1 atomics

# Guest-physical addresses
TABLES: Final = RAM + 0x8000
FUNCTION: Final = RAM + 0xC000
PAGES: Final = RAM + 0xE000  # two of them
RING: Final = RAM + 0x1_0000
BLOCKS: Final = RAM + 0x2_0000
BLOCK: Final = 0x400
WORDS: Final = RAM + 0x4_0000
RESULTS: Final = RAM + 0x8_0000
MISSES: Final = RAM + 0x10_0000  # a store to each line of this takes its time

# Virtual addresses of other mappings: of FUNCTION, and of one of PAGES in turn
ALIAS: Final = RAM + 0x20_0000
REMAPPED: Final = RAM + 0x20_1000

FOR_EVER: Final = 1 << 40
MASK: Final = (1 << 64) - 1


@final
class Shared:
    """What both processes have: mapped before they are forked."""

    def __init__(self) -> None:
        self.ram = mmap.mmap(-1, SIZE)
        self.slots = mmap.mmap(-1, 2 * _node.SLOT_SIZE)
        self.code_map = mmap.mmap(-1, SIZE // 0x1000 // 2)
        self.uart = mmap.mmap(-1, _node.UART_STATE_SIZE)
        self.reached = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self.ram[: len(CODE)] = CODE
        for function in (FUNCTION, FUNCTION + 0x100):
            self.write(function, 0x5280_0000 | 0xD65F_03C0 << 32)  # MOVZ w0, #0; RET
        self._map()

    def read(self, address: int) -> int:
        return int.from_bytes(self.ram[address - RAM : address - RAM + 8], "little")

    def write(self, address: int, *values: int) -> None:
        data = b"".join((value & MASK).to_bytes(8, "little") for value in values)
        self.ram[address - RAM : address - RAM + len(data)] = data

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
class Side:
    """One of the two processes, with its CPU."""

    def __init__(self, shared: Shared, number: int) -> None:
        self.shared = shared
        self.number = number
        self.overlap = True  # until the part that looks for it finds none
        cpus = sorted(os.sched_getaffinity(0))
        self.alone = len(cpus) == 1
        self.patience = 0x3F if self.alone else 0xFFFF
        with suppress(OSError):  # the scheduler likes to keep two that wait for each other on one CPU
            os.sched_setaffinity(0, {cpus[-number]})
        self.core = native.Core(
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

    def meet(self, count: int) -> None:
        """Wait until the other side has come as far."""
        reached = self.shared.reached
        reached[self.number] = count
        while reached[1 - self.number] < count:
            os.sched_yield()

    def enter(self, entry: str, context: int, rounds: int, **registers: int) -> None:
        core = self.core
        core.reset(RAM + ENTRY[entry], context)
        core.x[1], core.x[2], core.x[18] = rounds, self.number, self.patience
        for name, value in registers.items():
            core.x[int(name[1:])] = value & MASK

    def finish(self) -> int:
        """Run to the end; returns the errors that the guest saw."""
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

    def go(self, entry: str, context: int, rounds: int, **registers: int) -> int:
        self.enter(entry, context, rounds, **registers)
        return self.finish()
