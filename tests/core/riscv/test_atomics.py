"""Atomic operations of two harts in two processes: not one is lost, whoever interrupts them."""

from __future__ import annotations

import random
import time

import pytest

from baonet.core import _node
from baonet.core.riscv.testbed import BLOCKS, RiscvSide
from tests.core.kicks import another_process
from tests.core.riscv.pairs import both, needs_two

COUNTERS = {"count_lr_w": 1, "count_lr_d": 1, "count_lr_aq": 1, "count_lr_aqrl": 1, "count_amoadd": 2, "count_cas": 1}
LOCKS = ("lock_amoswap", "lock_lr")


def counted(routine: str, rounds: int, place: int, *, kicked: bool) -> int:
    def run(side: RiscvSide) -> int:
        slots = side.shared.slots

        def kicks() -> None:
            moment = random.Random(side.number)
            while True:
                _node.kick(slots, side.number)
                until = time.perf_counter() + moment.uniform(0, 50e-6)
                while time.perf_counter() < until:
                    pass

        side.meet(1)
        if kicked and not side.number:
            with another_process(kicks):
                side.go(routine, BLOCKS, rounds)
        else:
            side.go(routine, BLOCKS, rounds)
        side.meet(2)
        return side.shared.read(BLOCKS + place)

    return both(run)


@needs_two
@pytest.mark.slow
@pytest.mark.parametrize("kicked", [False, True], ids=["alone", "kicked"])
@pytest.mark.parametrize("routine", COUNTERS)
def test_no_increment_is_lost(routine: str, kicked: bool) -> None:
    assert counted(routine, 1_000_000, 64, kicked=kicked) == 2 * COUNTERS[routine] * 1_000_000


@needs_two
@pytest.mark.slow
@pytest.mark.parametrize("kicked", [False, True], ids=["alone", "kicked"])
@pytest.mark.parametrize("routine", LOCKS)
def test_a_lock_guards(routine: str, kicked: bool) -> None:
    assert counted(routine, 200_000, 192, kicked=kicked) == 2 * 200_000


@needs_two
def test_a_thousand_of_each() -> None:
    for routine, each in COUNTERS.items():
        assert counted(routine, 1000, 64, kicked=True) == 2 * each * 1000
