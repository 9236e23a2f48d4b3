"""The GIC as a VM sees it: its addresses, and the sizes of its windows."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.architecture import AddressWindow
from baonet.config.armv8.models import GicModel
from baonet.config.ranges import align_up, unaligned
from baonet.document.errors import Problem
from baonet.machine.armv8 import Gic
from baonet.machine.dataclass import replace

GICD_SIZE, GICR_SIZE = 0x10000, 0x20000  # version 3; GICR_SIZE is for each CPU
GICD_SIZE_V2, GICC_SIZE = 0x1000, 0x2000


def of_vm(model: GicModel | None, platform: Gic) -> Gic:
    """The platform's interrupt controller with what a VM's configuration changes."""
    if model is None:
        return platform
    given = {name: value for name in ("gicd", "gicc", "gicr") if (value := getattr(model, name)) is not None}
    lines = platform.interrupts if model.interrupts is None else align_up(model.interrupts, 32)
    return replace(platform, interrupts=lines, **given)


def windows(gic: Gic, cpus: int) -> Iterator[AddressWindow]:
    """With redistributors for ``cpus``."""
    end = gic.gicd + (GICD_SIZE_V2 if gic.version == 2 else GICD_SIZE)
    yield AddressWindow("gicd", gic.gicd, end, "the GIC's distributor", "GIC distributor")
    if gic.gicr is not None and gic.version != 2:
        end = gic.gicr + GICR_SIZE * cpus
        yield AddressWindow("gicr", gic.gicr, end, "the GIC's redistributors", "GIC redistributors")
    if gic.gicc is not None and gic.version == 2:
        yield AddressWindow("gicc", gic.gicc, gic.gicc + GICC_SIZE, "the GIC's CPU interface", "GIC CPU interface")


def problems(model: GicModel, gic: Gic) -> Iterator[Problem]:
    """With what is given of a VM's, which resolved is ``gic``."""
    foreign = "gicr" if gic.version == 2 else "gicc"
    if getattr(model, foreign) is not None:
        own = "gicc" if gic.version == 2 else "gicr"
        hint = f"give {own!r}, or nothing"
        yield model.node.at(foreign).key_problem(f"the platform's GIC has version {gic.version}: no {foreign}", hint)
    yield from unaligned(model.node.at("gicd"), model.gicd, 0x1000 if gic.version == 2 else GICD_SIZE)
    yield from unaligned(model.node.at("gicc"), model.gicc)
    yield from unaligned(model.node.at("gicr"), model.gicr, GICR_SIZE)
