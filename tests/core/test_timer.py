"""The generic timers: their registers, when they interrupt, and when they do so again (Arm ARM D11.2)."""

from __future__ import annotations

import time

import pytest

from baonet.hyp.armv8.cpu import EXIT_INTID, Exit
from tests.core.bench import FREQUENCY, MASK, Bench, address, run

ENABLE, IMASK, ISTATUS = 1, 2, 4
VIRTUAL, PHYSICAL = 0, 1
INTIDS = (27, 30)
MILLISECOND = FREQUENCY // 1000

both = pytest.mark.parametrize("timer", [VIRTUAL, PHYSICAL], ids=["virtual", "physical"])


@pytest.fixture(scope="module")
def shared() -> Bench:
    return Bench()


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.enter("nothing")
    return shared


def arm(bench: Bench, timer: int, ticks: int, control: int = ENABLE) -> None:
    bench.call("timer_set_tval", timer, ticks)
    bench.call("timer_set_ctl", timer, control)


def expire(bench: Bench, timer: int) -> None:
    """Arm a timer that is due: the write is the last instruction of its block, and the interrupt comes there."""
    bench.call("timer_set_cval", timer, 0)
    bench.core.x[0], bench.core.x[1], bench.core.pc = timer, ENABLE, address("timer_set_ctl")
    assert run(bench.core) == Exit.INTERRUPT
    assert bench.core.exit[EXIT_INTID] == INTIDS[timer]
    assert run(bench.core) == Exit.HVC


def spin(bench: Bench) -> Exit:
    bench.core.pc = address("spin")
    return run(bench.core, 100_000)


def test_both_counters_run_at_the_frequency(bench: Bench) -> None:
    start = time.monotonic_ns()
    first = bench.call("counters")
    time.sleep(0.02)
    virtual = bench.call("counters")
    elapsed = time.monotonic_ns() - start
    assert first < virtual <= bench.core.x[4]
    assert 0.02 * FREQUENCY <= virtual - first <= elapsed * FREQUENCY / 1e9


@both
def test_tval_is_signed_and_relative(bench: Bench, timer: int) -> None:
    for value in (1000 * MILLISECOND, -1000 * MILLISECOND):
        bench.call("timer_set_tval", timer, value)
        now = bench.call("counters")
        assert now + value - bench.call("timer_cval", timer) & MASK < 100 * MILLISECOND
        read = bench.call("timer_tval", timer)
        assert read < 1 << 32, "zero-extended"
        assert value - read & 0xFFFF_FFFF < 100 * MILLISECOND


@both
def test_cval_is_what_was_written(bench: Bench, timer: int) -> None:
    for value in (0, 1 << 63, MASK):
        bench.call("timer_set_cval", timer, value)
        assert bench.call("timer_cval", timer) == value


def test_the_two_timers_are_two(bench: Bench) -> None:
    bench.call("timer_set_cval", VIRTUAL, 1)
    bench.call("timer_set_cval", PHYSICAL, 2)
    assert [bench.call("timer_cval", timer) for timer in (VIRTUAL, PHYSICAL)] == [1, 2]


@both
def test_the_status_follows_the_condition_whatever_masks_it(bench: Bench, timer: int) -> None:
    arm(bench, timer, 1000 * MILLISECOND, ENABLE | IMASK)
    assert bench.call("timer_ctl", timer) == ENABLE | IMASK
    arm(bench, timer, -1, IMASK)
    assert bench.call("timer_ctl", timer) == IMASK, "no status of a timer that is off"
    bench.call("timer_set_ctl", timer, ENABLE | IMASK | 0xFFF8)
    assert bench.call("timer_ctl", timer) == ENABLE | IMASK | ISTATUS


@both
def test_it_interrupts_when_it_is_due(bench: Bench, timer: int) -> None:
    arm(bench, timer, 100 * MILLISECOND)
    cval = bench.call("timer_cval", timer)
    bench.core.pc = address("spin")
    assert run(bench.core, 1 << 40) == Exit.INTERRUPT
    assert bench.core.exit[EXIT_INTID] == INTIDS[timer]
    assert bench.core.pc == address("spin")
    assert bench.call("counters") >= cval
    assert bench.call("timer_ctl", timer) == ENABLE | ISTATUS


