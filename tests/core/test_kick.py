"""The doorbell: it ends a stay from another process, is never lost, and nothing of the guest is done twice for it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, Bench, Memory, address, retired, run

STORES = RAM + 0x8_0000


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.enter("spin")
    return bench


@contextmanager
def another_process(body: Callable[[], None]) -> Iterator[None]:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _node.die_with_parent(parent)
            body()
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_stay_ends(bench: Bench) -> None:
    def body() -> None:
        time.sleep(0.02)
        _node.kick(bench.memory.slots, 0)

    with another_process(body):
        assert run(bench.core) == Exit.KICKED
    assert bench.core.pc == address("spin")


def test_a_kick_before_the_stay_is_not_lost(bench: Bench) -> None:
    _node.kick(bench.memory.slots, 0)
    _node.kick(bench.memory.slots, 0)
    assert run(bench.core) == Exit.KICKED
    assert run(bench.core, 100_000) == Exit.BUDGET, "two that nobody has answered are one"


def test_an_answered_kick_is_over(bench: Bench) -> None:
    _node.kick(bench.memory.slots, 0)
    bench.core.answer_doorbell()
    assert run(bench.core, 100_000) == Exit.BUDGET
    _node.kick(bench.memory.slots, 0)
    assert run(bench.core) == Exit.KICKED


def test_a_kick_is_for_one_core() -> None:
    memory = Memory(cores=2)
    first, second = (Bench(memory, n) for n in range(2))
    for bench in (first, second):
        bench.enter("spin")
    _node.kick(memory.slots, 1)
    assert run(first.core, 100_000) == Exit.BUDGET
    assert run(second.core) == Exit.KICKED
    with pytest.raises(IndexError):
        _node.kick(memory.slots, 2)


def test_a_kick_and_another_reason(bench: Bench) -> None:
    """The exit that the guest asked for comes first; the kick is kept for the next stay."""
    bench.enter("call")
    _node.kick(bench.memory.slots, 0)
    reasons = [run(bench.core), run(bench.core, 100_000)]
    assert sorted(reasons) == [Exit.KICKED, Exit.HVC]


def test_no_store_is_lost_or_done_twice(bench: Bench) -> None:
    rounds, core, memory = 30_000, bench.core, bench.memory

    def body() -> None:
        moment = random.Random(2)
        while True:
            _node.kick(memory.slots, 0)
            until = time.perf_counter() + moment.uniform(0, 20e-6)
            while time.perf_counter() < until:
                pass

    kicks = 0
    with another_process(body):
        while kicks < 500:
            memory.load(STORES, bytes(8 * rounds))
            bench.enter("stores", rounds, 7, STORES)
            before = retired(core)
            while (reason := run(core)) == Exit.KICKED:
                kicks += 1
            assert reason == Exit.HVC
            assert list(core.x)[:4] == [0, 7 + rounds, STORES + 8 * rounds, rounds]
            assert retired(core) - before == 5 * rounds + 1
            stored = memoryview(memory.ram)[STORES - RAM : STORES - RAM + 8 * rounds].cast("Q")
            assert stored.tolist() == list(range(7, 7 + rounds))
            stored.release()
