"""What the native engine must hold, tried by two processes that run a guest each on one shared memory.

Stock libunicorn loses a half of the increments that two processes make, executes an access twice when a stop falls on
it, counts compressed instructions by the bytes, and never sees code or tables that another process changed. All of
that works in the engine by standing in front of functions of exactly one build of that library; these parts tell
whether it does. The guest code is in ``selftest.S``; what it says of its arguments holds here too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

from baonet.core import _node
from baonet.core.errors import LitmusError
from baonet.core.riscv.selftest_code import ENTRY
from baonet.core.riscv.testbed import (
    ALIAS,
    BLOCK,
    BLOCKS,
    FOR_EVER,
    FUNCTION,
    MASK,
    MISSES,
    PAGES,
    RAM,
    REMAPPED,
    RESULTS,
    RING,
    TABLES,
    UART,
    USER_DATA,
    WORDS,
    RiscvShared,
    RiscvSide,
    entry,
)
from baonet.core.riscv.traps import exceptions, interrupts, wait
from baonet.hyp.riscv.cpu import EXIT_CAUSE, EXIT_TVAL, LOAD_PAGE, STORE_ACCESS, RiscvExit


@dataclass(frozen=True, slots=True)
class RiscvPart:
    """``run`` is called on both sides at the same time with the address of a block of zeroes, then ``check`` on one."""

    name: str
    run: Callable[[RiscvSide, int], None]
    check: Callable[[RiscvSide, int], None] = lambda side, block: None


def _equal(what: str, found: object, right: object) -> None:
    if found != right:
        raise LitmusError(f"{what} {found}, not {right}")


def _count(side: RiscvSide) -> int:
    return int(side.core.statistics()["instructions"])  # type: ignore[arg-type]


# Atomic operations


def _counter(name: str, routine: str, each: int = 1, place: int = 64, rounds: int = 100_000) -> RiscvPart:
    def run(side: RiscvSide, block: int) -> None:
        side.go(routine, block, rounds)

    def check(side: RiscvSide, block: int) -> None:
        _equal("two harts counted to", side.shared.read(block + place), 2 * each * rounds)

    return RiscvPart(name, run, check)


_EXCHANGES: Final = 100_000


def _exchange(side: RiscvSide, block: int) -> None:
    side.go("exchange", block, _EXCHANGES)


def _exchanged(side: RiscvSide, block: int) -> None:
    taken = sum(side.shared.read(block + place) for place in (64, 256, 264))
    _equal("all that was put in and taken out again sums to", taken, 2 * _EXCHANGES * (_EXCHANGES + 1) + _EXCHANGES)


def _contest(name: str, routine: str, start: int = 0, rounds: int = 50_000) -> RiscvPart:
    def run(side: RiscvSide, block: int) -> None:
        side.shared.write(block + 64, start)
        _equal("values lost by the other hart's operation:", side.go(routine, block, rounds), 0)

    return RiscvPart(name, run)


_OPERATIONS: Final[dict[str, Callable[[int, int, int], int]]] = {
    "amoadd": lambda old, value, sign: old + value,
    "amoand": lambda old, value, sign: old & value,
    "amoor": lambda old, value, sign: old | value,
    "amoxor": lambda old, value, sign: old ^ value,
    "amomax": lambda old, value, sign: max(old ^ sign, value ^ sign) ^ sign,
    "amomin": lambda old, value, sign: min(old ^ sign, value ^ sign) ^ sign,
    "amomaxu": lambda old, value, sign: max(old, value),
    "amominu": lambda old, value, sign: min(old, value),
    "amoswap": lambda old, value, sign: value,
}
_BITS: Final = {"w": 32, "d": 64}
_CORNERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x8000, 0x7FFF_FFFF, 0xFFFF_FFFF_8000_0000, MASK, 0x0123_4567_89AB_CDEF)


def _values(side: RiscvSide, block: int) -> None:
    """Every operation on every size, against what the architecture says of it; the register is sign-extended."""
    if side.number:
        return
    pairs = list(product(_CORNERS, repeat=2))
    side.shared.write(WORDS, *(value for pair in pairs for value in pair))
    for (operation, model), (size, bits) in product(_OPERATIONS.items(), _BITS.items()):
        side.go(f"value_{operation}_{size}", WORDS, len(pairs), x13=RESULTS, x14=block)
        results = memoryview(side.shared.ram)[RESULTS - RAM :].cast("Q")
        mask, sign = (1 << bits) - 1, 1 << bits - 1
        for n, (memory, operand) in enumerate(pairs):
            old = memory & mask
            new = memory & ~mask | model(old, operand & mask, sign) & mask
            old = (old ^ sign) - sign & MASK
            if (results[2 * n], results[2 * n + 1]) != (old, new):
                raise LitmusError(
                    f"{operation.upper()} of {bits} bits, {memory:#x} in memory, operand {operand:#x}: "
                    f"read {results[2 * n]:#x} and left {results[2 * n + 1]:#x}, not {old:#x} and {new:#x}"
                )


# Order

_ROUNDS: Final = 4000


def store_buffering(routine: str) -> Callable[[RiscvSide, int], None]:
    """Each hart stores to its own word and loads the other's."""

    def run(side: RiscvSide, block: int) -> None:
        mine, others = (WORDS + 0x1000 * n for n in (side.number, 1 - side.number))
        side.go(
            routine,
            block,
            _ROUNDS,
            x13=mine,
            x14=others,
            x15=RESULTS + 0x1_0000 * side.number,
            x16=MISSES + 0x4_0000 * side.number,
        )

    return run


