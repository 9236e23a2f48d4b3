"""Where a block ends follows from the guest's instructions, and not from what the host makes of them."""

from __future__ import annotations

import pytest

from tests.core import virtual
from tests.core.bench import RAM
from tests.core.virtual import HVC, ISB, NOP, write

LD1, ST1, LD4, ST4, LD3 = 0x4C40_2001, 0x4C00_2001, 0x4C40_0001, 0x4C00_0001, 0x4C40_4401  # whole registers, [x0]
FMUL = 0x1E27_08C5


@pytest.mark.parametrize(
    "line",
    [
        *([each] * 500 for each in (LD1, ST1, LD4, ST4, LD3)),
        [LD1] * 130 + [FMUL] * 100,
    ],
    ids=["ld1", "st1", "ld4", "st4", "ld3", "ld1 and fmul"],
)
def test_no_block_ends_by_how_long_its_host_code_is(line: list[int]) -> None:
    """The library translates one of more than 64 KiB again, with half its instructions.

    How long it is depends on where its code is, on how far that is from the library: on who else is in the process.
    """
    before = [write((3, 0, 1, 0, 2), 2), ISB]  # CPACR_EL1 = x2
    core = virtual.core(*before, *[NOP] * (1024 - len(before)), *line, HVC)
    core.x[0], core.x[2] = RAM + 0x2000, 3 << 20
    blocks = 0
    while core.pc < RAM + 0x1000 + 4 * len(line):
        core.run_until(core.time + 1)
        blocks += 1
    assert core.statistics()["blocks_translated"] == blocks
