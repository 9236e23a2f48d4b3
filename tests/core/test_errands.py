"""Errands as a core has them: what is lent to it, what the rounds do with that, and when it is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.answers import FixedAnswer, Notification, RegisterValue, whole
from baonet.hyp.armv8.cpu import ICH_LR0, LR_EOI, LR_GROUP, LR_PENDING, Exit
from tests.core.bench import Memory
from tests.core.virtual import COSTS, HVC, LOOP, NOP, WFI, core

RECESS = -2
WINDOW, SLICE, LATENCY = 10_000, 1_000, 300
NUMBER, SHMEM, INTERRUPT = 37, 5, 84
LISTED = INTERRUPT | LR_PENDING | LR_GROUP | LR_EOI
TELL = Notification(FixedAnswer((whole(0, 0),), (RegisterValue(3, 9),)), 2, SHMEM, (1,))
LDR = 0xF9400041  # ldr x1, [x2]
DEVICE = 0x0800_0000


def errands(guest: native.Core, *notifications: Notification, expected: Any = (INTERRUPT, 0, LISTED)) -> list[str]:
    """What is asked of its seat."""
    asked: list[str] = []

    def expects(shmem: int, event: int) -> Any:
        asked.append(f"{shmem}/{event}")
        return expected

    guest.emulate(((DEVICE, 0x1000),), lambda address, size: len(asked), lambda *_: True, [])
    guest.run_errands(notifications, NUMBER, LATENCY, Exit.HVC, expects, lambda: asked.append("take back"))
    return asked


def two(*calls: int, expected: Any = (INTERRUPT, 0, LISTED)) -> tuple[native.Core, native.Core, Any, list[str]]:
    """One that calls, and one that waits; the rounds of both, before they begin."""
    memory = Memory(2)
    caller, waiter = core(*calls, LOOP, memory=memory), core(WFI, LOOP, index=1, memory=Memory(2))
    asked = errands(waiter, expected=expected)
    errands(caller, TELL)
    rounds = native.Rounds((caller, waiter), WINDOW, SLICE, 1)
    rounds.ready(0, 0, 1 << 62)
    rounds.ready(1, 0, 1 << 62)
    caller.x[2] = 7
    return caller, waiter, rounds, asked


def go(rounds: Any, until: int = WINDOW) -> int:
    """Whose hypervisor is asked, DONE (-1) if nobody's is; however often the host takes a look in between."""
    while (found := rounds.go(until)) == RECESS:
        pass
    return int(found)


def test_one_tells_and_one_that_waits_is_given_its_interrupt() -> None:
    caller, waiter, rounds, asked = two(NOP, HVC)
    for guest, sent in ((caller, 40), (waiter, 0)):
        guest.lend(False, False, sent, {1: 200})
    assert go(rounds) == -1
    assert (asked, caller.x[3], waiter.ich[ICH_LR0]) == (["5/7"], 9, LISTED)
    assert rounds.take_delivered() == (1, 0, 0)
    assert rounds.take_delivered() == (0, 0, 0)
    due = 2 + LATENCY
    assert caller.take_back() == ([], (False, False, 41, 1, 0, [(Exit.HVC, 1)], [(1, due)], None))
    assert waiter.take_back() == ([], (True, True, 0, 0, 0, [], [], (due, 0, 41, SHMEM, 7)))
    assert (caller.take_back(), waiter.take_back()) == (None, None)


def test_a_channel_is_in_order() -> None:
    caller, waiter, rounds, _ = two(HVC)
    for guest in (caller, waiter):
        guest.lend(False, False, 0, {1: 5_000})
    go(rounds, 4_000)
    assert waiter.take_back()[0] == [(5_000, 0, 1, SHMEM, 7)]  # type: ignore[index]


def test_what_is_unexpected_is_the_hypervisors() -> None:
    caller, waiter, rounds, asked = two(NOP, HVC, expected=None)
    for guest in (caller, waiter):
        guest.lend(False, False, 0, {})
    assert go(rounds) == 1
    assert (rounds.take(1)[0], asked) == (-1, ["5/7"]), "it was left for its wait, which is seen to"
    assert waiter.take_back() == ([(2 + LATENCY, 0, 1, SHMEM, 7)], (True, False, 0, 0, 0, [], [], None))


