"""The GIC as a VM sees it: its addresses, and the sizes of its windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from baonet.config.models import GicModel
from baonet.config.ranges import align_up
from baonet.machine.armv8 import Gic

GICD_SIZE, GICR_SIZE = 0x10000, 0x20000  # version 3; GICR_SIZE is for each CPU
GICD_SIZE_V2, GICC_SIZE = 0x1000, 0x2000


def of_vm(model: GicModel | None, platform: Gic) -> Gic:
    """The platform's interrupt controller with what a VM's configuration changes."""
    if model is None:
        return platform
    given = {name: value for name in ("gicd", "gicc", "gicr") if (value := getattr(model, name)) is not None}
    lines = platform.interrupts if model.interrupts is None else align_up(model.interrupts, 32)
    return replace(platform, interrupts=lines, **given)


def windows(gic: Gic, cpus: int) -> Iterator[tuple[str, int, int, str]]:
    """(field, first address, the one after the last, what it is) of each window, with redistributors for ``cpus``."""
    yield "gicd", gic.gicd, gic.gicd + (GICD_SIZE_V2 if gic.version == 2 else GICD_SIZE), "the GIC's distributor"
    if gic.gicr is not None and gic.version != 2:
        yield "gicr", gic.gicr, gic.gicr + GICR_SIZE * cpus, "the GIC's redistributors"
    if gic.gicc is not None and gic.version == 2:
        yield "gicc", gic.gicc, gic.gicc + GICC_SIZE, "the GIC's CPU interface"