def both_old(side: RiscvSide) -> int:
    """How often both harts found the old value: the outcome that a fence between store and load forbids."""
    found = []
    for number in range(2):
        start = RESULTS - RAM + 0x1_0000 * number
        found.append(int.from_bytes(side.shared.ram[start : start + _ROUNDS], "little"))
    return (found[0] & found[1]).bit_count()


def _overlap(side: RiscvSide, block: int) -> None:
    """Without a fence both may find the old value: which shows that the two run at the same time, and is no error."""
    side.overlap = side.alone or both_old(side) > 0


def _ordered(side: RiscvSide, block: int) -> None:
    _equal("both harts loaded before their stores were seen, times:", both_old(side), 0)


_PASSED: Final = WORDS + 0x2000


def _pass(side: RiscvSide, block: int) -> None:
    errors = side.go("pass", block, 50_000, x13=_PASSED, x14=_PASSED)
    _equal("heard of what it could not read yet, times:", errors, 0)


# Leaving the guest


def _instructions(side: RiscvSide, block: int) -> None:
    """Retired instructions are counted exactly, in whatever slices a guest runs, and slices are the same each time."""
    if not side.number:
        return
    rounds, core = 1500, side.core

    def slices(budget: int) -> list[tuple[int, int]]:
        side.enter("instructions", block, rounds)
        before = _count(side)
        trace = []
        while (why := core.run(budget)) == RiscvExit.BUDGET:
            trace.append((core.pc, _count(side) - before))
        _equal("the guest was left with", RiscvExit(why).name, "ECALL")
        return [*trace, (core.pc, _count(side) - before)]

    for budget in (FOR_EVER, 5, 100, 4096):
        first = slices(budget)
        _equal(f"in slices of {budget}, instructions counted:", first[-1][1], 5 + 12 * rounds + rounds // 2)
        _equal(f"slices of {budget} ended at the same places:", slices(budget) == first, True)


def _traps(side: RiscvSide, block: int) -> None:
    """Instructions that a guest's own exceptions interrupt, of 2 and of 4 bytes."""
    if not side.number:
        return
    rounds, core = 500, side.core
    for budget in (FOR_EVER, 7, 1000):
        side.enter("traps", block, rounds, handler="skip")
        before = _count(side)
        while (why := core.run(budget)) == RiscvExit.BUDGET:
            pass
        _equal("the guest was left with", RiscvExit(why).name, "ECALL")
        _equal("the causes of its exceptions sum to", core.x[19], (3 + 3 + LOAD_PAGE + LOAD_PAGE) * rounds)
        _equal(f"in slices of {budget}, instructions counted:", _count(side) - before, 3 + (4 + 42) * rounds + 2)


def _stops(side: RiscvSide, block: int) -> None:
    """Stops at any time, from another process: no access is done twice, none left out."""
    done = side.shared.reached[2:3]
    if side.number:
        time_of = random.Random(1)
        while not done[0]:
            _node.kick(side.shared.slots, 0)
            until = time.perf_counter() + time_of.uniform(0, 30e-6)
            while time.perf_counter() < until:
                pass
        return
    nodes, rounds, core, shared = 251, 500, side.core, side.shared
    shared.write(RING, *(RING + 8 * ((n * 7 + 1) % nodes) for n in range(nodes)))
    position, stops, total = RING, 0, 0
    until = time.perf_counter() + 0.12
    while time.perf_counter() < until:
        side.enter("accesses", block, rounds, x13=position, x14=UART)
        while (why := core.run(FOR_EVER)) == RiscvExit.KICKED:
            stops += 1
        _equal("the guest was left with", RiscvExit(why).name, "ECALL")
        total += rounds
        for _ in range(4 * rounds):
            position = shared.read(position)
        _equal(f"after {stops} stops, a walk of loads led to", hex(core.x[13]), hex(position))
        _equal(f"after {stops} stops, increments:", shared.read(block + 64), 3 * total)
        sent = b"".join(piece for _, _, piece in core.take_output())
        _equal("a device received what was stored to it:", sent == bytes(n & 0xFF for n in range(rounds)), True)
    done[0] = 1


def _device(side: RiscvSide, block: int) -> None:
    """An atomic access to a device is nothing that the guest survives, and the hypervisor sees which it was."""
    if not side.number:
        return
    core = side.core
    for name in ("amoadd", "amoswap", "amomax"):
        side.enter(f"device_{name}", UART, 1)
        _equal(f"{name.upper()} left the guest with", RiscvExit(core.run(FOR_EVER)).name, RiscvExit.TRAP.name)
        _equal(f"{name.upper()} was at", hex(core.pc), hex(RAM + ENTRY[f"device_{name}"] + 2))
        _equal(f"{name.upper()} had the cause", core.exit[EXIT_CAUSE], STORE_ACCESS)
        _equal(f"{name.upper()} had the address", hex(core.exit[EXIT_TVAL]), hex(UART))


# Code and tables that change


def _patch(side: RiscvSide, block: int) -> None:
    if not side.number:
        errors = side.go("patch", block, 1000, x13=FUNCTION, x14=ALIAS)
        _equal("ran code that it had changed, times:", errors, 0)


def _patch_other(remote: bool) -> Callable[[RiscvSide, int], None]:
    def run(side: RiscvSide, block: int) -> None:
        routine = ("patch_writer", "patch_runner")[side.number]
        errors = side.go(routine, block, 1000, x13=FUNCTION, x14=ALIAS, x15=FUNCTION + 0x100, x18=int(remote))
        _equal("ran code that the other hart had changed, times:", errors, 0)

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
        _equal("read through a translation that the other hart had taken away, times:", errors, 0)

    return run


def _fence(side: RiscvSide, block: int) -> None:
    if side.number:
        return
    side.shared.write(_PLACE, _FIRST)
    side.shared.write(PAGES, 5)
    side.shared.write(PAGES + 0x1000, 6)
    errors = side.go("fence_page", block, 500, x13=REMAPPED, x14=_PLACE, x15=1, x18=_FIRST, x19=_SECOND, x20=5, x21=6)
    _equal("read through a translation that it had taken away, times:", errors, 0)


def _sum(side: RiscvSide, block: int) -> None:
    rounds = 500
    if not side.number:
        side.go("sum", block, rounds, handler="skip", x13=USER_DATA)
        _equal("loads of a user's page that were refused:", side.core.x[19], LOAD_PAGE * rounds)


PARTS: Final = (
    RiscvPart("instruction count and budget", _instructions),
    RiscvPart("instruction count and exceptions", _traps),
    RiscvPart("exceptions", exceptions),
    RiscvPart("interrupts", interrupts),
    RiscvPart("WFI", wait),
    RiscvPart("two harts at a time", store_buffering("order_none"), _overlap),
    _counter("LR.W and SC.W", "count_lr_w"),
    _counter("LR.D and SC.D", "count_lr_d"),
    _counter("LR.D.AQ and SC.D.RL", "count_lr_aq"),
    _counter("LR.W.AQRL and SC.W.AQRL", "count_lr_aqrl"),
    _counter("AMOADD", "count_amoadd", each=2),
    _counter("a compare-and-swap", "count_cas"),
    RiscvPart("AMOSWAP", _exchange, _exchanged),
    _counter("a lock with AMOSWAP", "lock_amoswap", place=192, rounds=30_000),
    _counter("a lock with LR and SC", "lock_lr", place=192, rounds=30_000),
    _contest("AMOOR, AMOAND and AMOXOR", "bits"),
    _contest("AMOMAXU", "race_amomaxu"),
    _contest("AMOMAX", "race_amomax", start=-10_000),
    _contest("AMOMINU", "race_amominu", start=-1),
    _contest("AMOMIN", "race_amomin", start=10_000),
    RiscvPart("results of atomic operations", _values),
    RiscvPart("store buffering with FENCE", store_buffering("order_fence"), _ordered),
    RiscvPart("store buffering with aq and rl", store_buffering("order_annotated"), _ordered),
    RiscvPart("message passing with FENCE", _pass),
    RiscvPart("stops amid accesses", _stops),
    RiscvPart("atomic operations on a device", _device),
    RiscvPart("code changed through another address", _patch),
    RiscvPart("code changed by another hart", _patch_other(remote=False)),
    RiscvPart("FENCE.I for another hart", _patch_other(remote=True)),
    RiscvPart("SFENCE.VMA", _fence),
    RiscvPart("SFENCE.VMA of a page for another hart", _remap(3)),
    RiscvPart("SFENCE.VMA of everything for another hart", _remap(4)),
    RiscvPart("SUM", _sum),
)


def run(shared: RiscvShared, number: int) -> bool:
    """One side of all parts. Raises LitmusError.

    Returns False if the two harts were not seen to run at the same time, though the host has the CPUs for it.
    """
    side = RiscvSide(shared, number)
    for place, part in enumerate(PARTS):
        side.meet(2 * place + 1)
        try:
            part.run(side, BLOCKS + BLOCK * place)
            side.meet(2 * place + 2)
            if not number:
                part.check(side, BLOCKS + BLOCK * place)
        except LitmusError as error:
            raise LitmusError(f"{part.name}: {error}") from None
    return side.overlap


def part_of(reached: int) -> str:
    """The name of the part that a side was in when its count was ``reached``."""
    return PARTS[max(reached - 1, 0) // 2].name
