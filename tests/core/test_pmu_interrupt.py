"""When the performance monitors interrupt (Arm ARM D13.8.5): by the guest's own time, whatever the host does."""

from __future__ import annotations

from typing import Any

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from baonet.trace.records import RECORD, Kind
from tests.core import virtual
from tests.core.bench import MASK, retired
from tests.core.modelled import DATA
from tests.core.modelled import core as modelled
from tests.core.owners import Owners
from tests.core.test_pmu import (
    CCNTR,
    CNTENSET,
    CPU_CYCLES,
    CYCLES,
    EVCNTR,
    EVTYPER,
    INST_RETIRED,
    INTENCLR,
    INTENSET,
    LC,
    OVSCLR,
    OVSSET,
    PMCR,
    SWINC,
    D,
    E,
    Register,
)
from tests.core.test_pmu_memory import L1D_ACCESS, L1D_REFILL, L2D_REFILL
from tests.core.virtual import HVC, ISB, LOOP, NOP, WFI, read, write
from tests.trace.record import Record

MONITORS = 23
FULL = 1 << 32
FIRST = 2
"""The first of the registers that have what is written."""
END = 10_000_000
READS = (0xF842_0420, 0x17FF_FFFF)  # 1: ldr x0, [x1], #32; b 1b
PACE = (7, 10)


def code(*steps: tuple[Register, int] | int) -> tuple[list[int], list[int]]:
    """Writes of (register, value), and instructions; and the values, for registers from ``FIRST`` on."""
    words: list[int] = []
    values: list[int] = []
    for step in steps:
        if isinstance(step, int):
            words.append(step)
        else:
            words.append(write(step[0], FIRST + len(values)))
            values.append(step[1])
    return words, values


def core(
    *steps: tuple[Register, int] | int,
    model: bool = False,
    hz: int = virtual.HZ,
    given: bool = True,
    owners: Owners | None = None,
) -> native.Core:
    words, values = code(*steps)
    own = (MONITORS, 27) if given else (27,)
    made = modelled(*words, timers=own, pace=PACE, owners=owners) if model else virtual.core(*words, timers=own, hz=hz)
    for n, value in enumerate(values, FIRST):
        made.x[n] = value & MASK
    made.x[1] = DATA
    return made


def interrupted(made: native.Core, end: int = END) -> tuple[int, int]:
    """When, by its clock and in instructions."""
    assert made.run_until(end) == Exit.INTERRUPT
    assert made.exit[3] == MONITORS
    return made.time, retired(made)


def event(event: int, before: int, *, n: int = 0, more: int = 0) -> list[tuple[Register, int] | int]:
    """A counter that overflows after so many events."""
    prepare = [(EVTYPER[n], event), (EVCNTR[n], FULL - before), (CNTENSET, 1 << n), (INTENSET, 1 << n)]
    return [*prepare, (PMCR, E | more), ISB]


def cycles(before: int, control: int = E, value: int | None = None) -> list[tuple[Register, int] | int]:
    begin = FULL - before if value is None else value
    return [(CCNTR, begin), (CNTENSET, CYCLES), (INTENSET, CYCLES), (PMCR, control), ISB]


@pytest.mark.parametrize("steps", [cycles, lambda before: event(CPU_CYCLES, before)])
def test_cycles_interrupt_at_the_cycle(steps: Any) -> None:
    """A loop of one instruction: each begins a block."""
    first, _ = interrupted(core(*steps(1000), LOOP))
    for before in (999, 1001, 5000, 100_000):
        assert interrupted(core(*steps(before), LOOP))[0] - first == before - 1000


def test_the_cycle_counter_overflows_at_64_bits_if_it_is_to() -> None:
    made = core(*cycles(0, E | LC, (1 << 64) - 1000), LOOP)
    assert interrupted(made)[0] == interrupted(core(*cycles(1000), LOOP))[0]
    assert core(*cycles(1000, E | LC), LOOP).run_until(END) == Exit.BUDGET


