"""The shape of a cluster whose memory takes time: what the engine is told of it (``struct memsys_shape``, weave.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from baonet.core import _node
from baonet.machine import PAGE_SIZE, Machine
from baonet.machine.clusters import CpuCluster

if TYPE_CHECKING:
    from baonet.hyp.physical_map import PhysicalMap

_EXTENTS: Final = 8
"""Places in physical memory at most (MEMSYS_EXTENTS)."""
_SHAPE: Final = struct.Struct(f"@{len(_node.MEMORY_PARAMETERS)}I{2 * _EXTENTS}QIIQ")
_LAST: Final[list[tuple[Machine, PhysicalMap]]] = []


def physical_map(machine: Machine) -> PhysicalMap:
    """As ``mapped``, once for all that a process and those that it forks ask of the machine that is run."""
    from baonet.hyp.physical_map import mapped  # noqa: PLC0415 - few machines have a memory system

    if not _LAST or _LAST[0][0] is not machine:
        _LAST[:] = [(machine, mapped(machine))]
    return _LAST[0][1]


def shape(machine: Machine, cluster: CpuCluster) -> bytes:
    """Of the machine's memory system, where the VMs of the cluster and the hypervisor are, and of its windows.

    Raises ValueError for a platform whose memory takes no time.
    """
    system, clock = machine.platform.memory_system, machine.clock
    if system is None:
        raise ValueError(f"memory of the platform '{machine.platform.name}' takes no time")
    parameters = system.parameters(clock.cycles)
    spans = physical_map(machine).spans(cluster.vms, most=_EXTENTS)
    flat = [number for span in spans for number in span]
    return _SHAPE.pack(
        *(parameters[name] for name in _node.MEMORY_PARAMETERS),
        *flat,
        *[0] * (2 * _EXTENTS - len(flat)),
        len(spans),
        len(cluster.pcpus),
        clock.cycles.ticks(clock.window),
    )


def cluster_size(machine: Machine, cluster: CpuCluster) -> int:
    """Bytes that the processes of its island share for it."""
    return _node.cluster_size(shape(machine, cluster))


def party_pages(machine: Machine, cluster: CpuCluster, pcpu: int) -> range:
    """The pages of a cluster's memory that are of one of its pcpus alone."""
    offset, size = _node.cluster_party(shape(machine, cluster), cluster.pcpus.index(pcpu))
    return range(offset // PAGE_SIZE, (offset + size) // PAGE_SIZE)
