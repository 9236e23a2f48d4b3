"""What several nodes have parts of, and what therefore goes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from baonet.hyp.vmm import Plan
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands, reached


@final
@dataclass(frozen=True, slots=True)
class SplitVm:
    """A VM on several nodes: ``vcpus`` are those of each node. ``ram``: bytes, all of which any vcpu may touch."""

    vm: int
    vcpus: Mapping[int, tuple[int, ...]]
    ram: int


@final
@dataclass(frozen=True, slots=True)
class SplitIsland:
    """VMs that share something, on several nodes: ``vms`` are those of each node.

    ``shared`` names what is on more than one, with its size in bytes.
    """

    vms: Mapping[int, tuple[int, ...]]
    shared: tuple[tuple[str, int], ...]


def nodes_of(plan: Plan, places: Sequence[int], vm: int) -> dict[int, tuple[int, ...]]:
    """The nodes that run a VM, with the numbers of its vcpus on each; both in rising order."""
    at = [places[pcpu] for pcpu in plan.vms[vm].pcpus]
    return {node: tuple(vcpu for vcpu, each in enumerate(at) if each == node) for node in sorted(set(at))}


def split_vms(plan: Plan, places: Sequence[int]) -> list[SplitVm]:
    """The VMs on several nodes."""
    found = []
    for vm, placed in enumerate(plan.vms):
        vcpus = nodes_of(plan, places, vm)
        if len(vcpus) > 1:
            found.append(SplitVm(vm, vcpus, sum(region.size for region in placed.config.regions)))
    return found


def split_islands(plan: Plan, places: Sequence[int]) -> list[SplitIsland]:
    """The islands of several VMs on several nodes."""
    found = []
    for island in islands(plan.machine):
        nodes = {vm: set(nodes_of(plan, places, vm)) for vm in island}
        every = sorted(set().union(*nodes.values()))
        if len(island) > 1 and len(every) > 1:
            vms = {node: tuple(vm for vm in island if node in nodes[vm]) for node in every}
            found.append(SplitIsland(vms, _shared(plan, nodes)))
    return found


def _shared(plan: Plan, nodes: dict[int, set[int]]) -> tuple[tuple[str, int], ...]:
    """What several of these VMs reach, from more than one node: shared memory, then devices by their addresses."""
    machine = plan.machine
    objects: dict[int, list[int]] = {}
    devices: dict[int, list[int]] = {}
    for vm in nodes:
        its_objects, its_devices = reached(machine.vms[vm])
        for shmem in its_objects:
            objects.setdefault(shmem, []).append(vm)
        for pa in its_devices:
            devices.setdefault(pa, []).append(vm)

    def over(vms: list[int]) -> bool:
        return len(vms) > 1 and len(set().union(*(nodes[vm] for vm in vms))) > 1

    found = [machine.shared_memory[shmem] for shmem in sorted(objects) if over(objects[shmem])]
    names = {device.pa: device.name for device in machine.platform.devices}
    sizes = {device.pa: device.size for vm in nodes for device in machine.vms[vm].devices}
    on_bus = [pa for pa in sorted(devices) if over(devices[pa])]
    return (
        *((each.name, each.size) for each in found),
        *((names.get(pa, f"the device at {pa:#x}"), sizes[pa]) for pa in on_bus),
    )
