"""A core of which the memory system is modelled, with stage 1 on and caches enabled, that runs given instructions."""

from __future__ import annotations

from typing import Any, Final

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM, Memory
from tests.core.owners import Owners
from tests.core.plain_memory import PLAIN, counts_of_guest
from tests.core.virtual import ISB, write

TABLES: Final = RAM + 0x3F_0000
CODE: Final = RAM
DATA: Final = RAM + 0x10_0000
LINE: Final = 64

MAIR: Final = (3, 0, 10, 2, 0)
TCR: Final = (3, 0, 2, 0, 2)
TTBR0: Final = (3, 0, 2, 0, 0)
SCTLR: Final = (3, 0, 1, 0, 0)
CPACR: Final = (3, 0, 1, 0, 2)
PROLOGUE: Final = (*map(write, (MAIR, TCR, TTBR0, CPACR), (24, 25, 26, 27)), ISB, write(SCTLR, 28), ISB)

AF, NOT_GLOBAL, BLOCK, TABLE, PAGE = 1 << 10, 1 << 11, 1, 3, 3
CACHED, DEVICE, UNCACHED = 0 << 2, 1 << 2, 2 << 2
"""Of a descriptor: what MAIR has of its index."""
CACHES = 0x1004
MMU = 1

LDR, STR = 0xF940_0020, 0xF900_0020  # ldr/str x0, [x1]
_SUBS, _BNE = 0xF100_0442, 0x5400_0001  # subs x2, x2, #1; b.ne .


def map_gigabyte(memory: Memory, attributes: int = CACHED | AF) -> None:
    """RAM in one block at level 1, and below it devices."""
    memory.write(TABLES, DEVICE | AF | BLOCK, RAM | attributes | BLOCK)


def core(
    *code: int,
    parameters: dict[str, int] | None = None,
    pace: tuple[int, int] = (1, 1),
    model: bool = True,
    sctlr: int = MMU | CACHES,
    memory: Memory | None = None,
    owners: Owners | None = None,
    **more: Any,
) -> native.Core:
    """What it runs first enables translation, by the tables at ``TABLES``: 32 bits of addresses, granules of 4 KiB."""
    memory = memory or Memory()
    map_gigabyte(memory)
    made = virtual.core(*PROLOGUE, *code, memory=memory, owners=owners, **more)
    if model:
        made.model_memory(*pace, PLAIN | (parameters or {}))
    for register, value in zip((24, 25, 26, 27, 28), (0x44_00_FF, 1 << 23 | 32, TABLES, 3 << 20, sctlr), strict=True):
        made.x[register] = value
    return made


def counts(made: native.Core) -> dict[str, int]:
    """Of the guest."""
    return counts_of_guest(made)


def finished(made: native.Core, **registers: int) -> dict[str, int]:
    """What is counted of the guest when it has run to its HVC."""
    for name, value in registers.items():
        made.x[int(name[1:])] = value
    assert made.run_until(made.time + 10_000_000) == Exit.HVC
    return counts(made)


def loop(*body: int) -> tuple[int, ...]:
    """So much code, x2 times."""
    return (*body, _SUBS, _BNE | (-(len(body) + 1) & 0x7FFFF) << 5)