def test_the_divider_counts() -> None:
    first, second = (interrupted(core(*cycles(before, E | D), LOOP))[0] for before in (10, 110))
    assert second - first == 6400


def test_the_divider_goes_on_where_it_is_looked_at_in_between() -> None:
    """It has some of its 64 cycles when the interrupt is asked for."""
    prepared: list[tuple[Register, int] | int] = [(CCNTR, FULL - 10), (CNTENSET, CYCLES), (PMCR, E | D), ISB]
    found = {interrupted(core(*prepared, *[NOP] * n, (INTENSET, CYCLES), ISB, LOOP))[0] for n in (0, 20, 40)}
    assert len(found) == 1


@pytest.mark.parametrize("before", [1, 2, 77, 10_000])
def test_instructions_interrupt_behind_the_instruction(before: int) -> None:
    """At 0.7 cycles each; where one begins as the clock shows the same as at the one before, an instruction later."""
    _, first = interrupted(core(*event(INST_RETIRED, 1000), LOOP, model=True))
    _, found = interrupted(core(*event(INST_RETIRED, before), LOOP, model=True))
    assert abs(found - first - (before - 1000)) <= 1


def test_time_that_others_bring_retires_no_instructions() -> None:
    """A page that was let go of at a later time is read while the counter has most of its way to go."""
    owners = Owners()
    made = core(*event(INST_RETIRED, 2000), 0xF940_0020, LOOP, model=True, owners=owners)  # ldr x0, [x1]
    owners.give(DATA, 0, let_go=50_000)
    _, plain = interrupted(core(*event(INST_RETIRED, 2000), 0xF940_0020, LOOP, model=True))
    at, found = interrupted(made)
    assert at > 50_000
    assert found >= plain


def raised(made: native.Core) -> list[int]:
    found = (Record(*each) for data, _, _ in made.take_records(True) for each in RECORD.iter_unpack(data))
    return [record.c for record in found if record.kind == Kind.RAISED]


def test_a_trace_has_it_when_it_was_due() -> None:
    """By the cycle that overflows, though that is in the middle of a block; what the guest sets, when it has."""
    at, _ = interrupted(core(*cycles(1000), LOOP))
    made = core(*cycles(1000), *[NOP] * 30, 0x17FF_FFE2)  # b, to the first of these
    assert interrupted(made)[0] > at
    assert raised(made) == [at]
    made = core((INTENSET, 1), (PMCR, E), *[NOP] * 30, (OVSSET, 1), LOOP)
    at, _ = interrupted(made)
    assert raised(made) == [at]


def stays(made: native.Core, step: int, *, kicks: bool) -> tuple[int, int]:
    """The same in many stays, or looked at from outside in between."""
    reason = Exit.BUDGET
    while reason in (Exit.BUDGET, Exit.KICKED):
        if kicks:
            made.answer_doorbell()
        reason = Exit(made.run_until(made.time + step))
        assert made.time < END
    assert (reason, made.exit[3]) == (Exit.INTERRUPT, MONITORS)
    return made.time, retired(made)


@pytest.mark.parametrize(
    ("counted", "before"),
    [(INST_RETIRED, 5000), (CPU_CYCLES, 5000), (L1D_REFILL, 100), (L1D_ACCESS, 777), (L2D_REFILL, 60)],
)
def test_an_interrupt_comes_at_the_same_instruction_however_the_host_looks(counted: int, before: int) -> None:
    steps = [*event(counted, before), *READS]
    whole = interrupted(core(*steps, model=True))
    for step in (1, 50, 333):
        assert stays(core(*steps, model=True), step, kicks=step == 50) == whole


@pytest.mark.parametrize("counted", [L1D_REFILL, L2D_REFILL])
def test_what_the_memory_system_does_interrupts_behind_its_block(counted: int) -> None:
    """A line has two of these reads; each refill stalls."""
    first, second = (interrupted(core(*event(counted, n), *READS, model=True))[1] for n in (100, 101))
    assert second - first == 4


