"""A hart under the host's clock that stands: its time does, and its timer is not due for what passes meanwhile."""

from __future__ import annotations

import time

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, ECALL, STIMECMP, TIME, WFI
from tests.core.riscv.bench import FREQUENCY, Hart

STOOD = 50_000_000
TICK = 10**9 // FREQUENCY


def stand(hart: Hart) -> int:
    """For at least STOOD nanoseconds; returns for how many."""
    hart.core.stand()
    began, shown = time.monotonic_ns(), hart.core.time
    while time.monotonic_ns() - began < STOOD:
        pass
    assert hart.core.time == shown
    stood = time.monotonic_ns() - began
    hart.core.fall_behind(stood)
    return stood


def test_its_time_does_not_go_on() -> None:
    hart = Hart()
    began = time.monotonic_ns()
    before = hart.get(TIME)
    stood = stand(hart)
    after = hart.get(TIME)
    passed = time.monotonic_ns() - began - stood
    assert 0 <= after - before <= passed // TICK + 1
    assert hart.get(TIME) > before, "and goes on"


@pytest.mark.parametrize("ticks", [FREQUENCY // 40, FREQUENCY])
def test_a_timer_is_later_by_what_it_stood(ticks: int) -> None:
    hart = Hart()
    hart.set(STIMECMP, (1 << 64) - 1)
    hart.set(asm.SIE, 1 << cpu.TIMER)
    code = (asm.csrr(A0, TIME), asm.add(A1, A0, A1), asm.csrw(STIMECMP, A1), WFI, ECALL)
    began = time.monotonic_ns()
    assert hart.go(*code, a1=ticks) == RiscvExit.WFI
    stood = stand(hart)
    left = hart.core.deadline()
    passed = time.monotonic_ns() - began - stood
    assert ticks * TICK - passed - TICK <= left <= ticks * TICK


def test_the_guest_never_sees_time_go_back() -> None:
    hart, last = Hart(), 0
    for _ in range(20):
        hart.core.stand()
        hart.core.fall_behind(1_000_000)
        for _ in range(20):
            now = hart.get(TIME)
            assert now >= last
            last = now
