"""Exceptions that the guest takes itself: what they take in virtual time, where stays end, and what a storm is."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, C_EBREAK, ECALL, LOOP, NOP, SEPC, SRET, T0, ZERO
from tests.core.riscv.bench import HANDLER, Hart

EXCEPTION, STORM, SPELL = 100, 600, 4096
"""As for Armv8 (``tests.core.test_storm``): in cycles, in cycles, in exceptions."""
LONG = 100_000_000
SKIP = (asm.csrr(T0, SEPC), asm.c_addi(T0, 2), asm.csrw(SEPC, T0), SRET)


def guest(*code: bytes, handler: tuple[bytes, ...] = (C_EBREAK,), clock: str = "virtual") -> Hart:
    hart = Hart(clock, levels=3)
    at = HANDLER + 0x800
    hart.load(at, *handler)
    hart.set(asm.STVEC, at)
    hart.enter(*code)
    return hart


def exceptions(hart: Hart) -> int:
    return hart.core.state()["exceptions"]


def test_an_exception_takes_a_hundred_cycles() -> None:
    hart = guest(*[C_EBREAK] * 5, ECALL, handler=SKIP)
    begin = hart.core.time
    assert hart.stay() == RiscvExit.ECALL
    assert (exceptions(hart), hart.core.time - begin) == (5, 5 * (EXCEPTION + len(SKIP)) + 1)


def test_a_storm_costs_virtual_time_what_it_costs_the_host() -> None:
    """No instruction ever retires, and a second of it is not a billion exceptions."""
    hart = guest(C_EBREAK)
    begin = hart.core.time
    while hart.core.time < LONG:
        hart.core.run_until(LONG)
    assert exceptions(hart) == SPELL + -(-(LONG - begin - SPELL * EXCEPTION) // STORM)


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_a_stay_in_a_storm_ends_before_its_limit(clock: str) -> None:
    hart = guest(C_EBREAK, clock=clock)
    for _ in range(5):
        before = exceptions(hart)
        assert hart.step(1 << 40) == RiscvExit.BUDGET
        assert 0 < exceptions(hart) - before <= SPELL


@pytest.mark.parametrize("step", [70_001, 997])
def test_where_stays_end_changes_nothing(step: int) -> None:
    def run(step: int) -> tuple[int, int, int]:
        hart = guest(C_EBREAK, asm.c_j(-2), handler=(asm.addi(A0, A0, 1), *SKIP))
        while hart.core.time < 3_000_000:
            hart.core.run_until(min(hart.core.time + step, 3_000_000))
        return exceptions(hart), hart.core.time, hart.core.state()["last_epc"]

    assert run(3_000_000) == run(step)


def test_a_storm_is_told_once_in_a_life() -> None:
    hart = guest(C_EBREAK)
    told = []
    for _ in range(20):
        hart.core.run_until(LONG)
        told.append(hart.core.storm())
    (storm,) = [each for each in told if each]
    assert (storm[0], storm[2]) == (SPELL, False)


@pytest.mark.parametrize(
    ("code", "handler", "storm"),
    [
        ((C_EBREAK,), (C_EBREAK,), True),
        ((C_EBREAK, asm.c_j(-2)), (*[NOP] * 100, *SKIP), False),  # it does something each time
        ((asm.ld(A1, ZERO),), (*[NOP] * 100, SRET), True),  # the same instruction, whatever the handler does
        ((C_EBREAK,), (*[NOP] * 100, SRET), False),  # but for a call
        ((NOP, asm.ld(A1, A2), asm.c_j(-8)), (LOOP,), False),  # no exceptions at all
        ((asm.csrr(A1, asm.CYCLE),), (C_EBREAK,), False),  # the hypervisor has it
    ],
    ids=["handler", "work", "again", "call", "none", "trap"],
)
def test_what_a_storm_is(code: tuple[bytes, ...], handler: tuple[bytes, ...], storm: bool) -> None:
    hart = guest(*code, handler=handler)
    hart.core.x[A2] = HANDLER
    told = False
    while hart.core.time < 3_000_000:
        if hart.core.run_until(3_000_000) == RiscvExit.TRAP:
            break
        told |= hart.core.storm() is not None
    assert told is storm


MAINTENANCE = {
    "fence.i": asm.fence_i(),
    "sfence.vma": asm.sfence_vma(),
    "sfence.vma a0": asm.sfence_vma(A0),
    "csrw satp": asm.csrw(asm.SATP, ZERO),
}


@pytest.mark.parametrize("name", MAINTENANCE)
def test_a_stay_in_a_storm_of_maintenance_ends(name: str) -> None:
    """In time for whoever rings, and at the same places."""
    hart = guest(asm.c_addi(A1, 1), MAINTENANCE[name], asm.c_j(-6))
    until = hart.core.time + 300_000
    while hart.core.time < until:
        assert hart.core.run_until(until) in (RiscvExit.KICKED, RiscvExit.BUDGET)
    assert abs(hart.core.x[A1] - hart.count // 3) <= 1


def test_interrupts_that_nobody_ends_are_a_storm() -> None:
    hart = Hart("virtual")
    at = HANDLER + 0x800
    hart.load(at, SRET)
    hart.set(asm.STVEC, at)
    hart.set(asm.STIMECMP, (1 << 64) - 1)
    hart.set(asm.SIE, 2)
    hart.core.software = True
    hart.enter(asm.csrsi(asm.SSTATUS, 2), LOOP)
    told = []
    while hart.core.time < LONG:
        hart.core.run_until(LONG)
        told.append(hart.core.storm())
    (storm,) = [each for each in told if each]
    assert storm[2] is True
    assert exceptions(hart) == 0
