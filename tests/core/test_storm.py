"""Exceptions that the guest takes itself: what they take in virtual time, where stays end, and what a storm is."""

from __future__ import annotations

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import ICH_HCR, ICH_VMCR, LR_GROUP, LR_PENDING, VMCR_VENG1, VMCR_VPMR_SHIFT, Exit
from tests.core.bench import RAM, Memory
from tests.core.virtual import HVC, LOOP, NOP, WFI, core, read, write

VBAR, ELR, SPSR, ESR = (3, 0, 12, 0, 0), (3, 0, 4, 0, 1), (3, 0, 4, 0, 0), (3, 0, 5, 2, 0)
CNTV_CTL, CNTV_CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
SVC, ERET, UNDEFINED = 0xD4000001, 0xD69F03E0, 0
VECTORS = 0x1000
AT_ONCE = 0x200  # of an exception from EL1 with SP_EL1
INTERRUPT = 0x280
UNMASK = 0xD50342FF  # MSR DAIFClr, #2
EXCEPTION, STORM, SPELL = 100, 600, 4096
LONG = 100_000_000


def guest(*code: int, vector: tuple[int, ...] = (UNDEFINED,)) -> native.Core:
    """A core with VBAR_EL1 set, whose handler is ``vector``."""
    memory = Memory(1)
    memory.load(RAM + VECTORS + AT_ONCE, b"".join(word.to_bytes(4, "little") for word in vector))
    made = core(write(VBAR, 0), *code, memory=memory)
    made.x[0] = RAM + VECTORS
    return made


def exceptions(made: native.Core) -> int:
    return made.state()["exceptions"]


def test_an_exception_takes_a_hundred_cycles() -> None:
    made = guest(*[SVC] * 5, HVC, vector=(ERET,))
    assert made.run_until(LONG) == Exit.HVC
    assert (exceptions(made), made.time) == (5, 1 + 5 * (1 + 1 + EXCEPTION) + 1)


