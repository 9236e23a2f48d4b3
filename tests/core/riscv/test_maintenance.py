"""Code and translation tables that change: what fences of a hart, and those for the others, reach."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, FENCE_VMA_ASID, LOAD_PAGE, RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, C_RET, ECALL, RA, ZERO
from tests.core.riscv.bench import DATA, RAM, Hart, Memory, Taken, entry

FUNCTION = RAM + 0x8_0000
VA = 0x12_3456_7000
MANY = 40  # more than what a slot has room for
CALL = (asm.jalr(RA, A1), ECALL)


def returns(value: int, *, compressed: bool = False) -> bytes:
    return (asm.c_li(A0, value) if compressed else asm.addi(A0, ZERO, value)) + C_RET


class Pair:
    """Two harts of one VM, in turn. Each has its translations and TLBs."""

    def __init__(self, levels: int = 0, clock: str = "host") -> None:
        self.memory = Memory(cores=2)
        self.memory.code_map = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        self.harts = [Hart(clock, memory=self.memory, index=n, levels=levels) for n in range(2)]
        if levels:
            self.harts[0].tables = self.harts[1].tables
            self.harts[0].translate(self.harts[1].tables)
        self._at = [RAM + 0x2_0000 * (n + 1) for n in range(2)]

    def go(self, core: int, *code: bytes, **registers: int) -> Hart:
        """Code is at a new place each time, so that nothing has to be told of it; no translation is in the way."""
        hart = self.harts[core]
        at = self._at[core]
        self.memory.load(at, b"".join(code))
        self._at[core] += -(-sum(map(len, code)) // 4) * 4
        assert self._at[core] < RAM + 0x2_0000 * (core + 2)
        hart.enter(at=at, user=False, **registers)
        assert hart.stay() == RiscvExit.ECALL, hart.trap
        return hart

    def call(self, core: int, function: int = FUNCTION) -> int:
        return self.go(core, *CALL, a1=function, a0=0xBAD).core.x[A0]

    def change(self, core: int, code: bytes, *last: bytes, at: int = FUNCTION) -> None:
        """The guest stores it, a half at a time, and does what it does ``last``."""
        halves = [int.from_bytes(code[n : n + 2], "little") for n in range(0, len(code), 2)]
        stores = [asm.store("h", A2 + n, A1, 2 * n) for n in range(len(halves))]
        self.go(core, *stores, *last, ECALL, a1=at, **{f"a{2 + n}": value for n, value in enumerate(halves)})

    def fence(self, core: int, what: int = FENCE_I, start: int = 0, size: int = 0) -> None:
        """As the hypervisor does it for one of them, for both."""
        self.harts[core].core.fence((0, 1), what, start, size, 0)


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.mark.parametrize("compressed", [False, True], ids=["4 bytes", "2 bytes"])
def test_a_hart_sees_the_code_that_it_changed(pair: Pair, compressed: bool) -> None:
    for value in range(1, 20):
        pair.change(0, returns(value, compressed=compressed), asm.fence_i())
        assert pair.call(0) == value


def test_only_half_an_instruction_changes(pair: Pair) -> None:
    pair.change(0, returns(0x123), asm.fence_i())
    for value in range(1, 20):
        pair.change(0, returns(value << 4 | 3)[2:4], asm.fence_i(), at=FUNCTION + 2)
        assert pair.call(0) == value << 4 | 3


def test_code_that_changes_itself(pair: Pair) -> None:
    """Within one page, and within what could be one block."""
    target = asm.addi(A0, ZERO, 7)
    code = (asm.store("w", A2, A1), asm.fence_i(), asm.addi(A0, ZERO, 1), ECALL)
    value = int.from_bytes(target, "little")
    for core in (0, 1):
        at = pair._at[core] + 8
        assert pair.go(core, *code, a1=at, a2=value).core.x[A0] == 7


@pytest.mark.parametrize("writer", [0, 1])
def test_a_remote_fence_reaches_both(pair: Pair, writer: int) -> None:
    for value in range(1, 20):
        pair.change(writer, returns(value))
        pair.fence(writer)
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_a_fence_of_the_other_hart_itself(pair: Pair) -> None:
    """The writer's stores are seen by whoever fences after them."""
    for value in range(1, 20):
        pair.change(0, returns(value))
        pair.go(1, asm.fence_i(), ECALL)
        assert pair.call(1) == value


