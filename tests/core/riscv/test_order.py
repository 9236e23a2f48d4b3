"""RVWMO between two harts in two processes, by the self-test's guests: what may be seen, and what must not."""

from __future__ import annotations

import pytest

from baonet.core.riscv.testbed import BLOCKS, RiscvSide
from baonet.core.trial_bed import BLOCK
from baonet.core.trial_parts import both_old, store_buffering
from tests.core.riscv.pairs import both, needs_two

TIMES = 6


def seen(routine: str, times: int = TIMES) -> list[int]:
    """How often both harts found the old value, each time."""

    def run(side: RiscvSide) -> list[int]:
        found = []
        for n in range(times):
            side.meet(2 * n + 1)
            store_buffering(routine)(side, BLOCKS + BLOCK * n)
            side.meet(2 * n + 2)
            found.append(both_old(side))
        return found

    return both(run)


@needs_two
def test_without_a_fence_a_load_passes_a_store() -> None:
    """That is allowed, and the host does it: a guest that asks for no fence pays for none."""
    assert any(seen("order_none"))


@needs_two
@pytest.mark.parametrize("routine", ["order_fence", "order_annotated"])
@pytest.mark.parametrize("times", [TIMES, pytest.param(60, marks=pytest.mark.slow)])
def test_with_one_it_never_does(routine: str, times: int) -> None:
    assert not any(seen(routine, times))
