"""RVWMO between two harts in two processes, by the self-test's guests: what may be seen, and what must not."""

from __future__ import annotations

import os

import pytest

from baonet.core import _node
from baonet.core.riscv.litmus import both_old, store_buffering
from baonet.core.riscv.testbed import BLOCK, BLOCKS, RiscvShared, RiscvSide

TIMES = 6
needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU: two harts never run at the same time")


def run(shared: RiscvShared, number: int, routine: str) -> list[int]:
    """One side: how often both harts found the old value, each time."""
    side, found = RiscvSide(shared, number), []
    for n in range(TIMES):
        side.meet(2 * n + 1)
        store_buffering(routine)(side, BLOCKS + BLOCK * n)
        side.meet(2 * n + 2)
        found.append(both_old(side))
    return found


def seen(routine: str) -> list[int]:
    shared, parent, affinity = RiscvShared(), os.getpid(), os.sched_getaffinity(0)
    child = os.fork()
    if not child:
        try:
            _node.die_with_parent(parent)
            run(shared, 1, routine)
        finally:
            os._exit(0)
    try:
        return run(shared, 0, routine)
    finally:
        os.sched_setaffinity(0, affinity)
        os.waitpid(child, 0)


@needs_two
def test_without_a_fence_a_load_passes_a_store() -> None:
    """That is allowed, and the host does it: a guest that asks for no fence pays for none."""
    assert any(seen("order_none"))


@needs_two
@pytest.mark.parametrize("routine", ["order_fence", "order_annotated"])
def test_with_one_it_never_does(routine: str) -> None:
    assert not any(seen(routine))
