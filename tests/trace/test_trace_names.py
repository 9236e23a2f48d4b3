"""What people read instead of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.hyp.armv8.cpu import Exit
from baonet.trace.head import header
from baonet.trace.names import Names
from baonet.trace.records import InterruptSource, Kind, VcpuState
from tests.trace.traces import HEADER


@pytest.mark.parametrize(
    ("kind", "a", "b", "c", "name"),
    [
        (Kind.EXIT, Exit.HVC, 0x4000_0000, 0xC400_0003, "HVC PSCI_CPU_ON"),
        (Kind.EXIT, Exit.SMC, 0, 0x8400_0008, "SMC PSCI_SYSTEM_OFF"),
        (Kind.EXIT, Exit.HVC, 0, 0x8600_0001, "HVC IPC"),
        (Kind.EXIT, Exit.HVC, 0, 0x1234, "HVC 0x1234"),
        (Kind.EXIT, Exit.DATA_ABORT, 0, 0x0800_0104, "data abort GICD_ISENABLER1"),
        (Kind.EXIT, Exit.DATA_ABORT, 0, 0x0A00_0018, "data abort 0xa000000"),
        (Kind.EXIT, Exit.DATA_ABORT, 0, 0x0900_0018, "data abort uart0+0x18"),
        (Kind.EXIT, Exit.SYSTEM_REGISTER, 0, 3 << 14 | 12 << 7 | 11 << 3 | 5, "access to ICC_SGI1R_EL1"),
        (Kind.EXIT, Exit.INTERRUPT, 0, 27, "interrupt 27 (virtual timer)"),
        (Kind.EXIT, Exit.MAINTENANCE, 0, 0, "maintenance"),
        (Kind.EXIT, Exit.DEACTIVATED, 0, 52, "deactivated 52"),
        (Kind.EXIT, Exit.LINE, 0, 33, "line 33"),
        (Kind.EXIT, Exit.FAULT, 0, 0x20 << 26, "fault: instruction abort"),
        (Kind.EXIT, Exit.FAULT, 0, 0x3C << 26, "fault: class 0x3c"),
        (Kind.EXIT, 99, 0, 0, "exit 99"),
        (Kind.ACCESS, 0x104, 0x0800_0000, 1, "store GICD_CTLR"),
        (Kind.ACCESS, 4, 0x080A_0014, 1, "load GICR_WAKER"),
        (Kind.ACCESS, 4, 0x080B_0100, 1, "load GICR_ISENABLER0"),
        (Kind.ACCESS, 8, 0x0800_6000 + 8 * 84, 1, "load GICD_IROUTER84"),
        (Kind.ACCESS, 4, 0x0800_FFE8, 1, "load GICD+0xffe8"),
        (Kind.ACCESS, 4, 0x0800_0010, 1, "load GICD+0x10"),
        (Kind.RAISED, 27, InterruptSource.TIMER, 0, "27 (virtual timer) raised by timer"),
        (Kind.RAISED, 3, 9, 0, "SGI 3 raised by source 9"),
        (Kind.PENDING, 84, 0, 0, "84 pending"),
        (Kind.ACKNOWLEDGED, 2 << 10 | 3, 0, 0, "SGI 3 acknowledged"),
        (Kind.SENT, 37, 7 << 16 | 1, 0, "IpcNotify to pcpu 1"),
        (Kind.ARRIVED, 999, 7 << 16 | 2, 0, "message 999 from pcpu 2"),
        (Kind.CONSOLE, 0, 5, 65, "console of UART 0"),
        (Kind.STATE, VcpuState.POWERDOWN, 0, 0, "powerdown"),
        (Kind.STATE, 77, 0, 0, "state 77"),
        (Kind.FAULT, 2, 1, 0, "drop (rule 2)"),
        (Kind.MARK, 0, 1, 0, "mark"),
        (20, 1, 2, 3, "20"),
    ],
)
def test_names(kind: int, a: int, b: int, c: int, name: str) -> None:
    assert Names(header(HEADER)).of((0, kind, 0, a, b, c)) == name


def test_each_vm_has_its_own_interrupt_controller() -> None:
    names = Names(header(HEADER))
    assert names.of((0, Kind.ACCESS, 0, 4, 0x2000_0104, 0)) == "load 0x20000000"
    assert names.of((0, Kind.ACCESS, 1, 4, 0x2000_0104, 0)) == "load GICD_ISENABLER1"


def test_a_trace_that_does_not_tell_where_things_are_has_addresses() -> None:
    bare = {**HEADER, "vms": [{"name": "ping", "pcpus": [0]}]}
    assert Names(header(bare)).of((0, Kind.ACCESS, 0, 4, 0x0800_0104, 0)) == "load 0x8000000"


def test_a_guest_cannot_make_names_without_end() -> None:
    names = Names(header(HEADER))
    seen = {names.of((0, Kind.EXIT, 0, Exit.HVC, 0, number)) for number in range(10_000)}
    assert len(seen) < 5000
    assert "exit" in seen


def test_the_documentation_has_every_kind() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tracing.md").read_text()
    assert [each for each in Kind if f"| {each.value} `{each.name.lower()}` |" not in text] == []
