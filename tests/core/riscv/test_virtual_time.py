"""Virtual time in the RISC-V engine: where a stay ends, what time passes for what, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _node
from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.trace.records import RECORD, Kind
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, ECALL, LOOP, NOP, PAUSE, WFI, ZERO
from tests.core.riscv.bench import COSTS, DATA, TICK, UART, Hart, Owners
from tests.trace.record import Record

WORK = (asm.c_addi(A0, 1), NOP, asm.addi(A0, A0, 1), asm.jal(ZERO, 4), NOP, asm.c_j(-18))
"""Blocks of 4 and 2, for ever."""


def records(hart: Hart) -> list[Record]:
    return [Record(*each) for data, _, _ in hart.core.take_records(True) for each in RECORD.iter_unpack(data)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.data())
@settings(max_examples=60)
def test_a_stay_ends_where_it_ends_whoever_kicks_the_core(steps: list[int], data: st.DataObject) -> None:
    plain, kicked = Hart("virtual"), Hart("virtual")
    for hart in (plain, kicked):
        hart.enter(*WORK)
    limit = plain.core.time
    assert kicked.core.time == limit
    for step in steps:
        limit += step
        assert plain.core.run_until(limit) == RiscvExit.BUDGET
        for _ in range(data.draw(st.integers(0, 3))):
            _node.kick(kicked.memory.slots, 0)
            assert kicked.core.run_until(data.draw(st.integers(1, limit))) in (RiscvExit.KICKED, RiscvExit.BUDGET)
        while kicked.core.run_until(limit) == RiscvExit.KICKED:
            pass
        first, second = ((hart.core.time, hart.core.pc, list(hart.core.x)) for hart in (plain, kicked))
        assert first == second
        assert limit <= plain.core.time < limit + 4, "at the first block that begins at or after the limit"


def test_a_stay_that_is_over_runs_nothing() -> None:
    hart = Hart("virtual")
    hart.enter(*WORK)
    hart.core.run_until(100)
    before = hart.core.time, hart.core.pc
    assert hart.core.run_until(100) == RiscvExit.BUDGET
    assert (hart.core.time, hart.core.pc) == before


def test_time_passes_for_what_an_exit_costs_once() -> None:
    hart = Hart("virtual", costs=(0, 0, 0, 310, 700, 0, 0, 0, 0, 0), records=True)
    assert COSTS == 10
    hart.enter(NOP, ECALL, asm.C_NOP, asm.csrr(A0, asm.CYCLE), LOOP)
    records(hart)
    begin = hart.core.time
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.time - begin == 2 + 310
    assert hart.stay() == RiscvExit.TRAP
    assert hart.core.time - begin == 2 + 310 + 1 + 700
    kinds = [(each.time - begin, each.kind) for each in records(hart)]
    assert kinds[-3:] == [(2, Kind.EXIT), (312, Kind.ENTRY), (313, Kind.EXIT)]


def test_an_emulated_access_costs() -> None:
    hart = Hart("virtual", costs=(0,) * 8 + (500, 0))
    hart.core.emulate(((0x0C00_0000, 0x1000),), lambda ipa, size: 7, lambda *_: True, [])
    hart.enter(asm.load("w", A0, A1), asm.store("w", A0, A1), ECALL, a1=0x0C00_0000)
    begin = hart.core.time
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.time - begin == 3 + 2 * 500


def test_pause_yields() -> None:
    """A polite stay ends there, and the next goes on behind it; others go on."""
    hart = Hart("virtual")
    hart.enter(NOP, PAUSE, asm.c_addi(A0, 1), LOOP, a0=0)
    limit = hart.core.time + 1000
    assert hart.core.run_until(limit, True) == RiscvExit.BUDGET
    assert hart.core.yielded
    assert (hart.count, hart.core.x[A0]) == (2, 0)
    assert hart.core.run_until(limit, True) == RiscvExit.BUDGET
    assert not hart.core.yielded
    assert hart.core.x[A0] == 1
    rude = Hart("virtual")
    rude.enter(NOP, PAUSE, asm.c_addi(A0, 1), LOOP, a0=0)
    assert rude.core.run_until(limit) == RiscvExit.BUDGET
    assert not rude.core.yielded
    assert rude.core.time == hart.core.time


def test_a_timer_that_a_page_makes_due_fires_at_the_next_block() -> None:
    """A page brings the time that its last owner's guest knew."""
    owners = Owners()
    hart = Hart("virtual", owners=owners, records=True)
    hart.set(asm.SIE, 1 << cpu.TIMER)
    code = (asm.csrw(asm.STIMECMP, A2), asm.csrsi(asm.SSTATUS, 2), asm.ld(A3, A1), *WORK)
    hart.enter(*code, a1=DATA, a2=200)
    owners.give(DATA, 0, let_go=50_000)
    records(hart)
    assert hart.core.run_until(40_000) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == 1 << 63 | cpu.TIMER
    assert hart.core.time < 1000
    raised = [each for each in records(hart) if each.kind == Kind.RAISED]
    assert [(each.time, each.a, each.c) for each in raised] == [(50_000, cpu.LOCAL + cpu.TIMER, 200 * TICK)]


