"""The model of the memory system hears of what RISC-V code does: once of each instruction, and of all that it tells its
caches and TLBs. And its time passes, while the guest does nothing else than without it.
"""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from baonet.core import _node
from baonet.hyp.riscv.cpu import FENCE_VMA, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL, LOOP, NOP, ZERO
from tests.core.riscv.bench import (
    COSTS,
    DATA,
    RAM,
    TICK,
    Hart,
    Owners,
    retired,
)
from tests.core.riscv.modelled import (
    DRAM,
    L2,
    LINE,
    counts,
    hart_with,
    loop,
    spent,
    stalls,
)
from tests.core.travelling import as_bytes

INSTRUCTIONS = {
    "ld": (asm.ld(A0, A1), 1, 0),
    "ld of its own address": (asm.ld(A1, A1), 1, 0),
    "lb": (asm.load("b", A0, A1, -3), 1, 0),
    "lwu": (asm.load("wu", A0, A1), 1, 0),
    "sd": (asm.sd(A0, A1), 0, 1),
    "sh": (asm.store("h", A0, A1, 6), 0, 1),
    "flw": (asm.flw(0, A1), 1, 0),
    "fld": (asm.fld(1, A1), 1, 0),
    "fsw": (asm.fsw(1, A1), 0, 1),
    "fsd": (asm.fsd(1, A1), 0, 1),
    "c.ld": (asm.c_ld(A0, A1), 1, 0),
    "c.ld of its own address": (asm.c_ld(A1, A1), 1, 0),
    "c.sw": (asm.c_sw(A0, A1), 0, 1),
    "lr.d": (asm.amo("lr", "d", A0, 0, A1), 1, 0),
    "amoadd.d": (asm.amo("add", "d", A0, A2, A1), 1, 1),
    "amoswap.w.aq": (asm.amo("swap", "w", A0, A2, A1, aq=True), 1, 1),
    "amomaxu.w": (asm.amo("maxu", "w", A1, A2, A1), 1, 1),
    "amoxor.d.rl": (asm.amo("xor", "d", ZERO, A2, A1, rl=True), 1, 1),
    "cbo.zero": (asm.word(4 << 20 | A1 << 15 | 0x200F), 0, 1),
    "cbo.clean": (asm.word(1 << 20 | A1 << 15 | 0x200F), 0, 0),
    "fence": (asm.fence(), 0, 0),
    "add": (asm.add(A0, A1, A2), 0, 0),
}


@pytest.mark.parametrize(("code", "loads", "stores"), INSTRUCTIONS.values(), ids=list(INSTRUCTIONS))
def test_an_instruction_is_one_access(code: bytes, loads: int, stores: int) -> None:
    found = spent(hart_with(), code, ECALL, a1=DATA)
    assert (found["loads"], found["stores"]) == (loads, stores)


def test_a_conditional_store_is_one_if_it_has_its_reservation() -> None:
    lr, sc = asm.amo("lr", "d", A0, 0, A1), asm.amo("sc", "d", A2, A0, A1)
    found = spent(hart_with(), lr, sc, sc, ECALL, a1=DATA)
    assert (found["loads"], found["stores"]) == (1, 1)


@pytest.mark.parametrize(("offset", "misses"), [(0, 1), (56, 1), (60, 2), (-4, 2)])
def test_an_access_is_of_all_that_it_has_of_its_lines(offset: int, misses: int) -> None:
    found = spent(hart_with(), asm.ld(A0, A1), ECALL, a1=DATA + offset)
    assert (found["loads"], found["l1d_misses"]) == (1, misses)


NEXT = (asm.ld(A0, A1), asm.addi(A1, A1, LINE))


def test_misses_cost_what_the_parameters_say_and_hits_nothing() -> None:
    lines = 100
    hart = hart_with()
    code = (*loop(*NEXT), ECALL)
    begin = hart.core.time
    found = spent(hart, *code, a1=DATA, a2=lines)
    assert found["l1d_misses"] == lines
    assert (found["stall_data"], found["stall_dram"]) == (L2 * lines, DRAM * (lines + found["l1i_misses"]))
    assert hart.core.time - begin == hart.count + stalls(found)
    begin = hart.core.time
    again = spent(hart, *code, a1=DATA, a2=lines)
    assert (again["loads"], again["l1d_misses"]) == (lines, 0)
    assert hart.core.time - begin == hart.count + stalls(again)
    assert stalls(again) <= 8  # micro-TLB misses


