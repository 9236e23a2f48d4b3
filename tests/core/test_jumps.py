"""From a block to those that may follow it: what has led there leads to what is there now."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM
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
