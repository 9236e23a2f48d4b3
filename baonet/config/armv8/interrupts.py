"""INTIDs: 0..15 are SGIs, 16..31 PPIs, which every vCPU has of its own, 32 and above SPIs (Arm IHI 0069, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.architecture import Mention
from baonet.config.armv8.models import Armv8VmModel
from baonet.document.errors import Problem
from baonet.document.quantities import listing
from baonet.machine.armv8 import Gic

FIRST_PPI, FIRST_SPI, FIRST_SPECIAL = 16, 32, 1020
TIMERS = {27: "virtual timer", 30: "EL1 physical timer"}
MONITORS = 23
"""Of the performance monitors."""


def uses(model: Armv8VmModel) -> Iterator[Mention]:
    """Where a VM names those of its timer."""
    given = model.node.child("timer")
    if given is not None:
        for i, intid in enumerate(model.timer):
            yield Mention(intid, "timer", given.at(i))


def problems(use: Mention, gic: Gic, physical: Gic) -> Iterator[Problem]:
    """With an INTID of a VM that has ``gic``."""
    intid = use.interrupt
    spi = f"SPI {intid} of a device tree is INTID {intid + FIRST_SPI}"
    last = min(gic.interrupts, physical.interrupts if use.what == "device" else FIRST_SPECIAL, FIRST_SPECIAL) - 1
    if use.what == "timer":
        if intid not in TIMERS:
            known = listing((f"{number} ({name})" for number, name in TIMERS.items()), "or")
            yield use.node.problem(f"{intid} is no interrupt of the guest's timer", f"it can be {known}")
    elif intid < FIRST_PPI:
        yield use.node.problem(f"{intid} is a software-generated interrupt (0..15): it belongs to no device", spi)
    elif intid < FIRST_SPI and use.what == "ipc":
        yield use.node.problem(f"{intid} is a private interrupt (16..31): a notification is an SPI", spi)
    elif intid == physical.maintenance:
        yield use.node.problem(f"{intid} is the GIC's maintenance interrupt: the hypervisor's own", spi)
    elif intid > last:
        yield use.node.problem(f"there is no interrupt {intid}", f"the last INTID is {last}")


def meant(intid: int) -> str:
    """What was probably meant by a PPI that nothing raises."""
    number = intid - FIRST_PPI
    spi = f"its SPI {number} is INTID {number + FIRST_SPI}"
    return f"PPI {number} of a device tree is INTID {intid}, {spi}" if intid < FIRST_SPI else ""
