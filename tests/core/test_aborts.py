"""Accesses to what stage 2 does not map: their syndromes, their emulation, and where they leave the guest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR, EXIT_IPA, Exit
from tests.core.bench import RAM, SIZE, Bench, Memory, address, core_of, retired, run
from tests.core.virtual import HVC, ISB, write

HOLE = 0x0A00_0000
WINDOW = 0x0800_0000

DATA_ABORT = 0x24 << 26 | 1 << 25
FETCH_ABORT = 0x20 << 26 | 1 << 25
TRANSLATION_FAULT = 0x07
EXTERNAL_ABORT = 0x10
WRITE = 1 << 6
STAGE1_WALK = 1 << 7


def described(size: int, register: int, *, wide: bool, signed: bool = False, ordered: bool = False) -> int:
    """ISV, SAS, SSE, SRT, SF, AR (Arm ARM D17.2.37, ISS encoding for an exception from a data abort)."""
    scale = size.bit_length() - 1
    return 1 << 24 | scale << 22 | signed << 21 | register << 16 | wide << 15 | ordered << 14


LOADS = {
    "ldrb": described(1, 3, wide=False),
    "ldrsb_w": described(1, 3, wide=False, signed=True),
    "ldrsb_x": described(1, 3, wide=True, signed=True),
    "ldrh": described(2, 3, wide=False),
    "ldrsh_w": described(2, 3, wide=False, signed=True),
    "ldrsh_x": described(2, 3, wide=True, signed=True),
    "ldr_w": described(4, 3, wide=False),
    "ldrsw": described(4, 3, wide=True, signed=True),
    "ldr_x": described(8, 3, wide=True),
    "ldr_offset": described(8, 30, wide=True),
    "ldr_register": described(4, 3, wide=False),
    "ldr_zero": described(8, 31, wide=True),
    "ldur": described(4, 3, wide=False),
    "ldtr": described(8, 3, wide=True),
    "ldar": described(4, 3, wide=False, ordered=True),
    "ldarb": described(1, 3, wide=False, ordered=True),
}
STORES = {
    "strb": described(1, 1, wide=False),
    "strh": described(2, 1, wide=False),
    "str_w": described(4, 1, wide=False),
    "str_x": described(8, 1, wide=True),
    "str_offset": described(2, 1, wide=False),
    "str_zero": described(4, 31, wide=False),
    "stur": described(8, 1, wide=True),
    "stlr": described(8, 1, wide=True, ordered=True),
    "stlrb": described(1, 1, wide=False, ordered=True),
}
OFFSETS = {"ldr_offset": 16, "ldr_register": 20, "ldur": -4, "str_offset": 6, "stur": -8, "ldr_pre": 8, "str_pre": -16}
UNDESCRIBED_LOADS = ("ldr_post", "ldr_pre", "ldp", "ldpsw", "ldr_s", "ldr_q", "ldp_q", "ld1", "ldxr", "ldaxrb", "ldxp")
UNDESCRIBED_STORES = ("str_post", "str_pre", "stp", "str_b", "str_d", "st1")
ATOMICS = ("ldadd", "stsetb", "swp", "cas", "casp")


ENABLE_FP = RAM + 0x8000
CPACR_EL1 = (3, 0, 1, 0, 2)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def enter(bench: Bench, routine: str, *arguments: int, **registers: int) -> None:
    """As ``Bench.enter``, with FP and SIMD enabled."""
    code = (write(CPACR_EL1, 0), ISB, HVC)
    bench.memory.load(ENABLE_FP, b"".join(word.to_bytes(4, "little") for word in code))
    bench.enter(routine, *arguments, **registers)
    wanted = list(bench.core.x)
    bench.core.pc, bench.core.x[0] = ENABLE_FP, 3 << 20
    assert run(bench.core) == Exit.HVC
    bench.core.pc, bench.core.x[0] = address(routine), wanted[0]


def abort(bench: Bench, routine: str, base: int = HOLE) -> int:
    """Run an access that nobody emulates. Returns its syndrome."""
    enter(bench, routine, base, 0x1122_3344_5566_7788, x2=5)
    before = list(bench.core.x)
    assert run(bench.core) == Exit.DATA_ABORT
    assert bench.core.pc == address(routine)
    assert list(bench.core.x) == before, "nothing was done yet"
    target = base + OFFSETS.get(routine, 0)
    assert (bench.core.exit[EXIT_FAR], bench.core.exit[EXIT_IPA]) == (target, target)
    return bench.core.exit[EXIT_ESR]


@pytest.mark.parametrize("routine", LOADS)
def test_a_load_describes_itself(bench: Bench, routine: str) -> None:
    assert hex(abort(bench, routine)) == hex(DATA_ABORT | LOADS[routine] | TRANSLATION_FAULT)


@pytest.mark.parametrize("routine", STORES)
def test_a_store_describes_itself(bench: Bench, routine: str) -> None:
    assert hex(abort(bench, routine)) == hex(DATA_ABORT | STORES[routine] | WRITE | TRANSLATION_FAULT)


@pytest.mark.parametrize("routine", UNDESCRIBED_LOADS)
def test_other_loads_do_not(bench: Bench, routine: str) -> None:
    assert hex(abort(bench, routine)) == hex(DATA_ABORT | TRANSLATION_FAULT)


@pytest.mark.parametrize("routine", UNDESCRIBED_STORES)
def test_other_stores_do_not(bench: Bench, routine: str) -> None:
    assert hex(abort(bench, routine)) == hex(DATA_ABORT | WRITE | TRANSLATION_FAULT)


@pytest.mark.parametrize("routine", ATOMICS)
def test_atomic_operations_do_not(bench: Bench, routine: str) -> None:
    """WnR is 0 where a load would have faulted as well (Arm ARM D17.2.37, WnR)."""
    assert hex(abort(bench, routine)) == hex(DATA_ABORT | TRANSLATION_FAULT)


def test_a_fetch_is_a_fault_of_its_own(bench: Bench) -> None:
    assert bench.go("branch", HOLE) == Exit.FAULT
    assert bench.core.pc == HOLE
    assert hex(bench.core.exit[EXIT_ESR]) == hex(FETCH_ABORT | TRANSLATION_FAULT)
    assert (bench.core.exit[EXIT_FAR], bench.core.exit[EXIT_IPA]) == (HOLE, HOLE)


# Translation by the guest's own tables

TABLES = RAM + 0x10_0000
BLOCK = 0x701  # accessed, inner shareable
PAGES = TABLES + 0x1000


def tables(memory: Memory, second: int = PAGES) -> int:
    """39 bits of VA: a gigabyte block of RAM at its own address, and from 0 on the tables at ``second``."""
    memory.write(TABLES, second | 3, RAM | BLOCK)
    return TABLES


def test_the_ipa_of_a_translated_access(bench: Bench) -> None:
    memory = bench.memory
    third = PAGES + 0x1000
    memory.write(PAGES, third | 3)
    memory.write(third + 8 * 5, HOLE | 0x703)
    assert bench.go("translated_load", 0x5678, x21=tables(memory)) == Exit.DATA_ABORT
    assert bench.core.exit[EXIT_FAR] == 0x5678
    assert bench.core.exit[EXIT_IPA] == HOLE + 0x678
    assert hex(bench.core.exit[EXIT_ESR]) == hex(DATA_ABORT | LOADS["ldr_x"] | TRANSLATION_FAULT)
    assert bench.core.translate(0x5678) == HOLE + 0x678
    assert bench.core.translate(0x6000) is None
    assert bench.core.translate(RAM + 0x1234, True) == RAM + 0x1234


def test_zeroing_a_line_is_a_store_that_does_not_describe_itself(bench: Bench) -> None:
    memory = bench.memory
    third = PAGES + 0x1000
    memory.write(PAGES, third | 3)
    memory.write(third + 8 * 5, HOLE | 0x703)
    assert bench.go("translated_zva", 0x5678, x21=tables(memory)) == Exit.DATA_ABORT
    assert (bench.core.exit[EXIT_FAR], bench.core.exit[EXIT_IPA]) == (0x5678, HOLE + 0x678)
    assert hex(bench.core.exit[EXIT_ESR]) == hex(DATA_ABORT | WRITE | TRANSLATION_FAULT)


def test_a_load_across_the_end_of_ram_aborts(bench: Bench) -> None:
    """With translation on: a misaligned access to Device memory, which all is without, has a fault of its own."""
    assert bench.go("translated_load", RAM + SIZE - 4, x21=tables(bench.memory)) == Exit.DATA_ABORT
    assert bench.core.exit[EXIT_IPA] >> 12 == (RAM + SIZE) >> 12


def test_a_walk_that_leaves_ram(bench: Bench) -> None:
    """The IPA is that of the descriptor; what is at it is not valid data, so no ISV."""
    assert bench.go("translated_load", 0x20_0000, x21=tables(bench.memory, HOLE)) == Exit.DATA_ABORT
    assert bench.core.exit[EXIT_FAR] == 0x20_0000
    assert bench.core.exit[EXIT_IPA] == HOLE + 8
    assert hex(bench.core.exit[EXIT_ESR]) == hex(DATA_ABORT | STAGE1_WALK | TRANSLATION_FAULT)


def test_a_walk_of_a_fetch_that_leaves_ram(bench: Bench) -> None:
    assert bench.go("translated_load", 0, x21=HOLE) == Exit.FAULT
    assert bench.core.exit[EXIT_IPA] == HOLE + 8 * (RAM >> 30)
    assert hex(bench.core.exit[EXIT_ESR]) == hex(FETCH_ABORT | STAGE1_WALK | TRANSLATION_FAULT)


# Emulated windows


class Emulation:
    """A window whose accesses are recorded and answered as the test says."""

    def __init__(self, bench: Bench) -> None:
        self.seen: list[tuple[int, ...]] = []
        self.answer: Callable[[], int | None] = lambda: 0
        self.outbox: list[str] = []
        bench.core.emulate(((WINDOW, 0x1000),), self.read, self.write, self.outbox)

    def read(self, ipa: int, size: int) -> int | None:
        self.seen.append((ipa, size))
        return self.answer()

    def write(self, ipa: int, size: int, value: int) -> bool:
        self.seen.append((ipa, size, value))
        return bool(self.answer())


@pytest.fixture
def emulation(bench: Bench) -> Emulation:
    return Emulation(bench)


@pytest.mark.parametrize("routine", LOADS)
def test_an_emulated_load(bench: Bench, emulation: Emulation, routine: str) -> None:
    """The value is zero-extended, whatever the load asks for, as Bao does it."""
    register = LOADS[routine] >> 16 & 31
    size = 1 << (LOADS[routine] >> 22 & 3)
    value = 0xFEDC_BA98_7654_3281 & (1 << 8 * size) - 1
    emulation.answer = lambda: value
    bench.enter(routine, WINDOW + 0x40, x2=5)
    expected = list(bench.core.x)
    assert run(bench.core) == Exit.HVC
    if register < 31:
        expected[register] = value
    assert list(bench.core.x) == expected
    assert emulation.seen == [(WINDOW + 0x40 + OFFSETS.get(routine, 0), size)]


@pytest.mark.parametrize("routine", STORES)
def test_an_emulated_store(bench: Bench, emulation: Emulation, routine: str) -> None:
    emulation.answer = lambda: 1
    value = 0xFEDC_BA98_7654_3210
    size = 1 << (STORES[routine] >> 22 & 3)
    assert bench.go(routine, WINDOW + 0x40, value) == Exit.HVC
    stored = 0 if routine == "str_zero" else value & (1 << 8 * size) - 1
    assert emulation.seen == [(WINDOW + 0x40 + OFFSETS.get(routine, 0), size, stored)]


@pytest.mark.parametrize("routine", [*UNDESCRIBED_LOADS, *UNDESCRIBED_STORES, *ATOMICS])
def test_what_does_not_describe_itself_is_not_emulated(bench: Bench, emulation: Emulation, routine: str) -> None:
    abort(bench, routine, WINDOW + 0x40)
    assert not emulation.seen


def test_beside_the_window_nothing_is_emulated(bench: Bench, emulation: Emulation) -> None:
    for base in (WINDOW - 1, WINDOW + 0x1000):
        abort(bench, "ldrb", base)
    assert not emulation.seen


@pytest.mark.parametrize("routine", ["ldr_w", "str_w"])
def test_an_access_that_cannot_be_completed_now_is_an_abort(bench: Bench, emulation: Emulation, routine: str) -> None:
    emulation.answer = lambda: None
    abort(bench, routine, WINDOW)
    assert len(emulation.seen) == 1
    bench.core.pc += 4
    assert run(bench.core) == Exit.HVC, "the hypervisor has completed it"


class OutOfOrderError(Exception):
    pass


@pytest.mark.parametrize("routine", ["ldr_w", "str_w"])
def test_an_error_of_the_emulation_comes_out_of_run(bench: Bench, emulation: Emulation, routine: str) -> None:
    def fail() -> int:
        raise OutOfOrderError

    emulation.answer = fail
    bench.enter(routine, WINDOW)
    with pytest.raises(OutOfOrderError):
        bench.core.run(1000)
    assert bench.core.pc == address(routine)
    emulation.answer = lambda: 7
    assert run(bench.core) == Exit.HVC, "and the core still works"


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_a_value_that_no_register_holds(bench: Bench, emulation: Emulation, value: int) -> None:
    emulation.answer = lambda: value
    bench.enter("ldr_x", WINDOW)
    with pytest.raises(OverflowError):
        bench.core.run(1000)


def test_what_is_left_in_the_outbox_ends_the_stay_behind_the_access(bench: Bench, emulation: Emulation) -> None:
    def answer() -> int:
        emulation.outbox.append("to somebody")
        return 5

    emulation.answer = answer
    assert bench.go("ldr_w", WINDOW) == Exit.KICKED
    assert bench.core.pc == address("ldr_w") + 4
    assert bench.core.x[3] == 5
    emulation.outbox.clear()
    assert run(bench.core) == Exit.HVC


# What retires


def test_instructions_around_an_emulated_access_retire_once(bench: Bench, emulation: Emulation) -> None:
    emulation.answer = lambda: 9
    bench.enter("amid", WINDOW)
    before = retired(bench.core)
    assert run(bench.core) == Exit.HVC
    assert retired(bench.core) - before == 8
    assert list(bench.core.x)[3] == 9
    assert list(bench.core.x)[9:15] == [1, 2, 3, 4, 5, 6]


def test_an_access_that_aborts_does_not_retire(bench: Bench) -> None:
    bench.enter("amid", HOLE)
    before = retired(bench.core)
    assert run(bench.core) == Exit.DATA_ABORT
    assert retired(bench.core) - before == 3
    assert list(bench.core.x)[9:15] == [1, 2, 3, 0, 0, 0]
    bench.core.pc += 4
    assert run(bench.core) == Exit.HVC
    assert retired(bench.core) - before == 7


def test_memory_of_another_size_is_refused() -> None:
    memory = Memory()
    core = core_of(memory)
    for ipa, size, offset in (
        (1, 0x1000, 0),
        (0x5000_0000, 0x800, 0),
        (0x5000_0000, SIZE, 0x1000),
        (0x5000_0000, 0, 0),
    ):
        with pytest.raises(ValueError, match=r"pages|small"):
            core.map_ram(ipa, size, memory.ram, offset)
    with pytest.raises(ValueError, match="read-only"):
        core.map_ram(0x5000_0000, 0x1000, bytes(0x1000), 0)
