"""One interrupt as one vcpu sees it, wherever its state is: in a list register, or here."""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.armv8.gic import LOWEST_PRIORITY
from baonet.machine.saved import StateRow

KEPT: Final = StateRow(
    "an interrupt",
    hardware=bool,
    enabled=bool,
    pending=bool,
    active=bool,
    spilled=bool,
    untaken=bool,
    config=int,
    lr=int,
    sources=int | None,
    source=int,
    priority=int,
)
"""What is saved of one, beside its INTID; how it is ordered and listed follows from that."""


@final
class Interrupt:
    """One interrupt as one vcpu sees it. Private ones exist always, an SPI while this vcpu's pcpu holds it.

    ``pending`` and ``active`` hold while it is in no list register, and of a disabled pending one also while its
    active part is in one. ``rank`` orders by priority (the bits the hardware has), then INTID; lower is better.
    ``sources`` of a GICv2 SGI: a bitmap of the vcpus that sent it, ``pending`` when there is any; ``source`` is the
    one whose SGI is active. ``untaken``: a PPI's line is high, the physical interrupt was taken, but it is disabled.
    """

    __slots__ = (
        "active",
        "config",
        "enabled",
        "hardware",
        "intid",
        "listed",
        "lr",
        "pending",
        "priority",
        "rank",
        "source",
        "sources",
        "spilled",
        "untaken",
    )

    def __init__(self, intid: int, *, hardware: bool = False, by_source: bool = False) -> None:
        self.intid = intid
        self.hardware = hardware
        self.enabled = by_source
        self.pending = self.active = self.spilled = self.untaken = False
        self.config = 0
        self.lr = -1
        self.sources: int | None = 0 if by_source else None
        self.source = 0
        self.priority = LOWEST_PRIORITY
        self.rank = self.listed = 0
