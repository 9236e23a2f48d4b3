"""The model of the memory system hears of what RISC-V code does: once of each instruction, and of all that it tells its
caches and TLBs. And its time passes, while the guest does nothing else than without it.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

import pytest

from baonet.core import _node
from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, FENCE_VMA_ASID, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL, LOOP, NOP, SATP, ZERO
from tests.core.riscv.bench import (
    COSTS,
    DATA,
    KERNEL,
    RAM,
    TICK,
    UART,
    G,
    Hart,
    Memory,
    Owners,
    entry,
    retired,
)
from tests.core.travelling import as_bytes

LINE: Final = 64
L2, DRAM = 13, 100
PLAIN: Final = {
    "prefetch_streams": 0,
    "streaming_l1": 0,
    "streaming_l2": 0,
    "dram_line": 0,
    "l2_store": 0,
    "l2_path": 0,
    "dram_store": 0,
    "l2_latency": L2,
    "dram_latency": DRAM,
}
"""Nothing ahead, no streaming, a channel that is never busy, stores that cost nothing: the rest is easily counted."""
VA: Final = 0x10_0000_0000
PBMT_NC, PBMT_IO, NAPOT = 1 << 61, 2 << 61, 1 << 63


def hart_with(parameters: dict[str, int] | None = None, **arguments: Any) -> Hart:
    return Hart("virtual", memory_system=PLAIN | (parameters or {}), **arguments)


def counts(hart: Hart) -> dict[str, int]:
    """Of the guest."""
    return {name: count for name, count in hart.core.memory_counts().items() if not name.startswith("hypervisor_")}


def spent(hart: Hart, *code: bytes, **registers: Any) -> dict[str, int]:
    """What is counted while it runs to its ECALL."""
    before = counts(hart)
    assert hart.go(*code, **registers) == RiscvExit.ECALL, hart.trap
    assert hart.taken is None
    after = counts(hart)
    return {name: after[name] - before[name] for name in after}


def stalls(found: dict[str, int]) -> int:
    return sum(count for name, count in found.items() if name.startswith("stall_"))


def walks(found: dict[str, int]) -> int:
    return found["tlb_d_misses"] + found["tlb_i_misses"]


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


def loop(*body: bytes) -> tuple[bytes, ...]:
    """x12 times."""
    length = sum(map(len, body)) + 4
    return (*body, asm.addi(A2, A2, -1), asm.bne(A2, ZERO, -length))


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


# Translation


@pytest.mark.parametrize("levels", [3, 4, 5], ids=["Sv39", "Sv48", "Sv57"])
def test_a_walk_reads_a_table_of_each_level(levels: int) -> None:
    hart = hart_with(levels=levels)
    for level, size in enumerate(("4 KiB", "2 MiB", "1 GiB")):
        at = VA + 0x4000_0000 * level
        hart.tables.map(at, RAM, KERNEL, level)
        found = spent(hart, asm.sfence_vma(), asm.ld(A0, A1), ECALL, a1=at)
        assert found["tlb_d_misses"] == 1, size
        of_code = levels - 1
        assert found["walk_loads"] == (levels - level) + of_code, size


def test_a_superpage_has_one_entry_and_its_pages_each_one() -> None:
    hart = hart_with({"tlb_entries": 512}, levels=3)
    hart.tables.map(VA, RAM + 0x20_0000, level=1)
    for page in range(16):
        hart.tables.map(VA + 0x20_0000 + 0x1000 * page, DATA + 0x1000 * page)
        hart.tables.map(VA + 0x21_0000 + 0x1000 * page, DATA + 0x8000, KERNEL | NAPOT)
    step = (asm.ld(A0, A1), asm.add(A1, A1, A3))
    misses = [walks(spent(hart, *loop(*step), ECALL, a1=VA + at, a2=16, a3=0x1000)) for at in (0, 0x20_0000, 0x21_0000)]
    assert misses == [2, 16, 1], "of the code as well, once; a contiguous range is one page"


def test_a_contiguous_range_tells_nothing_of_other_tables() -> None:
    """What the walk cache has of one table is not taken for what another says."""
    hart = hart_with(levels=3)
    for page in range(16):
        hart.tables.map(VA + 0x1000 * page, DATA + 0x8000, KERNEL | NAPOT)
    hart.tables.map(VA + 0x20_0000, DATA)
    load = asm.ld(A0, A1)
    alone = spent(hart, asm.sfence_vma(), asm.ld(A0, A2), ECALL, a1=VA, a2=VA + 0x20_0000)
    after = spent(hart, asm.sfence_vma(), load, asm.ld(A0, A2), ECALL, a1=VA, a2=VA + 0x20_0000)
    assert after["walk_loads"] - alone["walk_loads"] == 3


def test_memory_types_of_pages() -> None:
    """Stage 1 off is cached, as RAM is; Svpbmt says otherwise."""
    loads = (asm.ld(A0, A1), asm.ld(A0, A1), asm.ld(A0, A1), ECALL)
    assert spent(hart_with(), *loads, a1=DATA)["l1d_misses"] == 1
    for bits, misses in ((0, 1), (PBMT_NC, 0), (PBMT_IO, 0)):
        hart = hart_with(levels=3)
        hart.tables.map(VA, DATA, KERNEL | bits)
        found = spent(hart, *loads, a1=VA)
        assert (found["l1d_misses"], found["uncached"]) == (misses, 0 if misses else 3)


def test_a_device_is_not_cached() -> None:
    found = spent(hart_with({"device_load": 60}), asm.load("bu", A0, A1, 5), asm.load("bu", A0, A1, 5), ECALL, a1=UART)
    assert (found["uncached"], found["stall_device"]) == (2, 120)


FENCES = {
    "none": (NOP, False, False),
    "all": (asm.sfence_vma(), True, True),
    "address": (asm.sfence_vma(A1), True, True),
    "another address": (asm.sfence_vma(A3), False, False),
    "address space": (asm.sfence_vma(ZERO, A4), True, False),
    "another address space": (asm.sfence_vma(ZERO, A5), False, False),
    "address of an address space": (asm.sfence_vma(A1, A4), True, True),
}


@pytest.mark.parametrize("global_", [False, True], ids=["of an address space", "global"])
@pytest.mark.parametrize(("fence", "gone", "global_gone"), FENCES.values(), ids=list(FENCES))
def test_fenced_translations_are_walked_for_again(fence: bytes, gone: bool, global_gone: bool, global_: bool) -> None:
    """In the model's TLB; its micro-TLBs are emptied by all fences."""
    hart = hart_with(levels=3)
    hart.tables.map(VA, DATA, KERNEL | (G if global_ else 0))
    registers = {"a1": VA, "a3": VA + 0x20_0000, "a4": 0, "a5": 7}
    spent(hart, asm.ld(A0, A1), ECALL, **registers)
    found = spent(hart, fence, asm.ld(A0, A1), ECALL, **registers)
    assert found["tlb_d_misses"] == (global_gone if global_ else gone)


