"""What happens within one block of guest code is told in the order in which it happened."""

from __future__ import annotations

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import (
    EXIT_INTID,
    EXIT_REGISTER,
    EXIT_VALUE,
    HCR_EN,
    ICH_AP1R0,
    ICH_HCR,
    ICH_VMCR,
    LR_ACTIVE,
    LR_EOI,
    LR_GROUP,
    LR_HW,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    VMCR_VENG1,
    VMCR_VPMR_SHIFT,
    Exit,
)
from tests.core import virtual
from tests.core.bench import UART, UART_INTID, Bench, address, run
from tests.core.virtual import write

TX = 0x20
OTHER_UART, OTHER_INTID = UART + 0x1000, 40
WINDOW = 0x0800_0000
CTL, CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
SGI1R = 3 << 14 | 0 << 11 | 12 << 7 | 11 << 3 | 5


def bench() -> Bench:
    """Two UARTs that have sent something: UARTIMSC moves their lines."""
    bench = Bench()
    bench.core.map_uart("pl011", OTHER_UART, bytearray(_node.UART_STATE_SIZE), 0, OTHER_INTID)
    for uart in (UART, OTHER_UART):
        assert bench.go("str_w", uart, 0x41) == Exit.HVC
    return bench


def told(bench: Bench, routine: str, *arguments: int) -> list[tuple[object, ...]]:
    """Every exit until the call at the end, with its details."""
    core = bench.core
    for n, value in enumerate(arguments):
        core.x[n] = value
    core.pc = address(routine)
    seen: list[tuple[object, ...]] = []
    while (reason := run(core)) != Exit.HVC:
        match reason:
            case Exit.LINE:
                seen.append((reason, core.exit[EXIT_INTID], core.exit[EXIT_VALUE]))
            case Exit.SYSTEM_REGISTER:
                seen.append((reason, core.exit[EXIT_REGISTER], core.exit[EXIT_VALUE]))
                core.pc += 4
            case Exit.MAINTENANCE:
                seen.append((reason,))
                core.ich[0] = 0
            case _:
                seen.append((reason, core.exit[EXIT_INTID]))
    return seen


def handling(bench: Bench, *intids: int, link: bool) -> None:
    """The guest handles these, the last one innermost."""
    ich = bench.core.ich
    ich[ICH_HCR] = HCR_EN
    ich[ICH_VMCR] = 0xF8 << VMCR_VPMR_SHIFT | VMCR_VENG1
    ich[ICH_AP1R0] = 0
    for n, intid in enumerate(intids):
        priority = 0x80 - 8 * n
        ich[n] = intid | priority << LR_PRIORITY_SHIFT | LR_GROUP | LR_ACTIVE
        ich[n] |= LR_HW | intid << LR_PINTID_SHIFT if link else LR_EOI
        ich[ICH_AP1R0] |= 1 << (priority >> 3)


def test_a_line_that_falls_before_its_interrupt_is_ended() -> None:
    """In the other order a level that is still up at the end fires once more."""
    machine = bench()
    assert told(machine, "move_lines", UART, TX, OTHER_UART)
    handling(machine, UART_INTID, link=True)
    assert told(machine, "lower_and_end", UART, 0, 0, UART_INTID) == [
        (Exit.LINE, UART_INTID, 2 << 1 | 0),
        (Exit.DEACTIVATED, UART_INTID),
    ]


def test_a_line_that_falls_before_maintenance_is_due() -> None:
    machine = bench()
    assert told(machine, "move_lines", UART, TX, OTHER_UART)
    handling(machine, 50, link=False)
    assert told(machine, "lower_and_end", UART, 0, 0, 50) == [
        (Exit.LINE, UART_INTID, 2 << 1 | 0),
        (Exit.MAINTENANCE,),
    ]


def test_lines_of_several_uarts() -> None:
    """Every move, whatever the numbers of the UARTs."""
    assert told(bench(), "move_lines", UART, TX, OTHER_UART) == [
        (Exit.LINE, OTHER_INTID, 1 << 1 | 1),
        (Exit.LINE, UART_INTID, 1 << 1 | 1),
        (Exit.LINE, OTHER_INTID, 2 << 1 | 0),
    ]


def test_a_line_before_an_sgi() -> None:
    assert told(bench(), "move_and_send", UART, TX, 0, 0x500_0001) == [
        (Exit.LINE, UART_INTID, 1 << 1 | 1),
        (Exit.SYSTEM_REGISTER, SGI1R, 0x500_0001),
    ]


def test_a_line_before_an_emulated_access() -> None:
    """The access is done once, after the hypervisor has heard of the line."""
    machine = bench()
    loads: list[int] = []

    def read(ipa: int, size: int) -> int:
        loads.append(ipa)
        assert not pending
        return 0x77

    machine.core.emulate(((WINDOW, 0x1000),), read, lambda *_: True, [])
    pending = True
    for n, value in enumerate((UART, TX, 0, WINDOW + 4)):
        machine.core.x[n] = value
    machine.core.pc = address("move_and_load")
    assert run(machine.core) == Exit.LINE
    assert loads == []
    pending = False
    before = machine.core.statistics()["instructions"]
    assert run(machine.core) == Exit.HVC
    assert (loads, machine.core.x[3]) == ([WINDOW + 4], 0x77)
    assert machine.core.statistics()["instructions"] == before + 2  # type: ignore[operator]


def test_an_abort_is_told_after_what_came_before_it() -> None:
    machine = bench()
    for n, value in enumerate((UART, TX, 0, WINDOW + 4)):
        machine.core.x[n] = value
    machine.core.pc = address("move_and_load")
    assert [run(machine.core), run(machine.core)] == [Exit.LINE, Exit.DATA_ABORT]
    assert machine.core.pc == address("move_and_load") + 4


def test_a_line_before_a_wait() -> None:
    """The guest goes on, as after a wake-up that had no reason: it looks again."""
    assert told(bench(), "move_and_wait", UART, TX)[0] == (Exit.LINE, UART_INTID, 1 << 1 | 1)


def test_a_timer_that_fires_in_the_block_before_a_line_moves() -> None:
    store, store_mask = 0xB900_0002, 0xB900_3801  # STR w2, [x0]; STR w1, [x0, #0x38]
    core = virtual.core(write(CVAL, 3), write(CTL, 1), *[virtual.NOP] * 40, store, store_mask, virtual.HVC)
    core.x[0], core.x[1], core.x[2] = UART, TX | 1, 0x41
    core.x[3] = 1  # the first tick is in the NOPs
    assert [core.run_until(1000) for _ in range(3)] == [Exit.INTERRUPT, Exit.LINE, Exit.HVC]


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_line_that_moves_all_the_time(blocks: int) -> None:
    """No move of a block is lost, and each block is left."""
    moves = [value for _, _, value in told(bench(), "move_often", UART, TX, 0, blocks)]
    assert moves == [n << 1 | n & 1 for n in range(1, 400 * blocks + 1)]


def test_what_a_device_does_is_not_forgotten_by_a_reset() -> None:
    machine = bench()
    machine.core.x[0], machine.core.x[1], machine.core.x[2] = UART, TX, OTHER_UART
    machine.core.pc = address("move_lines")
    assert run(machine.core) == Exit.LINE
    machine.core.reset(address("nothing"), 0)
    assert [machine.core.take_event() for _ in range(3)] == [Exit.LINE, Exit.LINE, -1]
    assert run(machine.core) == Exit.HVC
