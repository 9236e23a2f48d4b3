"""Code and translation tables that change: what a guest's own maintenance reaches, on this vCPU and on the others."""

from __future__ import annotations

import mmap

import pytest

from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, Bench, Memory

FUNCTION = RAM + 0x8_0000
DATA_ABORT = 0x25
MANY = 40  # more than what a slot has room for
TABLES = RAM + 0x10_0000
LEVEL2 = TABLES + 0x1000
LEVEL3 = TABLES + 0x2000
TARGETS = RAM + 0x20_0000
RETURN = 0xD65F_03C0 << 32


def returns(value: int) -> int:
    """MOVZ w0, #value; RET."""
    return RETURN | 0x5280_0000 | value << 5


class Pair:
    """Two vCPUs of one VM, in turn. Each has its translations and TLBs."""

    def __init__(self) -> None:
        self.memory = Memory(cores=2)
        self.benches = [Bench(self.memory, n) for n in range(2)]
        for bench in self.benches:
            bench.enter("nothing")

    def call(self, core: int, function: int = FUNCTION) -> int:
        bench = self.benches[core]
        bench.core.x[9] = 0
        bench.call("calls", function, 1)
        return bench.core.x[9]

    def change(self, core: int, value: int, *, coherent: bool = True, lines: int = 1) -> None:
        self.benches[core].call("new_lines", FUNCTION, returns(value), x3=int(coherent), x4=lines)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_vcpu_sees_the_code_that_it_changed(pair: Pair) -> None:
    for value in range(1, 20):
        pair.change(0, value)
        assert pair.call(0) == value


@pytest.mark.parametrize("writer", [0, 1])
def test_the_other_vcpu_sees_it_too(pair: Pair, writer: int) -> None:
    for value in range(1, 20):
        pair.change(writer, value)
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_one_line_of_a_page_that_both_run(pair: Pair) -> None:
    """The writer has translations of the page itself, so it stays code."""
    pair.memory.write(FUNCTION + 0x800, returns(99))
    for value in range(1, 20):
        pair.change(0, value)
        assert [pair.call(core, FUNCTION + 0x800) for core in (0, 1)] == [99, 99]
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_more_lines_than_there_is_room_for(pair: Pair) -> None:
    """While the other vCPU is out of its guest: what is queued for it becomes all."""
    functions = [FUNCTION + 0x1000 * n for n in range(MANY)]
    for value in (1, 2):
        pair.change(0, value, lines=MANY)
        assert [pair.call(1, function) for function in functions] == [value] * MANY


def test_all_at_once(pair: Pair) -> None:
    """IC IALLUIS reaches what a vCPU has changed, line by line or not."""
    pair.memory.write(FUNCTION + 0x800, returns(99))
    for value in range(1, 10):
        assert pair.call(0, FUNCTION + 0x800) == 99, "the writer has translations of the page"
        pair.change(0, value, coherent=False)
        pair.benches[0].call("synchronise_all")
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_a_line_that_somebody_else_changed(pair: Pair) -> None:
    """A device or the hypervisor: nothing sees that before IC IVAU."""
    for value in range(1, 10):
        pair.memory.write(FUNCTION, returns(value))
        pair.benches[1].call("synchronise_line", FUNCTION)
        assert [pair.call(core) for core in (0, 1)] == [value, value]


def test_shared_memory_that_another_vm_changed() -> None:
    """Its stores are seen by nobody here, so IC IALLUIS takes all code there for changed."""
    memory, shared = Memory(), mmap.mmap(-1, 0x1000)
    memory.code_map = mmap.mmap(-1, mmap.PAGESIZE)
    bench = Bench(memory)
    base = 0x7000_0000
    bench.core.map_ram(base, 0x1000, shared, 0, True)
    bench.enter("nothing")
    for value in range(1, 10):
        shared[:8] = returns(value).to_bytes(8, "little")
        bench.call("synchronise_all")
        bench.core.x[9] = 0
        bench.call("calls", base, 1)
        assert bench.core.x[9] == value


