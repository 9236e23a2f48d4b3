"""A physical machine: the counterpart of Bao's ``struct platform``."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_SIZE = 0x1000
UNMODELLED = "none"


@dataclass(frozen=True, slots=True)
class Gic:
    """The interrupt controller of a platform (physical addresses) or of a VM (IPAs).

    ``version`` 3 uses ``gicd`` and ``gicr``; version 2 uses ``gicd`` and ``gicc``. ``interrupts`` is the number of
    INTIDs that GICD_TYPER tells, a multiple of 32 (Bao: 0 copies the physical one, which resolution has done here).
    ``list_registers`` is the number of ICH_LR/GICH_LR registers of a physical CPU interface (4 on A53 and GIC-400).
    """

    version: int
    gicd: int
    gicc: int | None = None
    gicr: int | None = None
    interrupts: int = 256
    list_registers: int = 4
    maintenance: int = 25


@dataclass(frozen=True, slots=True)
class Cache:
    """Last-level cache and L1 data cache of a platform: from them Bao computes page colours."""

    llc_size: int
    llc_ways: int
    l1_size: int
    l1_ways: int


@dataclass(frozen=True, slots=True)
class PlatformDevice:
    """A device of the platform: ``pa`` its registers, ``interrupt`` its INTID, 0 for none.

    ``kind`` is ``"pl011"``, or ``UNMODELLED`` for one that is only there to be given to a VM.
    """

    name: str
    kind: str
    pa: int
    size: int
    interrupt: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What the hypervisor's work takes in virtual time, in nanoseconds; the guest makes no progress meanwhile.

    ``hypercall``: an exit that the guest asks for or that ends in the hypervisor (HVC, SMC, trapped register, abort),
    there and back; ``access``: an emulated load or store; ``interrupt``: an exit for an interrupt (taking it and
    injecting it, maintenance, deactivation); ``direct``: the same for a VM with direct interrupts.
    """

    hypercall: int = 0
    access: int = 0
    interrupt: int = 0
    direct: int = 0


@dataclass(frozen=True, slots=True)
class RamBank:
    base: int
    size: int


@dataclass(frozen=True, slots=True)
class Platform:
    """A physical machine (Bao's ``struct platform``).

    ``standby`` and ``powerdown`` tell whether the firmware's CPU_SUSPEND supports them; ``state_type_bit`` is the bit
    of CPU_SUSPEND's power_state that selects powerdown (0: there is none, every suspend is standby). ``architecture``
    is a name of ``baonet.hyp.wings``.
    """

    name: str
    cpus: int
    ram: tuple[RamBank, ...]
    gic: Gic
    devices: tuple[PlatformDevice, ...]
    timer_frequency: int
    cpu_model: str
    midr: int
    standby: bool = True
    powerdown: bool = False
    state_type_bit: int = 16
    cache: Cache | None = None
    costs: Costs = Costs()
    architecture: str = "armv8"