def test_one_function_of_a_page_that_both_run(pair: Pair) -> None:
    pair.memory.load(FUNCTION + 0x800, returns(99))
    for value in range(1, 20):
        pair.change(0, returns(value))
        pair.fence(0)
        assert [pair.call(core, FUNCTION + 0x800) for core in (0, 1)] == [99, 99]
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_more_pages_of_code_than_there_is_room_for(pair: Pair) -> None:
    """While the other hart is out of its guest."""
    functions = [FUNCTION + 0x1000 * n for n in range(MANY)]
    for value in (1, 2, 3):
        for function in functions:
            pair.change(0, returns(value), at=function)
        pair.fence(0)
        assert [pair.call(1, function) for function in functions] == [value] * MANY


def test_shared_memory_that_another_vm_changed() -> None:
    """Its stores are seen by nobody here, so FENCE.I takes all code there for changed."""
    pair, shared, base = Pair(), mmap.mmap(-1, 0x1000), 0x7000_0000
    for hart in pair.harts:
        hart.core.map_ram(base, 0x1000, shared, 0, True)
    for value in range(1, 10):
        shared[:6] = returns(value)
        pair.go(0, asm.fence_i(), ECALL)
        pair.fence(1)
        assert [pair.call(core, base) for core in (0, 1)] == [value, value]


@pytest.mark.parametrize("pages", [1, 15, 16, 17])
def test_fence_i_leaves_the_code_behind_shared_memory(pages: int) -> None:
    """Not a page more than the region has is taken for changed, wherever it ends."""
    pair, memory, base = Pair(), mmap.mmap(-1, 0x1000 * (pages + 2)), 0x7000_0000
    core = pair.harts[0].core
    core.map_ram(base, 0x1000 * pages, memory, 0, True)
    core.map_ram(base + 0x1000 * pages, 0x2000, memory, 0x1000 * pages, False)

    def translated(page: int) -> int:
        before = core.statistics()["blocks_translated"]
        assert pair.call(0, base + 0x1000 * page) == page
        after = core.statistics()["blocks_translated"]
        assert isinstance(before, int)
        assert isinstance(after, int)
        return after - before - len(CALL)  # which is at a new place each time, and of two blocks

    for page in range(pages + 2):
        memory[0x1000 * page : 0x1000 * page + 6] = returns(page)
        assert translated(page) == 1
    for page in range(pages + 2):
        pair.go(0, asm.fence_i(), ECALL)
        assert translated(page) == (page < pages)


def test_a_store_beside_code_leaves_the_code(pair: Pair) -> None:
    """Data in a page of code may change all the time; the translations stay."""
    pair.change(0, returns(7), asm.fence_i())
    pair.call(0)
    stores = (asm.sd(A2, A1), asm.addi(A1, A1, 8), asm.addi(A2, A2, -1), asm.bne(A2, ZERO, -12), ECALL)
    pair.go(0, *stores, a1=FUNCTION + 0x400, a2=100)
    before = pair.harts[0].core.statistics()["blocks_translated"]
    for _ in range(50):
        pair.go(0, *stores, a1=FUNCTION + 0x400, a2=100)
        assert pair.call(0) == 7
    after = pair.harts[0].core.statistics()["blocks_translated"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before < 50 * 6, "of code that is new each time, and not of the function"
    assert [pair.memory.read(FUNCTION + 0x400 + 8 * n) for n in range(100)] == list(range(100, 0, -1))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(1, 31)), min_size=1, max_size=12))
@settings(max_examples=25)
def test_any_order_of_changes_and_fences(steps: list[tuple[int, int, int]]) -> None:
    pair = Pair()
    functions = [FUNCTION + 0x40 * n for n in range(3)]
    values = [1, 2, 3]
    for function, value in zip(functions, values, strict=True):
        pair.memory.load(function, returns(value))
    for core, function, value in steps:
        values[function] = value
        pair.change(core, returns(value, compressed=bool(value & 1)), at=functions[function])
        pair.fence(core)
        for each in (0, 1):
            assert [pair.call(each, function) for function in functions] == values


# Translation tables


def test_a_changed_entry_is_seen_by_both() -> None:
    pair = Pair(levels=3)
    tables = pair.harts[0].tables
    targets = [DATA + 0x1000 * n for n in range(4)]
    for n, target in enumerate(targets):
        pair.memory.write(target, 1000 + n)
    tables.map(VA, targets[0])

    def reads() -> list[int]:
        return [pair.go(core, asm.ld(A0, A1), ECALL, a1=VA).core.x[A0] for core in (0, 1)]

    assert reads() == [1000, 1000]
    for n, (what, size) in enumerate(
        [(FENCE_VMA, 0x1000), (FENCE_VMA, (1 << 64) - 1), (FENCE_VMA, 0), (FENCE_VMA_ASID, 0x1000), (FENCE_VMA, 0x1000)]
    ):
        target = (n + 1) % 4
        tables.map(VA, targets[target])
        pair.fence(n & 1, what, VA if size not in (0, (1 << 64) - 1) else 0, size)
        assert reads() == [1000 + target] * 2, n


