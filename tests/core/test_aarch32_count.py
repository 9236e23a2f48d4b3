"""A32 and T32 retire exactly what runs, wherever an exception or the host comes between: random programs, a model."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _node
from baonet.hyp.armv8.cpu import Exit
from tests.core.el0 import A32, CODE, DATA, T32, UNMAPPED, El0, Taken, halves, words
from tests.examples import examples

HZ = 1_000_000_000
N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28
EXAMPLES = settings(max_examples=examples(60), report_multiple_bugs=False)


def holds(condition: int, flags: int) -> bool:
    """ConditionHolds of the Arm ARM, for flags in the bits of PSTATE."""
    n, z, c, v = (bool(flags & bit) for bit in (N, Z, C, V))
    base = (z, c, n, v, c and not z, n == v, n == v and not z, True)[condition >> 1]
    return base != bool(condition & 1 and condition != 15)


@dataclass
class Program:
    """``code``; ``at``: offset and condition of each instruction; ``fails``: those that fault if they run."""

    code: bytes = b""
    at: list[tuple[int, int]] = field(default_factory=list)
    fails: set[int] = field(default_factory=set)

    def add(self, code: bytes, condition: int = 14, *, fails: bool = False) -> None:
        if fails:
            self.fails.add(len(self.at))
        self.at.append((len(self.code), condition))
        self.code += code

    def stop(self, flags: int) -> int:
        """Which instruction takes the exception: a failing one whose condition holds, or the call at the end."""
        return next((n for n in sorted(self.fails) if holds(self.at[n][1], flags)), len(self.at) - 1)

    def check(self, taken: Taken, flags: int, start: int) -> None:
        stop = self.stop(flags)
        call = stop not in self.fails
        here = self.at[stop][0]
        assert taken.retired == stop + call
        assert taken.elr - start == (len(self.code) if call else here)


# None of these changes the flags. r7 is an address that is not mapped, r6 one that is.
NARROW = [0xBF00, 0x4608, 0x4411, 0x6832, 0x6032, 0xB2C3, 0xBF40]  # NOP, MOV, ADD, LDR [r6], STR [r6], UXTB, SEV
WIDE = [(0xF102, 0x0201), (0xF8D6, 0x2000), (0xEA83, 0x0302), (0xF3AF, 0x8000), (0xE8D6, 0x2FAF), (0xF3BF, 0x8F5B)]
NARROW_FAILS = [0x683B, 0x603B, 0xDE01]  # LDR [r7], STR [r7], UDF
WIDE_FAILS = [(0xF8D7, 0x3000), (0xE8D7, 0x3F4F), (0xF7F0, 0xA001), (0xE8C7, 0x3F8F)]  # LDR.W, LDREXB, UDF.W, STLB


@st.composite
def thumb(draw: st.DrawFn) -> Program:
    program = Program()

    def one(condition: int = 14) -> None:
        fails = draw(st.integers(0, 11)) == 0
        if draw(st.booleans()):
            program.add(halves(draw(st.sampled_from(NARROW_FAILS if fails else NARROW))), condition, fails=fails)
        else:
            program.add(halves(*draw(st.sampled_from(WIDE_FAILS if fails else WIDE))), condition, fails=fails)

    for _ in range(draw(st.integers(1, 40))):
        if draw(st.integers(0, 3)):
            one()
            continue
        condition, length = draw(st.integers(0, 13)), draw(st.integers(1, 4))
        others = [draw(st.booleans()) for _ in range(length - 1)]  # whether each has the opposite condition
        mask = sum(((condition & 1) ^ other) << 3 - n for n, other in enumerate(others)) | 1 << 4 - length
        program.add(halves(0xBF00 | condition << 4 | mask))
        one(condition)
        for other in others:
            one(condition ^ other)
    program.add(halves(0xDF00))
    return program


SAME = [0x01A00000, 0x02822001, 0x05962000, 0x05862000, 0x00233002, 0x0320F000, 0x0320F004]
FAILS = [0x05973000, 0x05873000, 0x07F000F0, 0x01D73F9F, 0x08970018]  # LDR, STR, UDF (always), LDREXB, LDM


@st.composite
def arm(draw: st.DrawFn) -> Program:
    program = Program()
    for _ in range(draw(st.integers(1, 60))):
        fails = draw(st.integers(0, 11)) == 0
        word = draw(st.sampled_from(FAILS if fails else SAME))
        condition = 14 if word == 0x07F000F0 else draw(st.integers(0, 14))
        program.add(words(condition << 28 | word), condition, fails=fails)
    program.add(words(0xEF00_0000))
    return program


def all_ways(program: Program, state: int, start: int, *, flags: int, budgets: list[int], kicks: list[bool]) -> None:
    """At once, in pieces of other sizes with kicks between, and in virtual time turn by turn: the same end."""
    host, virtual = shared()

    def enter(el0: El0) -> None:
        el0.memory.write(DATA, 0)
        el0.enter(state, program.code, start, flags=flags, r6=DATA, r7=UNMAPPED + 8)

    enter(host)
    once = host.finish()
    program.check(once, flags, start)

    enter(host)
    for n in range(2000):
        if kicks[n % len(kicks)]:
            _node.kick(host.memory.slots, 0)
        left = host.core.run(budgets[n % len(budgets)])
        if left == Exit.HVC:
            break
        assert left in (Exit.BUDGET, Exit.KICKED)
    assert host.taken() == once

    enter(virtual)
    time = virtual.core.time
    assert virtual.core.run_until(time + 1_000_000) == Exit.HVC
    spent = virtual.core.time - time
    assert virtual.taken() == once
    enter(virtual)
    time = limit = virtual.core.time
    for n in range(2000):
        limit += budgets[n % len(budgets)]
        if virtual.core.run_until(limit) == Exit.HVC:
            break
    assert virtual.taken() == once
    assert virtual.core.time - time == spent


_shared: list[El0] = []


def shared() -> list[El0]:
    if not _shared:
        _shared.extend((El0(), El0(hz=HZ)))
    return _shared


STARTS = st.integers(0, 64).map(lambda halves: CODE + 0x1000 - 2 * halves)  # a page boundary may come anywhere
FLAGS = st.builds(lambda n: n << 28, st.integers(0, 15))
BUDGETS = st.lists(st.integers(1, 25), min_size=1, max_size=5)
KICKS = st.lists(st.booleans(), max_size=3).map(lambda kicks: [*kicks, False])  # a kick comes before what would run


@EXAMPLES
@given(thumb(), STARTS, FLAGS, BUDGETS, KICKS)
def test_t32(program: Program, start: int, flags: int, budgets: list[int], kicks: list[bool]) -> None:
    all_ways(program, T32, start, flags=flags, budgets=budgets, kicks=kicks)


@EXAMPLES
@given(arm(), STARTS, FLAGS, BUDGETS, KICKS)
def test_a32(program: Program, start: int, flags: int, budgets: list[int], kicks: list[bool]) -> None:
    all_ways(program, A32, start & ~3, flags=flags, budgets=budgets, kicks=kicks)


@pytest.mark.parametrize(("routine", "each"), [("a32_work", 9), ("t32_work", 10)])
@pytest.mark.parametrize("budget", [1, 7, 1000, 1 << 30])
def test_a_loop_in_stays_of_any_length(routine: str, each: int, budget: int) -> None:
    host = shared()[0]
    host.routine(routine, r0=100, r1=DATA)
    for _ in range(2000):
        left = host.core.run(budget)
        if left == Exit.HVC:
            break
        assert left == Exit.BUDGET
    taken = host.taken()
    assert taken.retired == 100 * each + 2
    assert taken.r == shared()[1].call(routine, r0=100, r1=DATA).r
