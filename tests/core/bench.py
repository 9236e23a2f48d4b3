"""A core on its own: RAM, a UART, timers, emulated windows, and what the tests do with them."""

from __future__ import annotations

import time
from typing import Any

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import memory
from tests.core.guests_code import CODE, ENTRY

RAM = 0x4000_0000
SIZE, MASK = memory.SIZE, memory.MASK
UART = 0x0900_0000
GICV = 0x0801_0000
UART_INTID = 33
FREQUENCY = 62_500_000
FOR_EVER = 1 << 40


class Memory(memory.VmMemory):
    """What the cores of one VM share; ``kind``: of their UART."""

    def __init__(self, cores: int = 1, kind: str = "pl011") -> None:
        super().__init__(RAM, cores)
        self.kind = kind


def core_of(
    memory: Memory,
    index: int = 0,
    *,
    gic_version: int = 3,
    list_registers: int = 4,
    timers: tuple[int, ...] = (27, 30),
    model: int = 3,
    mpidr: int | None = None,
    hz: int = 0,
) -> native.Core:
    core = native.Core(
        model=model,
        midr=0x410F_D034,
        mpidr=index if mpidr is None else mpidr,
        frequency=FREQUENCY,
        epoch=0 if hz else time.monotonic_ns(),
        gic_version=gic_version,
        list_registers=list_registers,
        timers=timers,
        slots=memory.slots,
        index=index,
        siblings=tuple(other for other in range(memory.cores) if other != index),
        code_map=memory.code_map,
        translations=memory.translations,
        hz=hz,
    )
    core.map_ram(RAM, SIZE, memory.ram, 0)
    core.map_uart(memory.kind, UART, memory.uart, 0, UART_INTID)
    if gic_version == 2:
        core.map_gicv(GICV)
    return core


def retired(core: native.Core) -> int:
    count: Any = core.statistics()["instructions"]
    return int(count)


def run(core: native.Core, budget: int = FOR_EVER) -> Exit:
    return Exit(core.run(budget))


class Bench:
    """One core with the routines of ``guests.S`` in its RAM."""

    def __init__(self, memory: Memory | None = None, index: int = 0, **arguments: Any) -> None:
        self.memory = memory or Memory()
        self.memory.load(RAM, CODE)
        self.core = core_of(self.memory, index, **arguments)

    def enter(self, routine: str, *arguments: int, **registers: int) -> None:
        """Reset, with x0.. and the registers that are named as they are given."""
        core = self.core
        core.reset(address(routine), 0)
        named = {f"x{n}": value for n, value in enumerate(arguments)} | registers
        for name, value in named.items():
            core.x[int(name[1:])] = value & MASK

    def go(self, routine: str, *arguments: int, **registers: int) -> Exit:
        self.enter(routine, *arguments, **registers)
        return run(self.core)

    def call(self, routine: str, *arguments: int, **registers: int) -> int:
        """Run a routine to its end without a reset. Returns x3."""
        core = self.core
        named = {f"x{n}": value for n, value in enumerate(arguments)} | registers
        for name, value in named.items():
            core.x[int(name[1:])] = value & MASK
        core.pc = address(routine)
        assert run(core) == Exit.HVC
        return core.x[3]


def address(routine: str) -> int:
    return RAM + ENTRY[routine]
