"""What the native engine must hold, tried by two processes that run a guest each on one shared memory.

Stock libunicorn loses a half of the increments that two processes make, executes an access twice when a stop falls on
it, counts compressed instructions by the bytes, and never sees code or tables that another process changed. All of
that works in the engine by standing in front of functions of exactly one build of that library; these parts tell
whether it does. The guest code is in ``selftest.S``; what it says of its arguments holds here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from baonet.core.riscv.selftest_code import ENTRY
from baonet.core.riscv.testbed import (
    ALIAS,
    FUNCTION,
    PAGES,
    RAM,
    REMAPPED,
    TABLES,
    UART,
    USER_DATA,
    WORDS,
    RiscvSide,
    entry,
)
from baonet.core.riscv.traps import exceptions, interrupts, wait
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
from baonet.hyp.riscv.cpu import EXIT_CAUSE, EXIT_TVAL, LOAD_PAGE, STORE_ACCESS, RiscvExit

_OPERATIONS: Final[dict[str, Callable[[int, int, int], int]]] = {
    "amoadd": lambda old, value, sign: old + value,
    "amoand": lambda old, value, sign: old & value,
    "amoor": lambda old, value, sign: old | value,
    "amoxor": lambda old, value, sign: old ^ value,
    "amomax": greater,
    "amomin": less,
    "amomaxu": lambda old, value, sign: max(old, value),
    "amominu": lambda old, value, sign: min(old, value),
    "amoswap": lambda old, value, sign: value,
}
_BITS: Final = {"w": 32, "d": 64}

_PASSED: Final = WORDS + 0x2000


def _pass(side: RiscvSide, block: int) -> None:
    errors = side.go("pass", block, 50_000, x13=_PASSED, x14=_PASSED)
    equal("heard of what it could not read yet, times:", errors, 0)


def _traps(side: RiscvSide, block: int) -> None:
    """Instructions that a guest's own exceptions interrupt, of 2 and of 4 bytes."""
    if not side.number:
        return
    rounds, core = 500, side.core
    for budget in (FOR_EVER, 7, 1000):
        side.enter("traps", block, rounds, handler="skip")
        before = side.retired()
        while (why := core.run(budget)) == RiscvExit.BUDGET:
            pass
        side.left_with(why)
        equal("the causes of its exceptions sum to", core.x[19], (3 + 3 + LOAD_PAGE + LOAD_PAGE) * rounds)
        equal(f"in slices of {budget}, instructions counted:", side.retired() - before, 3 + (4 + 42) * rounds + 2)


def _device(side: RiscvSide, block: int) -> None:
    """An atomic access to a device is nothing that the guest survives, and the hypervisor sees which it was."""
    if not side.number:
        return
    core = side.core
    for name in ("amoadd", "amoswap", "amomax"):
        side.enter(f"device_{name}", UART, 1)
        equal(f"{name.upper()} left the guest with", RiscvExit(core.run(FOR_EVER)).name, RiscvExit.TRAP.name)
        equal(f"{name.upper()} was at", hex(core.pc), hex(RAM + ENTRY[f"device_{name}"] + 2))
        equal(f"{name.upper()} had the cause", core.exit[EXIT_CAUSE], STORE_ACCESS)
        equal(f"{name.upper()} had the address", hex(core.exit[EXIT_TVAL]), hex(UART))


# Code and tables that change


def _patch(side: RiscvSide, block: int) -> None:
    if not side.number:
        errors = side.go("patch", block, 1000, x13=FUNCTION, x14=ALIAS)
        equal("ran code that it had changed, times:", errors, 0)


def _patch_other(remote: bool) -> Callable[[RiscvSide, int], None]:
    def run(side: RiscvSide, block: int) -> None:
        routine = ("patch_writer", "patch_runner")[side.number]
        errors = side.go(routine, block, 1000, x13=FUNCTION, x14=ALIAS, x15=FUNCTION + 0x100, x18=int(remote))
        equal("ran code that the other hart had changed, times:", errors, 0)

    return run


_FIRST, _SECOND = entry(PAGES), entry(PAGES + 0x1000)
_PLACE: Final = TABLES + 0x3000 + 8  # REMAPPED's entry


def _remap(asked: int) -> Callable[[RiscvSide, int], None]:
    def run(side: RiscvSide, block: int) -> None:
        if not side.number:
            side.shared.write(_PLACE, _FIRST)
            for page in (PAGES, PAGES + 0x1000):
                side.shared.write(page, 0)
        routine = ("remap_writer", "remap_reader")[side.number]
        errors = side.go(routine, block, 1000, x13=REMAPPED, x14=_PLACE, x15=asked, x16=PAGES, x18=_FIRST, x19=_SECOND)
        equal("read through a translation that the other hart had taken away, times:", errors, 0)

    return run


def _fence(side: RiscvSide, block: int) -> None:
    if side.number:
        return
    side.shared.write(_PLACE, _FIRST)
    side.shared.write(PAGES, 5)
    side.shared.write(PAGES + 0x1000, 6)
    errors = side.go("fence_page", block, 500, x13=REMAPPED, x14=_PLACE, x15=1, x18=_FIRST, x19=_SECOND, x20=5, x21=6)
    equal("read through a translation that it had taken away, times:", errors, 0)


def _sum(side: RiscvSide, block: int) -> None:
    rounds = 500
    if not side.number:
        side.go("sum", block, rounds, handler="skip", x13=USER_DATA)
        equal("loads of a user's page that were refused:", side.core.x[19], LOAD_PAGE * rounds)


PARTS: Final[tuple[Part[RiscvSide], ...]] = (
    Part("instruction count and budget", instructions(12)),
    Part("instruction count and exceptions", _traps),
    Part("exceptions", exceptions),
    Part("interrupts", interrupts),
    Part("WFI", wait),
    Part("two harts at a time", store_buffering("order_none"), overlap),
    counter("LR.W and SC.W", "count_lr_w"),
    counter("LR.D and SC.D", "count_lr_d"),
    counter("LR.D.AQ and SC.D.RL", "count_lr_aq"),
    counter("LR.W.AQRL and SC.W.AQRL", "count_lr_aqrl"),
    counter("AMOADD", "count_amoadd", each=2),
    counter("a compare-and-swap", "count_cas"),
    Part("AMOSWAP", exchange, exchanged),
    counter("a lock with AMOSWAP", "lock_amoswap", places=(192,), rounds=30_000),
    counter("a lock with LR and SC", "lock_lr", places=(192,), rounds=30_000),
    contest("AMOOR, AMOAND and AMOXOR", "bits"),
    contest("AMOMAXU", "race_amomaxu"),
    contest("AMOMAX", "race_amomax", start=-10_000),
    contest("AMOMINU", "race_amominu", start=-1),
    contest("AMOMIN", "race_amomin", start=10_000),
    Part("results of atomic operations", values(_OPERATIONS, _BITS, signed=True)),
    Part("store buffering with FENCE", store_buffering("order_fence"), ordered),
    Part("store buffering with aq and rl", store_buffering("order_annotated"), ordered),
    Part("message passing with FENCE", _pass),
    Part("stops amid accesses", stops),
    Part("atomic operations on a device", _device),
    Part("code changed through another address", _patch),
    Part("code changed by another hart", _patch_other(remote=False)),
    Part("FENCE.I for another hart", _patch_other(remote=True)),
    Part("SFENCE.VMA", _fence),
    Part("SFENCE.VMA of a page for another hart", _remap(3)),
    Part("SFENCE.VMA of everything for another hart", _remap(4)),
    Part("SUM", _sum),
)
