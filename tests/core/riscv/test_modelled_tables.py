"""How RISC-V code is translated, what it tells its caches and TLBs: the model of the memory system does as it says."""

from __future__ import annotations

from array import array

import pytest

from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, FENCE_VMA_ASID
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL, NOP, SATP, ZERO
from tests.core.riscv.bench import DATA, KERNEL, RAM, UART, G, Hart, Memory, entry
from tests.core.riscv.modelled import (
    NAPOT,
    PBMT_IO,
    PBMT_NC,
    VA,
    hart_with,
    loop,
    spent,
    walks,
)

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