def test_a_guest_that_looks_at_no_clock_does_the_same_with_and_without() -> None:
    code = (*loop(*NEXT, asm.sd(A2, A1), asm.amo("add", "w", A3, A2, A1), asm.fld(3, A1), asm.fence_i()), ECALL)
    ends = []
    for hart in (Hart("virtual", levels=3), hart_with(levels=3)):
        assert hart.go(*code, a1=DATA, a2=1000) == RiscvExit.ECALL
        ends.append((hart.count, hart.core.pc, list(hart.core.x)))
    assert ends[0] == ends[1]


def test_time_ends_a_stay_by_the_stalls_and_a_timer_fires_by_them() -> None:
    hart = hart_with()
    hart.enter(*loop(*NEXT), ECALL, a1=DATA, a2=10_000)
    limit = hart.core.time + 5_000
    assert hart.core.run_until(limit) == RiscvExit.BUDGET
    assert limit <= hart.core.time < limit + 2 * (L2 + DRAM) + 10
    assert hart.count < 1000
    hart = hart_with()
    hart.set(asm.SIE, 1 << 5)
    deadline = hart.get(asm.TIME) + 50
    hart.set(asm.STIMECMP, deadline)
    hart.set(asm.SSTATUS, asm.SSTATUS_SIE)
    assert hart.go(*loop(*NEXT), ECALL, a1=DATA, a2=10_000) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == 1 << 63 | 5
    assert deadline * TICK <= hart.core.time < deadline * TICK + 3 * (L2 + DRAM) + 10


def test_a_guest_sees_its_stalls_in_time() -> None:
    """cycle and instret are not a guest's to read under Bao; ``time`` goes on with the core's clock."""
    hart = hart_with()
    lines = 200
    spent(hart, asm.csrr(A4, asm.TIME), *loop(*NEXT), asm.csrr(A5, asm.TIME), ECALL, a1=DATA, a2=lines)
    ticks = hart.core.x[A5] - hart.core.x[A4]
    assert abs(ticks * TICK - lines * (L2 + DRAM + 4)) <= 3 * (L2 + DRAM) + 2 * TICK


@pytest.mark.parametrize("pace", [(7, 10), (1, 2), (3, 1), (999, 1000)])
def test_instructions_have_a_pace_of_their_own(pace: tuple[int, int]) -> None:
    cycles, instructions = pace
    hart = hart_with(pace=pace)
    found = spent(hart, *[NOP] * 100, *loop(NOP, asm.c_ld(A0, A1)), ECALL, a1=DATA, a2=1000)
    whole = counts(hart)
    assert found["loads"] == 1000
    assert hart.core.time == retired(hart.core) * cycles // instructions + stalls(whole)


