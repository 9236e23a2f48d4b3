"""The doorbell (``tests.core.kicks``) of an Armv8 core."""

from __future__ import annotations

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, Bench, Memory, address, run
from tests.core.kicks import (
    test_a_kick_and_another_reason,
    test_a_kick_before_the_stay_is_not_lost,
    test_a_kick_is_for_a_core_that_is_there,
    test_a_kick_without_end_does_not_keep_the_guest_where_it_is,
    test_a_stay_ends,
    test_an_answered_kick_is_over,
    test_no_store_is_lost_or_done_twice,
)

__all__ = [
    "test_a_kick_and_another_reason",
    "test_a_kick_before_the_stay_is_not_lost",
    "test_a_kick_is_for_a_core_that_is_there",
    "test_a_kick_without_end_does_not_keep_the_guest_where_it_is",
    "test_a_stay_ends",
    "test_an_answered_kick_is_over",
    "test_no_store_is_lost_or_done_twice",
]

STORES = RAM + 0x8_0000


class Guest:
    call = Exit.HVC

    def __init__(self) -> None:
        self._bench = Bench()
        self.core, self.memory = self._bench.core, self._bench.memory

    def spin(self) -> int:
        self._bench.enter("spin")
        return address("spin")

    def enter_call(self) -> None:
        self._bench.enter("call")

    def enter_stores(self, rounds: int, first: int) -> int:
        self._bench.enter("stores", rounds, first, STORES)
        return STORES

    def stored(self, rounds: int, first: int) -> int:
        assert list(self.core.x)[:4] == [0, first + rounds, STORES + 8 * rounds, rounds]
        return 5 * rounds + 1


@pytest.fixture
def guest() -> Guest:
    return Guest()


def test_a_kick_is_for_one_core() -> None:
    memory = Memory(cores=2)
    first, second = (Bench(memory, n) for n in range(2))
    for bench in (first, second):
        bench.enter("spin")
    _node.kick(memory.slots, 1)
    assert run(first.core, 100_000) == Exit.BUDGET
    assert run(second.core) == Exit.KICKED
