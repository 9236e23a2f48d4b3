"""Clusters: pcpus that share a second-level cache and a way to memory, where the platform has these take time."""

from __future__ import annotations

from typing import Final, final

from baonet.machine.assignment import assign
from baonet.machine.dataclass import dataclass
from baonet.machine.machine import Machine

COUNTS: Final = "memory_"
"""Begins the name of each count of a pcpu's memory system among its statistics."""


@final
@dataclass(frozen=True, slots=True)
class CpuCluster:
    """``number``: its place among the platform's. ``vms``: those that have one of its pcpus, in rising order.

    ``owners``: of each pcpu the place of its VM among these; 0 for one that no VM has.
    """

    number: int
    pcpus: range
    vms: tuple[int, ...]
    owners: tuple[int, ...]


def clusters(machine: Machine) -> list[CpuCluster]:
    """Those that some VM is on, whose VMs are all of one island; none where memory takes no time."""
    if machine.platform.memory_system is None:
        return []
    taken, _ = assign(machine.vms, machine.platform.cpus)
    of = {pcpu: vm for vm, pcpus in enumerate(taken) for pcpu in pcpus}
    found = []
    for number, pcpus in enumerate(machine.platform.clustered):
        vms = tuple(sorted({of[pcpu] for pcpu in pcpus if pcpu in of}))
        if vms:
            owners = tuple(vms.index(of[pcpu]) if pcpu in of else 0 for pcpu in pcpus)
            found.append(CpuCluster(number, pcpus, vms, owners))
    return found
