"""What a guest's performance monitors count where memory takes time."""

from __future__ import annotations

from array import array

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM, SIZE, Memory
from tests.core.modelled import DATA, LDR, core, counts
from tests.core.test_pmu import CEID0, CNTENSET, CPU_CYCLES, EVCNTR, EVTYPER, INST_RETIRED, OVSSET, PMCR, E, P
from tests.core.virtual import HVC, ISB, NOP, read, write

L1I_REFILL, L1I_TLB_REFILL, L1D_REFILL, L1D_ACCESS, L1D_TLB_REFILL = 1, 2, 3, 4, 5
MEM_ACCESS, L2D_ACCESS, L2D_REFILL = 0x13, 0x16, 0x17
EVENTS = (0, 1, 2, 3, 4, 5, INST_RETIRED, CPU_CYCLES, MEM_ACCESS, L2D_ACCESS, L2D_REFILL)
LDR_NEXT, STR = 0xF844_0420, 0xF900_0020  # ldr x0, [x1], #64; str x0, [x1]
LDR_PAGE = 0xF941_0020  # ldr x0, [x1, #512]
MOV_NEXT_PAGE, BACK = 0x9140_0421, 0xD140_0421  # add, sub x1, x1, #4096
SW_INCR = 0
VBAR, HANDLER = (3, 0, 12, 0, 0), RAM + 0x8000
REFILLS = (L1D_TLB_REFILL, L1I_TLB_REFILL)


