"""What the vGIC says beforehand of an interrupt from another VM is what comes of it, and its end undoes all of that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.armv8.cpu import LR_ACTIVE, Exit
from baonet.hyp.cpu import FROM_IPC, NOTE_DELIVERED, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.messages import IpcNotify
from baonet.machine.armv8 import Armv8Vm
from tests.hyp.armv8.virtual_interface import Gicv, Icc
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import GIC_V2, GIC_V3, MAILBOX, armv8, machine, mailbox, vm

GICD = 0x0800_0000
IPC = 52
NOTIFY = IpcNotify(0, 0)
WORDS = (0x100, 0x180, 0x200, 0x280, 0x300, 0x380)  # ISENABLER to ICACTIVER


def enabled(version: int) -> tuple[Fabric, Guest]:
    """A guest that has enabled the interrupt, with priority, and has had it once."""
    gic = GIC_V3 if version == 3 else GIC_V2
    first = vm(0, arch=Armv8Vm(gic), ipcs=(mailbox(IPC),), interrupts=(27, 33, 40))
    fabric = Fabric(machine(first, vm(1, ipcs=(mailbox(60),)), shared_memory=(MAILBOX,), arch=armv8(gic)))
    guest = fabric.guest(0, 0)
    guest.open()
    guest.store(GICD, 3)
    guest.store(GICD + 0x100 + IPC // 32 * 4, 1 << IPC % 32)
    guest.store(GICD + 0x400 + IPC, 0x80, size=1)
    if version == 2:
        guest.store(GICD + 0x800 + IPC, 1, size=1)
    guest.pcpu.message(1, NOTIFY)
    assert guest.take() == IPC
    return fabric, guest


def state(guest: Guest) -> dict[str, Any]:
    saved = guest.pcpu.save(lambda message: message)
    return {name: value for name, value in saved.items() if name not in ("exits", "received")}


def registers(guest: Guest, version: int, *, end: bool) -> int:
    interface = guest.cpu.interface
    if not end:
        return interface.read(Icc.IAR1) if version == 3 else interface.read_frame(Gicv.IAR)
    if version == 3:
        interface.write(Icc.EOIR1, IPC)
    else:
        interface.write_frame(Gicv.EOIR, IPC)
    return IPC


stores = st.tuples(st.sampled_from(WORDS), st.integers(0, 2), st.sampled_from((1 << IPC % 32, 1 << 8, 1, 0x110)))
actions = st.one_of(
    st.just("take"),
    st.just("line"),
    st.tuples(st.sampled_from((IPC, 33, 40)), st.sampled_from((0x20, 0xA0))),  # priority
    stores,
)


def act(fabric: Fabric, guest: Guest, action: Any, sequence: int) -> None:
    match action:
        case "take":
            guest.take()
        case "line":
            guest.pcpu.line(33, sequence & 1, sequence)
        case (intid, priority):
            guest.store(GICD + 0x400 + intid, priority, size=1)
        case (register, n, value):
            guest.store(GICD + register + 4 * n, value)
    fabric.settle()


@pytest.mark.parametrize("version", [2, 3])
@given(st.lists(actions, max_size=8), st.booleans())
@settings(max_examples=60)
def test_an_expected_interrupt_is_there_as_was_said(version: int, before: list[Any], acknowledged: bool) -> None:
    fabric, guest = enabled(version)
    for sequence, action in enumerate(before, 1):
        act(fabric, guest, action, sequence)
    pcpu, ich = guest.pcpu, guest.cpu.ich
    idle, listed = state(guest), list(ich)
    expected = pcpu.expects(NOTIFY)
    assert (state(guest), list(ich)) == (idle, listed), "it was only asked"
    if expected is None:
        return
    interrupt, place, value = expected
    guest.cpu.notes.clear()
    pcpu.message(1, NOTIFY)
    notes = [(NOTE_RAISED, IPC, FROM_IPC, 0), (NOTE_PENDING, IPC, 0, 0), (NOTE_DELIVERED, IPC, 0, 0)]
    assert (interrupt, guest.cpu.notes, pcpu.effects) == (IPC, notes, [])
    assert list(ich) == [value if n == place else each for n, each in enumerate(listed)]
    if acknowledged and registers(guest, version, end=False) != IPC:
        return  # a better one was there
    held, there = state(guest), list(ich)
    if acknowledged:
        registers(guest, version, end=True)
    else:
        ich[place] &= ~(1 << 62)  # as if it had
    pcpu.on_exit(Exit.MAINTENANCE)
    listed[place] = 0
    assert (state(guest), list(ich)) == (idle, listed)
    ich[:] = there
    pcpu.caught_up([], 0, 0, NOTIFY)
    assert (state(guest), list(ich), pcpu.effects) == (held, there, [])


@pytest.mark.parametrize("version", [2, 3])
def test_what_is_expected(version: int) -> None:
    _, guest = enabled(version)
    expected = guest.pcpu.expects(NOTIFY)
    assert expected is not None
    assert (expected[:2], expected[2] & LR_ACTIVE) == ((IPC, 0), 0)
    assert guest.pcpu.expects(IpcNotify(0, 1)) is None, "an event that has no interrupt"
    guest.pcpu.message(1, NOTIFY)
    assert guest.pcpu.expects(NOTIFY) is None, "it is there"
    assert guest.take() == IPC
    assert guest.pcpu.expects(NOTIFY) == expected
    guest.store(GICD + 0x180 + IPC // 32 * 4, 1 << IPC % 32)
    assert guest.pcpu.expects(NOTIFY) is None, "it is disabled"


def test_what_was_done_in_its_place_is_counted() -> None:
    _, guest = enabled(3)
    guest.pcpu.caught_up([(Exit.HVC, 5), (Exit.MAINTENANCE, 3)], 4, 2, None)
    statistics = guest.pcpu.statistics()
    assert (statistics.exits["HVC"], statistics.exits["MAINTENANCE"]) == (5, 4)
    assert (statistics.sent["IpcNotify"], statistics.received["IpcNotify"]) == (4, 3)
