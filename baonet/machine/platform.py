"""A physical machine: the counterpart of Bao's ``struct platform``."""

from __future__ import annotations

from itertools import accumulate

from baonet.machine.architecture import ArchPlatform
from baonet.machine.dataclass import dataclass
from baonet.machine.memory_system import MemorySystem

PAGE_SIZE = 0x1000
CLUSTER = 4
"""CPUs of a cluster, where nothing else is said."""
UNMODELLED = "none"
UARTS = ("pl011", "16550")
"""Kinds of devices that are modelled, all UARTs: Arm's PrimeCell, National Semiconductor's 16550A."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Last-level cache and L1 data cache of a platform: from them Bao computes page colours."""

    llc_size: int
    llc_ways: int
    l1_size: int
    l1_ways: int


@dataclass(frozen=True, slots=True)
class PlatformDevice:
    """A device of the platform: ``pa`` its registers, ``interrupt`` its number, 0 for none.

    ``kind`` is one of ``UARTS``, or ``UNMODELLED`` for one that is only there to be given to a VM.
    """

    name: str
    kind: str
    pa: int
    size: int
    interrupt: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What the hypervisor's work takes in virtual time, in nanoseconds; the guest makes no progress meanwhile.

    ``hypercall``: an exit that the guest asks for or that ends in the hypervisor (a call, an access that it does not
    emulate), there and back; ``access``: an emulated load or store; ``interrupt``: an exit for an interrupt (taking it
    and injecting it, maintenance, deactivation); ``direct``: the same for a VM with direct interrupts; ``relayed``: in
    such a VM, an interrupt that is the hypervisor's own, by which its other CPUs tell it something.
    """

    hypercall: int = 0
    access: int = 0
    interrupt: int = 0
    direct: int = 0
    relayed: int = 0


@dataclass(frozen=True, slots=True)
class RamBank:
    base: int
    size: int


@dataclass(frozen=True, slots=True)
class Platform:
    """A physical machine (Bao's ``struct platform``).

    ``timer_frequency``: ticks of the guests' timer per second. ``standby`` and ``powerdown`` tell whether the
    firmware's suspend of a CPU supports them. ``clusters``: how many CPUs share each L2 cache, in the order of their
    ids; empty for what ``clustered`` says. Without a ``memory_system`` memory takes no time.
    """

    name: str
    cpus: int
    ram: tuple[RamBank, ...]
    arch: ArchPlatform
    devices: tuple[PlatformDevice, ...]
    timer_frequency: int
    standby: bool = True
    powerdown: bool = False
    cache: Cache | None = None
    costs: Costs = Costs()
    clusters: tuple[int, ...] = ()
    memory_system: MemorySystem | None = None

    @property
    def architecture(self) -> str:
        """A name of ``baonet.hyp.wings``."""
        return self.arch.architecture

    @property
    def clustered(self) -> tuple[range, ...]:
        """The CPUs of each cluster: as given, else fours, which is the most that a Cortex-A53 or a U74-MC has."""
        sizes = self.clusters or (CLUSTER,) * -(-self.cpus // CLUSTER)
        ends = [min(end, self.cpus) for end in accumulate(sizes)]
        return tuple(range(start, end) for start, end in zip((0, *ends), ends, strict=False))

    @property
    def charged(self) -> Costs:
        """The costs of exits as a whole. There are none where the memory system has what an exit touches."""
        return self.costs if self.memory_system is None or self.memory_system.hypervisor is None else Costs()
