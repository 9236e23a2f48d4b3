"""Loops of A64 that wait for the counter."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import baonet.core.native
from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, Memory
from tests.core.owners import Owners
from tests.core.polling import compare, foreseen
from tests.core.virtual import FREQUENCY, HVC, HZ, ISB, LOOP, NOP, core, read, write
from tests.examples import examples

CNTFRQ, CNTPCT, CNTVCT, CNTV_CTL, CNTV_CVAL = (
    (3, 3, 14, 0, 0),
    (3, 3, 14, 0, 1),
    (3, 3, 14, 0, 2),
    (3, 3, 14, 3, 1),
    (3, 3, 14, 3, 2),
)
DATA: Final = RAM + 0x4000
TICK: Final = HZ // FREQUENCY
CONSTANTS: Final = tuple(range(10, 16))
BASE: Final = 20
YIELD: Final = 0xD503203F
BIT_MASKS: Final = (0x1000, 0x100007, 0x1F00, 0x10FC00, 0x101C00, 0x13F000, 0x7C00, 0x103800)
"""N, immr and imms in their places: those with 0x100000 << 2 have N."""


@dataclass
class Guest:
    core: native.Core
    memory: Memory

    def seen(self) -> tuple[object, ...]:
        return (
            self.core.time,
            self.core.pc,
            list(self.core.x),
            self.core.state(),
            instructions(self),
            self.memory.ram[0x4000:0x4100],
        )


def instructions(run: Guest) -> int:
    count = run.core.statistics()["instructions"]
    assert isinstance(count, int)
    return count


def guest(code: list[int], registers: dict[int, int], begin: int = 0, data: bytes = b"") -> Guest:
    memory = Memory()
    made = core(*code, memory=memory)
    memory.load(DATA, data)
    for number, value in registers.items():
        made.x[number] = value
    if begin:
        made.skip_to(begin)
    return Guest(made, memory)


def add(to: int, source: int, immediate: int) -> int:
    return 0x91000000 | immediate << 10 | source << 5 | to


def branch(distance: int, condition: int | None = None) -> int:
    """``distance``: in instructions."""
    if condition is None:
        return 0x14000000 | distance & 0x3FFFFFF
    return 0x54000000 | (distance & 0x7FFFF) << 5 | condition


ARITHMETIC: Final = (
    "add",
    "add register",
    "add extended",
    "logical",
    "mask",
    "field",
    "madd",
    "umaddl",
    "umulh",
    "udiv",
    "shift",
)


@st.composite
def operations(draw: st.DrawFn, fresh: list[int], among: tuple[str, ...] = ()) -> int:
    """One that computes something, of what was computed in this iteration, mostly; no register is a base but x20.

    ``among``: the only ones, of nothing else and constants.
    """
    wide = draw(st.booleans()) << 31

    def source() -> int:
        fitting = [*fresh[-2:], *fresh[-2:], *CONSTANTS]
        if not among:
            fitting = [*fresh, *fresh, *CONSTANTS, 31, *range(1, 10)][: 2 * len(fresh) + 7 + draw(st.integers(0, 9))]
        number: int = draw(st.sampled_from(fitting))
        return number

    bits = st.integers(0, 63)
    to = draw(st.integers(1, 9))
    a, b, c, six, other = source(), source(), source(), draw(bits), draw(bits)
    small = six if wide else six & 31
    wide_bit = wide >> 9  # N of a bit field
    offset = draw(st.integers(0, 7))
    kinds = {
        "add": 0x11000000 | draw(st.booleans()) << 30 | draw(st.booleans()) << 22 | draw(st.integers(0, 0xFFF)) << 10,
        "adds": 0x31000000 | 1 << 30 | draw(st.integers(0, 0xFFF)) << 10,
        "add register": 0x0B000000 | draw(st.booleans()) << 30 | draw(st.integers(0, 2)) << 22 | b << 16 | small << 10,
        "subs register": 0x6B000000 | draw(st.integers(0, 2)) << 22 | b << 16 | small << 10,
        "add extended": 0x0B200000
        | draw(st.booleans()) << 30
        | b << 16
        | draw(st.integers(0, 7)) << 13
        | draw(st.integers(0, 4)) << 10,
        "logical": 0x0A000000
        | draw(st.integers(0, 3)) << 29
        | draw(st.integers(0, 3)) << 22
        | draw(st.booleans()) << 21
        | b << 16
        | small << 10,
        "mask": 0x12000000
        | draw(st.integers(0, 3)) << 29
        | (draw(st.sampled_from(BIT_MASKS)) & 0xFFFFF)
        | wide_bit & draw(st.sampled_from((0, 1 << 22))),
        "field": 0x13000000
        | draw(st.sampled_from((0, 2))) << 29
        | wide_bit
        | small << 16
        | (other if wide else other & 31) << 10,
        "wide": 0x12800000
        | draw(st.sampled_from((0, 2, 3))) << 29
        | draw(st.integers(0, 1)) << 21
        | draw(st.integers(0, 0xFFFF)) << 5,
        "madd": 0x1B000000 | b << 16 | draw(st.booleans()) << 15 | c << 10,
        "umaddl": 0x9B200000 | draw(st.sampled_from((0, 1 << 23))) | b << 16 | c << 10,
        "umulh": 0x9BC07C00 | b << 16,
        "udiv": 0x1AC00800 | b << 16,
        "shift": 0x1AC02000 | b << 16 | draw(st.integers(0, 3)) << 10,
        "select": 0x1A800000
        | draw(st.booleans()) << 30
        | draw(st.booleans()) << 10
        | draw(st.integers(0, 15)) << 12
        | b << 16,
        "compare if": 0x7A400000
        | draw(st.booleans()) << 11
        | draw(st.integers(0, 15)) << 12
        | b << 16
        | draw(st.integers(0, 15)),
        "store": 0x39000000 | draw(st.integers(0, 3)) << 30 | offset << 10,
        "load": 0x39400000 | draw(st.integers(0, 3)) << 30 | offset << 10,
        "load signed": 0x39800000 | draw(st.integers(0, 2)) << 30 | offset << 10,
        "load pair": 0x29400000 | offset << 15 | ((to + 1) % 9 + 1) << 10,
        "store pair": 0x29000000 | offset << 15 | b << 10,
        "adr": 0x10000000 | wide | draw(st.integers(0, 0x3FF)) << 5,
        "if zero": 0x34000000 | draw(st.booleans()) << 24 | 1 << 5,
        "if bit": 0x36000000 | draw(st.booleans()) << 24 | small % 32 << 19 | 1 << 5,
        "if": 0x54000020 | draw(st.integers(0, 13)),
        "frequency": read(CNTFRQ, to),
        "nothing": draw(st.sampled_from((NOP, ISB, 0xD5033BBF, YIELD))),
    }
    kind = draw(st.sampled_from(among or sorted(kinds)))
    word = kinds[kind]
    if kind in {"if", "nothing", "frequency"}:
        return word
    if kind in {"store", "load", "load signed"}:
        word |= BASE << 5
    elif "pair" in kind:
        word |= wide | BASE << 5
    elif kind in {"if zero", "if bit"}:
        return word | wide | a
    elif kind in {"wide", "adr"}:
        word |= wide
    elif kind == "compare if":
        return word | wide | a << 5
    elif kind in {"add", "add extended"}:
        word |= wide | (a if a != 31 else 10) << 5  # SP is none of those that are computed with here
    elif kind in {"umaddl", "umulh"}:
        word |= a << 5
    else:
        word |= wide | a << 5
    fresh.append(to)
    return word | (a if "store" in kind else to)


@st.composite
def loops(draw: st.DrawFn) -> list[int]:
    fresh: list[int] = []
    before = [draw(operations(fresh)) for _ in range(draw(st.integers(0, 2)))]
    fresh = [0, 0]
    body = [read(draw(st.sampled_from((CNTPCT, CNTVCT))), 0)]
    body += [draw(operations(fresh)) for _ in range(draw(st.integers(0, 5)))]
    compared = draw(st.sampled_from(fresh)), draw(st.sampled_from(CONSTANTS))
    left, right = compared if draw(st.booleans()) else compared[::-1]
    body.append(0x6B00001F | draw(st.booleans()) << 31 | right << 16 | left << 5)
    body.append(branch(2, draw(st.integers(0, 13))))
    return [*before, *body, branch(-len(before) - len(body)), HVC, LOOP]


NUMBERS: Final = st.one_of(
    st.integers(0, 300),
    st.integers(0, (1 << 64) - 1),
    st.sampled_from([1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1]),
)
BEGINS: Final = st.one_of(
    st.just(0),
    st.integers(1, 5_000),
    st.sampled_from([1 << 31, 1 << 32, 1 << 36, 1 << 16]).flatmap(
        lambda ticks: st.integers((ticks - 200) * TICK, (ticks + 20) * TICK)
    ),
)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")
def test_what_is_known_of_values_between_two_is_so(tmp_path: Path) -> None:
    program = tmp_path / "spans"
    native = next(iter(baonet.core.native.__path__))
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-I", native]
    subprocess.run(["gcc", *flags, "-o", program, Path(__file__).with_name("spans.c")], check=True)
    done = subprocess.run([program, "1", "200000"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout) > 20_000


@given(
    loops(),
    BEGINS,
    st.lists(NUMBERS, min_size=15, max_size=15),
    st.lists(st.integers(-300, 300), min_size=6, max_size=6),
    st.data(),
)
@settings(max_examples=examples(60))
def test_iterations_that_are_left_out_leave_no_trace(
    code: list[int], begin: int, numbers: list[int], near: list[int], data: st.DataObject
) -> None:
    registers = {number + 1: value for number, value in enumerate(numbers)}
    for number, distance in zip(CONSTANTS, near, strict=True):  # of most: something is to come of it
        if data.draw(st.integers(0, 3)):
            registers[number] = (begin // TICK + distance) % (1 << 64)
    registers |= {0: 0, BASE: DATA}
    content = data.draw(st.binary(min_size=64, max_size=64))
    stops = data.draw(st.lists(st.integers(200, 3_000), max_size=2))
    whole, stepped = (guest(code, registers, begin, content) for _ in range(2))
    compare(whole, stepped, stops, Exit.BUDGET)


def around(value: int) -> st.SearchStrategy[int]:
    return st.integers(-3, 3).map(lambda distance: (value + distance) % (1 << 64))


@given(st.data())
@settings(max_examples=examples(60))
def test_a_loop_ends_in_the_iteration_that_has_what_it_waits_for(data: st.DataObject) -> None:
    """What it compares with is what it computes at some tick, or beside that; sums pass the ends of words then."""
    begin = data.draw(BEGINS) // TICK * TICK
    target = begin // TICK + data.draw(st.integers(30, 220))
    ends = [0, 1, 3, 1 << 16, 1 << 60, target, *(end - target for end in (1 << 31, 1 << 32, 1 << 63, 1 << 64))]
    registers = {number: data.draw(st.sampled_from(ends).flatmap(around)) for number in CONSTANTS[:-1]}
    fresh = [0]
    computed = [data.draw(operations(fresh, ARITHMETIC)) for _ in range(data.draw(st.integers(0, 3)))]
    result, limit = fresh[-1], CONSTANTS[-1]
    left, right = data.draw(st.permutations((result, limit)))
    beside = data.draw(st.sampled_from((add(limit, result, 0), add(limit, result, 1), add(limit, result, 1) | 1 << 30)))
    wait = [
        read(CNTVCT, 0),
        *computed,
        0x6B00001F | data.draw(st.booleans()) << 31 | right << 16 | left << 5,
        branch(2, data.draw(st.integers(0, 13))),
    ]
    code = [*computed, beside, *wait, branch(-len(wait)), HVC]
    whole, stepped = (guest(code, registers | {0: target}, begin) for _ in range(2))
    compare(whole, stepped, [], Exit.BUDGET)


DELAY: Final = (
    branch(7) | 1 << 31,  # bl
    0xEB13001F,  # cmp x0, x19
    branch(-2, 3),  # b.lo
    HVC,
    LOOP,
    NOP,
    NOP,
    ISB,
    read(CNTPCT, 0),
    0xB9000280,  # str w0, [x20]
    0xD65F03C0,  # ret
)
"""As U-Boot's: the call is what the branch goes back to."""


