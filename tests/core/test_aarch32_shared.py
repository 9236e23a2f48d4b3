"""A32 and T32 on two CPUs, each in a process of its own, with one memory."""

from __future__ import annotations

import os

import pytest

from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import Memory
from tests.core.el0 import DATA, El0

ROUNDS = 20_000
BUFFERED = 1000  # rounds of the store buffering test
LINES, RESULTS, REACHED = DATA, DATA + 0x8_0000, DATA + 0x9_0000


def together(memory: Memory, routine: str, *registers: dict[str, int]) -> None:
    """The routine on two CPUs at once, with these registers of each, to its end."""
    children = []
    for index, values in enumerate(registers):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                el0 = El0(memory, index)
                el0.routine(routine, **values)
                while (left := el0.core.run(1 << 40)) == Exit.BUDGET:
                    os.sched_yield()
                status = 0 if left == Exit.HVC and el0.taken().ec == 0x11 else 2
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]


@pytest.mark.parametrize(
    ("routine", "bits"),
    [("a32_add_word", 32), ("t32_add_double", 64), ("t32_add_byte", 8)],
    ids=str,
)
def test_exclusives_of_two_cpus_lose_nothing(routine: str, bits: int) -> None:
    memory = Memory(2)
    beside = 0x1122_3344_5566_7788 & ~((1 << bits) - 1)
    start = (1 << 32) - ROUNDS if bits == 64 else 0  # so that a double word has a carry
    memory.write(DATA, beside | start)
    together(memory, routine, *({"r0": DATA, "r1": ROUNDS},) * 2)
    assert hex(memory.read(DATA)) == hex(beside | (start + 2 * ROUNDS) % (1 << bits))


@pytest.mark.parametrize("routine", ["a32_sb_dmb", "a32_sb_cp15", "a32_sb_release", "t32_sb_dmb", "t32_sb_release"])
def test_a_barrier_orders_a_store_before_a_load(routine: str) -> None:
    """Store buffering: not both may miss the other's store."""
    memory = Memory(2)
    mine = [{"r0": LINES + 0x4_0000 * n, "r6": RESULTS + 0x2000 * n, "r7": REACHED + 64 * n} for n in (0, 1)]
    both = [mine[n] | {"r1": BUFFERED, "r2": mine[1 - n]["r0"], "r8": mine[1 - n]["r7"]} for n in (0, 1)]
    together(memory, routine, *both)
    results = [memory.read(RESULTS + 0x2000 * n + 8 * at) for n in (0, 1) for at in range(BUFFERED // 2)]
    seen = [half for value in results for half in (value & 0xFFFF_FFFF, value >> 32)]
    assert set(seen) <= {0, 1}
    assert (0, 0) not in set(zip(seen[:BUFFERED], seen[BUFFERED:], strict=True))
