"""The register map of a GICv2 VM's distributor. Mirrors Bao's ``vgicv2.c``.

The window is as large as a GICv3 distributor's, and the 4 KiB of registers repeat in it. Private interrupts are
banked: each vcpu sees its own in the same place. The CPU interface is the hardware's GICV, and never comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from baonet.hyp.armv8 import gic
from baonet.hyp.armv8.vgic_distributor import Distributor
from baonet.hyp.armv8.vgic_registers import (
    ANYWHERE,
    BYTE_OR_WORD,
    WORD,
    Bank,
    Constant,
    Control,
    Fields,
    Register,
    interrupt_word,
)
from baonet.machine.armv8 import Gic

PAGE = 0x1000


@final
class Sgir:
    """GICD_SGIR: write only. ``send(vcpus, intid)`` takes a vcpu mask.

    Bao leaves the destination register of a load as it was; here it gets 0.
    """

    __slots__ = ("_all", "_send", "home", "widths")

    def __init__(self, vcpus: int, send: Callable[[int, int], None]) -> None:
        self.home = ANYWHERE
        self.widths = WORD
        self._all = (1 << vcpus) - 1
        self._send = send

    def read(self, address: int, size: int) -> int:
        return 0

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        match value >> gic.SGIR_FILTER_SHIFT & 3:
            case 0:
                targets = value >> gic.SGIR_LIST_SHIFT & 0xFF & self._all
            case 1:
                targets = self._all & ~(1 << vcpu)
            case 2:
                targets = 1 << vcpu
            case _:
                return
        self._send(targets, value & 0xF)


def typer(interrupts: int, vcpus: int) -> int:
    """GICD_TYPER: ITLinesNumber, CPUNumber."""
    return (interrupts // 32 - 1) & 0x1F | (vcpus - 1 & 7) << 5


@final
class Gicv2Map:
    """As vcpu ``vcpu`` sees them on its own pcpu."""

    __slots__ = ("_config", "_distributor", "_master", "_pcpus", "_private", "_send_sgi", "_vcpu")

    def __init__(
        self,
        config: Gic,
        vcpu: int,
        *,
        pcpus: Sequence[int],
        master: int,
        distributor: Distributor,
        private: Bank,
        send_sgi: Callable[[int, int], None],
    ) -> None:
        self._config = config
        self._vcpu = vcpu
        self._pcpus = pcpus
        self._master = master
        self._distributor = distributor
        self._private = private
        self._send_sgi = send_sgi

    def at(self, address: int) -> Register | None:
        """That of a word, made anew, at its address in the first 4 KiB; None: it reads as zero and ignores what is
        written.
        """
        offset, distributor = (address - self._config.gicd) % PAGE, self._distributor
        here, shared = self._pcpus[self._vcpu], distributor.interrupts
        found: Register | None = interrupt_word(offset, self._private, here, range(gic.PRIVATE))
        found = found or interrupt_word(offset, distributor, self._master, shared)
        if found is not None:
            return found
        intid = offset - gic.GICD_ITARGETSR
        if 0 <= intid < gic.PRIVATE:
            return _own_target(self._vcpu)
        if intid in shared:
            some = range(intid, min(intid + 4, shared.stop))
            return Fields(self._master, 8, some, distributor.targets, distributor.set_targets, kept=-1, repeats=True)
        if gic.GICD_IPRIORITYR <= offset < gic.GICD_ICFGR:
            return Constant(0, BYTE_OR_WORD)
        if offset == gic.GICD_CTLR:
            return Control(
                self._master,
                gic.CTLR_ENABLE_GRP0,
                gic.CTLR_ARE_NS,
                lambda: distributor.enabled,
                distributor.set_enabled,
            )
        if offset == gic.GICD_TYPER:
            return Constant(typer(self._config.interrupts, len(self._pcpus)))
        if offset == gic.GICD_IIDR:
            return Constant(gic.GICD_V2_IIDR)
        return Sgir(len(self._pcpus), self._send_sgi) if offset == gic.GICD_SGIR else None


def _own_target(vcpu: int) -> Fields:
    """ITARGETSR of a private interrupt: the vcpu that reads it, in every byte."""
    return Fields(ANYWHERE, 8, range(4), [0x0101_0101 << vcpu], _keep, kept=-1)


def _keep(intid: int, value: int, vcpu: int) -> None:
    """Read-only."""
