"""What the bus refuses: the guest takes a synchronous external abort at EL1, whatever kind of access it was."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR, EXIT_IPA, Exit
from tests.core.bench import GICV, RAM, UART, Bench, Memory, address, retired, run
from tests.core.test_aborts import ATOMICS, LOADS, OFFSETS, STORES, UNDESCRIBED_LOADS, UNDESCRIBED_STORES, enter, tables

NOTHING = UART + 0x8000
DATA_ABORT_AT_EL1 = 0x25 << 26 | 1 << 25
FETCH_ABORT_AT_EL1 = 0x21 << 26 | 1 << 25
EXTERNAL_ABORT, EXTERNAL_ABORT_ON_WALK = 0x10, 0x14
WRITE = 1 << 6
FETCH_ABORT_AT_EL2 = 0x20 << 26 | 1 << 25
PERMISSION_FAULT = 0x0F


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench(gic_version=2)
    bench.core.map_unassigned(UART, 0x1_0000)
    return bench


def refused(bench: Bench, routine: str, base: int) -> int:
    """Run an access that the bus refuses. The guest has no vectors, so it leaves at the first. Returns ESR_EL1."""
    enter(bench, routine, base, 0x1122_3344_5566_7788, x2=5)
    before, count = list(bench.core.x)[:31], retired(bench.core)
    assert run(bench.core) == Exit.FAULT
    assert bench.core.pc == bench.core.exit[EXIT_FAR] == 0x200, "the vector of this exception"
    assert list(bench.core.x)[:31] == before, "nothing was done"
    assert retired(bench.core) == count
    state = bench.core.state()
    assert (state["elr_el1"], state["far_el1"]) == (address(routine), base + OFFSETS.get(routine, 0))
    return state["esr_el1"]


@pytest.mark.parametrize("routine", [*LOADS, *UNDESCRIBED_LOADS])
def test_a_load_where_nothing_answers(bench: Bench, routine: str) -> None:
    assert hex(refused(bench, routine, NOTHING)) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT)


@pytest.mark.parametrize("routine", [*STORES, *UNDESCRIBED_STORES])
def test_a_store_where_nothing_answers(bench: Bench, routine: str) -> None:
    assert hex(refused(bench, routine, NOTHING)) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT | WRITE)


def test_a_register_that_a_uart_has_not() -> None:
    bench = Bench(Memory(kind="16550"))
    for offset in (8, 0xFFF):
        assert hex(refused(bench, "ldrb", UART + offset)) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT)
        assert hex(refused(bench, "strb", UART + offset)) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT | WRITE)


@pytest.mark.parametrize("where", [NOTHING, UART], ids=["nothing", "uart"])
@pytest.mark.parametrize("routine", ATOMICS)
def test_an_atomic_operation(bench: Bench, routine: str, where: int) -> None:
    """No device here has any. WnR is 0: a load would be refused as well (Arm ARM D24.2.40, WnR)."""
    assert hex(refused(bench, routine, where)) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT)


@pytest.mark.parametrize("where", [UART, UART + 0x804, NOTHING, GICV])
def test_a_fetch_from_a_device_is_a_fault_of_stage_2(bench: Bench, where: int) -> None:
    """Bao maps devices execute-never: it gets the exception, and has no handler for it."""
    assert bench.go("branch", where) == Exit.FAULT
    assert bench.core.pc == where
    assert hex(bench.core.exit[EXIT_ESR]) == hex(FETCH_ABORT_AT_EL2 | PERMISSION_FAULT)
    assert (bench.core.exit[EXIT_FAR], bench.core.exit[EXIT_IPA]) == (where, where)


@pytest.mark.parametrize("where", [UART, NOTHING], ids=["uart", "nothing"])
def test_a_translation_table_in_a_device(bench: Bench, where: int) -> None:
    """The first level is in RAM, the second is not."""
    assert bench.go("set_vectors") == Exit.HVC
    bench.call("translated_load", 0x20_0000, x21=tables(bench.memory, where))
    state = bench.core.state()
    assert hex(state["esr_el1"]) == hex(DATA_ABORT_AT_EL1 | EXTERNAL_ABORT_ON_WALK | 2)
    assert state["far_el1"] == 0x20_0000


def test_a_translation_table_in_a_device_seen_by_a_fetch(bench: Bench) -> None:
    """It takes the exception at a vector that cannot be fetched either, again and again."""
    bench.enter("translated_load", 0, x21=NOTHING)
    assert run(bench.core, 100_000) == Exit.BUDGET
    assert hex(bench.core.state()["esr_el1"]) == hex(FETCH_ABORT_AT_EL1 | EXTERNAL_ABORT_ON_WALK | 1)


def test_what_answers_in_the_window_still_does(bench: Bench) -> None:
    assert bench.go("ldr_w", UART + 0xFE0) == Exit.HVC
    assert bench.core.x[3] == 0x11, "the first byte of the PL011's identification"
    assert bench.go("ldr_w", UART + 0x1_0000) == Exit.DATA_ABORT, "behind the window there is no mapping"
    assert bench.core.translate(RAM) == RAM