@pytest.mark.parametrize(("bits", "misses"), [(0, 1), (G, 0)], ids=["of an address space", "global"])
@pytest.mark.parametrize("of_table", [False, True], ids=["leaf", "table"])
def test_translations_of_another_address_space_are_others_and_stay(bits: int, misses: int, of_table: bool) -> None:
    hart = hart_with(levels=3)
    place = hart.tables.map(VA, DATA, KERNEL | (0 if of_table else bits))
    if of_table:  # global is what its table's entry is
        hart.memory.write(hart.tables.place(VA, 1), entry(place & ~0xFFF, bits))
    spent(hart, asm.ld(A0, A1), ECALL, a1=VA)
    switch = (asm.csrw(SATP, A4), asm.ld(A0, A1), asm.csrw(SATP, A5), asm.ld(A0, A1), ECALL)
    found = spent(hart, *switch, a1=VA, a4=hart.tables.satp | 7 << 44, a5=hart.tables.satp)
    assert found["tlb_d_misses"] == misses


# Maintenance


def block(operation: int) -> bytes:
    return asm.word(operation << 20 | A1 << 15 | 0x200F)


@pytest.mark.parametrize(("code", "misses"), [(NOP, 1), (block(0), 2), (block(1), 1), (block(2), 2)])
def test_cache_blocks_are_maintained(code: bytes, misses: int) -> None:
    assert spent(hart_with(), asm.sd(A0, A1), code, asm.ld(A0, A1), ECALL, a1=DATA)["l1d_misses"] == misses


def test_a_block_of_zeroes_is_not_read_before() -> None:
    """The code's line alone comes from memory; a store's own is read besides."""
    found = [spent(hart_with(), code, ECALL, a1=DATA + 24) for code in (block(4), asm.sd(A0, A1))]
    assert [each["l1d_misses"] for each in found] == [1, 1]
    assert [each["l2_misses"] for each in found] == [1, 2]


def test_code_that_is_fenced_is_fetched_again() -> None:
    hart = hart_with()
    code = (NOP, asm.fence_i(), NOP, ECALL)
    assert [spent(hart, *code)["l1i_misses"] for _ in range(3)] == [2, 1, 1]
    without = (NOP, NOP, NOP, ECALL)
    assert [spent(hart, *without)["l1i_misses"] for _ in range(3)] == [1, 0, 0]


# The hypervisor


