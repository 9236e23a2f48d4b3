"""What a guest tells its caches and TLBs, and how it is translated: the model of the memory system does as it says."""

from __future__ import annotations

from array import array
from itertools import pairwise

import pytest

from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, Memory
from tests.core.modelled import (
    AF,
    BLOCK,
    CACHED,
    CACHES,
    DATA,
    DEVICE,
    LDR,
    MMU,
    NOT_GLOBAL,
    PAGE,
    PROLOGUE,
    SCTLR,
    STR,
    TABLE,
    TABLES,
    TTBR0,
    UNCACHED,
    core,
    counts,
    finished,
    loop,
)
from tests.core.owners import Owners
from tests.core.virtual import HVC, ISB, NOP, write

TLBI = {"vmalle1": (0xD508_871F, True), "vae1": (0xD508_8723, True),
        "aside1": (0xD508_8743, False), "vaae1": (0xD508_8763, True),
        "vale1": (0xD508_87A3, True), "vaale1": (0xD508_87E3, True)}  # fmt: skip


@pytest.mark.parametrize(("tlbi", "gone"), TLBI.values(), ids=list(TLBI))
def test_invalidated_translations_are_walked_for_again(tlbi: int, gone: bool) -> None:
    """The RAM's block is global: what is of an ASID only leaves it."""
    found = finished(core(LDR, tlbi, LDR, HVC), x1=DATA, x3=DATA >> 12)
    assert found["tlb_d_misses"] + found["tlb_i_misses"] >= 1
    without = finished(core(LDR, NOP, LDR, HVC), x1=DATA, x3=DATA >> 12)
    walks = [each["tlb_d_misses"] + each["tlb_i_misses"] for each in (found, without)]
    assert (walks[0] > walks[1]) == gone
    assert found["utlb_d_misses"] > without["utlb_d_misses"], "micro-TLBs are emptied by all of them"


def test_translations_of_another_asid_are_others_and_stay() -> None:
    memory = Memory()
    code = (LDR, write(TTBR0, 4), ISB, LDR, write(TTBR0, 26), ISB, LDR, HVC)
    walks = []
    for attributes in (CACHED | AF | NOT_GLOBAL, CACHED | AF):
        made = core(*code, memory=memory)
        memory.write(TABLES + 8, RAM | attributes | BLOCK)
        found = finished(made, x1=DATA, x4=TABLES | 7 << 48)
        walks.append(found["tlb_d_misses"] + found["tlb_i_misses"])
    assert walks[0] - walks[1] in (1, 2)  # one more ASID; code and data have the same block


DC_CIVAC, DC_CVAC, DC_IVAC, DC_CVAU, DC_CISW, IC_IALLU, IC_IVAU, IC_IALLUIS, TLBI_VMALLE1IS = (
    *(
        0xD50B_7E21,
        0xD50B_7A21,
        0xD508_7621,
        0xD50B_7B21,
        0xD508_7E44,
        0xD508_751F,
        0xD50B_7525,
        0xD508_711F,
        0xD508_831F,
    ),
)


@pytest.mark.parametrize(("word", "misses"), [(NOP, 1), (DC_CIVAC, 2), (DC_IVAC, 2), (DC_CVAC, 1), (DC_CVAU, 1)])
def test_data_caches_are_maintained_by_address(word: int, misses: int) -> None:
    assert finished(core(STR, word, LDR, HVC), x1=DATA)["l1d_misses"] == misses


@pytest.mark.parametrize(("word", "misses"), [(NOP, 1), (DC_CIVAC, 2), (DC_IVAC, 2), (DC_CVAC, 1), (DC_CVAU, 1)])
def test_data_caches_are_maintained_with_stage_1_off(word: int, misses: int) -> None:
    """By the physical address that it is then: what came while it was on is there."""
    made = core(LDR, write(SCTLR, 6), ISB, word, write(SCTLR, 28), ISB, LDR, HVC)
    assert finished(made, x1=DATA, x6=CACHES)["l1d_misses"] == misses


def test_code_is_invalidated_with_stage_1_off() -> None:
    def misses(word: int) -> int:
        return finished(core(write(SCTLR, 6), ISB, word, ISB, NOP, HVC), x5=RAM, x6=CACHES)["l1i_misses"]

    assert misses(IC_IVAU) > misses(NOP)


@pytest.mark.parametrize("attributes", [UNCACHED, DEVICE])
def test_data_caches_are_maintained_by_addresses_that_are_not_cached(attributes: int) -> None:
    """The page has another mapping that is."""

    def misses(word: int) -> int:
        memory = Memory()
        made = core(LDR, word, LDR, HVC, memory=memory)
        memory.write(TABLES, RAM | attributes | AF | BLOCK)
        return finished(made, x1=DATA, x3=DATA & 0x3FFF_FFFF)["l1d_misses"]

    assert [misses(NOP), misses(0xD50B_7E23)] == [1, 2]  # dc civac, x3


