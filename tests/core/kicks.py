"""The doorbell, whatever the architecture: it ends a stay from another process, is never lost, and nothing of the guest
is done twice for it.

A test module has these tests by importing them, and a fixture ``guest`` of its own.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest

from baonet.core import _node
from baonet.hyp.cpu import Stay
from tests.core.memory import VmMemory


class Kicked(Protocol):
    """Core 0 of ``memory``, before a loop for ever."""

    core: Any
    memory: VmMemory
    call: int
    """The exit with which a guest calls the hypervisor."""

    def spin(self) -> int:
        """Enter the loop. Returns its address."""

    def enter_call(self) -> None: ...

    def enter_stores(self, rounds: int, first: int) -> int:
        """Have it store so many double words, ``first`` and those that follow, and call. Returns where they will be."""

    def stored(self, rounds: int, first: int) -> int:
        """How many instructions that takes; the registers are checked."""


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


def stay(guest: Kicked, budget: int = 1 << 40) -> int:
    return int(guest.core.run(budget))


def test_a_stay_ends(guest: Kicked) -> None:
    at = guest.spin()

    def body() -> None:
        time.sleep(0.02)
        _node.kick(guest.memory.slots, 0)

    with another_process(body):
        assert stay(guest) == Stay.KICKED
    assert guest.core.pc == at


def test_a_kick_before_the_stay_is_not_lost(guest: Kicked) -> None:
    guest.spin()
    _node.kick(guest.memory.slots, 0)
    _node.kick(guest.memory.slots, 0)
    assert stay(guest) == Stay.KICKED
    assert stay(guest, 100_000) == Stay.BUDGET, "two that nobody has answered are one"


def test_an_answered_kick_is_over(guest: Kicked) -> None:
    guest.spin()
    _node.kick(guest.memory.slots, 0)
    guest.core.answer_doorbell()
    assert stay(guest, 100_000) == Stay.BUDGET
    _node.kick(guest.memory.slots, 0)
    assert stay(guest) == Stay.KICKED


def test_a_kick_without_end_does_not_keep_the_guest_where_it_is(guest: Kicked) -> None:
    """Under the host's clock whoever is told something at each look gets on all the same."""
    guest.spin()
    before = guest.core.statistics()["instructions"]
    for stays in range(1, 5):
        _node.kick(guest.memory.slots, 0)
        assert stay(guest) == Stay.KICKED
        assert guest.core.statistics()["instructions"] - before >= stays


def test_a_kick_and_another_reason(guest: Kicked) -> None:
    """The exit that the guest asked for comes first; the kick is kept for the next stay."""
    guest.enter_call()
    _node.kick(guest.memory.slots, 0)
    reasons = [stay(guest), stay(guest, 100_000)]
    assert sorted(reasons) == sorted((int(Stay.KICKED), guest.call))


def test_a_kick_is_for_a_core_that_is_there(guest: Kicked) -> None:
    with pytest.raises(IndexError):
        _node.kick(guest.memory.slots, guest.memory.cores)


def test_no_store_is_lost_or_done_twice(guest: Kicked) -> None:
    rounds, core, memory = 30_000, guest.core, guest.memory

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
            at = guest.enter_stores(rounds, 7)
            memory.load(at, bytes(8 * rounds))
            before = core.statistics()["instructions"]
            while (reason := stay(guest)) == Stay.KICKED:
                kicks += 1
            assert reason == guest.call
            assert core.statistics()["instructions"] - before == guest.stored(rounds, 7)
            stored = memoryview(memory.ram)[at - memory.base : at - memory.base + 8 * rounds].cast("Q")
            assert stored.tolist() == list(range(7, 7 + rounds))
            stored.release()