def test_what_is_recorded_of_a_guest() -> None:
    hart = Hart("virtual", records=True)
    hart.set(asm.SIE, 0)
    hart.enter(asm.sb(A1, A2), asm.mark(A3), WFI, ECALL, a1=ord("x"), a2=UART, a3=0xFEED)
    records(hart)
    assert hart.stay() == RiscvExit.WFI
    assert hart.stay() == RiscvExit.ECALL
    hart.core.note(Kind.STATE, 2, 3, 4)
    kinds = [(each.kind, each.a, each.b, each.c) for each in records(hart)]
    kinds = [each for each in kinds if each[0] != Kind.ENTRY]
    assert kinds == [
        (Kind.CONSOLE, 0, 0, ord("x")),
        (Kind.MARK, 0, 0xFEED, 0),
        (Kind.WAIT, 0, hart.core.pc - 4, 0),
        (Kind.WAKE, 0, 0, 0),
        (Kind.EXIT, RiscvExit.ECALL, hart.core.pc, 0),
        (Kind.STATE, 2, 3, 4),
    ]


def test_a_marker_costs_an_instruction_and_changes_nothing() -> None:
    plain, marked = Hart("virtual"), Hart("virtual", records=True)
    plain.enter(NOP, NOP, NOP, ECALL)
    marked.enter(NOP, asm.mark(A0), NOP, ECALL, a0=1)
    before = list(marked.core.x)
    assert plain.stay() == marked.stay() == RiscvExit.ECALL
    assert plain.core.time == marked.core.time
    assert list(marked.core.x) == before


def test_time_never_goes_back_in_the_records_and_chunks_are_whole() -> None:
    hart = Hart("virtual", records=True)
    hart.enter(asm.sb(A1, A2), NOP, asm.c_j(-8), a1=ord("."), a2=UART)
    while hart.core.time < 50_000:
        hart.core.run_until(50_000)
    chunks = hart.core.take_records(True)
    assert len(chunks) > 3
    assert all(len(data) == 2048 * RECORD.size for data, _, _ in chunks[:-1])
    times = [each[0] for data, _, _ in chunks for each in RECORD.iter_unpack(data)]
    assert times == sorted(times)


@pytest.mark.parametrize("step", [1, 7, 100, 5000])
def test_where_stays_end_changes_nothing(step: int) -> None:
    """Timer interrupts, traps, waits and emulated accesses come at the same cycles, however a run is cut."""

    def course(length: int) -> list[Any]:
        hart = Hart("virtual", levels=3, records=True, costs=(0, 0, 0, 310, 700, 90, 0, 0, 120, 0))
        hart.core.emulate(((0x0C00_0000, 0x1000),), lambda ipa, size: 5, lambda *_: True, [])
        hart.tables.map(0x0C00_0000, 0x0C00_0000)
        handler = (asm.csrr(A3, asm.TIME), asm.addi(A3, A3, 3), asm.csrw(asm.STIMECMP, A3), asm.c_addi(A0, 1), asm.SRET)
        at = hart.load(0x8003_0000, *handler) - len(b"".join(handler))
        hart.set(asm.STVEC, at)
        hart.set(asm.SIE, 1 << cpu.TIMER)
        loop = (asm.load("w", asm.A4, A1), *WORK[:4], NOP, PAUSE, asm.csrr(asm.A5, asm.TIME))
        hart.enter(asm.csrsi(asm.SSTATUS, 2), *loop, asm.jal(ZERO, -len(b"".join(loop))), a1=0x0C00_0000)
        end, until = 60_000, hart.core.time
        while hart.core.time < end:
            until = min(until + length, end)
            while hart.core.time < until:
                assert hart.core.run_until(until) in (RiscvExit.BUDGET, RiscvExit.KICKED)
        everything = b"".join(data for data, _, _ in hart.core.take_records(True))
        assert hart.core.x[A0] > 50
        return [hart.core.time, hart.core.pc, list(hart.core.x), hart.count, everything, hart.core.state()]

    assert course(step) == course(60_000)