@both
def test_a_past_time_interrupts_at_once(bench: Bench, timer: int) -> None:
    expire(bench, timer)


@both
def test_once_taken_it_waits_for_its_deactivation(bench: Bench, timer: int) -> None:
    expire(bench, timer)
    assert spin(bench) == Exit.BUDGET, "active: the line is high and nothing comes"
    assert bench.core.deadline() == -1
    bench.core.deactivate(57 - INTIDS[timer])
    assert spin(bench) == Exit.BUDGET, "that was the other one"
    bench.core.deactivate(INTIDS[timer])
    assert bench.core.deadline() == 0
    assert spin(bench) == Exit.INTERRUPT, "still high"
    bench.call("timer_set_ctl", timer, ENABLE | IMASK)
    bench.core.deactivate(INTIDS[timer])
    assert spin(bench) == Exit.BUDGET


@both
def test_a_masked_or_disabled_timer_is_silent(bench: Bench, timer: int) -> None:
    for control in (0, IMASK, ENABLE | IMASK):
        bench.call("timer_set_cval", timer, 0)
        bench.call("timer_set_ctl", timer, control)
        assert spin(bench) == Exit.BUDGET
        assert bench.core.deadline() == -1


def test_a_timer_that_the_vm_was_not_given_never_arrives() -> None:
    """Bao assigns PPI 27 to most VMs and 30 to none: the timer runs, and its interrupt goes nowhere."""
    bench = Bench(timers=(27,))
    bench.enter("nothing")
    arm(bench, PHYSICAL, 0)
    assert bench.call("timer_ctl", PHYSICAL) == ENABLE | ISTATUS
    assert spin(bench) == Exit.BUDGET
    assert bench.core.deadline() == -1


def test_both_at_once_come_one_after_the_other(bench: Bench) -> None:
    expire(bench, VIRTUAL)
    expire(bench, PHYSICAL)
    for intid in INTIDS:
        bench.core.deactivate(intid)
    for intid in INTIDS:
        assert spin(bench) == Exit.INTERRUPT
        assert bench.core.exit[EXIT_INTID] == intid
    assert spin(bench) == Exit.BUDGET


@both
def test_the_deadline_is_in_nanoseconds(bench: Bench, timer: int) -> None:
    arm(bench, timer, 500 * MILLISECOND)
    assert 400_000_000 < bench.core.deadline() <= 500_000_000
    bench.call("timer_set_ctl", timer, 0)
    assert bench.core.deadline() == -1


@both
@pytest.mark.parametrize("far", [1 << 40, 1 << 60, (1 << 60) + 1, 1 << 63, MASK])
def test_a_far_deadline_is_far(bench: Bench, timer: int, far: int) -> None:
    bench.call("timer_set_cval", timer, far)
    bench.call("timer_set_ctl", timer, ENABLE)
    assert bench.core.deadline() > 1_000_000_000_000
    assert spin(bench) == Exit.BUDGET


@both
def test_the_nearer_deadline_counts(bench: Bench, timer: int) -> None:
    arm(bench, timer, 200 * MILLISECOND)
    arm(bench, 1 - timer, 900 * MILLISECOND)
    assert 100_000_000 < bench.core.deadline() <= 200_000_000


def test_a_reset_disarms(bench: Bench) -> None:
    expire(bench, VIRTUAL)
    bench.enter("nothing")
    assert bench.call("timer_ctl", VIRTUAL) == 0
    expire(bench, VIRTUAL)  # its interrupt is not active any more


def test_waiting_until_the_deadline(bench: Bench) -> None:
    arm(bench, VIRTUAL, 100 * MILLISECOND)
    bench.core.pc = address("wait_for_interrupt")
    assert run(bench.core) == Exit.WFI
    time.sleep(bench.core.deadline() * 1e-9)
    assert run(bench.core) == Exit.INTERRUPT
    assert bench.core.pc == address("wait_for_interrupt") + 4
