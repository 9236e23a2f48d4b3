"""From a block to those that may follow it: what has led there leads to what is there now."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import Exit
from tests.core import modelled, virtual
from tests.core.bench import RAM, Memory
from tests.core.modelled import AF, PAGE, TABLE, TABLES
from tests.core.virtual import HVC, ISB, NOP

PATCH = (0xB900_0064, 0xD50B_7523, 0xD503_3F9F, ISB)  # str w4, [x3]; ic ivau, x3; dsb sy
DECREMENT = 0xF100_0400  # subs x0, x0, #1
FAR = 64  # instructions: the other way


def branch(to: int) -> int:
    return 0x1400_0000 | to & (1 << 26) - 1


def add(amount: int) -> int:
    """To x1."""
    return 0x9100_0021 | amount << 10


CBZ, CBNZ, EQ, NE = 0xB400_0000, 0xB500_0000, 0x5400_0000, 0x5400_0001


@pytest.mark.parametrize(("condition", "goes_on"), [(CBNZ, True), (NE, True), (CBZ, False), (EQ, False)])
def test_code_that_changes_behind_a_conditional_branch(condition: int, goes_on: bool) -> None:
    """Both ways are gone many times before, and the one that is gone again and again has changed each time."""
    again, done = [add(1), branch(-FAR - 1 if goes_on else -3)], [HVC, *PATCH, branch(-7 - (0 if goes_on else FAR - 2))]
    near, far = (done, again) if goes_on else (again, done)
    start = [DECREMENT, condition | FAR - 1 << 5, *near]
    core = virtual.core(*start, *[NOP] * (FAR - len(start)), *far)
    core.x[3] = RAM + 4 * (FAR if goes_on else 2)
    expected = 0
    for amount in range(1, 20):
        core.x[0], core.x[4] = 50, add(amount)  # there from where it goes on behind the HVC
        assert core.run_until(core.time + 10_000) == Exit.HVC
        expected += 49 * amount
        assert core.x[1] == expected


LOOP = 0x0800_0000
"""Where a loop is that goes over the end of a page: its second part is in the page that follows."""
SECOND, THIRD, FIRST_PAGE = TABLES - 0x1000, TABLES - 0x2000, RAM + 0x10_0000
AMOUNTS = (16, 256, 4000)
OTHER_PAGES = {amount: FIRST_PAGE + 0x1000 * n for n, amount in enumerate(AMOUNTS, 1)}
BLR_X9, RET, STR_TABLE, DSB = 0xD63F_0120, 0xD65F_03C0, 0xF900_0043, 0xD503_3F9F  # str x3, [x2]


@pytest.mark.parametrize("there", [0x5400_0001, 0xB500_0000], ids=["b.ne", "cbnz"])
@pytest.mark.parametrize("back", [0x1400_0000, 0xB500_0009], ids=["b", "cbnz"])
@pytest.mark.parametrize("forget", [0xD508_871F, 0xD508_8726, 0xD508_8326], ids=["vmalle1", "vae1", "vae1is"])
def test_a_page_that_is_mapped_elsewhere_amid_a_loop(there: int, back: int, forget: int) -> None:
    """Each way of the loop is gone many times before its second page is another, with other code at the same place."""
    memory = Memory()
    made = modelled.core(BLR_X9, HVC, STR_TABLE, DSB, forget, DSB, ISB, branch(-7), model=False, memory=memory, hz=0)
    memory.write(TABLES, SECOND | TABLE)
    memory.write(SECOND + 8 * (LOOP >> 21), THIRD | TABLE)
    memory.write(THIRD, FIRST_PAGE | AF | PAGE, OTHER_PAGES[AMOUNTS[0]] | AF | PAGE)
    first = (add(1), DECREMENT, there | 2 << 5, RET)
    backwards = -5 & ((1 << 26) - 1 if back == branch(0) else (1 << 19) - 1)
    memory.load(FIRST_PAGE + 0xFF0, b"".join(word.to_bytes(4, "little") for word in first))
    for amount, page in OTHER_PAGES.items():
        words = (add(amount), back | (backwards if back == branch(0) else backwards << 5))
        memory.load(page, b"".join(word.to_bytes(4, "little") for word in words))
    made.x[2], made.x[6], made.x[9] = THIRD + 8, (LOOP >> 12) + 1, LOOP + 0xFF0
    expected = 0
    for turn in range(6):
        made.x[0], made.x[3] = 40, OTHER_PAGES[AMOUNTS[turn % 3]] | AF | PAGE
        assert made.run(100_000) == Exit.HVC
        expected += 40 + 39 * AMOUNTS[turn % 3]
        assert made.x[1] == expected
