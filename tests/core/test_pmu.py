"""The performance monitors (Arm ARM D13.8), in virtual time."""

from __future__ import annotations

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import MASK
from tests.core.virtual import HVC, ISB, NOP, read, write

PMCR, CNTENSET, CNTENCLR, OVSCLR, SWINC, SELR, CEID0 = ((3, 3, 9, 12, op2) for op2 in range(7))
CCNTR, XEVTYPER, XEVCNTR = ((3, 3, 9, 13, op2) for op2 in range(3))
OVSSET, INTENSET, INTENCLR = (3, 3, 9, 14, 3), (3, 0, 9, 14, 1), (3, 0, 9, 14, 2)
CCFILTR = (3, 3, 14, 15, 7)
EVCNTR, EVTYPER = ([(3, 3, 14, crm, n) for n in range(6)] for crm in (8, 12))
E, P, C, D, LC = 1, 2, 4, 8, 0x40
CYCLES = 1 << 31
CPU_CYCLES, INST_RETIRED = 0x11, 0x08
Register = tuple[int, int, int, int, int]


def do(*steps: tuple[Register, int] | int | Register) -> list[int]:
    """Write (register, value), run so many NOPs, read a register: what was read."""
    code: list[int] = []
    values: list[int] = []
    reads = 0
    for step in steps:
        if isinstance(step, int):
            code += [ISB, *[NOP] * step, ISB]
        elif len(step) == 2:
            code.append(write(step[0], len(values)))
            values.append(step[1])
        else:
            code += [read(step, 20 + reads), ISB]
            reads += 1
    assert len(values) <= 20
    assert reads <= 10
    core: native.Core = virtual.core(*code, HVC)
    for n, value in enumerate(values):
        core.x[n] = value & MASK
    assert core.run_until(1_000_000) == Exit.HVC
    return list(core.x[20 : 20 + reads])


def test_there_are_six_event_counters_and_they_are_kept() -> None:
    pmcr, ceid0 = do(PMCR, CEID0)
    assert pmcr >> 11 & 0x1F == 6
    assert ceid0 == 1 << CPU_CYCLES | 1
    for n in range(6):
        assert do((EVTYPER[n], ~0), (EVCNTR[n], ~0), EVTYPER[n], EVCNTR[n]) == [0xFE00_FFFF, 0xFFFF_FFFF]


@pytest.mark.parametrize(("set_", "clear"), [(CNTENSET, CNTENCLR), (OVSSET, OVSCLR), (INTENSET, INTENCLR)])
def test_bits_of_counters(set_: Register, clear: Register) -> None:
    assert do(set_, (set_, ~0), set_, clear, (clear, 5), set_) == [0, 0x8000_003F, 0x8000_003F, 0x8000_003A]


def test_an_event_counter_counts_cycles_as_the_cycle_counter_does() -> None:
    enable = [(EVTYPER[5], CPU_CYCLES), (CNTENSET, CYCLES | 1 << 5), (PMCR, E | C | P)]
    cycles, events, stopped = do(*enable, 100, (PMCR, 0), CCNTR, EVCNTR[5], EVCNTR[0])
    assert 100 < cycles == events < 110
    assert stopped == 0


@pytest.mark.parametrize("event", [INST_RETIRED, 0x0, 0x3FF])
def test_what_pmceid_does_not_tell_does_not_count(event: int) -> None:
    assert do((EVTYPER[0], event), (CNTENSET, 1), (PMCR, E), 100, EVCNTR[0]) == [0]


def test_software_increments() -> None:
    """Only what is enabled and has that event."""
    start = [(EVTYPER[1], 0x3FF), (CNTENSET, 0b1011), (PMCR, E)]
    assert do(*start, (SWINC, 0b1111), (SWINC, 0b1001), *EVCNTR[:4]) == [2, 0, 0, 2]


def test_a_wrap_shows_as_overflow() -> None:
    start = [(EVTYPER[2], CPU_CYCLES), (EVCNTR[2], 0xFFFF_FFF0), (EVCNTR[0], 0xFFFF_FFFF), (CNTENSET, CYCLES | 0b111)]
    overflowed, wrapped, software = do(*start, (PMCR, E), 100, (SWINC, 1), (PMCR, 0), OVSSET, EVCNTR[2], EVCNTR[0])
    assert overflowed == 0b101
    assert wrapped < 0x100
    assert software == 0


@pytest.mark.parametrize(("control", "overflows"), [(E, CYCLES), (E | LC, 0)])
def test_the_cycle_counter_overflows_at_32_bits_or_at_64(control: int, overflows: int) -> None:
    start = [(CCNTR, 0xFFFF_FFF0), (CNTENSET, CYCLES), (PMCR, control)]
    cycles, overflowed = do(*start, 100, (PMCR, 0), CCNTR, OVSSET)
    assert cycles > 1 << 32
    assert overflowed == overflows


def test_the_divider_keeps_what_is_left_over() -> None:
    """However often it is read."""
    start = [(CNTENSET, CYCLES), (PMCR, E | C | D)]
    whole = do(*start, 640, CCNTR)[0]
    often = do(*start, 160, CCNTR, 160, CCNTR, 160, CCNTR, 160, CCNTR)[-1]
    assert 10 <= whole <= often <= 11


def test_a_counter_by_its_selection() -> None:
    selected = do((SELR, 4), (XEVTYPER, CPU_CYCLES), (XEVCNTR, 7), EVTYPER[4], EVCNTR[4], XEVTYPER, XEVCNTR)
    assert selected == [CPU_CYCLES, 7, CPU_CYCLES, 7]
    assert do((SELR, 31), (XEVTYPER, ~0), CCFILTR, XEVTYPER, XEVCNTR) == [0xFC00_0000, 0xFC00_0000, 0]
    assert do((SELR, 6), (XEVTYPER, ~0), (XEVCNTR, ~0), XEVTYPER, XEVCNTR) == [0, 0]


def test_a_counter_that_is_to_count_at_no_exception_level() -> None:
    start = [(EVTYPER[0], 3 << 30 | CPU_CYCLES), (CCFILTR, 3 << 30), (CNTENSET, CYCLES | 1), (PMCR, E)]
    assert do(*start, 100, EVCNTR[0], CCNTR) == [0, 0]
