"""Where a block ends follows from the guest's instructions, and not from what the host makes of them."""

from __future__ import annotations

import pytest

from baonet.hyp.riscv.cpu import FETCH_PAGE, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, ECALL, NOP, ZERO
from tests.core.riscv.bench import CLOCKS, CODE, DATA, Hart, Taken

LINES = {
    "fdiv.d": [asm.fdiv_d(1, 2, 3)] * 1200,
    "amomaxu.d": [asm.amo("maxu", "d", A3, A0, A2)] * 1200,
    "both": [asm.fdiv_d(1, 2, 3)] * 300 + [asm.amo("maxu", "d", A3, A0, A2)] * 300,
    "c.sd": [asm.c_sd(A0, A2)] * 2000,
    "fld": [asm.fld(1, A2)] * 1200,
}


@pytest.mark.parametrize("name", LINES)
def test_no_block_ends_by_how_long_its_host_code_is(name: str) -> None:
    """The library translates one of more than 64 KiB again, with half its instructions."""
    line = LINES[name]
    hart = Hart("virtual")
    hart.enter(*line, ECALL, at=CODE + 0x2_0000, a2=DATA)
    before, stays = hart.core.statistics()["blocks_translated"], 1
    while hart.step(1) == RiscvExit.BUDGET:
        stays += 1
    after = hart.core.statistics()["blocks_translated"]
    assert hart.count == len(line) + 1
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before == stays


@pytest.mark.parametrize("clock", CLOCKS)
def test_one_that_ends_where_nothing_is_to_be_fetched_is_not_translated(clock: str) -> None:
    last = 0x5FFF_F000  # nothing is mapped behind it
    hart = Hart(clock, levels=3)
    hart.tables.map(last, DATA + 0x1_0000)
    hart.load(DATA + 0x1_0FFE, NOP[:2])
    hart.enter(asm.jalr(ZERO, A1), a1=last + 0xFFE)
    for _ in range(2):
        before = hart.core.statistics()["blocks_translated"]
        assert hart.stay() == RiscvExit.ECALL
        assert hart.taken == Taken(FETCH_PAGE, last + 0xFFE, last + 0x1000)
        hart.core.pc = last + 0xFFE
    assert hart.core.statistics()["blocks_translated"] == before