def test_data_caches_are_maintained_by_set_and_way() -> None:
    every_way = [0xD2A0_0004 | way << 14 << 5 for way in range(4)]  # mov x4, #way << 30
    emptied = [word for mov in every_way for word in (mov, DC_CISW)]
    assert finished(core(LDR, *emptied, LDR, HVC), x1=DATA)["l1d_misses"] == 2
    assert finished(core(LDR, *every_way, LDR, HVC), x1=DATA)["l1d_misses"] == 1


def test_code_that_is_invalidated_is_fetched_again() -> None:
    without = finished(core(NOP, ISB, NOP, HVC))["l1i_misses"]
    for invalidate in (IC_IALLU, IC_IVAU):
        made = core(invalidate, ISB, NOP, HVC)
        assert finished(made, x5=RAM)["l1i_misses"] > without


def test_maintenance_and_prefetches_read_no_table_that_may_not_be_had() -> None:
    """They access nothing. So a walk waits for what it reads, or there is none: another may be writing to it."""
    owners, memory = Owners(), Memory()
    high, table = 0xFFFF_FF80_0000_0000, RAM + 0x3E_0000
    wide = 2 << 30 | 25 << 16 | 32
    ttbr1 = (3, 0, 2, 0, 1)
    prfm = 0xF980_0020
    for word, waits, walks in ((DC_CVAC, True, 1), (prfm, False, 0)):
        memory.write(table, DATA | CACHED | AF | BLOCK)
        made = core(write((3, 0, 2, 0, 2), 22), write(ttbr1, 23), ISB, NOP, word, HVC, memory=memory, owners=owners)
        made.x[1], made.x[22], made.x[23] = high, wide, table
        for page in range(RAM, RAM + 0x40_0000, 0x1000):
            owners.give(page, 1)
        owners.give(table, 2)
        before = counts(made)["tlb_d_misses"]
        end = made.run_until(100_000, False, True)
        assert bool(made.blocked) == waits
        assert counts(made)["tlb_d_misses"] == before
        owners.give(table, 1)
        assert end == Exit.HVC or made.run_until(200_000) == Exit.HVC
        assert counts(made)["tlb_d_misses"] - before == walks


def test_others_hear_of_broadcast_maintenance_at_the_edge_of_a_window() -> None:
    memory = Memory(2)
    looks, tells = (LDR, ISB, LDR, HVC), (TLBI_VMALLE1IS, ISB, IC_IALLUIS, ISB, HVC)
    begin = RAM + 4 * len(PROLOGUE)
    one, other = (
        core(*looks, *tells, memory=memory, index=index, cores=2, siblings=(1 - index,)) for index in range(2)
    )
    for made in (one, other):
        made.begin_window(7)
        finished(made, x1=DATA)

    def missed_again() -> tuple[bool, bool]:
        before = counts(one)
        one.pc = begin
        after = finished(one)
        return tuple(after[name] > before[name] for name in ("l1i_misses", "utlb_d_misses"))  # type: ignore[return-value]

    assert missed_again() == (False, False)
    other.pc = begin + 4 * len(looks)
    finished(other)
    assert missed_again() == (False, False)
    one.begin_window(8)
    assert missed_again() == (True, True)
    one.begin_window(9)
    assert missed_again() == (False, False)


@pytest.mark.parametrize("size", [0, 8, 15, 16, 39, 40, 48, 63])
def test_a_size_of_addresses_that_is_out_of_range_counts_as_the_nearest(size: int) -> None:
    """Of TCR_EL1.T1SZ, as the library has it."""
    memory = Memory()
    root = RAM + 0x3D_0000
    first = 0xFFFF_FFFF_FFFF_FFFF << (64 - min(max(size, 16), 39)) & 0xFFFF_FFFF_FFFF_FFFF
    levels = {16: 0, 39: 2}[min(max(size, 16), 39)]
    tables = [root + 0x1000 * n for n in range(3 - levels)]
    for at, following in pairwise(tables):
        memory.write(at, following | TABLE)
    memory.write(tables[-1], RAM | CACHED | AF | BLOCK)
    made = core(write((3, 0, 2, 0, 2), 22), write((3, 0, 2, 0, 1), 23), ISB, LDR, HVC, memory=memory)
    found = finished(made, x1=first + 0x10_0000, x22=2 << 30 | size << 16 | 32, x23=root)
    assert found["l1d_misses"] == 1


