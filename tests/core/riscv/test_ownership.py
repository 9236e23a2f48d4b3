"""Memory whose pages have owners: an instruction that needs one which the hart has not waits, and is done once, later.

In frozen stays (``run_until(.., frozen=True)``) nothing of it happens; in others the page comes by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, C_NOP, ECALL, NOP, ZERO
from tests.core.riscv.bench import CODE, DATA, RAM, TABLES, Hart, Owners, entry

MINE, ANOTHERS = 1, 2
VALUE, THEIRS = 0x1111_2222_3333_4444, 0x99AA_BBCC_DDEE_FF00
PAGE = DATA + 0x1000


class Access(NamedTuple):
    name: str
    instruction: bytes
    writes: bool
    result: int | None = None  # of A0
    left: int | None = None  # in memory


ACCESSES = (
    Access("ld", asm.ld(A0, A1), False, THEIRS),
    Access("c.ld", asm.c_ld(A0, A1), False, THEIRS),
    Access("lbu", asm.load("bu", A0, A1, 1), False, 0xFF),
    Access("fld", asm.fld(1, A1), False),
    Access("lr.d", asm.amo("lr", "d", A0, ZERO, A1), False, THEIRS),
    Access("sd", asm.sd(A2, A1), True, None, VALUE),
    Access("c.sd", asm.c_sd(A2, A1), True, None, VALUE),
    Access("sb", asm.sb(A2, A1), True, None, THEIRS & ~0xFF | 0x44),
    Access("amoadd.d", asm.amo("add", "d", A0, A2, A1), True, THEIRS, (THEIRS + VALUE) % (1 << 64)),
    Access("amoswap.d", asm.amo("swap", "d", A0, A2, A1), True, THEIRS, VALUE),
    Access("amomaxu.d", asm.amo("maxu", "d", A0, A2, A1), True, THEIRS, THEIRS),
)


def hart_of(levels: int = 0) -> tuple[Hart, Owners]:
    owners = Owners()
    return Hart("virtual", owners=owners, levels=levels), owners


@pytest.mark.parametrize("levels", [0, 3], ids=["bare", "sv39"])
@pytest.mark.parametrize("before", [(), (C_NOP,), (NOP, C_NOP, NOP)], ids=len)
@pytest.mark.parametrize("access", ACCESSES, ids=lambda access: access.name)
def test_an_access_waits_for_its_page(levels: int, before: tuple[bytes, ...], access: Access) -> None:
    hart, owners = hart_of(levels)
    hart.memory.write(PAGE, 1)
    hart.enter(*before, access.instruction, C_NOP, ECALL, a1=PAGE, a2=VALUE, a0=5)
    owners.give(PAGE, ANOTHERS)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, (PAGE - RAM) // 0x1000, access.writes)
        assert hart.core.pc == hart.at + sum(map(len, before))
        assert (hart.count, hart.core.x[A0], hart.memory.read(PAGE)) == (len(before), 5, 1)
    hart.memory.write(PAGE, THEIRS)
    owners.give(PAGE, MINE)
    assert hart.stay() == RiscvExit.ECALL
    assert hart.count == len(before) + 3
    if access.result is not None:
        assert hex(hart.core.x[A0]) == hex(access.result)
    assert hex(hart.memory.read(PAGE)) == hex(THEIRS if access.left is None else access.left)


@pytest.mark.parametrize("before", [(), (C_NOP,), (NOP, C_NOP, NOP)], ids=len)
def test_an_access_takes_its_page_and_what_was_known_with_it(before: tuple[bytes, ...]) -> None:
    hart, owners = hart_of()
    hart.memory.write(PAGE, 41)
    hart.enter(*before, asm.ld(A0, A1), asm.c_addi(A0, 1), asm.c_sd(A0, A1), ECALL, a1=PAGE)
    owners.give(PAGE, 0, let_go=12_000)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.memory.read(PAGE), owners.owner(PAGE), hart.count) == (42, MINE, len(before) + 4)
    assert hart.core.visible >= 12_000


@pytest.mark.parametrize("first", range(1, 8))
def test_a_store_over_the_end_of_a_page_needs_both(first: int) -> None:
    """What it had stored before it waited is not stored again: others may have stored there since."""
    hart, owners = hart_of()
    hart.memory.write(PAGE - 8, 1, 1)
    hart.enter(asm.sd(A2, A1), ECALL, a1=PAGE - first, a2=VALUE)
    owners.give(PAGE - 8, MINE)
    owners.give(PAGE, ANOTHERS)
    hart.core.run_until(hart.core.time + 1000, False, True)
    assert hart.core.blocked == (0, (PAGE - RAM) // 0x1000, True)
    assert hart.count == 0
    hart.memory.write(PAGE - 8, THEIRS)
    owners.give(PAGE - 8, ANOTHERS)
    assert hart.stay() == RiscvExit.ECALL
    stored = hart.memory.ram[PAGE - RAM : PAGE - RAM + 8 - first]
    assert bytes(stored) == VALUE.to_bytes(8, "little")[first:]
    assert hart.count == 2


def test_a_page_of_the_tables() -> None:
    """A walk needs them like any load."""
    hart, owners = hart_of(3)
    table = TABLES + 0x4_0000
    hart.memory.write(hart.tables.place(0x40_0000, 1), entry(table, 0))
    hart.memory.write(table, entry(DATA))
    hart.memory.write(DATA, 77)
    hart.enter(C_NOP, asm.ld(A0, A1), ECALL, a1=0x40_0000)
    owners.give(table, ANOTHERS)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, (table - RAM) // 0x1000, False)
        assert (hart.core.pc, hart.count) == (hart.at + 2, 1)
    hart.memory.write(table, entry(PAGE))
    hart.memory.write(PAGE, 78)
    owners.give(table, MINE)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.count) == (78, 3)


@pytest.mark.parametrize("offset", [0, 2, 0xFF0])
@pytest.mark.parametrize("levels", [0, 3], ids=["bare", "sv39"])
def test_code_of_anothers_page(levels: int, offset: int) -> None:
    hart, owners = hart_of(levels)
    hart.load(PAGE + offset, asm.c_li(A0, 1), ECALL)
    hart.enter(C_NOP, asm.jalr(ZERO, A1), a1=PAGE + offset)
    owners.give(PAGE, ANOTHERS)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, (PAGE - RAM) // 0x1000, False)
        assert (hart.core.pc, hart.count) == (PAGE + offset, 2)
    hart.load(PAGE + offset, asm.c_li(A0, 2), ECALL)
    owners.give(PAGE, MINE)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.count) == (2, 4)


@pytest.mark.parametrize("levels", [0, 3], ids=["bare", "sv39"])
@pytest.mark.parametrize("way", [0, 1, 2, 50])
@pytest.mark.parametrize("step", [C_NOP, NOP], ids=["c.nop", "nop"])
def test_an_instruction_whose_other_half_is_anothers(levels: int, way: int, step: bytes) -> None:
    hart, owners = hart_of(levels)
    line = [step] * way
    begin = PAGE - 2 - sum(map(len, line))
    instruction = asm.addi(A0, A0, 0x123)
    hart.load(begin, *line, instruction, ECALL)
    hart.enter(asm.jalr(ZERO, A1), a1=begin, a0=1)
    owners.give(PAGE, ANOTHERS)
    for _ in range(3):
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked == (0, (PAGE - RAM) // 0x1000, False)
        assert (hart.core.pc, hart.core.x[A0], hart.count) == (PAGE - 2, 1, 1 + way)
    hart.load(PAGE, asm.addi(A0, A0, 0x125)[2:], ECALL)
    owners.give(PAGE, MINE)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.count) == (0x126, 1 + way + 2)


def test_a_straight_line_over_pages_of_others() -> None:
    """Each page is asked for where the line comes to it, and never before."""
    hart, owners = hart_of()
    start = CODE + 0x2_0000
    line = [C_NOP, NOP, asm.c_addi(A0, 1)] * 1500
    end = hart.load(start, *line, ECALL)
    hart.enter(asm.jalr(ZERO, A1), a1=start, a0=0)
    pages = range(start, end, 0x1000)
    for page in pages:
        owners.give(page, ANOTHERS)
    for page in pages:
        hart.core.run_until(hart.core.time + 100_000, False, True)
        assert hart.core.blocked == (0, (page - RAM) // 0x1000, False)
        assert page - 4 < hart.core.pc <= page
        owners.give(page, MINE)
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.count) == (1500, len(line) + 2)


def test_code_and_data_on_one_page() -> None:
    """Which goes to another and comes back with other data and other code."""
    hart, owners = hart_of()
    loop = (asm.ld(A0, A1), asm.c_addi(A0, 1), asm.c_sd(A0, A1), ECALL)
    hart.load(PAGE, *loop, asm.c_j(-len(b"".join(loop))))
    hart.enter(at=PAGE, a1=PAGE + 0x800)
    for n in range(1, 6):
        owners.give(PAGE, ANOTHERS)
        hart.core.run_until(hart.core.time + 1000, False, True)
        assert hart.core.blocked is not None
        hart.memory.write(PAGE + 0x800, 100 * n)
        hart.load(PAGE + 4, asm.c_addi(A0, n))
        owners.give(PAGE, MINE)
        assert hart.stay() == RiscvExit.ECALL
        assert hart.memory.read(PAGE + 0x800) == 101 * n


@pytest.mark.parametrize("rounds", [40])
def test_pages_that_come_and_go_change_nothing(rounds: int) -> None:
    """A loop of loads, stores and atomic operations on pages that another takes away all the time."""

    def course(taken_away: bool) -> tuple[list[int], int, bytes]:
        hart, owners = hart_of(3)
        body = (
            asm.ld(A3, A1),
            asm.c_addi(A3, 3),
            asm.c_sd(A3, A1),
            asm.amo("add", "d", A3, A3, A1),
            asm.fld(1, A1, 8),
            asm.fsd(1, A1, 16),
            asm.addi(A2, A2, -1),
        )
        hart.enter(*body, asm.bne(A2, ZERO, -len(b"".join(body))), ECALL, a1=PAGE + 0x10, a2=rounds)
        while True:
            if taken_away:
                owners.give(PAGE, ANOTHERS)
            why = hart.core.run_until(hart.core.time + 30, False, taken_away and hart.count % 3 == 0)
            if hart.core.blocked:
                owners.give(PAGE, MINE)
                why = hart.core.run_until(hart.core.time + 1)
            if why == RiscvExit.ECALL:
                return list(hart.core.x), hart.count, bytes(hart.memory.ram[PAGE - RAM : PAGE - RAM + 0x40])

    assert course(True) == course(False)
