"""The machine that baonet runs: frozen records, the counterpart of Bao's ``struct config`` and ``struct platform``.

The YAML models are validated and resolved into these, and every floor above works with nothing else. No parsing, no
I/O and no third-party import happens here, so that ``baonet.hyp`` stays pure.

Units: addresses and sizes are bytes; guest addresses (``base``, ``va``, ``gicd``) are IPAs, ``pa`` and ``phys`` are
physical addresses. Interrupts are INTIDs (a device tree's SPI *n* is INTID *n* + 32). Colours are bitmaps, bit *c* for
colour *c*; 0 means uncoloured. A pcpu id is Bao's linear CPU id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

PAGE_SIZE = 0x1000
UNMODELLED = "none"


class Faithful(Enum):
    """``STRICT`` refuses what Bao refuses; ``PRACTICAL`` grants what docs/faithfulness.md lists."""

    STRICT = "strict"
    PRACTICAL = "practical"


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
    of CPU_SUSPEND's power_state that selects powerdown (0: there is none, every suspend is standby).
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


@dataclass(frozen=True, slots=True)
class Region:
    """RAM of a VM. ``phys`` None: pages from the pools with the VM's colours; else placed at ``phys``."""

    base: int
    size: int
    phys: int | None = None
    colors: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A passed-through device. ``va`` None: interrupts only, nothing is mapped. ``id``: IOMMU stream, 0 for none."""

    pa: int
    va: int | None
    size: int
    interrupts: tuple[int, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Ipc:
    """A shared memory object at ``base`` of one VM; ``shmem`` is its index in ``Machine.shared_memory``."""

    base: int
    size: int
    shmem: int
    interrupts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedMemory:
    name: str
    size: int
    colors: int = 0
    phys: int | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it was: after it was written, cut short or replaced it has another. ``modified`` is in nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes to place at ``base`` (an IPA inside a region) before the VM starts: a slice of a file, or ``data``.

    ``unpacked``: the file that the data was in. ``stamp`` is the file as it was checked: another one is not loaded.
    """

    base: int
    size: int
    path: str | None = None
    offset: int = 0
    data: bytes = b""
    unpacked: str | None = None
    stamp: Stamp | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM (Bao's ``struct vm_config``): ``index`` is its vm id and VMID.

    ``cpu_affinity`` holds preferred pcpu ids, empty for any. ``context`` is x0 at entry: 0 as in Bao, or the address
    of the device tree when ``device_tree`` was asked for and ``faithful`` is practical. ``interrupts`` is every
    INTID of the VM that belongs to hardware: those of its devices and of its generic timer. ``command_line``,
    ``initrd`` (its first address and the one after its last) and ``device_tree`` (its address) are what a generated
    device tree tells; their bytes are among ``segments``. With ``direct_interrupts`` exits for interrupts take the
    platform's ``direct`` cost instead of its ``interrupt`` cost.
    """

    index: int
    name: str
    entry: int
    context: int
    cpus: int
    cpu_affinity: tuple[int, ...]
    colors: int
    regions: tuple[Region, ...]
    devices: tuple[Device, ...]
    ipcs: tuple[Ipc, ...]
    gic: Gic
    segments: tuple[Segment, ...]
    interrupts: tuple[int, ...] = ()
    command_line: str = ""
    initrd: tuple[int, int] | None = None
    device_tree: int | None = None
    direct_interrupts: bool = False


def uarts(platform: Platform, vm: Vm) -> Iterator[tuple[int, PlatformDevice]]:
    """The guest address of each PL011 that the VM maps, with the device."""
    for device in vm.devices:
        for modelled in platform.devices:
            offset = modelled.pa - device.pa
            if device.va is not None and modelled.kind == "pl011" and 0 <= offset <= device.size - modelled.size:
                yield device.va + offset, modelled


class ClockMode(Enum):
    HOST = "host"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True)
class Latency:
    """From the moment that a message is sent to the moment that it is due, in nanoseconds, by what it is.

    ``ipi``: between pcpus of a VM; ``ipc``: a notification between VMs; ``spi``: a device's interrupt; ``console``:
    from the script or the keyboard to the UART.
    """

    ipi: int = 500
    ipc: int = 1000
    spi: int = 500
    console: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """``mhz``: instructions per microsecond of a pcpu in virtual time; ``window`` in nanoseconds.

    Host time uses nothing but the mode.
    """

    mode: ClockMode = ClockMode.VIRTUAL
    mhz: int = 1000
    window: int = 10_000
    latency: Latency = Latency()


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes for the console of VM number ``vm``, typed at ``at`` nanoseconds of virtual time; none are a break."""

    vm: int
    at: int
    data: bytes


class MessageKind(Enum):
    """``IPI``: between pcpus of a VM; ``IPC``: a notification between VMs; ``SPI``: a device's interrupt."""

    IPI = "ipi"
    IPC = "ipc"
    SPI = "spi"


class Disturbance(Enum):
    """What happens to a message. ``REORDER`` is a ``DELAY`` after which later messages of its channel do not wait."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


@dataclass(frozen=True, slots=True)
class MessageFault:
    """A disturbance of messages that are sent from ``after`` until before ``until`` (None: to the end).

    ``source`` and ``target`` are VM numbers, None for any. Of those messages each is chosen with ``probability``, by
    random numbers from ``seed`` that are this rule's own, until ``count`` were chosen (None: no end). ``by`` is how
    much later a delayed or reordered one arrives; 0 for the others. Times are nanoseconds of virtual time.
    """

    kind: Disturbance
    message: MessageKind
    source: int | None = None
    target: int | None = None
    probability: float = 1.0
    seed: int = 0
    after: int = 0
    until: int | None = None
    count: int | None = None
    by: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """A pcpu makes no progress for ``duration`` from ``at``, in nanoseconds of virtual time."""

    pcpu: int
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class Crash:
    """A pcpu stops for ever at ``at`` nanoseconds of virtual time."""

    pcpu: int
    at: int


@dataclass(frozen=True, slots=True)
class Flip:
    """``count`` different bits of a shared memory object flip at ``at`` nanoseconds of virtual time.

    ``shmem`` is the index in ``Machine.shared_memory``. ``offset`` is in bytes, ``bit`` from 0, the least significant;
    what is None is chosen at random, from ``seed``.
    """

    shmem: int
    at: int
    offset: int | None = None
    bit: int | None = None
    count: int = 1
    seed: int = 0


Fault: TypeAlias = MessageFault | Stall | Crash | Flip


@dataclass(frozen=True, slots=True)
class Machine:
    """One partitioned machine, complete: what a node needs to run its part of it.

    ``files`` are those that it was read from: machine and platform files, images, initrds, device trees.
    """

    path: str
    platform: Platform
    clock: Clock
    faithful: Faithful
    shared_memory: tuple[SharedMemory, ...]
    vms: tuple[Vm, ...]
    hypervisor_colors: int = field(default=0)
    input: tuple[Input, ...] = ()
    faults: tuple[Fault, ...] = ()
    files: tuple[str, ...] = ()