def test_it_is_told_once_and_again_when_it_is_ended_and_still_up() -> None:
    made = core(*cycles(100), LOOP)
    at, _ = interrupted(made)
    assert made.run_until(at + 1000) == Exit.BUDGET
    made.deactivate(MONITORS)
    assert interrupted(made)[0] <= at + 1001


def test_the_guest_takes_it_back_by_pmovsclr() -> None:
    """Its handler reads what has overflowed before it ends the interrupt."""
    made = core(*cycles(100), *[NOP] * 200, ISB, read(OVSSET, 20), (OVSCLR, CYCLES), HVC, LOOP)
    interrupted(made)
    assert made.run_until(END) == Exit.HVC
    assert made.x[20] == CYCLES
    made.deactivate(MONITORS)
    assert made.run_until(made.time + 1000) == Exit.BUDGET


@pytest.mark.parametrize(
    "steps",
    [
        [(INTENSET, 1), (PMCR, E), (OVSSET, 1)],
        [(OVSSET, 1), (INTENSET, 1), (PMCR, E)],
        [(EVTYPER[0], 0), (EVCNTR[0], FULL - 1), (CNTENSET, 1), (INTENSET, 1), (PMCR, E), (SWINC, 1)],
        [(CCNTR, FULL - 2), (CNTENSET, CYCLES), (PMCR, E), *[NOP] * 9, ISB, (INTENSET, CYCLES)],
    ],
)
def test_what_has_overflowed_interrupts_at_once(steps: list[tuple[Register, int] | int]) -> None:
    found = core(*steps, LOOP)
    at, _ = interrupted(found)
    assert at <= len(steps) + 1


@pytest.mark.parametrize(
    "steps",
    [
        [(OVSSET, 1), (PMCR, E)],
        [(OVSSET, 1), (INTENSET, 2), (PMCR, E)],
        [(OVSSET, 1), (INTENSET, 1)],
        [(INTENSET, ~0), (INTENCLR, ~0), (OVSSET, ~0), (PMCR, E)],
        [(CCNTR, FULL - 100), (INTENSET, CYCLES), (PMCR, E)],
        [(EVTYPER[0], 3 << 30 | CPU_CYCLES), (EVCNTR[0], FULL - 100), (CNTENSET, 1), (INTENSET, 1), (PMCR, E)],
    ],
)
def test_what_is_not_asked_for_interrupts_nobody(steps: list[tuple[Register, int] | int]) -> None:
    assert core(*steps, LOOP).run_until(10_000) == Exit.BUDGET


def test_a_vm_without_the_interrupt_has_none() -> None:
    assert core(*cycles(100), LOOP, given=False).run_until(10_000) == Exit.BUDGET


def test_a_guest_that_waits_is_woken_by_its_cycles_and_not_by_instructions() -> None:
    made = core(*cycles(5000), WFI, LOOP)
    assert made.run_until(END) == Exit.WFI
    alarm = made.alarm()
    assert 4900 < alarm < 5100
    made.skip_to(alarm)
    assert interrupted(made)[0] == alarm
    made = core(*event(INST_RETIRED, 5000), WFI, LOOP, model=True)
    assert made.run_until(END) == Exit.WFI
    assert made.alarm() == -1


def test_what_was_saved_interrupts_at_the_same_moment() -> None:
    for steps in ([*event(L1D_REFILL, 100), *READS], [*event(INST_RETIRED, 4000), *READS]):
        whole = interrupted(core(*steps, model=True))
        first = core(*steps, model=True)
        assert first.run_until(whole[0] // 2) == Exit.BUDGET
        again = core(*steps, model=True)
        again.write_memory(DATA - 0x10_0000, first.read_memory(DATA - 0x10_0000, 0x40_0000) or b"")
        again.load(first.save())
        assert interrupted(again) == whole


def test_under_the_hosts_clock_it_comes_too() -> None:
    made = core(*cycles(1000), LOOP, hz=0)
    assert made.run(1 << 40) == Exit.INTERRUPT
    assert made.exit[3] == MONITORS