def test_a_delay_takes_a_few_of_its_iterations() -> None:
    run = guest(list(DELAY), {19: 625_000, BASE: DATA})
    assert run.core.run_until(1 << 40) == Exit.HVC
    assert run.core.x[0] == 625_000
    assert run.core.time in range(10_000_000, 10_000_030)
    assert instructions(run) - foreseen(run) < 300
    assert int.from_bytes(run.memory.ram[0x4000:0x4004], "little") == 625_000


def test_a_timer_is_not_passed_over() -> None:
    masked = [0xD2800021, write(CNTV_CVAL, 2), write(CNTV_CTL, 1), ISB, read(CNTVCT, 0), branch(-1)]  # for ever
    run = guest(masked, {2: 1_000})
    assert run.core.run_until(1 << 30) == Exit.INTERRUPT
    assert run.core.time in range(16_000, 16_004)
    assert foreseen(run) > 15_000


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("a count", add(1, 1, 1)),
        ("what the iteration before has stored", 0xB9400281),  # ldr w1, [x20], of str w0 below
        ("another register of the CPU", read((3, 0, 4, 2, 2), 1)),  # CurrentEL
        ("an address that moves", 0xB8606A81),  # ldr w1, [x20, x0]
        ("flags of the iteration before", 0x9A8A2541),  # csinc x1, x10, x10, hs
        ("floating point", 0x1E602800),  # fadd d0, d0, d0
    ],
)
def test_what_is_not_the_same_in_each_iteration_is_run(kind: str, word: int) -> None:
    code = [read(CNTVCT, 0), word, 0xB9000280, 0xEB13001F, branch(-4, 3), HVC]
    whole, stepped = (guest(code, {19: 150, BASE: DATA}) for _ in range(2))
    compare(whole, stepped, [], Exit.BUDGET)
    assert foreseen(whole) == 0, kind