def test_walks_read_the_tables_of_the_second_stage() -> None:
    """Sv39x4: a root of four pages, a table of 2 MiB pages for each GiB."""
    pages = 64
    step = (asm.ld(A0, A1), asm.add(A1, A1, A3))
    loads = []
    for mapped in (False, True):
        hart = hart_with(levels=3)
        for page in range(pages):
            hart.tables.map(VA + 0x1000 * page, DATA + 0x1000 * page)
        if mapped:
            placed = array("Q", [0xC000_0000 + 0x1000 * n | 21 for n in range(1024)])
            tables = array("Q", [1, 0xE000_0000, RAM | 2, 0xE000_4000])
            hart.core.map_physical(placed.tobytes(), tables.tobytes())
        found = spent(hart, asm.sfence_vma(), *loop(*step), ECALL, a1=VA, a2=pages, a3=0x1000)
        loads.append(found["walk_loads"])
        assert found["tlb_d_misses"] == pages
    assert loads[1] - loads[0] == 2 * 2, "of the 2 MiB with tables and code, and of those with data"


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


def harts(levels: int = 3, va: int = VA) -> tuple[Hart, Hart]:
    memory = Memory(cores=2)
    one, other = (hart_with(memory=memory, index=index, levels=levels) for index in range(2))
    other.tables.map(va, DATA)
    other.tables.map(va + 0x1000, DATA)
    one.translate(other.tables)
    for hart in (one, other):
        hart.core.begin_window(7)
        spent(hart, asm.ld(A0, A1), asm.ld(A0, A2), ECALL, a1=va, a2=va + 0x1000)
    return one, other


REMOTE = {
    "code": ((FENCE_I, 0, 0, 0), 1, 0),
    "all": ((FENCE_VMA, 0, 0, 0), 0, 2),
    "whatever its size": ((FENCE_VMA, 0, (1 << 64) - 1, 0), 0, 2),
    "a page": ((FENCE_VMA, VA, 0x1000, 0), 0, 1),
    "more than a page": ((FENCE_VMA, VA, 0x2000, 0), 0, 2),
    "another page": ((FENCE_VMA, VA + 0x5000, 0x1000, 0), 0, 0),
    "a page of an address space": ((FENCE_VMA_ASID, VA, 8, 0), 0, 1),
    "a page of another": ((FENCE_VMA_ASID, VA, 8, 3), 0, 0),
    "all of an address space": ((FENCE_VMA_ASID, 0, (1 << 64) - 1, 0), 0, 2),
    "all of another": ((FENCE_VMA_ASID, 0, (1 << 64) - 1, 3), 0, 0),
}


@pytest.mark.parametrize(("what", "code", "data"), REMOTE.values(), ids=list(REMOTE))
def test_harts_hear_of_remote_fences_at_the_edge_of_a_window(what: tuple[int, ...], code: int, data: int) -> None:
    """Who asks for itself, at once; who is not meant, never."""
    one, other = harts()

    def lost(hart: Hart) -> tuple[int, int]:
        found = spent(hart, asm.ld(A0, A1), asm.ld(A0, A2), ECALL, a1=VA, a2=VA + 0x1000)
        return found["l1i_misses"], found["tlb_d_misses"]

    other.core.fence((0,), *what)
    assert lost(one) == lost(other) == (0, 0)
    one.core.begin_window(8)
    other.core.begin_window(8)
    assert (lost(one), lost(other)) == ((code, data), (0, 0))
    assert lost(one) == (0, 0)
    other.core.fence((1,), *what)
    assert lost(other) == (code, data)


SV57 = 5
EDGES = {"of a user": (1 << 56) - 0x20_0000, "of a kernel": (1 << 64) - (1 << 56), "highest": (1 << 64) - 0x20_0000}


@pytest.mark.parametrize("va", EDGES.values(), ids=list(EDGES))
def test_remote_fences_reach_all_addresses_that_there_are(va: int) -> None:
    one, other = harts(SV57, va)
    other.core.fence((0,), FENCE_VMA, va, 0x1000, 0)
    one.core.begin_window(8)
    assert spent(one, asm.ld(A0, A1), asm.ld(A0, A2), ECALL, a1=va, a2=va + 0x1000)["tlb_d_misses"] == 1


def test_a_core_without_a_model_has_none_of_it() -> None:
    hart = Hart("virtual")
    hart.core.fence((0,), FENCE_VMA, 0, 0, 0)
    with pytest.raises(RuntimeError, match="the memory of this core is not modelled"):
        hart.core.begin_window(1)
    hart.enter(LOOP)
    hart.step(3)
    with pytest.raises(RuntimeError, match="from before it runs, once"):
        hart.core.model_memory(1, 1, {})
