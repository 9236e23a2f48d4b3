"""The GIC as a VM sees it: its addresses, and the sizes of its windows."""

from __future__ import annotations

from dataclasses import replace

from baonet.config.machine import Gic
from baonet.config.models import GicModel
from baonet.config.windows import align_up

GICD_SIZE, GICR_SIZE = 0x10000, 0x20000  # version 3; GICR_SIZE is for each CPU
GICD_SIZE_V2, GICC_SIZE = 0x1000, 0x2000


def of_vm(model: GicModel | None, platform: Gic) -> Gic:
    """The platform's interrupt controller with what a VM's configuration changes."""
    if model is None:
        return platform
    given = {name: value for name in ("gicd", "gicc", "gicr") if (value := getattr(model, name)) is not None}
    lines = platform.interrupts if model.interrupts is None else align_up(model.interrupts, 32)
    return replace(platform, interrupts=lines, **given)
