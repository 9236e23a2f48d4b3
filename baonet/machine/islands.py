"""Islands: sets of VMs that share memory or a device, directly or through others, or an L2 cache that is modelled."""

from __future__ import annotations

from collections.abc import Hashable

from baonet.machine.assignment import assign
from baonet.machine.machine import Machine
from baonet.machine.vm import Vm


def reached(vm: Vm) -> tuple[set[int], set[int]]:
    """The shared memory objects and the devices of a VM, which others may have too."""
    return {ipc.shmem for ipc in vm.ipcs}, {device.pa for device in vm.devices if device.va is not None}


def _users(machine: Machine) -> dict[Hashable, list[int]]:
    """The VMs that have each object and each device."""
    users: dict[Hashable, list[int]] = {}
    for number, vm in enumerate(machine.vms):
        objects, devices = reached(vm)
        for what in (*(("object", each) for each in objects), *(("device", each) for each in devices)):
            users.setdefault(what, []).append(number)
    return users


def touching(machine: Machine) -> list[set[int]]:
    """Of each VM those that share memory or a device with it, itself among them."""
    found = [{vm} for vm in range(len(machine.vms))]
    for vms in _users(machine).values():
        for vm in vms if len(vms) > 1 else ():
            found[vm].update(vms)
    return found


def _neighbours(machine: Machine) -> list[list[int]]:
    """The VMs that run on each cluster, where these share a cache: what one does there another can feel."""
    if machine.platform.memory_system is None:
        return []
    taken, _ = assign(machine.vms, machine.platform.cpus)
    return [
        [vm for vm, pcpus in enumerate(taken) if not cluster.isdisjoint(pcpus)]
        for cluster in map(frozenset, machine.platform.clustered)
    ]


def islands(machine: Machine) -> list[tuple[int, ...]]:
    """The islands of a machine, as sets of VM numbers, by the first of each."""
    first = list(range(len(machine.vms)))

    def first_of(vm: int) -> int:
        while first[vm] != vm:
            first[vm] = vm = first[first[vm]]
        return vm

    for vms in (*_users(machine).values(), *_neighbours(machine)):
        for vm in vms[1:]:
            one, other = first_of(vms[0]), first_of(vm)
            first[max(one, other)] = min(one, other)
    found: dict[int, list[int]] = {}
    for vm in range(len(machine.vms)):
        found.setdefault(first_of(vm), []).append(vm)
    return [tuple(vms) for vms in found.values()]
