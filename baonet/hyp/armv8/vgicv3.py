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
    interrupt_word,
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
        route = self._distributor.spi(self._intid).route
        if size == 8:
            return route
        return route >> 32 if address & 4 else route & _MASK32

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        if size != 8:
            route = self._distributor.spi(self._intid).route
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


@final
class Gicv3Map:
    """``pcpus[n]`` runs vcpu n and is home to its redistributor, ``master`` to the SPIs.

    ``private`` and ``distributor`` are those of the pcpu that this is for; what another is home to never uses them.
    """

    __slots__ = ("_base", "_config", "_distributor", "_master", "_pcpus", "_private")

    def __init__(
        self, config: Gic, *, pcpus: Sequence[int], master: int, distributor: Distributor, private: Bank
    ) -> None:
        assert config.gicr is not None
        self._config = config
        self._base = config.gicr
        self._pcpus = pcpus
        self._master = master
        self._distributor = distributor
        self._private = private

    def at(self, address: int) -> Register | None:
        """That of a word, made anew; None: it reads as zero and ignores what is written."""
        offset = address - self._config.gicd
        if 0 <= offset < gic.GICD_SIZE:
            return self._of_distributor(offset)
        vcpu, offset = divmod(address - self._base, gic.GICR_SIZE)
        return self._of_redistributor(vcpu, offset) if 0 <= vcpu < len(self._pcpus) else None

    def _of_distributor(self, offset: int) -> Register | None:
        distributor = self._distributor
        found: Register | None = interrupt_word(offset, distributor, self._master, distributor.interrupts)
        if found is not None:
            return found
        if gic.GICD_IPRIORITYR <= offset < gic.GICD_ICFGR:
            return Constant(0, BYTE_OR_WORD)
        if gic.GICD_IROUTER <= offset < gic.GICD_IROUTER + 8 * _ROUTED:
            intid = (offset - gic.GICD_IROUTER) // 8
            known = intid in distributor.interrupts
            return Route(self._master, intid, distributor) if known else Constant(0, WORD_OR_LONG)
        if offset == gic.GICD_CTLR:
            return Control(
                self._master,
                gic.CTLR_ENABLE_GRP1A,
                gic.CTLR_ARE_NS,
                lambda: distributor.enabled,
                distributor.set_enabled,
            )
        if offset == gic.GICD_TYPER:
            return Constant(typer(self._config.interrupts, len(self._pcpus)))
        if offset == gic.GICD_IIDR:
            return Constant(gic.GICD_V3_IIDR)
        return _identity(offset - gic.GICD_ID, gic.GICD_V3_ID)

    def _of_redistributor(self, vcpu: int, offset: int) -> Register | None:
        if offset in (gic.GICR_TYPER, gic.GICR_TYPER + 4):
            return Constant(redistributor_typer(vcpu, len(self._pcpus)), WORD_OR_LONG)
        if offset < gic.GICR_SGI_BASE:
            return _identity(offset - gic.GICR_ID, gic.GICR_V3_ID)
        return interrupt_word(offset - gic.GICR_SGI_BASE, self._private, self._pcpus[vcpu], range(gic.PRIVATE))


def _identity(place: int, values: Sequence[int]) -> Constant | None:
    return Constant(values[place // 4]) if 0 <= place < 4 * len(values) else None