def test_a_store_beside_code_leaves_the_code(pair: Pair) -> None:
    """Data in a page of code may change all the time; the translations stay."""
    pair.change(0, 7)
    pair.call(0)
    before = pair.benches[0].core.statistics()["blocks_translated"]
    pair.benches[0].call("stores", 100, 5, FUNCTION + 0x400)
    for _ in range(50):
        pair.benches[0].call("stores", 100, 5, FUNCTION + 0x400)
        assert pair.call(0) == 7
    after = pair.benches[0].core.statistics()["blocks_translated"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before < 10
    assert [pair.memory.read(FUNCTION + 0x400 + 8 * n) for n in range(100)] == list(range(5, 105))


def test_code_that_became_data_is_fast_again(pair: Pair) -> None:
    """Maintenance of a page of which no code is left costs a look at a map."""
    core = pair.benches[0].core
    pair.change(0, 1, lines=MANY)
    before = core.statistics()["lines_invalidated"]
    pair.change(0, 2, lines=MANY)
    assert core.statistics()["lines_invalidated"] == before


# Translation tables


def map_targets(memory: Memory, count: int, shift: int) -> None:
    """VA 0 on: page n is target n + shift. A gigabyte of RAM at its own address."""
    memory.write(TABLES, LEVEL2 | 3, RAM | 0x701)
    memory.write(LEVEL2, LEVEL3 | 3)
    for n in range(count):
        memory.write(LEVEL3 + 8 * n, descriptor(n + shift))


def descriptor(target: int) -> int:
    return TARGETS + 0x1000 * target | 0x703


def translated(count: int) -> Pair:
    pair = Pair()
    map_targets(pair.memory, count, 0)
    for n in range(2 * count):
        pair.memory.write(TARGETS + 0x1000 * n, 1000 + n)
    for bench in pair.benches:
        assert bench.go("translated_load", 0, x21=TABLES) == Exit.HVC
        bench.call("set_vectors")
    return pair


def reads(pair: Pair, core: int, count: int) -> list[int]:
    return [pair.benches[core].call("ldr_x", 0x1000 * n) for n in range(count)]


def faults(bench: Bench) -> list[int]:
    """The exception classes that the guest's handler has seen: the last, as often as it was called."""
    return [bench.core.x[15]] * bench.core.x[16]


@pytest.mark.parametrize(
    "operation", ["vmalle1is", "aside1is", "vae1is", "vaae1is", "vale1is", "vaale1is"], ids=str.upper
)
def test_a_changed_descriptor_is_seen_by_both(operation: str) -> None:
    pair = translated(2)
    for target in (2, 3, 0, 2):
        assert reads(pair, 1, 2)[1] == reads(pair, 0, 2)[1]
        operand = 0 if operation == "aside1is" else 1
        pair.benches[0].call(f"tlbi_{operation}", LEVEL3 + 8, descriptor(target), operand)
        assert [reads(pair, core, 2) for core in (0, 1)] == [[1000, 1000 + target]] * 2


def test_more_pages_than_there_is_room_for() -> None:
    pair = translated(MANY)
    assert reads(pair, 1, MANY) == [1000 + n for n in range(MANY)]
    for n in range(MANY):
        pair.benches[0].call("tlbi_vae1is", LEVEL3 + 8 * n, descriptor(n + MANY), n)
    assert reads(pair, 1, MANY) == [1000 + n + MANY for n in range(MANY)]


def test_a_page_made_invalid_faults_on_both() -> None:
    pair = translated(2)
    reads(pair, 1, 2)
    pair.benches[0].call("tlbi_vae1is", LEVEL3 + 8, 0, 1)
    for bench in pair.benches:
        bench.call("ldr_x", 0x1000)
        assert faults(bench) == [DATA_ABORT]


def test_a_descriptor_for_reading_only_refuses_a_store() -> None:
    """The page is not written to once the TLBI is through, though both had it writable in their TLBs."""
    pair = translated(2)
    for bench in pair.benches:
        bench.call("str_x", 0x1000, 1001)
    pair.benches[0].call("tlbi_vae1is", LEVEL3 + 8, descriptor(1) | 1 << 7, 1)
    for bench in pair.benches:
        bench.call("str_x", 0x1000, 5)
        assert faults(bench) == [DATA_ABORT]
        assert pair.memory.read(TARGETS + 0x1000) == 1001
