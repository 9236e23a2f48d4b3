"""Islands: sets of VMs that share memory or a device, directly or through others."""

from __future__ import annotations

from baonet.machine.machine import Machine
from baonet.machine.vm import Vm


def touching(machine: Machine, vm: int) -> set[int]:
    """The VMs that share memory or a device with this one, itself among them."""
    objects, devices = reached(machine.vms[vm])
    found = {vm}
    for other, its in enumerate(machine.vms):
        its_objects, its_devices = reached(its)
        if its_objects & objects or its_devices & devices:
            found.add(other)
    return found


def reached(vm: Vm) -> tuple[set[int], set[int]]:
    """The shared memory objects and the devices of a VM, which others may have too."""
    return {ipc.shmem for ipc in vm.ipcs}, {device.pa for device in vm.devices if device.va is not None}


def islands(machine: Machine) -> list[tuple[int, ...]]:
    """The islands of a machine, as sets of VM numbers."""
    found: list[tuple[int, ...]] = []
    left = set(range(len(machine.vms)))
    while left:
        island: set[int] = set()
        edge = {min(left)}
        while edge:
            island |= edge
            edge = {other for vm in edge for other in touching(machine, vm)} - island
        found.append(tuple(sorted(island)))
        left -= island
    return found
