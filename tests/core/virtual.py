"""A core in virtual time that runs given instructions."""

from __future__ import annotations

import time

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, SIZE, UART, UART_INTID, Memory
from tests.core.owners import Owners

HZ = 1_000_000_000
FREQUENCY = 62_500_000
MAX = 3  # UC_CPU_ARM64_MAX
COSTS = len(Exit) + 2

NOP, ISB, HVC, WFI, LOOP = 0xD503201F, 0xD5033FDF, 0xD4000002, 0xD503207F, 0x14000000


def core(
    *code: int,
    index: int = 0,
    cores: int = 1,
    costs: tuple[int, ...] = (0,) * COSTS,
    memory: Memory | None = None,
    model: int = MAX,
    owners: Owners | None = None,
    siblings: tuple[int, ...] = (),
    timers: tuple[int, ...] = (27,),
    hz: int = HZ,
) -> native.Core:
    """At its reset, at the first of the instructions, with a UART and the virtual timer."""
    memory = memory or Memory(cores)
    made = native.Core(
        model=model,
        midr=0x410F_D034,
        mpidr=index,
        frequency=FREQUENCY,
        epoch=0 if hz else time.monotonic_ns(),
        gic_version=3,
        list_registers=4,
        timers=timers,
        slots=memory.slots,
        index=index,
        siblings=siblings,
        code_map=memory.code_map,
        translations=memory.translations,
        hz=hz,
        costs=costs,
        records=True,
        ledger=owners and owners.ledger,
    )
    made.map_ram(RAM, SIZE, memory.ram, 0)
    if owners:
        owners.of(made)
    made.map_uart("pl011", UART, memory.uart, 0, UART_INTID)
    memory.load(RAM, b"".join(word.to_bytes(4, "little") for word in code))
    made.reset(RAM, 0)
    return made


def read(register: tuple[int, int, int, int, int], to: int) -> int:
    """MRS."""
    op0, op1, crn, crm, op2 = register
    return 0xD5300000 | (op0 - 2) << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | to


def write(register: tuple[int, int, int, int, int], source: int) -> int:
    """MSR."""
    return read(register, source) & ~(1 << 21)
