"""What the native engine must hold, tried by two processes that run a guest each on one shared memory.

Stock libunicorn loses a half of the increments that two processes make, drops barriers, executes an access twice when
a stop falls on it, and never sees code or tables that another process changed. All of that works in the engine by
standing in front of functions of exactly one build of that library; these parts tell whether it does. The guest code
is in ``selftest.S``; what it says of its arguments holds here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from baonet.core.armv8.selftest_code import ENTRY
from baonet.core.armv8.testbed import ALIAS, FUNCTION, PAGES, RAM, REMAPPED, TABLES, UART, Side, descriptor
from baonet.core.trial_bed import FOR_EVER, Part, equal
from baonet.core.trial_parts import (
    contest,
    counter,
    exchange,
    exchanged,
    greater,
    instructions,
    less,
    ordered,
    overlap,
    stops,
    store_buffering,
    values,
)
from baonet.hyp.armv8.cpu import Exit

_OPERATIONS: Final[dict[str, Callable[[int, int, int], int]]] = {
    "ldadd": lambda old, value, sign: old + value,
    "ldclr": lambda old, value, sign: old & ~value,
    "ldeor": lambda old, value, sign: old ^ value,
    "ldset": lambda old, value, sign: old | value,
    "ldsmax": greater,
    "ldsmin": less,
    "ldumax": lambda old, value, sign: max(old, value),
    "ldumin": lambda old, value, sign: min(old, value),
    "swp": lambda old, value, sign: value,
    "cas": lambda old, value, sign: old if value & 1 else value,  # the routine compares with old ^ (value & 1)
}
_BITS: Final = {"b": 8, "h": 16, "w": 32, "x": 64}


def _device(side: Side, block: int) -> None:
    """An atomic access to a device is a synchronous external abort of the guest, at the instruction."""
    if not side.number:
        return
    core = side.core
    for entry, behind in (("ldadd", 0), ("swp", 0), ("ldsmax", 0), ("cas", 0), ("casp", 0), ("stxr", 4)):
        side.begin(f"device_{entry}", UART, 1)
        equal(f"{entry.upper()} left the guest with", Exit(core.run(FOR_EVER)).name, Exit.FAULT.name)  # no vectors
        state = core.state()
        equal(f"{entry.upper()} was at", hex(state["elr_el1"]), hex(RAM + ENTRY[f"device_{entry}"] + behind))
        equal(f"{entry.upper()} had the syndrome", hex(state["esr_el1"] & ~0x40), hex(0x9600_0010))
        equal(f"{entry.upper()} had the address", hex(state["far_el1"]), hex(UART))


# Code and tables that change


def _patch(side: Side, block: int) -> None:
    if not side.number:
        errors = side.go("patch", block, 1000, x3=FUNCTION, x4=ALIAS, x21=TABLES)
        equal("ran code that it had changed, times:", errors, 0)


def _patch_other(side: Side, block: int) -> None:
    entry = ("patch_writer", "patch_runner")[side.number]
    errors = side.go(entry, block, 1000, x3=FUNCTION, x4=ALIAS, x5=FUNCTION + 0x100, x21=TABLES)
    equal("ran code that the other CPU had changed, times:", errors, 0)


def _remap(everything: bool) -> Callable[[Side, int], None]:
    def run(side: Side, block: int) -> None:
        entry = ("remap_writer", "remap_reader")[side.number]
        first, second = descriptor(PAGES), descriptor(PAGES + 0x1000)
        place = TABLES + 0x3000 + 8
        errors = side.go(
            entry, block, 1000, x3=REMAPPED, x4=place, x5=first, x6=second, x7=PAGES, x21=TABLES, x22=int(everything)
        )
        equal("read through a translation that the other CPU had taken away, times:", errors, 0)

    return run


PARTS: Final[tuple[Part[Side], ...]] = (
    Part("instruction count and budget", instructions(11)),
    Part("two CPUs at a time", store_buffering("order_none"), overlap),
    counter("LDXR and STXR", "count_ldxr"),
    counter("LDAXR and STLXR", "count_ldaxr"),
    counter("LDXP and STXP", "count_ldxp", places=(64, 72)),
    counter("LDAXP and STLXP", "count_ldaxp", places=(64, 72)),
    counter("LDADD", "count_ldadd", each=2),
    counter("CAS", "count_cas"),
    counter("CASP", "count_casp", places=(64, 72)),
    Part("SWP", exchange, exchanged),
    counter("a lock with SWP", "lock_swp", places=(192,), rounds=30_000),
    counter("a lock with LDAXR and STLR", "lock_ldaxr", places=(192,), rounds=30_000),
    contest("LDSET, LDCLR and LDEOR", "bits"),
    contest("LDUMAX", "race_ldumax"),
    contest("LDSMAX", "race_ldsmax", start=-10_000),
    contest("LDUMIN", "race_ldumin", start=-1),
    contest("LDSMIN", "race_ldsmin", start=10_000),
    Part("results of atomic operations", values(_OPERATIONS, _BITS, signed=False)),
    Part("store buffering with DMB", store_buffering("order_dmb"), ordered),
    Part("store buffering with STLR and LDAR", store_buffering("order_stlr"), ordered),
    Part("stops amid accesses", stops),
    Part("atomic operations on a device", _device),
    Part("code changed through another address", _patch),
    Part("code changed by another CPU", _patch_other),
    Part("TLBI VAE1IS from another CPU", _remap(everything=False)),
    Part("TLBI VMALLE1IS from another CPU", _remap(everything=True)),
)
