"""What the native engine must hold, tried by two processes that run a guest each on one shared memory.

Stock libunicorn loses a half of the increments that two processes make, drops barriers, executes an access twice when
a stop falls on it, and never sees code or tables that another process changed. All of that works in the engine by
standing in front of functions of exactly one build of that library; these parts tell whether it does. The guest code
is in ``selftest.S``; what it says of its arguments holds here too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

from baonet.core import _node
from baonet.core.armv8.selftest_code import ENTRY
from baonet.core.armv8.testbed import (
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
    WORDS,
    Shared,
    Side,
    descriptor,
)
from baonet.core.errors import LitmusError
from baonet.hyp.armv8.cpu import Exit


@dataclass(frozen=True, slots=True)
class Part:
    """``run`` is called on both sides at the same time with the address of a block of zeroes, then ``check`` on one."""

    name: str
    run: Callable[[Side, int], None]
    check: Callable[[Side, int], None] = lambda side, block: None


def _equal(what: str, found: object, right: object) -> None:
    if found != right:
        raise LitmusError(f"{what} {found}, not {right}")


# Atomic operations


def _counter(name: str, entry: str, each: int = 1, places: tuple[int, ...] = (64,), rounds: int = 100_000) -> Part:
    def run(side: Side, block: int) -> None:
        side.go(entry, block, rounds)

    def check(side: Side, block: int) -> None:
        for place in places:
            _equal("two CPUs counted to", side.shared.read(block + place), 2 * each * rounds)

    return Part(name, run, check)


_EXCHANGES: Final = 100_000


def _exchange(side: Side, block: int) -> None:
    side.go("exchange", block, _EXCHANGES)


def _exchanged(side: Side, block: int) -> None:
    taken = sum(side.shared.read(block + place) for place in (64, 256, 264))
    _equal("all that was put in and taken out again sums to", taken, 2 * _EXCHANGES * (_EXCHANGES + 1) + _EXCHANGES)


def _contest(name: str, entry: str, start: int = 0, rounds: int = 50_000) -> Part:
    def run(side: Side, block: int) -> None:
        side.shared.write(block + 64, start)
        _equal("values lost by the other CPU's operation:", side.go(entry, block, rounds), 0)

    return Part(name, run)


_OPERATIONS: Final[dict[str, Callable[[int, int, int], int]]] = {
    "ldadd": lambda old, value, sign: old + value,
    "ldclr": lambda old, value, sign: old & ~value,
    "ldeor": lambda old, value, sign: old ^ value,
    "ldset": lambda old, value, sign: old | value,
    "ldsmax": lambda old, value, sign: max(old ^ sign, value ^ sign) ^ sign,
    "ldsmin": lambda old, value, sign: min(old ^ sign, value ^ sign) ^ sign,
    "ldumax": lambda old, value, sign: max(old, value),
    "ldumin": lambda old, value, sign: min(old, value),
    "swp": lambda old, value, sign: value,
    "cas": lambda old, value, sign: old if value & 1 else value,  # the routine compares with old ^ (value & 1)
}
_BITS: Final = {"b": 8, "h": 16, "w": 32, "x": 64}
_CORNERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x8000, 0x7FFF_FFFF, 0xFFFF_FFFF_8000_0000, MASK, 0x0123_4567_89AB_CDEF)


def _values(side: Side, block: int) -> None:
    """Every operation on every size, against what the architecture says of it."""
    if side.number:
        return
    pairs = list(product(_CORNERS, repeat=2))
    side.shared.write(WORDS, *(value for pair in pairs for value in pair))
    for (operation, model), (size, bits) in product(_OPERATIONS.items(), _BITS.items()):
        side.go(f"value_{operation}_{size}", WORDS, len(pairs), x3=RESULTS, x4=block)
        results = memoryview(side.shared.ram)[RESULTS - RAM :].cast("Q")
        mask, sign = (1 << bits) - 1, 1 << bits - 1
        for n, (memory, operand) in enumerate(pairs):
            old = memory & mask
            new = memory & ~mask | model(old, operand & mask, sign) & mask
            if (results[2 * n], results[2 * n + 1]) != (old, new):
                raise LitmusError(
                    f"{operation.upper()} of {bits} bits, {memory:#x} in memory, operand {operand:#x}: "
                    f"read {results[2 * n]:#x} and left {results[2 * n + 1]:#x}, not {old:#x} and {new:#x}"
                )


# Order

_ROUNDS: Final = 4000


def _order(entry: str) -> Callable[[Side, int], None]:
    def run(side: Side, block: int) -> None:
        mine, others = (WORDS + 0x1000 * n for n in (side.number, 1 - side.number))
        side.go(
            entry,
            block,
            _ROUNDS,
            x3=mine,
            x4=others,
            x5=RESULTS + 0x1_0000 * side.number,
            x6=MISSES + 0x4_0000 * side.number,
        )

    return run


def _both_old(side: Side) -> int:
    found = []
    for number in range(2):
        start = RESULTS - RAM + 0x1_0000 * number
        found.append(int.from_bytes(side.shared.ram[start : start + _ROUNDS], "little"))
    return (found[0] & found[1]).bit_count()


def _overlap(side: Side, block: int) -> None:
    """Without a barrier both may find the old value: which shows that the two run at the same time, and is no error."""
    side.overlap = side.alone or _both_old(side) > 0


def _ordered(side: Side, block: int) -> None:
    _equal("both CPUs loaded before their stores were seen, times:", _both_old(side), 0)


# Leaving the guest


def _instructions(side: Side, block: int) -> None:
    """Retired instructions are counted exactly, in whatever slices a guest runs, and slices are the same each time."""
    if not side.number:
        return
    rounds, core = 1500, side.core

    def slices(budget: int) -> list[tuple[int, int]]:
        side.enter("instructions", block, rounds)
        before = int(core.statistics()["instructions"])  # type: ignore[arg-type]
        trace = []
        while (why := core.run(budget)) == Exit.BUDGET:
            trace.append((core.pc, int(core.statistics()["instructions"]) - before))  # type: ignore[arg-type]
        _equal("the guest was left with", Exit(why).name, "HVC")
        return [*trace, (core.pc, int(core.statistics()["instructions"]) - before)]  # type: ignore[arg-type]

    for budget in (FOR_EVER, 5, 100, 4096):
        first = slices(budget)
        _equal(f"in slices of {budget}, instructions counted:", first[-1][1], 5 + 11 * rounds + rounds // 2)
        _equal(f"slices of {budget} ended at the same places:", slices(budget) == first, True)


def _stops(side: Side, block: int) -> None:
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
        side.enter("accesses", block, rounds, x3=position, x4=UART)
        while (why := core.run(FOR_EVER)) == Exit.KICKED:
            stops += 1
        _equal("the guest was left with", Exit(why).name, "HVC")
        total += rounds
        for _ in range(4 * rounds):
            position = shared.read(position)
        _equal(f"after {stops} stops, a walk of loads led to", hex(core.x[3]), hex(position))
        _equal(f"after {stops} stops, increments:", shared.read(block + 64), 3 * total)
        sent = b"".join(piece for _, _, piece in core.take_output())
        _equal("a device received what was stored to it:", sent == bytes(n & 0xFF for n in range(rounds)), True)
    done[0] = 1


def _device(side: Side, block: int) -> None:
    """An atomic access to a device is a synchronous external abort of the guest, at the instruction."""
    if not side.number:
        return
    core = side.core
    for entry, behind in (("ldadd", 0), ("swp", 0), ("ldsmax", 0), ("cas", 0), ("casp", 0), ("stxr", 4)):
        side.enter(f"device_{entry}", UART, 1)
        _equal(f"{entry.upper()} left the guest with", Exit(core.run(FOR_EVER)).name, Exit.FAULT.name)  # no vectors
        state = core.state()
        _equal(f"{entry.upper()} was at", hex(state["elr_el1"]), hex(RAM + ENTRY[f"device_{entry}"] + behind))
        _equal(f"{entry.upper()} had the syndrome", hex(state["esr_el1"] & ~0x40), hex(0x9600_0010))
        _equal(f"{entry.upper()} had the address", hex(state["far_el1"]), hex(UART))


# Code and tables that change


def _patch(side: Side, block: int) -> None:
    if not side.number:
        errors = side.go("patch", block, 1000, x3=FUNCTION, x4=ALIAS, x21=TABLES)
        _equal("ran code that it had changed, times:", errors, 0)


def _patch_other(side: Side, block: int) -> None:
    entry = ("patch_writer", "patch_runner")[side.number]
    errors = side.go(entry, block, 1000, x3=FUNCTION, x4=ALIAS, x5=FUNCTION + 0x100, x21=TABLES)
    _equal("ran code that the other CPU had changed, times:", errors, 0)


def _remap(everything: bool) -> Callable[[Side, int], None]:
    def run(side: Side, block: int) -> None:
        entry = ("remap_writer", "remap_reader")[side.number]
        first, second = descriptor(PAGES), descriptor(PAGES + 0x1000)
        place = TABLES + 0x3000 + 8
        errors = side.go(
            entry, block, 1000, x3=REMAPPED, x4=place, x5=first, x6=second, x7=PAGES, x21=TABLES, x22=int(everything)
        )
        _equal("read through a translation that the other CPU had taken away, times:", errors, 0)

    return run


PARTS: Final = (
    Part("instruction count and budget", _instructions),
    Part("two CPUs at a time", _order("order_none"), _overlap),
    _counter("LDXR and STXR", "count_ldxr"),
    _counter("LDAXR and STLXR", "count_ldaxr"),
    _counter("LDXP and STXP", "count_ldxp", places=(64, 72)),
    _counter("LDAXP and STLXP", "count_ldaxp", places=(64, 72)),
    _counter("LDADD", "count_ldadd", each=2),
    _counter("CAS", "count_cas"),
    _counter("CASP", "count_casp", places=(64, 72)),
    Part("SWP", _exchange, _exchanged),
    _counter("a lock with SWP", "lock_swp", places=(192,), rounds=30_000),
    _counter("a lock with LDAXR and STLR", "lock_ldaxr", places=(192,), rounds=30_000),
    _contest("LDSET, LDCLR and LDEOR", "bits"),
    _contest("LDUMAX", "race_ldumax"),
    _contest("LDSMAX", "race_ldsmax", start=-10_000),
    _contest("LDUMIN", "race_ldumin", start=-1),
    _contest("LDSMIN", "race_ldsmin", start=10_000),
    Part("results of atomic operations", _values),
    Part("store buffering with DMB", _order("order_dmb"), _ordered),
    Part("store buffering with STLR and LDAR", _order("order_stlr"), _ordered),
    Part("stops amid accesses", _stops),
    Part("atomic operations on a device", _device),
    Part("code changed through another address", _patch),
    Part("code changed by another CPU", _patch_other),
    Part("TLBI VAE1IS from another CPU", _remap(everything=False)),
    Part("TLBI VMALLE1IS from another CPU", _remap(everything=True)),
)


def run(shared: Shared, number: int) -> bool:
    """One side of all parts. Raises LitmusError.

    Returns False if the two CPUs were not seen to run at the same time, though the host has the CPUs for it.
    """
    side = Side(shared, number)
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
