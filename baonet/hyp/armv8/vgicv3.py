"""The register map of a GICv3 VM: the distributor's window and the redistributors'. Mirrors Bao's ``vgicv3.c``.

One security state with affinity routing, no LPIs. What is not named here is RAZ/WI to 32-bit accesses:
IGROUPR, IGRPMODR, NSACR, STATUSR, the SETSPI registers, GICR_WAKER, PROPBASER and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from baonet.hyp.armv8 import gic
from baonet.hyp.armv8.vgic_distributor import Distributor
from baonet.hyp.armv8.vgic_registers import (
    BYTE_OR_WORD,
    WORD_OR_LONG,
    Bank,
    Constant,
    Control,
    Register,
    interrupt_words,
)
from baonet.machine.armv8 import Gic
from baonet.machine.armv8.affinity import CLUSTER, affinity

_MASK32 = 0xFFFF_FFFF
_ID_BITS = 10
_ROUTED = 1024


@final
class Route:
    """GICD_IROUTER<n>: 64 bits, also by halves."""

    __slots__ = ("_distributor", "_intid", "home", "widths")

    def __init__(self, home: int, intid: int, distributor: Distributor) -> None:
        self.home = home
        self.widths = WORD_OR_LONG
        self._intid = intid
        self._distributor = distributor

    def read(self, address: int, size: int) -> int:
        route = self._distributor.spis[self._intid].route
        if size == 8:
            return route
        return route >> 32 if address & 4 else route & _MASK32

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        if size != 8:
            route = self._distributor.spis[self._intid].route
            value = route & _MASK32 | value << 32 if address & 4 else route & ~_MASK32 | value
        self._distributor.set_route(self._intid, value, vcpu)


def typer(interrupts: int, vcpus: int) -> int:
    """GICD_TYPER: ITLinesNumber, CPUNumber, IDbits."""
    return (interrupts // 32 - 1) & 0x1F | (vcpus - 1 & 7) << 5 | (_ID_BITS - 1) << 19


def redistributor_typer(vcpu: int, vcpus: int) -> int:
    """GICR_TYPER: affinity, Processor_Number, Last."""
    return affinity(vcpu) << 32 | vcpu << 8 | (gic.GICR_TYPER_LAST if vcpu == vcpus - 1 else 0)


def sgi_targets(value: int, vcpu: int, vcpus: int) -> int:
    """The mask of vcpus that a store to ICC_SGI1R_EL1 by ``vcpu`` reaches.

    In a VM of one cluster nothing but the target list counts, as under Bao. With more, Aff1 says which cluster the
    list is of; nobody has another Aff3 or Aff2 than 0, or an Aff0 of a range above the first.
    """
    everybody = (1 << vcpus) - 1
    if value & gic.SGI1R_IRM:
        return everybody & ~(1 << vcpu)
    targets = value & gic.SGI1R_LIST
    if vcpus > CLUSTER:
        cluster = value >> gic.SGI1R_AFF1_SHIFT & 0xFF
        targets = 0 if value & gic.SGI1R_OTHER_AFFINITY else targets << cluster * CLUSTER
    return targets & everybody


def registers(
    config: Gic, *, pcpus: Sequence[int], master: int, distributor: Distributor, private: Bank
) -> dict[int, Register]:
    """Every register by address. ``pcpus[n]`` runs vcpu n and is home to its redistributor, ``master`` to the SPIs.

    ``private`` and ``distributor`` are those of the pcpu that this is for; what another is home to never uses them.
    """
    assert config.gicr is not None
    at: dict[int, Register] = {}
    gicd = config.gicd
    at |= dict.fromkeys(range(gicd + gic.GICD_IPRIORITYR, gicd + gic.GICD_ICFGR, 4), Constant(0, BYTE_OR_WORD))
    routes = gicd + gic.GICD_IROUTER
    at |= dict.fromkeys(range(routes, routes + 8 * _ROUTED, 4), Constant(0, WORD_OR_LONG))
    at[gicd + gic.GICD_CTLR] = Control(
        master, gic.CTLR_ENABLE_GRP1A, gic.CTLR_ARE_NS, lambda: distributor.enabled, distributor.set_enabled
    )
    at[gicd + gic.GICD_TYPER] = Constant(typer(config.interrupts, len(pcpus)))
    at[gicd + gic.GICD_IIDR] = Constant(gic.GICD_V3_IIDR)
    for place, value in enumerate(gic.GICD_V3_ID):
        at[gicd + gic.GICD_ID + 4 * place] = Constant(value)
    interrupt_words(at, gicd, distributor, master, distributor.interrupts)
    for intid in distributor.interrupts:
        at[routes + 8 * intid] = at[routes + 8 * intid + 4] = Route(master, intid, distributor)
    for vcpu, pcpu in enumerate(pcpus):
        gicr = config.gicr + vcpu * gic.GICR_SIZE
        at[gicr + gic.GICR_TYPER] = at[gicr + gic.GICR_TYPER + 4] = Constant(
            redistributor_typer(vcpu, len(pcpus)), WORD_OR_LONG
        )
        for place, value in enumerate(gic.GICR_V3_ID):
            at[gicr + gic.GICR_ID + 4 * place] = Constant(value)
        interrupt_words(at, gicr + gic.GICR_SGI_BASE, private, pcpu, range(gic.PRIVATE))
    return at
