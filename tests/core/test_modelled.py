"""The model of the memory system hears of what the guest does: once of each instruction, and of all that it tells its
caches and TLBs. And its time passes, while the guest does nothing else than without it.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import Any

import pytest

from baonet.core import selftest
from baonet.core.armv8 import engine
from baonet.core.armv8.engine import native
from baonet.core.armv8.litmus import PARTS
from baonet.core.armv8.testbed import Shared, Side
from baonet.core.trial_bed import PartsTrial
from baonet.hyp.armv8.cpu import Exit
from tests.core import fuzz
from tests.core.bench import RAM, Memory, retired
from tests.core.modelled import (
    AF,
    BLOCK,
    CACHED,
    CACHES,
    DATA,
    DEVICE,
    LINE,
    MMU,
    NOT_GLOBAL,
    PAGE,
    PROLOGUE,
    TABLE,
    TABLES,
    TTBR0,
    UNCACHED,
    core,
    counts,
)
from tests.core.owners import Owners
from tests.core.travelling import as_bytes
from tests.core.virtual import HVC, ISB, LOOP, NOP, write

L2, DRAM = 13, 100
LDR, STR = 0xF940_0020, 0xF900_0020  # ldr/str x0, [x1]
NEXT = 0x9101_0021  # add x1, x1, #64
LDR_NEXT = 0xF844_0420  # ldr x0, [x1], #64
SUBS, BNE = 0xF100_0442, 0x5400_0001  # subs x2, x2, #1; b.ne .


def finished(made: native.Core, **registers: int) -> dict[str, int]:
    for name, value in registers.items():
        made.x[int(name[1:])] = value
    assert made.run_until(made.time + 10_000_000) == Exit.HVC
    return counts(made)


INSTRUCTIONS = {
    "ldr x0, [x1]": (0xF940_0020, 1, 0),
    "ldrb w0, [x1, x3]": (0x3863_6820, 1, 0),
    "ldrsw x0, [x1]": (0xB980_0020, 1, 0),
    "ldr x1, [x1]": (0xF940_0021, 1, 0),
    "ldr x0, [x1], #8": (0xF840_8420, 1, 0),
    "ldr q0, [x1]": (0x3DC0_0020, 1, 0),
    "ldr x0, .": (0x5800_0000, 1, 0),
    "ldr q0, .": (0x9C00_0000, 1, 0),
    "ldp x3, x4, [x1]": (0xA940_1023, 1, 0),
    "ldp w3, w4, [x1]": (0x2940_1023, 1, 0),
    "ldpsw x3, x4, [x1]": (0x6940_1023, 1, 0),
    "ldp q3, q4, [x1]": (0xAD40_1023, 1, 0),
    "ldp d3, d4, [x1]": (0x6D40_1023, 1, 0),
    "ldnp x3, x4, [x1]": (0xA840_1023, 1, 0),
    "stp x3, x4, [x1, #-16]!": (0xA9BF_1023, 0, 1),
    "stp q3, q4, [x1]": (0xAD00_1023, 0, 1),
    "str x3, [x1]": (0xF900_0023, 0, 1),
    "str q3, [x1]": (0x3D80_0023, 0, 1),
    "ld1 {v0.16b}, [x1]": (0x4C40_7020, 1, 0),
    "ld1 {v0.2d-v3.2d}, [x1]": (0x4C40_2C20, 1, 0),
    "ld1 {v0.4h-v2.4h}, [x1]": (0x0C40_6420, 1, 0),
    "ld2 {v0.8b, v1.8b}, [x1]": (0x0C40_8020, 1, 0),
    "ld3 {v0.8h-v2.8h}, [x1]": (0x4C40_4420, 1, 0),
    "ld4 {v0.16b-v3.16b}, [x1]": (0x4C40_0020, 1, 0),
    "ld4 {v0.16b-v3.16b}, [x1], #64": (0x4CDF_0020, 1, 0),
    "st4 {v0.4s-v3.4s}, [x1]": (0x4C00_0820, 0, 1),
    "ld1 {v0.b}[3], [x1]": (0x0D40_0C20, 1, 0),
    "ld3 {v0.s-v2.s}[1], [x1]": (0x0D40_B020, 1, 0),
    "ld4r {v0.2d-v3.2d}, [x1]": (0x4D60_EC20, 1, 0),
    "st2 {v0.d, v1.d}[1], [x1]": (0x4D20_8420, 0, 1),
    "ldxr x0, [x1]": (0xC85F_7C20, 1, 0),
    "ldxp x0, x3, [x1]": (0xC87F_0C20, 1, 0),
    "ldxp w0, w3, [x1]": (0x887F_0C20, 1, 0),
    "ldar x0, [x1]": (0xC8DF_FC20, 1, 0),
    "stlr x0, [x1]": (0xC89F_FC20, 0, 1),
    "ldadd x0, x3, [x1]": (0xF820_0023, 1, 1),
    "swpal w0, w3, [x1]": (0xB8E0_8023, 1, 1),
    "ldsmaxb w0, w3, [x1]": (0x3820_4023, 1, 1),
    "cas x0, x3, [x1]": (0xC8A0_7C23, 1, 1),
    "casp x4, x5, x6, x7, [x1]": (0x4824_7C26, 1, 1),
    "dc zva, x1": (0xD50B_7421, 0, 1),
    "prfm pldl1keep, [x1]": (0xF980_0020, 0, 0),
    "add x0, x1, x2": (0x8B02_0020, 0, 0),
}


@pytest.mark.parametrize(("word", "loads", "stores"), INSTRUCTIONS.values(), ids=list(INSTRUCTIONS))
def test_an_instruction_is_one_access(word: int, loads: int, stores: int) -> None:
    found = finished(core(word, HVC), x1=DATA, x3=0)
    assert (found["loads"], found["stores"]) == (loads, stores)


def test_an_exclusive_pair_is_a_load_and_if_it_succeeds_a_store() -> None:
    ldxr, stxr, clrex = 0xC85F_7C20, 0xC803_7C22, 0xD503_3F5F
    found = finished(core(ldxr, stxr, ldxr, clrex, stxr, HVC), x1=DATA)
    assert (found["loads"], found["stores"]) == (2, 1)
    ldxp, stxp = 0xC87F_0C20, 0xC824_0C22
    found = finished(core(ldxp, stxp, HVC), x1=DATA)
    assert (found["loads"], found["stores"]) == (1, 1)


@pytest.mark.parametrize(("offset", "misses"), [(0, 1), (48, 1), (56, 2), (-8, 2)])
def test_an_access_is_of_all_that_it_has_of_its_lines(offset: int, misses: int) -> None:
    ldp = 0xA940_1023
    found = finished(core(ldp, HVC), x1=DATA + offset)
    assert (found["loads"], found["l1d_misses"]) == (1, misses)


def test_ld4_that_goes_over_lines_is_of_them_all() -> None:
    ld4 = 0x4C40_0020
    assert finished(core(ld4, HVC), x1=DATA + 1)["l1d_misses"] == 2


def test_what_is_asked_ahead_is_there() -> None:
    for prefetch in (0xF980_0420, 0xF8A3_7820, 0xF880_8020):  # prfm [x1, #8]; [x1, x3, lsl #3]; prfum [x1, #8]
        made = core(prefetch, *[NOP] * 200, LDR | 1 << 10, HVC)  # ldr x0, [x1, #8]
        found = finished(made, x1=DATA + LINE - 8, x3=1)
        assert (found["prefetches"], found["l1d_misses"]) == (1, 0)


def test_who_asks_for_more_ahead_than_can_be_under_way_is_not_served() -> None:
    """Else nothing would bound how long the channel is busy for what nobody waits for: others would wait for that."""
    prfm = 0xF980_0020
    made = core(*loop(prfm, NEXT), LDR, HVC, parameters={"dram_line": 100})
    found = finished(made, x1=DATA, x2=10_000)
    assert found["prefetches"] < 1000
    assert found["stall_wait"] < 1000


def loop(*body: int) -> tuple[int, ...]:
    """x2 times."""
    return (*body, SUBS, BNE | (-(len(body) + 1) & 0x7FFFF) << 5)


def test_misses_cost_what_the_parameters_say_and_hits_nothing() -> None:
    lines = 100
    code = (*loop(LDR_NEXT), HVC)
    made = core(*code, parameters={"l2_latency": L2, "dram_latency": DRAM})
    found = finished(made, x1=DATA, x2=lines)
    assert found["l1d_misses"] == lines
    assert (found["stall_data"], found["stall_dram"]) == (L2 * lines, DRAM * (lines + found["l1i_misses"]) + DRAM * 0)
    stalls = sum(count for name, count in found.items() if name.startswith("stall_"))
    assert made.time == retired(made) + stalls
    made.pc = RAM + 4 * len(PROLOGUE)
    before, time, count = found, made.time, retired(made)
    found = finished(made, x1=DATA, x2=lines)
    assert found["loads"] == before["loads"] + lines
    assert found["l1d_misses"] == before["l1d_misses"]
    of_the_page = sum(found[name] - before[name] for name in found if name.startswith("stall_"))
    assert made.time - time == retired(made) - count + of_the_page
    assert of_the_page <= 8  # micro-TLB misses


def test_a_guest_that_looks_at_no_clock_does_the_same_with_and_without() -> None:
    code = (*loop(LDR_NEXT, STR, 0xA940_1023, 0xD50B_7421), HVC)
    ends = []
    for model in (False, True):
        made = core(*code, model=model)
        made.x[1], made.x[2] = DATA, 1000
        assert made.run_until(10_000_000) == Exit.HVC
        ends.append((retired(made), made.pc, list(made.x)))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("state", fuzz.State, ids=lambda state: state.name)
def test_random_words_are_counted_as_without(state: fuzz.State) -> None:
    words = list(fuzz.words(state, 1500, 11))
    assert not fuzz.findings(1, state, words, hz=1_000_000_000, modelled=True)


def test_time_ends_a_stay_by_the_stalls_and_a_timer_fires_by_them() -> None:
    made = core(*loop(LDR_NEXT), HVC)
    made.x[1], made.x[2] = DATA, 10_000
    assert made.run_until(5_000) == Exit.BUDGET
    assert 5_000 <= made.time < 5_000 + 2 * (L2 + DRAM) + 10
    assert retired(made) < 1000
    cntv_ctl, cntv_cval = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
    made = core(0xD280_0023, write(cntv_cval, 4), write(cntv_ctl, 3), *loop(LDR_NEXT), HVC)
    made.x[1], made.x[2], made.x[4] = DATA, 10_000, 500  # 8000 cycles
    assert made.run_until(1_000_000) == Exit.INTERRUPT
    assert 8_000 <= made.time < 8_000 + 2 * (L2 + DRAM) + 10


@pytest.mark.parametrize("pace", [(7, 10), (1, 2), (3, 1), (999, 1000)])
def test_instructions_have_a_pace_of_their_own(pace: tuple[int, int]) -> None:
    cycles, instructions = pace
    made = core(*[NOP] * 100, *loop(NOP, NOP, LDR), HVC, pace=pace)
    found = finished(made, x1=DATA, x2=1000)
    stalls = sum(count for name, count in found.items() if name.startswith("stall_"))
    assert made.time == retired(made) * cycles // instructions + stalls
    made = core(LOOP, pace=pace)
    for limit in (1_000, 1_001, 50_000):
        assert made.run_until(limit) == Exit.BUDGET
        assert limit <= made.time <= limit + max(1, cycles)


def test_a_page_that_may_not_be_had_yet_is_accessed_once() -> None:
    owners, memory = Owners(), Memory()
    stp = 0xA900_1023
    for code, at, kind in ((LDR, DATA, "loads"), (STR, DATA, "stores"), (stp, DATA - 8, "stores")):
        made = core(NOP, code, HVC, memory=memory, owners=owners)
        for page in range(RAM, RAM + 0x40_0000, 0x1000):
            owners.give(page, 1)
        owners.give(DATA, 2)
        made.x[1] = at
        made.run_until(100_000, False, True)
        assert made.blocked == (0, (DATA - RAM) // 0x1000, code != LDR)
        assert counts(made)[kind] == 0
        fetched, time = counts(made)["l1i_misses"], made.time
        made.run_until(100_000, False, True)
        assert (counts(made)["l1i_misses"], made.time) == (fetched, time)
        owners.give(DATA, 1)
        assert finished(made)[kind] == 1


def test_a_kick_changes_nothing() -> None:
    def run(step: int) -> tuple[Any, ...]:
        made = core(*loop(LDR_NEXT, STR), HVC)
        made.x[1], made.x[2] = DATA, 3000
        while made.pc != RAM + 4 * (len(PROLOGUE) + 5):
            made.run_until(made.time + step if step else 10_000_000)
        return made.time, retired(made), made.memory_counts()

    assert run(0) == run(1) == run(37) == run(1009)


def test_a_core_that_is_made_anew_goes_on_as_it_would_have() -> None:
    code = (*loop(LDR_NEXT, STR, TLBI_VMALLE1IS), HVC)  # and tlbi vmalle1is
    ends = []
    for travels in (False, True):
        memory = Memory()
        made = core(*code, memory=memory, parameters={"prefetch_streams": 2, "streaming_l1": 4})
        made.x[1], made.x[2] = DATA, 2000
        for limit in range(1000, 20_000, 1000):
            made.run_until(limit)
            if travels:
                saved = as_bytes(made.save())
                made = core(*code, memory=memory, parameters={"prefetch_streams": 2, "streaming_l1": 4})
                made.load(saved)
        ends.append((made.time, retired(made), made.memory_counts(), list(made.x)))
    assert ends[0] == ends[1]


def test_a_state_is_of_a_core_with_the_same_model() -> None:
    saved = core(LOOP).save()
    for other in (core(LOOP, model=False), core(LOOP, parameters={"l2_latency": 9})):
        with pytest.raises(ValueError, match="is damaged: memory, or it is of a core with another model of it"):
            other.load(as_bytes(saved))
    with pytest.raises(ValueError, match="is damaged: memory"):
        core(LOOP).load(as_bytes(core(LOOP, model=False).save()))


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


def test_an_exit_costs_what_the_hypervisor_touches() -> None:
    lines = array("Q", [0x7000_0000 + LINE * n for n in range(10)]).tobytes()
    made = core(HVC, HVC, HVC)
    made.touches(Exit.HVC, 500, lines, b"", lines)
    taken = []
    for _ in range(3):
        before = made.time
        finished(made)
        taken.append(made.time - before)
    counted = made.memory_counts()
    assert counted["hypervisor_l1d_misses"] == counted["hypervisor_l1i_misses"] == 10
    assert taken[1] >= 500
    assert taken[2] == taken[1] == 501
    assert taken[0] > 500 + 10 * (L2 + DRAM)


def test_what_cannot_be_is_refused() -> None:
    made = core(LOOP, model=False)
    with pytest.raises(ValueError, match="a memory system has no parameter 'l3_size'; it has l1i_size"):
        made.model_memory(1, 1, {"l3_size": 1})
    with pytest.raises(ValueError, match="a memory system has no parameter 'latency'; it has l1i_size"):
        made.model_memory(1, 1, {"l2_latency": 9, "latency": 1})
    with pytest.raises(ValueError, match=r"the memory system's l1d_size must be its ways times a power of two"):
        made.model_memory(1, 1, {"l1d_ways": 3})
    for number in ((1 << 32) + 13, 1 << 64, -1):
        with pytest.raises(ValueError, match=r"the memory system's l2_latency must be from 0 to 4294967295"):
            made.model_memory(1, 1, {"l2_latency": number})
    with pytest.raises(ValueError, match="cycles and instructions are from 1 to 1000"):
        made.model_memory(0, 1, {})
    with pytest.raises(RuntimeError, match="a model has parameters of its own"):
        made.model_memory(1, 1)
    with pytest.raises(RuntimeError, match="the memory of this core is not modelled"):
        made.begin_window(1)
    made.model_memory(1, 1, {})
    with pytest.raises(RuntimeError, match="from before it runs, once"):
        made.model_memory(1, 1, {})
    with pytest.raises(ValueError, match="there is no exit 99"):
        made.touches(99, 1, b"", b"", b"")
    with pytest.raises(ValueError, match="7 bytes are not items of 8"):
        made.map_physical(bytes(7), b"")


class SelfTested(native.Core):
    """As the self-test makes them, but in virtual time and with a model."""

    def __init__(self, **wiring: Any) -> None:
        super().__init__(**wiring, hz=1_000_000_000)
        self.model_memory(1, 1, {})

    def run(self, budget: int) -> int:
        return self.run_until(self.time + budget)


def test_the_self_test_holds_with_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real atomic operations, barriers, code and tables that another CPU changes: with what tells the model between."""
    monkeypatch.setattr(engine.native, "Core", SelfTested)
    timeless = [part for part in PARTS if part.name != "instruction count and budget"]
    selftest.test(PartsTrial(Shared, Side, timeless))