@pytest.mark.parametrize("first", [0, 1, 20])
def test_a_range_of_pages(first: int) -> None:
    """All pages of it, whether they are fewer than what a slot has room for or more; and however it is aligned."""
    pair = Pair(levels=3)
    tables = pair.harts[0].tables
    for n in range(MANY):
        pair.memory.write(DATA + 0x1000 * n, n)
        tables.map(VA + 0x1000 * n, DATA + 0x1000 * n)

    def read(core: int, n: int) -> int:
        return pair.go(core, asm.ld(A0, A1), ECALL, a1=VA + 0x1000 * n).core.x[A0]

    pages = range(first, MANY, 1 if first else 2)
    assert [read(1, n) for n in pages] == list(pages)
    for n in range(first, MANY):
        tables.map(VA + 0x1000 * n, DATA + 0x1000 * (n + MANY))
        pair.memory.write(DATA + 0x1000 * (n + MANY), n + MANY)
    pair.fence(0, FENCE_VMA, VA + 0x1000 * first + 0x800, 0x1000 * (MANY - first) - 0xFFF)
    assert [read(1, n) for n in pages] == [n + MANY for n in pages]


def test_a_page_made_invalid_faults_on_both() -> None:
    pair = Pair(levels=3)
    place = pair.harts[0].tables.map(VA, DATA)
    for core in (0, 1):
        pair.go(core, asm.ld(A0, A1), ECALL, a1=VA)
    pair.memory.write(place, 0)
    pair.fence(0, FENCE_VMA, VA, 0x1000)
    for core in (0, 1):
        hart = pair.go(core, asm.ld(A0, A1), ECALL, a1=VA)
        assert hart.taken is not None
        assert hart.taken.cause == LOAD_PAGE


def test_an_entry_for_reading_only_refuses_a_store_of_both() -> None:
    pair = Pair(levels=3)
    place = pair.harts[0].tables.map(VA, DATA)
    for core in (0, 1):
        pair.go(core, asm.sd(A0, A1), ECALL, a1=VA, a0=1001)
    pair.memory.write(place, entry(DATA, 0x43))
    pair.fence(1, FENCE_VMA, VA, 0x1000)
    for core in (0, 1):
        hart = pair.go(core, asm.sd(A0, A1), ECALL, a1=VA, a0=5)
        assert isinstance(hart.taken, Taken)
        assert pair.memory.read(DATA) == 1001


def test_a_fence_for_nobody_and_for_one() -> None:
    pair = Pair()
    pair.change(0, returns(1), asm.fence_i())
    assert [pair.call(core) for core in (0, 1)] == [1, 1]
    pair.change(0, returns(2))
    pair.harts[0].core.fence((), FENCE_I, 0, 0, 0)
    pair.harts[0].core.fence((1,), FENCE_I, 0, 0, 0)
    assert pair.call(1) == 2


def test_fences_in_virtual_time() -> None:
    """Each hart has its own translations there; a fence reaches them all the same."""
    pair = Pair(clock="virtual")
    for value in range(1, 10):
        pair.change(value & 1, returns(value))
        pair.fence(value & 1)
        assert [pair.call(core) for core in (0, 1)] == [value, value]


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_what_another_vm_writes_to_memory_of_both(clock: str) -> None:
    """Nobody here sees it, so FENCE.I forgets all code there, from the first to the last page of it."""
    page, before, shared = mmap.PAGESIZE, 5, 38
    memory = Memory()
    size = len(memory.ram)
    memory.code_map = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    hart = Hart(clock, memory=memory)
    other = mmap.mmap(-1, (before + shared) * page)
    at = RAM + size
    hart.core.map_ram(at, before * page, other, 0)
    hart.core.map_ram(at + before * page, shared * page, other, before * page, True)
    tried = (before - 1, before, before + 10, before + 11, before + 27, before + shared - 1)

    def call(value: int) -> Iterator[int]:
        """What is there returns after that was put there from outside, and a fence."""
        for n in tried:
            other[n * page : n * page + 6] = returns(value)
        assert hart.go(asm.fence_i(), ECALL) == RiscvExit.ECALL
        for n in tried:
            assert hart.go(*CALL, a1=at + n * page) == RiscvExit.ECALL
            yield hart.core.x[A0]

    assert list(call(1)) == [1] * len(tried)
    assert list(call(2)) == [1, *[2] * (len(tried) - 1)], "what is the VM's own nobody else writes to"
