"""A guest whose performance monitors interrupt it, through the whole machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from baonet.trace.records import InterruptSource, Kind
from tests.core.test_pmu import CCNTR, CNTENSET, INTENSET, PMCR
from tests.core.virtual import ISB, WFI, read, write
from tests.system.test_ends import raw
from tests.system.virtual import SILENT, records, same_everywhere, virtual

MONITORS = 23
PMR, IAR1, IGRPEN1 = (3, 0, 4, 6, 0), (3, 0, 12, 12, 0), (3, 0, 12, 12, 7)
CODE = (
    0xD2A10001, 0x528006E0, 0xB9000020,  # GICD_CTLR
    0xD2A10162, 0x92800000, 0xB9008040,  # GICR_IGROUPR0: all of group 1
    0xB904145F, 0xD2A01000, 0xB9010040,  # GICR_IPRIORITYR5: the highest; GICR_ISENABLER0: 23
    0xD2801FE0, write(PMR, 0), 0xD2800020, write(IGRPEN1, 0),
    0x92807FE0, write(CCNTR, 0),  # 1024 cycles until it overflows
    0xD2B00000, write(CNTENSET, 0), write(INTENSET, 0), 0xD2800020, write(PMCR, 0), ISB, WFI,
    read(IAR1, 0), 0x1100AC00, 0xD2A12001, 0x39000020, 0x52800142, 0x39000022, 0x14000000,  # 23 is a B to the UART
)  # fmt: skip


def machine(directory: Path, *interrupts: int, model: bool) -> dict[str, Any]:
    code = b"".join(word.to_bytes(4, "little") for word in CODE)
    devices = [*SILENT, *([{"interrupts": list(interrupts)}] if interrupts else [])]
    platform = {"extends": "qemu-aarch64-virt", **({"memory_system": "cortex-a53"} if model else {})}
    return {"platform": platform, "vms": [raw(directory, "raw", code, 0x4000_0000, devices=devices)]}


def test_an_overflow_reaches_the_guest(tmp_path: Path) -> None:
    made, trace = machine(tmp_path, MONITORS, model=True), tmp_path / "trace.bnt"
    result = same_everywhere(tmp_path, made, "--for", "20us", "--trace", str(trace), placements=["process-per-cpu"])
    assert result.out == "raw | B\n"
    (raised,) = records(trace, Kind.RAISED)
    assert (raised.a, raised.b) == (MONITORS, InterruptSource.TIMER.value)
    assert 1024 < raised.c <= raised.time


def test_a_vm_that_was_not_given_the_interrupt_waits(tmp_path: Path) -> None:
    result = virtual(tmp_path, machine(tmp_path, model=False), "--for", "20us")
    assert result.out == ""
