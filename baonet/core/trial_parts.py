"""Parts of the self-test that every architecture has, by routines of its own with the same names."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, Final

from baonet.core import _node
from baonet.core.errors import LitmusError
from baonet.core.trial_bed import FOR_EVER, MASK, MISSES, RESULTS, RING, WORDS, Part, TrialSide, equal
from baonet.hyp.cpu import Stay

# Atomic operations


def counter(
    name: str, routine: str, each: int = 1, places: tuple[int, ...] = (64,), rounds: int = 100_000
) -> Part[Any]:
    def run(side: TrialSide, block: int) -> None:
        side.through(routine, block, rounds)

    def check(side: TrialSide, block: int) -> None:
        for place in places:
            equal("two CPUs counted to", side.shared.read(block + place), 2 * each * rounds)

    return Part(name, run, check)


_EXCHANGES: Final = 100_000


def exchange(side: TrialSide, block: int) -> None:
    side.through("exchange", block, _EXCHANGES)


def exchanged(side: TrialSide, block: int) -> None:
    taken = sum(side.shared.read(block + place) for place in (64, 256, 264))
    equal("all that was put in and taken out again sums to", taken, 2 * _EXCHANGES * (_EXCHANGES + 1) + _EXCHANGES)


def contest(name: str, routine: str, start: int = 0, rounds: int = 50_000) -> Part[Any]:
    def run(side: TrialSide, block: int) -> None:
        side.shared.write(block + 64, start)
        equal("values lost by the other CPU's operation:", side.through(routine, block, rounds), 0)

    return Part(name, run)


def greater(old: int, value: int, sign: int) -> int:
    """The greater one of two signed numbers, whose sign is this bit."""
    return max(old ^ sign, value ^ sign) ^ sign


def less(old: int, value: int, sign: int) -> int:
    return min(old ^ sign, value ^ sign) ^ sign


_CORNERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x8000, 0x7FFF_FFFF, 0xFFFF_FFFF_8000_0000, MASK, 0x0123_4567_89AB_CDEF)


def values(
    operations: Mapping[str, Callable[[int, int, int], int]], sizes: Mapping[str, int], *, signed: bool
) -> Callable[[TrialSide, int], None]:
    """Every operation on every size, in bits, against what the architecture says of it: (old, operand, sign bit).

    ``signed``: what an operation returns is sign-extended.
    """

    def run(side: TrialSide, block: int) -> None:
        if side.number:
            return
        pairs = list(product(_CORNERS, repeat=2))
        side.shared.write(side.at(WORDS), *(value for pair in pairs for value in pair))
        for (operation, model), (size, bits) in product(operations.items(), sizes.items()):
            side.through(f"value_{operation}_{size}", side.at(WORDS), len(pairs), side.at(RESULTS), block)
            results = memoryview(side.shared.ram)[RESULTS:].cast("Q")
            mask, sign = (1 << bits) - 1, 1 << bits - 1
            for n, (memory, operand) in enumerate(pairs):
                old = memory & mask
                new = memory & ~mask | model(old, operand & mask, sign) & mask
                if signed:
                    old = (old ^ sign) - sign & MASK
                if (results[2 * n], results[2 * n + 1]) != (old, new):
                    raise LitmusError(
                        f"{operation.upper()} of {bits} bits, {memory:#x} in memory, operand {operand:#x}: "
                        f"read {results[2 * n]:#x} and left {results[2 * n + 1]:#x}, not {old:#x} and {new:#x}"
                    )

    return run


# Order

_ROUNDS: Final = 4000


def store_buffering(routine: str) -> Callable[[TrialSide, int], None]:
    """Each CPU stores to its own word and loads the other's."""

    def run(side: TrialSide, block: int) -> None:
        mine, others = (side.at(WORDS + 0x1000 * n) for n in (side.number, 1 - side.number))
        results, misses = side.at(RESULTS + 0x1_0000 * side.number), side.at(MISSES + 0x4_0000 * side.number)
        side.through(routine, block, _ROUNDS, mine, others, results, misses)

    return run


def both_old(side: TrialSide) -> int:
    """How often both CPUs found the old value: the outcome that a barrier between store and load forbids."""
    found = []
    for number in range(2):
        start = RESULTS + 0x1_0000 * number
        found.append(int.from_bytes(side.shared.ram[start : start + _ROUNDS], "little"))
    return (found[0] & found[1]).bit_count()


def overlap(side: TrialSide, block: int) -> None:
    """Without a barrier both may find the old value: which shows that the two run at the same time, and is no error."""
    side.overlap = side.alone or both_old(side) > 0


def ordered(side: TrialSide, block: int) -> None:
    equal("both CPUs loaded before their stores were seen, times:", both_old(side), 0)


# Leaving the guest


def instructions(each: int) -> Callable[[TrialSide, int], None]:
    """Retired instructions are counted exactly, in whatever slices a guest runs, and slices are the same each time.

    ``each``: those of a round.
    """
    rounds = 1500

    def run(side: TrialSide, block: int) -> None:
        if not side.number:
            return
        core = side.core

        def slices(budget: int) -> list[tuple[int, int]]:
            side.begin("instructions", block, rounds)
            before = side.retired()
            trace = []
            while (why := core.run(budget)) == Stay.BUDGET:
                trace.append((core.pc, side.retired() - before))
            side.left_with(why)
            return [*trace, (core.pc, side.retired() - before)]

        for budget in (FOR_EVER, 5, 100, 4096):
            first = slices(budget)
            equal(f"in slices of {budget}, instructions counted:", first[-1][1], 5 + each * rounds + rounds // 2)
            equal(f"slices of {budget} ended at the same places:", slices(budget) == first, True)

    return run


def stops(side: TrialSide, block: int) -> None:
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
    nodes, rounds, core, shared, ring = 251, 500, side.core, side.shared, side.at(RING)
    shared.write(ring, *(ring + 8 * ((n * 7 + 1) % nodes) for n in range(nodes)))
    position, count, total = ring, 0, 0
    until = time.perf_counter() + 0.12
    while time.perf_counter() < until:
        side.begin("accesses", block, rounds, position, side.uart)
        while (why := core.run(FOR_EVER)) == Stay.KICKED:
            count += 1
        side.left_with(why)
        total += rounds
        for _ in range(4 * rounds):
            position = shared.read(position)
        equal(f"after {count} stops, a walk of loads led to", hex(core.x[side.argument]), hex(position))
        equal(f"after {count} stops, increments:", shared.read(block + 64), 3 * total)
        sent = b"".join(piece for _, _, piece in core.take_output())
        equal("a device received what was stored to it:", sent == bytes(n & 0xFF for n in range(rounds)), True)
    done[0] = 1