def test_memory_that_is_not_cached() -> None:
    """Stage 1 off, a page mapped as Device or non-cacheable, SCTLR_EL1.C clear."""
    loads = (LDR, LDR, LDR, HVC)
    assert (
        finished(core(*loads, sctlr=CACHES), x1=DATA)["uncached"] == 3 + finished(core(HVC, sctlr=CACHES))["uncached"]
    )
    assert finished(core(*loads, sctlr=MMU | 0x1000), x1=DATA)["l1d_misses"] == 0
    assert finished(core(*loads), x1=DATA)["l1d_misses"] == 1
    for attributes in (DEVICE, UNCACHED):
        memory = Memory()
        made = core(*loads, memory=memory)
        memory.write(TABLES + 8, TABLES + 0x1000 | TABLE)
        memory.write(TABLES + 0x1000, RAM | CACHED | AF | BLOCK, RAM + 0x20_0000 | attributes | AF | BLOCK)
        assert finished(made, x1=RAM + 0x20_0000)["l1d_misses"] == 0


def test_caches_are_enabled_at_once_for_what_was_translated_before() -> None:
    """As bootloaders do it: stage 1 first, then SCTLR_EL1.C and .I, and no TLB is told. Then off, and on again."""
    loads, on, off = (LDR, LDR, LDR), (write(SCTLR, 29), ISB), (write(SCTLR, 28), ISB)
    made = core(*loads, *on, *loads, *off, *loads, *on, *loads, HVC, sctlr=MMU | 0x1000)
    always = finished(core(*loads, HVC), x1=DATA)
    data = finished(made, x1=DATA, x29=MMU | CACHES)
    assert (data["uncached"] - always["uncached"], data["l1d_misses"]) == (6, 1)
    code = finished(core(*loads, *on, *loads, HVC, sctlr=MMU | 0x4), x1=DATA, x29=MMU | CACHES)
    assert code["uncached"] > always["uncached"]
    assert code["l1i_misses"] >= always["l1i_misses"]
    for each in (data, code):
        walks = each["tlb_d_misses"] + each["tlb_i_misses"]
        assert walks == always["tlb_d_misses"] + always["tlb_i_misses"], "no TLB has forgotten anything"


def paged(memory: Memory) -> None:
    """RAM's first 2 MiB in pages of 4 KiB."""
    memory.write(TABLES + 8, TABLES + 0x1000 | TABLE)
    memory.write(TABLES + 0x1000, TABLES + 0x2000 | TABLE, RAM + 0x20_0000 | CACHED | AF | BLOCK)
    memory.write(TABLES + 0x2000, *(RAM + 0x1000 * n | CACHED | AF | PAGE for n in range(512)))


def test_walks_read_the_guests_tables_and_those_of_stage_2() -> None:
    """Of pages: three levels of stage 1, each at a place that stage 2 is asked for, whose two levels are read, too."""
    memory = Memory()
    step = 0x9140_0421  # add x1, x1, #0x1000
    made = core(*loop(LDR, step), HVC, memory=memory, parameters={"walk_cache_entries": 64})
    paged(memory)
    pages = 64
    found = finished(made, x1=DATA, x2=pages)
    assert found["tlb_d_misses"] == pages
    assert found["walk_cache_hits"] >= pages - 1
    assert found["walk_loads"] == 3 + pages, "the walk for the code has found the tables for all"
    # Behind blocks of 2 MiB, with the tables at 0x8000_0000 and on:
    made = core(*loop(LDR, step), HVC, memory=memory)
    paged(memory)
    placed = array("Q", [0x4000_0000 + 0x1000 * n | 21 for n in range(1024)])
    tables = array("Q", [1, 0x8000_0000, RAM | 2, 0x8000_1000])
    made.map_physical(placed.tobytes(), tables.tobytes())
    found = finished(made, x1=DATA, x2=pages)
    assert found["walk_loads"] == 3 + pages + 2 * 2, "of the block with the data, and of the one with the tables"
    assert found["ipa_cache_hits"] > pages


def test_the_second_level_has_lines_by_their_physical_addresses() -> None:
    """Pages of which every one is in the same sets of it go there together only if they are more than its ways."""
    step = 0x9140_0421
    misses = []
    for stride in (0x1000, 0x1_0000):
        memory = Memory()
        code = (*loop(LDR, step), 0xAA04_03E1, 0xAA05_03E2, *loop(LDR, step), HVC)
        made = core(*code, memory=memory, parameters={"l1d_size": 8192, "l1d_ways": 2})
        placed = array("Q", [0x4000_0000 + n * stride | 12 for n in range(1024)])
        leaves = ((RAM + (n << 21) | 3, 0x8000_2000 + 0x1000 * n) for n in range(2))
        tables = array("Q", [1, 0x8000_0000, RAM | 2, 0x8000_1000, *(number for leaf in leaves for number in leaf)])
        made.map_physical(placed.tobytes(), tables.tobytes())
        misses.append(finished(made, x1=DATA, x2=64, x4=DATA, x5=64)["l2_misses"])
    assert misses[0] < misses[1] - 30