def test_one_that_is_not_lent_is_told_as_long_as_there_is_room() -> None:
    caller, waiter, rounds, _ = two(*[HVC] * 20)
    caller.lend(False, False, 0, {})
    left = set()
    while go(rounds) == 1:
        left.add(rounds.take(1)[0])
        rounds.asleep(1, waiter.time, WINDOW)
    assert (rounds.take(0)[0], left) == (Exit.HVC, {Exit.WFI, -1} & left)
    queue, done = waiter.take_back() or ([], None)
    assert ([each[2] for each in queue], done) == ([*range(1, 17)], None)
    assert (caller.take_back() or ([], (0, 0, 0)))[1][2] == 16  # type: ignore[index]


def test_what_another_has_sent_is_an_errand_as_long_as_there_is_room() -> None:
    caller, waiter, rounds, asked = two(LOOP)
    for guest in (caller, waiter):
        guest.lend(False, False, 0, {})
    assert go(rounds, 500) == -1
    assert rounds.bring(1, 400, 0, 11, SHMEM, 7)
    assert go(rounds) == -1
    assert (asked, waiter.ich[ICH_LR0], rounds.take_delivered()) == (["5/7"], LISTED, (1, 0, 0))
    assert [rounds.bring(1, 20_000, 0, number, SHMEM, 7) for number in range(17)] == [True] * 16 + [False]
    assert rounds.take_delivered() == (16, 0, 0)
    rounds.gone(0)
    assert rounds.bring(0, 20_000, 1, 1, SHMEM, 7), "as all that is told to one that is gone"
    assert caller.take_back() == ([], (False, False, 0, 0, 0, [], [], None))
    other = native.Rounds((core(LOOP),), WINDOW, SLICE, 1)
    other.ready(0, 0, 1 << 62)
    assert not other.bring(0, 400, 1, 1, SHMEM, 7), "it runs none"


def test_who_has_something_else_to_hear_is_asked() -> None:
    caller, waiter, rounds, _ = two(HVC)
    caller.lend(False, False, 0, {})
    waiter.lend(False, False, 0, {})
    rounds.tell(0, 4_000)
    assert (go(rounds), rounds.take(0)[0]) == (0, Exit.HVC)


def test_it_is_taken_back_before_an_emulated_access() -> None:
    guest = core(LDR, HVC)
    asked = errands(guest)
    guest.x[2] = DEVICE
    guest.lend(False, False, 0, {})
    assert guest.run_until(100) == Exit.HVC
    assert (asked, guest.x[1]) == (["take back"], 1)


def test_what_that_raises_is_raised() -> None:
    guest = core(LDR, HVC)
    guest.emulate(((DEVICE, 0x1000),), lambda *_: 0, lambda *_: True, [])
    guest.run_errands((), NUMBER, LATENCY, Exit.HVC, lambda *_: None, lambda: 1 / 0)  # type: ignore[arg-type]
    guest.x[2] = DEVICE
    guest.lend(False, False, 0, {})
    with pytest.raises(ZeroDivisionError):
        guest.run_until(100)


def test_so_is_what_is_raised_when_it_is_asked_what_it_expects() -> None:
    caller, waiter, rounds, _ = two(HVC, expected=(1, 2))
    for guest in (caller, waiter):
        guest.lend(False, False, 0, {})
    with pytest.raises(TypeError):
        go(rounds)


def test_nothing_is_recorded_twice() -> None:
    _, waiter, rounds, _ = made = two(NOP, HVC)
    for guest in made[:2]:
        guest.lend(False, False, 0, {})
    go(rounds)
    waiter.take_records(True)
    waiter.take_back()
    waiter.note(15, 1, 2, 3)
    assert waiter.take_records(True) == []
    waiter.caught_up()
    waiter.note(15, 1, 2, 3)
    assert len(waiter.take_records(True)) == 1


@pytest.mark.parametrize(
    "notifications",
    [(1,), ((),), (((), 2, 5, (1,)),), ((((), ()), 31, 5, (1,)),), ((((), ()), 2, 5, tuple(range(9))),)],
)
def test_what_are_no_errands_is_refused(notifications: Any) -> None:
    guest = core(HVC)
    with pytest.raises((ValueError, TypeError)):
        guest.run_errands(notifications, NUMBER, LATENCY, Exit.HVC, lambda *_: None, lambda: None)
    with pytest.raises(RuntimeError, match="runs no errands"):
        guest.lend(False, False, 0, {})
    for bad, cost in ((core(HVC, hz=0), Exit.HVC), (guest, COSTS)):
        with pytest.raises(ValueError, match="no errands"):
            bad.run_errands((), NUMBER, LATENCY, cost, lambda *_: None, lambda: None)
