"""One partitioned machine, whole."""

from __future__ import annotations

from enum import Enum

from baonet.machine.clock import Clock
from baonet.machine.dataclass import dataclass, field
from baonet.machine.faults import Fault
from baonet.machine.node_placement import PACKED, NodePlacement
from baonet.machine.platform import Platform
from baonet.machine.vm import Vm


class Faithful(Enum):
    """``STRICT`` refuses what Bao refuses; ``PRACTICAL`` grants what docs/faithfulness.md lists."""

    STRICT = "strict"
    PRACTICAL = "practical"


@dataclass(frozen=True, slots=True)
class SharedMemory:
    name: str
    size: int
    colors: int = 0
    phys: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes for the console of VM number ``vm``, typed at ``at`` nanoseconds of virtual time; none are a break."""

    vm: int
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Machine:
    """One partitioned machine, complete: what a node needs to run its part of it.

    ``files`` are those that it was read from: machine and platform files, images, initrds, device trees. ``placement``
    is for who runs it on several nodes, and changes nothing of what its guests see in virtual time.
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
    placement: NodePlacement = PACKED