def counted(
    *code: int,
    events: tuple[int, ...],
    first: int = 0,
    pages: bool = False,
    parameters: dict[str, int] | None = None,
) -> tuple[native.Core, list[int]]:
    """What counters of these events show after some code, which is between barriers; they begin with ``first``.

    ``pages``: stage 2 has these, and no blocks. ``parameters`` of the memory system, beside plain ones.
    """
    prepare: list[int] = []
    values: list[int] = []
    for n, event in enumerate(events):
        for register, value in ((EVTYPER[n], event), (EVCNTR[n], first)):
            prepare.append(write(register, 2 + len(values)))
            values.append(value)
    prepare += [write(CNTENSET, 14), write(PMCR, 15), ISB]
    reads = [read(EVCNTR[n], 16 + n) for n in range(len(events))]
    made = core(*prepare, *code, ISB, write(PMCR, 29), *reads, read(OVSSET, 23), HVC, parameters=parameters)
    if pages:
        placed = array("Q", [0x4000_0000 + n * 0x1000 | 12 for n in range(SIZE // 0x1000)])
        leaves = [number for n in range(2) for number in (RAM + (n << 21) | 3, 0x8000_2000 + 0x1000 * n)]
        made.map_physical(placed.tobytes(), array("Q", [1, 0x8000_0000, RAM | 2, 0x8000_1000, *leaves]).tobytes())
    for n, value in enumerate(values):
        made.x[2 + n] = value
    made.x[14], made.x[15], made.x[1] = (1 << len(events)) - 1, E if first else E | P, DATA
    assert made.run_until(10_000_000) == Exit.HVC
    return made, list(made.x[16 : 16 + len(events)])


def test_events_are_told_where_they_count() -> None:
    made = core(read(CEID0, 20), HVC)
    assert made.run_until(1_000_000) == Exit.HVC
    assert made.x[20] == sum(1 << event for event in EVENTS)
    without = virtual.core(read(CEID0, 20), HVC)
    assert without.run_until(1_000_000) == Exit.HVC
    assert without.x[20] == 1 << CPU_CYCLES | 1


def test_instructions_and_accesses_are_those_between() -> None:
    """To the end of the block in which a counter is read."""
    _, (instructions, accesses, loads) = counted(
        *[LDR_NEXT] * 10, *[NOP] * 50, *[STR] * 5, events=(INST_RETIRED, MEM_ACCESS, L1D_ACCESS)
    )
    assert 65 <= instructions <= 75
    assert accesses == loads == 15


def test_refills_of_data_are_of_lines_that_were_missed() -> None:
    _, (refills, accesses, second, missed) = counted(
        *[LDR_NEXT] * 20, *[0xD101_0021] * 20, *[LDR_NEXT] * 20, events=(L1D_REFILL, L1D_ACCESS, L2D_ACCESS, L2D_REFILL)
    )
    assert (refills, accesses) == (20, 40), "the second time they are there"
    assert 20 <= second <= 40
    assert 20 <= missed <= second


def test_lines_that_are_only_written_are_no_refills() -> None:
    """After some of them in a row they pass by the first level."""
    stores = [0xF800_8420] * 240  # str x0, [x1], #8
    made, (refills, accesses) = counted(*stores, events=(L1D_REFILL, L1D_ACCESS), parameters={"streaming_l1": 4})
    assert accesses == 240
    assert counts(made)["streamed"] >= 20
    assert refills <= 10


def test_refills_of_code() -> None:
    """A line has 16 instructions."""
    _, (first,) = counted(*[NOP] * 160, events=(L1I_REFILL,))
    assert 10 <= first <= 12


def test_refills_of_translations_are_walks() -> None:
    """One of data in pages of stage 2, though the guest has them in one block; what a micro-TLB lacks alone is none."""
    made, (data, code) = counted(*[LDR_PAGE, MOV_NEXT_PAGE] * 20, *[BACK, LDR_PAGE] * 20, events=REFILLS, pages=True)
    assert data == 20
    assert counts(made)["utlb_d_misses"] > 20
    assert code == 0, "the code's page was there before"


def test_a_counter_of_events_overflows() -> None:
    made, (accesses,) = counted(*[LDR_NEXT] * 20, events=(MEM_ACCESS,), first=0xFFFF_FFF0)
    assert accesses == 4
    assert made.x[23] == 1


@pytest.mark.parametrize("event", [0x06, 0x10, 0x3FF])
def test_other_events_do_not_count(event: int) -> None:
    assert counted(*[LDR_NEXT] * 20, events=(event,))[1] == [0]


def test_a_counter_that_is_given_an_event_begins_there() -> None:
    """What has been before is not counted."""
    code = [LDR_NEXT] * 30 + [write(EVTYPER[0], 2), write(CNTENSET, 14), write(PMCR, 15), ISB] + [LDR_NEXT] * 3
    made = core(*code, ISB, read(EVCNTR[0], 20), HVC)
    made.x[1], made.x[2], made.x[14], made.x[15] = DATA, MEM_ACCESS, 1, E
    assert made.run_until(10_000_000) == Exit.HVC
    assert made.x[20] == 3


def test_a_counter_that_counts_already_goes_on_with_another_event() -> None:
    """Of which what has been before is not counted either. Before, it counts writes of PMSWINC_EL0: none."""
    begin = [write(EVTYPER[0], 3), write(CNTENSET, 14), write(PMCR, 15), ISB]
    code = [*begin, *[LDR_NEXT] * 30, write(EVTYPER[0], 2), ISB, *[LDR_NEXT] * 3, ISB, read(EVCNTR[0], 20), HVC]
    made = core(*code)
    made.x[1], made.x[2], made.x[3], made.x[14], made.x[15] = DATA, MEM_ACCESS, SW_INCR, 1, E
    assert made.run_until(10_000_000) == Exit.HVC
    assert made.x[20] == 3


def test_instructions_that_an_exception_takes_back_count_once() -> None:
    """They were read with the block that they are in."""
    memory = Memory()
    handler = [read(EVCNTR[0], 22), ISB, *[NOP] * 80, ISB, read(EVCNTR[0], 20), HVC]
    memory.load(HANDLER + 0x200, b"".join(word.to_bytes(4, "little") for word in handler))
    begin = [write(VBAR, 16), write(EVTYPER[0], 2), write(CNTENSET, 14), write(PMCR, 15), ISB]
    made = core(*begin, read(EVCNTR[0], 21), LDR, *[NOP] * 40, HVC, memory=memory)
    made.x[1], made.x[2], made.x[14], made.x[15], made.x[16] = 1 << 40, INST_RETIRED, 1, E, HANDLER
    assert made.run_until(10_000_000) == Exit.HVC
    assert made.x[21] == made.x[22] > 40, "it tells the whole block, and nothing less than that"
    assert 80 <= made.x[20] <= 90


def test_what_they_have_counted_is_saved() -> None:
    def made() -> native.Core:
        code = [*[LDR_NEXT] * 3, HVC, *[LDR_NEXT] * 3, ISB, read(EVCNTR[0], 20), HVC]
        found = core(write(EVTYPER[0], 2), write(CNTENSET, 14), write(PMCR, 15), ISB, *code)
        found.x[1], found.x[2], found.x[14], found.x[15] = DATA, MEM_ACCESS, 1, E
        return found

    first, second = made(), made()
    assert first.run_until(10_000_000) == Exit.HVC
    second.load(first.save())
    for each in (first, second):
        assert each.run_until(20_000_000) == Exit.HVC
        assert each.x[20] == 6