def test_a_page_that_may_not_be_had_yet_is_accessed_once() -> None:
    for code, kind in (
        (asm.ld(A0, A1), "loads"),
        (asm.sd(A0, A1), "stores"),
        (asm.amo("add", "d", A0, A2, A1), "stores"),
    ):
        owners = Owners()
        hart = hart_with(owners=owners)
        for page in range(RAM, RAM + 0x40_0000, 0x1000):
            owners.give(page, 1)
        owners.give(DATA, 2)
        hart.enter(NOP, code, ECALL, a1=DATA)
        before = counts(hart)
        hart.core.run_until(hart.core.time + 100_000, False, True)
        assert hart.core.blocked == (0, (DATA - RAM) // 0x1000, kind == "stores")
        assert counts(hart)[kind] == before[kind]
        fetched, time = counts(hart)["l1i_misses"], hart.core.time
        hart.core.run_until(time + 100_000, False, True)
        assert (counts(hart)["l1i_misses"], hart.core.time) == (fetched, time)
        owners.give(DATA, 1)
        assert hart.stay() == RiscvExit.ECALL
        assert counts(hart)[kind] == before[kind] + 1


@pytest.mark.parametrize("at", [DATA, DATA - 4], ids=["aligned", "across pages"])
@pytest.mark.parametrize("code", [code for code, _, _ in INSTRUCTIONS.values()], ids=list(INSTRUCTIONS))
def test_what_was_refused_a_page_has_not_happened(code: bytes, at: int) -> None:
    """Who gets each page when he asks for it comes to the same as who had them all: cycles, and all that is counted."""
    if at % 8 and code[0] & 0x7F == 0x2F:
        pytest.skip("an atomic operation is aligned")
    ends = []
    for asks in (False, True):
        owners = Owners()
        hart = hart_with(owners=owners)
        hart.enter(NOP, code, NOP, asm.add(A0, A1, A2), ECALL, a1=at)
        for page in range(RAM, RAM + 0x40_0000, 0x1000):
            owners.give(page, 2 if asks else 1)
        while hart.core.run_until(hart.core.time + 100_000, False, True) != RiscvExit.ECALL:
            assert asks
            assert hart.core.blocked
            owners.give(RAM + hart.core.blocked[1] * 0x1000, 1)
        ends.append((counts(hart), hart.core.time, retired(hart.core), list(hart.core.x)))
    assert ends[0] == ends[1]


def test_a_kick_changes_nothing() -> None:
    def run(step: int) -> tuple[Any, ...]:
        hart = hart_with({"prefetch_streams": 2, "streaming_l1": 4}, levels=3)
        hart.enter(*loop(*NEXT, asm.sd(A2, A1)), ECALL, a1=DATA, a2=60)
        limit = hart.core.time
        while True:
            limit += step or 10_000_000
            if step:
                _node.kick(hart.memory.slots, 0)
            while (why := hart.core.run_until(limit)) == RiscvExit.KICKED:
                pass
            if why == RiscvExit.ECALL:
                return hart.core.time, hart.count, hart.core.memory_counts()

    assert run(0) == run(1) == run(37) == run(1009)


def test_a_core_that_is_made_anew_goes_on_as_it_would_have() -> None:
    code = (*loop(*NEXT, asm.sd(A2, A1), asm.sfence_vma()), ECALL)
    parameters = {"prefetch_streams": 2, "streaming_l1": 4}
    ends = []
    for travels in (False, True):
        hart = hart_with(parameters, levels=3)
        hart.enter(*code, a1=DATA, a2=2000)
        for limit in range(hart.core.time + 1000, hart.core.time + 20_000, 1000):
            hart.core.run_until(limit)
            if travels:
                other = hart_with(parameters, memory=hart.memory)
                other.core.load(as_bytes(hart.core.save()))
                hart.core = other.core
        ends.append((hart.core.time, retired(hart.core), hart.core.memory_counts(), list(hart.core.x)))
    assert ends[0] == ends[1]


# The hypervisor


def test_an_exit_costs_what_the_hypervisor_touches() -> None:
    lines = array("Q", [0x9000_0000 + LINE * n for n in range(10)]).tobytes()
    hart = hart_with()
    hart.core.touches(RiscvExit.ECALL, 500, lines, b"", lines)
    taken = []
    for _ in range(3):
        before = hart.core.time
        spent(hart, ECALL)
        taken.append(hart.core.time - before)
    counted = hart.core.memory_counts()
    assert counted["hypervisor_l1d_misses"] == counted["hypervisor_l1i_misses"] == 10
    assert taken[0] > 500 + 10 * (L2 + DRAM)
    assert taken[2] == taken[1] == 501


def test_an_emulated_access_costs_what_the_hypervisor_touches() -> None:
    lines = array("Q", [0x9000_0000 + LINE * n for n in range(4)]).tobytes()
    hart = hart_with()
    hart.core.emulate(((0x0C00_0000, 0x1000),), lambda ipa, size: 7, lambda *_: True, [])
    hart.core.touches(COSTS - 2, 300, lines, b"", lines, cycles=40)
    code = (asm.load("w", A0, A1), asm.store("w", A0, A1), ECALL)
    spent(hart, *code, a1=0x0C00_0000)
    begin = hart.core.time
    found = spent(hart, *code, a1=0x0C00_0000)
    assert hart.core.time - begin == 3 + 2 * 340 + stalls(found)
    assert (found["loads"], found["stores"]) == (0, 0), "neither of them is the guest's own"


def test_a_core_without_a_model_has_none_of_it() -> None:
    hart = Hart("virtual")
    hart.core.fence((0,), FENCE_VMA, 0, 0, 0)
    with pytest.raises(RuntimeError, match="the memory of this core is not modelled"):
        hart.core.begin_window(1)
    hart.enter(LOOP)
    hart.step(3)
    with pytest.raises(RuntimeError, match="from before it runs, once"):
        hart.core.model_memory(1, 1, {})
