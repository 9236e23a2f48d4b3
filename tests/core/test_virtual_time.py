"""Virtual time in the engine: where a stay ends, what time passes for what, and what is recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import baonet.core.native
from baonet.core import _node
from baonet.core.armv8.engine import native
from baonet.hyp import cpu
from baonet.hyp.armv8.cpu import Exit
from baonet.trace.records import RECORD, Kind
from tests.core.bench import RAM, UART, Memory
from tests.core.owners import Owners
from tests.core.virtual import COSTS, FREQUENCY, HVC, HZ, ISB, LOOP, NOP, WFI, core, read, write
from tests.examples import examples
from tests.trace.record import Record

CNTVCT, DBGDTR = (3, 3, 14, 0, 2), (2, 3, 0, 4, 0)
CNTV_CTL, CNTV_CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
ADD, BACK = 0x91000400, 0x17FFFFFA  # add x0, x0, #1; b .-24
WORK = (ADD, NOP, ADD, ISB, NOP, NOP, BACK)  # blocks of 4 and 3, for ever
STRB = 0x39000041  # strb w1, [x2]


def records(guest: native.Core) -> list[Record]:
    return [Record(*each) for data, _, _ in guest.take_records(True) for each in RECORD.iter_unpack(data)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.data())
@settings(max_examples=examples(100))
def test_a_stay_ends_where_it_ends_whoever_kicks_the_core(steps: list[int], data: st.DataObject) -> None:
    plain, memory = core(*WORK), Memory()
    kicked = core(*WORK, memory=memory)
    limit = 0
    for step in steps:
        limit += step
        assert plain.run_until(limit) == Exit.BUDGET
        for _ in range(data.draw(st.integers(0, 3))):
            _node.kick(memory.slots, 0)
            assert kicked.run_until(data.draw(st.integers(1, limit))) in (Exit.KICKED, Exit.BUDGET)
        while kicked.run_until(limit) == Exit.KICKED:
            pass
        assert (kicked.time, kicked.pc, list(kicked.x)) == (plain.time, plain.pc, list(plain.x))
        assert limit <= plain.time < limit + 4, "at the first block that begins at or after the limit"


def test_a_stay_that_is_over_runs_nothing() -> None:
    guest = core(*WORK)
    guest.run_until(100)
    before = guest.time, guest.pc
    assert guest.run_until(100) == Exit.BUDGET
    assert (guest.time, guest.pc) == before


def test_the_counter_follows_cycles_and_nothing_else() -> None:
    guest = core(read(CNTVCT, 1), ISB, HVC)
    guest.skip_to(160_000_000)
    assert guest.run_until(1 << 40) == Exit.HVC
    assert guest.x[1] == 160_000_000 * FREQUENCY // HZ


def test_time_passes_for_what_an_exit_costs_once() -> None:
    costs = [0] * COSTS
    costs[Exit.HVC] = 310
    guest = core(NOP, HVC, NOP, HVC, LOOP, costs=tuple(costs))
    assert guest.run_until(10_000) == Exit.HVC
    assert guest.time == 2 + 310
    assert guest.run_until(10_000) == Exit.HVC
    assert guest.time == 2 * (2 + 310)
    exits = [(each.time, each.kind) for each in records(guest)]
    assert exits == [(2, Kind.EXIT), (312, Kind.ENTRY), (314, Kind.EXIT)]


@pytest.mark.parametrize("due", [160, 1_600, 16_000])
def test_a_timer_ends_a_stay_at_its_moment(due: int) -> None:
    guest = core(0xD2800021, write(CNTV_CVAL, 2), write(CNTV_CTL, 1), ISB, *WORK)  # mov x1, #1
    guest.x[2] = due // 16
    assert guest.run_until(1 << 40) == Exit.INTERRUPT
    assert due <= guest.time < due + 5
    raised = [each for each in records(guest) if each.kind == Kind.RAISED]
    assert [(each.a, each.b, each.c) for each in raised] == [(27, 0, due)]


def test_a_timer_that_a_page_makes_due_fires_at_the_next_block() -> None:
    """Not when something else has the guest left: a page brings the time that its last owner's guest knew."""
    owners = Owners()
    arm = (0xD2800021, write(CNTV_CVAL, 2), write(CNTV_CTL, 1), ISB)
    guest = core(*arm, 0xF9400060, *WORK, owners=owners)  # ldr x0, [x3]
    owners.give(RAM + 0x2000, 0, let_go=5_000)
    guest.x[2], guest.x[3] = 1_600 // 16, RAM + 0x2000
    assert guest.run_until(4_000) == Exit.INTERRUPT
    assert guest.time < 20
    raised = [each for each in records(guest) if each.kind == Kind.RAISED]
    assert [(each.time, each.a, each.c) for each in raised] == [(5_000, 27, 1_600)]


def test_the_alarm_tells_when_a_waiting_guest_goes_on() -> None:
    guest = core(0xD2800021, write(CNTV_CVAL, 2), write(CNTV_CTL, 1), WFI, HVC)
    guest.x[2] = 1000
    assert guest.run_until(1 << 40) == Exit.WFI
    assert guest.alarm() == 16_000
    guest.skip_to(guest.alarm())
    assert guest.run_until(1 << 40) == Exit.INTERRUPT
    assert guest.time == 16_000
    assert guest.alarm() == -1, "it is active"


def test_what_is_recorded_of_a_guest() -> None:
    guest = core(STRB, write(DBGDTR, 3), WFI, HVC)
    guest.x[1], guest.x[2], guest.x[3] = ord("x"), UART, 0xFEED
    assert guest.run_until(1000) == Exit.WFI
    assert guest.run_until(1000) == Exit.HVC
    guest.note(Kind.STATE, 2, 3, 4)
    kinds = [(each.kind, each.a, each.b, each.c) for each in records(guest)]
    pc = guest.pc
    assert kinds == [
        (Kind.CONSOLE, 0, 0, ord("x")),
        (Kind.MARK, 0, 0xFEED, 0),
        (Kind.WAIT, 0, pc - 4, 0),
        (Kind.WAKE, 0, 0, 0),
        (Kind.EXIT, Exit.HVC, pc, 0),
        (Kind.STATE, 2, 3, 4),
    ]


def test_time_never_goes_back_in_the_records_and_chunks_are_whole() -> None:
    guest = core(write(DBGDTR, 3), STRB, NOP, ADD, 0x17FFFFFC)
    guest.x[1], guest.x[2] = ord("."), UART
    while guest.time < 50_000:
        guest.run_until(50_000)
    chunks = guest.take_records(True)
    assert len(chunks) > 3
    assert all(len(data) == 2048 * RECORD.size for data, _, _ in chunks[:-1])
    times = [each[0] for data, _, _ in chunks for each in RECORD.iter_unpack(data)]
    assert times == sorted(times)
    assert all(begin <= end for _, begin, end in chunks)


def test_the_numbers_are_those_of_the_engine() -> None:
    header = (Path(next(iter(baonet.core.native.__path__))) / "core.h").read_text()
    body = re.search(r"enum kind \{(.*?)\}", header, re.DOTALL)
    assert body is not None
    number = 0
    for name, start in re.findall(r"TRACE_(\w+)(?: = (\d+))?", body[1]):
        number = int(start) if start else number + 1
        assert Kind[name] == number
    for name in ("RAISED", "PENDING", "DELIVERED"):
        assert getattr(cpu, f"NOTE_{name}") == Kind[name]