def test_a_guest_that_others_wait_for_yields_in_each_iteration() -> None:
    code = [read(CNTVCT, 0), YIELD, branch(-2)]
    alone, polite = (guest(code, {}) for _ in range(2))
    assert alone.core.run_until(10_000) == Exit.BUDGET
    assert foreseen(alone) > 9_000
    for _ in range(30):
        assert polite.core.run_until(10_000, True) == Exit.BUDGET
        assert polite.core.yielded
    assert foreseen(polite) == 0


def test_a_page_that_another_may_take_is_not_written_after_that() -> None:
    owners = Owners()
    memory = Memory(2)
    first = core(*DELAY, memory=memory, owners=owners, cores=2, siblings=(1,))
    second = core(memory=memory, owners=owners, index=1, cores=2, siblings=(0,))
    memory.load(RAM + 0x1000, b"".join(word.to_bytes(4, "little") for word in (0xB9400281, HVC)))  # ldr w1, [x20]
    first.x[19], first.x[BASE], second.x[BASE] = 1 << 40, DATA, DATA
    for limit in range(5_000, 50_000, 5_000):
        assert first.run_until(limit) == Exit.BUDGET
        second.pc = RAM + 0x1000
        assert second.run_until(1 << 40) == Exit.HVC
        assert second.x[1] in range(limit // TICK - 3, limit // TICK + 3)
    assert foreseen(Guest(first, memory)) > 20_000
