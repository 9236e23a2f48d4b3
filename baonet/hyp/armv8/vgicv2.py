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
    interrupt_words,
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


def registers(
    config: Gic,
    vcpu: int,
    *,
    pcpus: Sequence[int],
    master: int,
    distributor: Distributor,
    private: Bank,
    send_sgi: Callable[[int, int], None],
) -> dict[int, Register]:
    """Every register by its address in the first 4 KiB, as vcpu ``vcpu`` sees them on its own pcpu."""
    gicd, here = config.gicd, pcpus[vcpu]
    at: dict[int, Register] = {}
    at |= dict.fromkeys(range(gicd + gic.GICD_IPRIORITYR, gicd + gic.GICD_ICFGR, 4), Constant(0, BYTE_OR_WORD))
    at[gicd + gic.GICD_CTLR] = Control(
        master, gic.CTLR_ENABLE_GRP0, gic.CTLR_ARE_NS, lambda: distributor.enabled, distributor.set_enabled
    )
    at[gicd + gic.GICD_TYPER] = Constant(typer(config.interrupts, len(pcpus)))
    at[gicd + gic.GICD_IIDR] = Constant(gic.GICD_V2_IIDR)
    at[gicd + gic.GICD_SGIR] = Sgir(len(pcpus), send_sgi)
    interrupt_words(at, gicd, private, here, range(gic.PRIVATE))
    interrupt_words(at, gicd, distributor, master, distributor.interrupts)
    targets = gicd + gic.GICD_ITARGETSR
    at |= dict.fromkeys(range(targets, targets + gic.PRIVATE, 4), _own_target(vcpu))
    for intid in range(gic.PRIVATE, distributor.interrupts.stop, 4):
        some = range(intid, min(intid + 4, distributor.interrupts.stop))
        at[targets + intid] = Fields(master, 8, some, distributor.targets, distributor.set_targets)
    return at


def _own_target(vcpu: int) -> Fields:
    """ITARGETSR of a private interrupt: the vcpu that reads it, in every byte."""
    return Fields(ANYWHERE, 8, range(4), lambda intid: 1 << vcpu, _keep)


def _keep(intid: int, value: int, vcpu: int) -> None:
    """Read-only."""
