"""What the vCPUs of a VM translate in common: one makes it, and others' guests do what they would with their own."""

from __future__ import annotations

import mmap

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM, Memory, core_of, run
from tests.core.virtual import HVC, ISB, LOOP, write

ADD, SUB = 0x9100_0400, 0xD100_0400  # x0, x0, #1
BREAKPOINT_AT, BREAKPOINT, MONITOR = (2, 0, 0, 0, 4), (2, 0, 0, 0, 5), (2, 0, 0, 2, 2)  # DBGBVR0, DBGBCR0, MDSCR
VECTORS = (3, 0, 12, 0, 0)
UNLOCK = (2, 0, 1, 0, 4)  # OSLAR
EL1_BREAKPOINT = 0x1E3  # all four bytes, EL1 only, enabled
OF_EL1 = 1 << 15 | 1 << 13  # MDSCR_EL1.MDE, KDE
FEW = 1 << 20  # bytes, of which nearly half are for finding


def place(memory: Memory, *code: int, at: int = RAM) -> None:
    memory.load(at, b"".join(word.to_bytes(4, "little") for word in code))


def cores(memory: Memory) -> tuple[native.Core, native.Core]:
    return core_of(memory, 0), core_of(memory, 1)


def run_at_reset(core: native.Core, x0: int = 0) -> int:
    core.reset(RAM, x0)
    assert run(core) == Exit.HVC
    return core.x[0]


def made(memory: Memory) -> int:
    """Bytes of what has been made in common that are not zero."""
    return len(memory.translations) - memory.translations[:].count(0)


def test_most_is_made_once() -> None:
    """Or twice, where the library is so far from some cores' host code that calls there are longer."""
    memory = Memory(6)
    place(memory, *[ADD, ADD, 0x1400_0001] * 200, HVC)
    nothing = made(memory)
    all_cores = [core_of(memory, index) for index in range(6)]
    by_first = 0
    for number, core in enumerate(all_cores):
        assert run_at_reset(core, number) == 400 + number
        by_first = by_first or made(memory) - nothing
        assert core.statistics()["blocks_translated"] == all_cores[0].statistics()["blocks_translated"]
        assert core.statistics()["instructions"] == all_cores[0].statistics()["instructions"]
    assert 10_000 < by_first <= made(memory) - nothing < 2.5 * by_first
    for core in all_cores:
        before = made(memory)
        core.load(core.save())  # all its own translations are gone
        assert run_at_reset(core) == 400
        assert made(memory) == before


def test_other_bytes_at_the_same_place_are_another_block() -> None:
    memory = Memory(2)
    first, second = cores(memory)
    for code, expected in ((ADD, 11), (SUB, 9), (ADD, 11)):
        place(memory, code, HVC)
        for core in (first, second):
            core.load(core.save())  # nothing that was translated before is left
            assert run_at_reset(core, 10) == expected


def test_a_guest_that_writes_code_at_one_place_again_and_again() -> None:
    memory = Memory(2)
    both = cores(memory)
    for turn in range(200):
        place(memory, 0x9100_0000 | turn << 10, HVC)  # add x0, x0, #turn
        for core in both:
            core.load(core.save())
            assert run_at_reset(core, 1) == 1 + turn


def test_when_there_is_no_room_left_each_makes_its_own() -> None:
    memory = Memory(2)
    memory.translations = mmap.mmap(-1, FEW)
    both = cores(memory)
    for turn in range(0x800):
        at = RAM + 0x1_0000 + 0x800 * turn % 0x10_0000
        place(memory, *[ADD] * 200, HVC, at=at)
        for core in both:
            core.reset(at, turn)
            assert run(core) == Exit.HVC
            assert core.x[0] == turn + 200


def test_memory_that_is_too_small_is_refused() -> None:
    memory = Memory(2)
    memory.translations = mmap.mmap(-1, 4096)
    with pytest.raises(ValueError, match=r"translations: \d+ bytes to 4 GiB"):
        core_of(memory)


def test_a_cpu_of_another_model_makes_its_own() -> None:
    memory = Memory(2)
    place(memory, 0xB820_0041, HVC)  # ldadd w0, w1, [x2], which Cortex-A53 has not
    first, second = core_of(memory, 0), core_of(memory, 1, model=1)
    for core in (first, second):
        core.reset(RAM, 1)
        core.x[2] = RAM + 0x1000
    assert run(first) == Exit.HVC
    second.run(100)
    assert memory.read(RAM + 0x1000) == 1, "it is undefined there"


def test_a_breakpoint_of_one_is_none_of_the_others() -> None:
    """Whatever has been translated before, and by whom."""
    memory = Memory(2)
    code = RAM + 0x1000
    vectors = RAM + 0x2000
    place(memory, ADD, ADD, HVC, at=code)
    place(memory, 0xD280_0000 | 77 << 5, HVC, at=vectors + 0x200)  # mov x0, #77, for what comes from EL1
    debugs = [(UNLOCK, 31), (VECTORS, 3), (BREAKPOINT_AT, 1), (BREAKPOINT, 2), (MONITOR, 4)]
    # msr daifclr, #8: debug exceptions are taken
    place(memory, *[write(register, source) for register, source in debugs], ISB, 0xD503_48FF, 0xD61F_00A0)  # br x5
    plain, debugged = cores(memory)

    def go(core: native.Core, control: int) -> int:
        core.reset(RAM, 5)
        for number, value in ((1, code + 4), (2, control), (3, vectors), (4, OF_EL1), (5, code)):
            core.x[number] = value
        assert run(core) == Exit.HVC
        return core.x[0]

    assert [go(plain, 0), go(debugged, EL1_BREAKPOINT), go(plain, 0), go(debugged, 0)] == [7, 77, 7, 7]


def test_system_registers_are_each_core_s_own() -> None:
    """Blocks that read them have the addresses of a core's own tables."""
    memory = Memory(2)
    place(memory, virtual.read((3, 0, 0, 0, 5), 0), HVC)  # MPIDR_EL1
    assert [run_at_reset(core) & 0xFF for core in cores(memory)] == [0, 1]


def test_it_stops_in_a_block_of_another_s_making() -> None:
    memory = Memory(2)
    place(memory, ADD, LOOP)
    for core in cores(memory):
        core.reset(RAM, 0)
        assert core.run(1000) == Exit.BUDGET
        assert core.x[0] == 1