def test_a_storm_costs_virtual_time_what_it_costs_the_host() -> None:
    """Vectors of zeroes: no instruction ever retires, and a second of it is not a billion exceptions."""
    made = guest(UNDEFINED)
    while made.time < LONG:
        made.run_until(LONG)
    assert exceptions(made) == SPELL + -(-(LONG - 1 - SPELL * EXCEPTION) // STORM)


@pytest.mark.parametrize("virtual", [True, False])
def test_a_stay_in_a_storm_ends_before_its_limit(virtual: bool) -> None:
    made = guest(UNDEFINED) if virtual else None
    if made is None:
        from tests.core.bench import Bench  # noqa: PLC0415

        bench = Bench()
        bench.enter("undefined", 0, RAM + 0x3F_0000)
        made = bench.core
    for _ in range(5):
        before = exceptions(made)
        assert (made.run_until(1 << 40) if virtual else made.run(1 << 40)) == Exit.BUDGET
        assert 0 < exceptions(made) - before <= SPELL


MAINTENANCE = {
    "tlbi vmalle1": 0xD508871F,
    "tlbi vmalle1is": 0xD508831F,
    "tlbi vae1": 0xD5088720,
    "tlbi vaae1is": 0xD5088360,
    "ic iallu": 0xD508751F,
    "ic ivau": 0xD50B7520,  # of the line that it is in
}


@pytest.mark.parametrize("name", MAINTENANCE)
def test_a_stay_in_a_storm_of_maintenance_ends_before_its_limit(name: str) -> None:
    made = guest(0x91000463, MAINTENANCE[name], 0x17FFFFFE)  # 1: add x3, x3, #1; ...; b 1b
    made.x[0] = RAM if name.startswith("ic") else 0
    rounds = 0
    for _ in range(5):
        assert made.run_until(LONG) == Exit.KICKED
        assert 0 < made.x[3] - rounds <= SPELL + 1
        rounds = made.x[3]


def test_where_stays_end_changes_nothing() -> None:
    """The same exceptions at the same cycles, however often somebody looks around."""

    def run(step: int) -> tuple[int, int, int]:
        made = guest(SVC, 0x17FFFFFF, vector=(NOP, ERET))
        while made.time < 3_000_000:
            made.run_until(min(made.time + step, 3_000_000))
        return exceptions(made), made.time, made.state()["last_elr"]

    assert run(3_000_000) == run(70_001) == run(997)


def test_a_timer_comes_on_time_in_a_storm() -> None:
    made = guest(write(CNTV_CVAL, 1), write(CNTV_CTL, 2), UNDEFINED)
    made.x[1], made.x[2] = 20_000 // 16, 1
    while (reason := made.run_until(LONG)) == Exit.BUDGET:
        pass
    assert reason == Exit.INTERRUPT
    assert 20_000 <= made.time <= 20_000 + STORM


def test_a_storm_is_told_once_in_a_life() -> None:
    made = guest(UNDEFINED)
    told = []
    for _ in range(20):
        made.run_until(LONG)
        told.append(made.storm())
    assert [each for each in told if each] == [(SPELL, 1, False)]  # the instruction that set VBAR_EL1
    made.reset(RAM, 0)
    made.x[0] = RAM + VECTORS
    assert exceptions(made) == 0
    while made.storm() is None:
        assert exceptions(made) <= SPELL
        made.run_until(LONG * 10)


@pytest.mark.parametrize(
    ("code", "vector", "storm"),
    [
        ((SVC,), (SVC,), True),
        ((SVC, 0x17FFFFFF), (ERET,), False),  # calls its kernel again and again
        ((UNDEFINED,), (*[NOP] * 100, ERET), True),  # the same instruction, whatever the handler does
        ((NOP, 0xB9400041, 0x17FFFFFE), (NOP,) * 40 + (LOOP,), False),  # no exceptions at all
    ],
)
def test_what_a_storm_is(code: tuple[int, ...], vector: tuple[int, ...], storm: bool) -> None:
    made = guest(*code, vector=vector)
    made.x[2] = RAM
    told = False
    while made.time < 3_000_000:
        made.run_until(3_000_000)
        told |= made.storm() is not None
    assert told is storm


def test_the_last_exception_stays_though_the_guest_overwrites_its_registers() -> None:
    made = guest(SVC, WFI, vector=(read(ESR, 3), write(ESR, 4), ERET))
    made.x[4] = 0x1234
    assert made.run_until(LONG) == Exit.WFI
    state = made.state()
    assert (state["last_esr"], state["last_elr"], state["exceptions"]) == (0x5600_0000, RAM + 8, 1)
    assert (made.x[3], state["esr_el1"]) == (0x5600_0000, 0x1234)
    assert state["last_spsr"] & 0x3CF == 0x3C5
    assert state["vbar_el1"] == RAM + VECTORS


def test_spsr_is_what_the_guest_reads() -> None:
    made = guest(write(SPSR, 5), read(SPSR, 6), HVC)
    made.x[5] = 0x6000_0305
    assert made.run_until(LONG) == Exit.HVC
    assert made.x[6] == made.state()["spsr_el1"] == 0x6000_0305


def test_timers_are_told_whether_or_not_the_vm_has_them() -> None:
    made = guest(write(CNTV_CVAL, 1), write(CNTV_CTL, 2), WFI)
    made.x[1], made.x[2] = 1000, 1
    made.run_until(10_000)
    assert [(intid, assigned, control & 3, compare) for intid, assigned, control, compare, _ in made.timers()] == [
        (27, True, 1, 1000),
        (30, False, 0, 0),
    ]


def interrupted(*vector: int) -> native.Core:
    """A guest that loops, with an interrupt that is pending for ever, and what its handler does."""
    memory = Memory(1)
    memory.load(RAM + VECTORS + INTERRUPT, b"".join(word.to_bytes(4, "little") for word in vector))
    made = core(write(VBAR, 0), UNMASK, LOOP, memory=memory)
    made.x[0] = RAM + VECTORS
    made.ich[ICH_HCR], made.ich[ICH_VMCR] = 1, 0xF8 << VMCR_VPMR_SHIFT | VMCR_VENG1
    made.ich[0] = 40 | LR_GROUP | LR_PENDING
    return made


def test_a_storm_of_interrupts_costs_virtual_time_and_is_told() -> None:
    """A handler that returns and lets the interrupt stand is entered again at once, a nanosecond later."""
    made = interrupted(ERET)
    stays = 0
    told = []
    while made.time < LONG:
        made.run_until(LONG)
        stays += 1
        told.append(made.storm())
    assert [each for each in told if each] == [(SPELL, SPELL + 1, True)]  # an ERET each, and what came before the first
    assert LONG // STORM // SPELL <= stays < 2 * LONG // STORM // SPELL
    assert exceptions(made) == 0


def test_interrupts_with_a_handler_that_works_are_no_storm() -> None:
    made = interrupted(*[NOP] * 40, ERET)
    while made.time < 3_000_000:
        assert made.run_until(3_000_000) == Exit.BUDGET
        assert made.storm() is None
    assert made.time < 3_000_100
